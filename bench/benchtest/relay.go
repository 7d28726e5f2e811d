package benchtest

import (
	"net"
	"net/netip"
	"sync"
	"testing"

	"tcpvsudp/bench"
)

// Relay carries datagrams between clients and a server and misbehaves as told.
type Relay struct {
	// Addr is where clients are to send.
	Addr netip.AddrPort

	server  netip.AddrPort
	forward Forward
	conn    *net.UDPConn

	mu      sync.Mutex
	clients map[netip.AddrPort]*net.UDPConn
	counted [2]int
	running sync.WaitGroup
}

// Forward says what a relay sends on when measured message n (from 0, in each direction by itself) reaches it on
// its way up to the server or down to a client: nothing, the message, it twice, or one that it had held back.
// Messages that are not measured are sent on as they come. Calls come one at a time.
type Forward func(up bool, n int, msg []byte) [][]byte

// NewRelay starts a relay to server that ends with the test.
func NewRelay(t *testing.T, server netip.AddrPort, forward Forward) *Relay {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(server.Addr(), 0)))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadBuffer(4 << 20)
	r := &Relay{
		Addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), server: server, forward: forward, conn: conn,
		clients: map[netip.AddrPort]*net.UDPConn{},
	}
	r.running.Go(r.up)
	t.Cleanup(r.close)
	return r
}

func (r *Relay) close() {
	r.conn.Close()
	r.mu.Lock()
	for _, c := range r.clients {
		c.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
}

// up carries what clients send.
func (r *Relay) up() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		to := r.client(from)
		if to == nil {
			return
		}
		for _, msg := range r.decide(true, buf[:n]) {
			_, _ = to.Write(msg)
		}
	}
}

// client is the socket by which the client at from talks to the server.
func (r *Relay) client(from netip.AddrPort) *net.UDPConn {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.clients[from]; c != nil {
		return c
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(r.server))
	if err != nil {
		return nil
	}
	_ = c.SetReadBuffer(4 << 20)
	r.clients[from] = c
	r.running.Go(func() { r.down(c, from) })
	return c
}

// down carries what the server sends to one client.
func (r *Relay) down(c *net.UDPConn, client netip.AddrPort) {
	buf := make([]byte, 1<<16)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		for _, msg := range r.decide(false, buf[:n]) {
			_, _ = r.conn.WriteToUDPAddrPort(msg, client)
		}
	}
}

func (r *Relay) decide(up bool, msg []byte) [][]byte {
	own := append([]byte(nil), msg...)
	h, ok := bench.ParseHeader(msg)
	if !ok || h.Seq&bench.WarmUp != 0 {
		return [][]byte{own}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	direction := 0
	if up {
		direction = 1
	}
	n := r.counted[direction]
	r.counted[direction]++
	return r.forward(up, n, own)
}

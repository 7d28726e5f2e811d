package tcp

import (
	"crypto/tls"
	"net"
	"sync"
)

// handoff is a net.Listener of connections that another listener has accepted.
type handoff struct {
	tls    *tls.Config // nil to hand on a handshake as it came
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newHandoff(addr net.Addr) *handoff {
	return &handoff{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// handshake is the first byte of a TLS connection: a record of that type (RFC 8446 section 5.1).
const handshake = 22

// give hands conn over, of which the byte first has been read already. closed is called when it has been closed.
func (h *handoff) give(conn net.Conn, first byte, closed func()) {
	var c net.Conn = &begun{Conn: conn, first: []byte{first}, closed: closed}
	if first == handshake && h.tls != nil {
		c = tls.Server(c, h.tls)
	}
	select {
	case h.conns <- c:
	case <-h.closed:
		c.Close()
	}
}

// Accept implements net.Listener.
func (h *handoff) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handoff) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handoff) Addr() net.Addr { return h.addr }

// begun is a connection of which some bytes have been read already.
type begun struct {
	net.Conn
	first  []byte
	closed func()
}

func (b *begun) Close() error {
	b.closed()
	return b.Conn.Close()
}

func (b *begun) Read(buf []byte) (int, error) {
	if len(b.first) == 0 || len(buf) == 0 {
		return b.Conn.Read(buf)
	}
	n := copy(buf, b.first)
	b.first = b.first[n:]
	return n, nil
}

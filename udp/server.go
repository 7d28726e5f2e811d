package udp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"tcpvsudp/bench"
	"tcpvsudp/internal/clock"
	"tcpvsudp/internal/socket"
)

// Server carries the flows of sessions, all on one socket. A datagram that belongs to no session, or comes
// from another address than its session's, is dropped in silence: no state is made for it and nothing is
// sent.
type Server struct {
	conn     *net.UDPConn
	sessions *bench.Table
	spinner  *socket.Spinner
	spinning func() bool // sessions.Spinning
	serving  sync.Mutex  // held by Serve
	sources  sync.WaitGroup

	malformed, foreign atomic.Uint64
}

// Listen binds addr, "host:port"; port 0 is any free one. Nothing is read before Serve.
func Listen(addr string, sessions *bench.Table) (*Server, error) {
	var config net.ListenConfig
	c, err := config.ListenPacket(context.Background(), "udp", addr)
	if err != nil {
		return nil, err // a *net.OpError: it says "listen udp <addr>"
	}
	conn := c.(*net.UDPConn)
	if err := socket.AskBuffers(conn, 0, recvBuffer); err != nil {
		conn.Close()
		return nil, fmt.Errorf("listen udp %s: set socket buffers: %w", addr, err)
	}
	_ = socket.Fragment(conn, true) // refused: the platform's own way is as good as any
	return &Server{conn: conn, sessions: sessions, spinner: socket.NewSpinner(conn), spinning: sessions.Spinning}, nil
}

// Addr is the address that the server is bound to.
func (s *Server) Addr() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Dropped returns how many datagrams were no messages, and how many belonged to no session.
func (s *Server) Dropped() (malformed, foreign uint64) {
	return s.malformed.Load(), s.foreign.Load()
}

// Overflowed returns how many datagrams were dropped because the socket's receive buffer was full; known is false where
// that can't be told.
func (s *Server) Overflowed() (dropped uint64, known bool) { return socket.Overflowed(s.conn) }

// Serve reads datagrams until Close, and then returns nil.
func (s *Server) Serve() error {
	s.serving.Lock()
	defer s.serving.Unlock()
	granted := bench.Granted{RecvBufferAsked: recvBuffer}
	granted.SendBuffer, granted.RecvBuffer = socket.Buffers(s.conn)
	buf := bench.NewBlock(1, MaxMessage)
	buf = buf[:cap(buf)]
	for {
		n, from, err := s.read(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			// Of an earlier reply that nobody wanted, or a datagram too long for anyone: others still come.
			s.malformed.Add(1)
			continue
		}
		s.datagram(buf[:n], from, granted)
	}
}

// read waits for a datagram: asleep, unless a session wants the receivers to spin.
func (s *Server) read(buf []byte) (int, netip.AddrPort, error) {
	if err := s.spinner.AwaitWhile(s.spinning); err != nil {
		return 0, netip.AddrPort{}, err
	}
	return s.conn.ReadFromUDPAddrPort(buf)
}

// datagram gives one datagram to its flow and sends back what that answers.
func (s *Server) datagram(msg []byte, from netip.AddrPort, granted bench.Granted) {
	h, ok := bench.ParseHeader(msg)
	if !ok {
		s.malformed.Add(1)
		return
	}
	in := s.sessions.Inbound("udp", h, from.Addr())
	if in == nil || !in.Enter() {
		s.foreign.Add(1)
		return
	}
	traffic := bench.Traffic{RecvCalls: 1}
	start := false
	switch size := in.Size(); {
	case len(msg) > size:
		traffic.Truncated++
	case len(msg) < size:
		traffic.Malformed++
	default:
		var reply []byte
		if reply, start = in.Arrived(msg, clock.Now()); len(reply) > 0 {
			traffic.SendCalls++
			_, _ = s.conn.WriteToUDPAddrPort(reply, from) // what is not sent is lost, and the client counts it
		}
	}
	if in.Wait() == bench.Spin && s.spinner != nil {
		granted.Wait = bench.Spin
	}
	in.SetGranted(granted)
	in.Count(traffic)
	in.Leave()
	if start {
		// from is the session's address, or there would be no flow.
		s.sources.Go(func() { in.Pump(&sender{conn: s.conn, to: from}) })
	}
}

// sender sends to one address on a socket that others use too.
type sender struct {
	conn    *net.UDPConn
	to      netip.AddrPort
	traffic bench.Traffic
}

// Send implements bench.Sender.
func (s *sender) Send(block []byte, size int) (n int, err error) {
	for off := 0; off < len(block); off += size {
		s.traffic.SendCalls++
		if _, err := s.conn.WriteToUDPAddrPort(block[off:off+size], s.to); err != nil {
			return n, sendError(err)
		}
		n++
	}
	return n, nil
}

// Traffic implements bench.Sender.
func (s *sender) Traffic() bench.Traffic { return s.traffic }

// Close stops the server; it returns when Serve has, and all sources.
func (s *Server) Close() error {
	err := s.conn.Close()
	s.serving.Lock()
	defer s.serving.Unlock()
	s.sources.Wait()
	return err
}

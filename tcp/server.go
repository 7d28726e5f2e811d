package tcp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// headTimeout is how long a new connection may take to say what it is, at most: where the sessions' idle time is
// shorter, that.
const headTimeout = 10 * time.Second

// acceptPause is how long to wait after an accept that failed.
const acceptPause = 10 * time.Millisecond

// maxOwn is how many flows have a thread that waits on their socket.
const maxOwn = 128

// Server carries the flows of sessions, each on a connection of its own, and hands connections that begin
// with something else than a message to Control.
type Server struct {
	listener net.Listener
	sessions *bench.Table
	control  *handoff
	strays   *strays
	flows    atomic.Int64 // connections that carry a flow, and
	room     int64        // how many there may be
	own      atomic.Int64 // those with a thread of their own

	conns sync.WaitGroup
	mu    sync.Mutex
	open  map[io.Closer]struct{} // nil when closed
}

// Listen binds addr, "host:port"; port 0 is any free one. Nothing is accepted before Serve.
func Listen(addr string, sessions *bench.Table) (*Server, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false) // Go's default would measure MPTCP's socket
	l, err := config.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err // a *net.OpError: it says "listen tcp <addr>"
	}
	// Of the files that a process may have open a half is for flows, and a part of the rest for others.
	files := socket.FileLimit()
	return &Server{listener: l, sessions: sessions, control: newHandoff(l.Addr()), strays: newStrays(files), room: int64(files / 2),
		open: map[io.Closer]struct{}{}}, nil
}

// Addr is the address that the server is bound to.
func (s *Server) Addr() netip.AddrPort { return s.listener.Addr().(*net.TCPAddr).AddrPort() }

// Control is a listener whose connections are those that did not begin with a message: with those that began with a
// TLS handshake as *tls.Conn, unless config is nil. It is closed with the server. Call it once, before Serve.
func (s *Server) Control(config *tls.Config) net.Listener {
	s.control.tls = config
	return s.control
}

// Conns is how many connections there are that carry no flow of a session, control's included.
func (s *Server) Conns() int { return s.strays.len() }

// Serve accepts connections until Close, and then returns nil.
func (s *Server) Serve() error {
	for {
		conn, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			// Out of descriptors, or a connection gone before it was taken: others may still come.
			time.Sleep(acceptPause)
			continue
		}
		if s.remember(conn) {
			go s.welcome(conn.(*net.TCPConn))
		}
	}
}

// Close stops the server and ends all of its connections; it returns when they have gone.
func (s *Server) Close() error {
	err := s.listener.Close()
	s.control.Close()
	s.mu.Lock()
	for conn := range s.open {
		conn.Close()
	}
	s.open = nil
	s.mu.Unlock()
	s.conns.Wait()
	return err
}

func (s *Server) remember(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		conn.Close()
		return false
	}
	s.open[conn] = struct{}{}
	s.conns.Add(1) // here, so that Close can't begin to wait in between
	return true
}

// exchange has the server hold the flow that a connection has become.
func (s *Server) exchange(conn net.Conn, f *flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		f.Close()
		return
	}
	delete(s.open, conn)
	s.open[f] = struct{}{}
}

func (s *Server) forget(conn io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
	s.conns.Done()
}

// welcome finds out what a new connection is for.
func (s *Server) welcome(conn *net.TCPConn) {
	held := io.Closer(conn)
	defer func() { s.forget(held) }()
	s.strays.add(conn)
	handed := false
	defer func() {
		if !handed {
			s.strays.remove(conn)
		}
	}()
	_ = conn.SetReadDeadline(time.Now().Add(min(headTimeout, s.sessions.Limits().Idle)))
	var head [bench.HeaderSize]byte
	if _, err := io.ReadFull(conn, head[:1]); err != nil {
		conn.Close()
		return
	}
	if head[0] != bench.FirstByte {
		_ = conn.SetReadDeadline(time.Time{})
		handed = true
		s.control.give(conn, head[0], func() { s.strays.remove(conn) })
		return
	}
	defer conn.Close()
	if _, err := io.ReadFull(conn, head[1:]); err != nil {
		return
	}
	h, ok := bench.ParseHeader(head[:])
	if !ok {
		return
	}
	in := s.sessions.Inbound("tcp", h, conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr())
	if in == nil {
		return
	}
	s.strays.remove(conn)
	defer s.flows.Add(-1)
	if s.flows.Add(1) > s.room { // sessions may have more flows than the process files
		return
	}
	_ = conn.SetReadDeadline(time.Time{}) // the session's end closes the flow
	o := in.Options()
	if h.Kind != bench.Hello { // a flow of a single exchange
		o.Brief, o.Block = true, in.Size()
	}
	if !o.Many && !o.Brief {
		defer s.own.Add(-1)
		o.Many = s.own.Add(1) > maxOwn
	}
	if o.Congestion != "" {
		_ = socket.AskCongestionControl(socket.Of(conn), o.Congestion) // refused: what is granted says so
	}
	f := newFlow(conn, o)
	defer f.Close()
	held = f
	s.exchange(conn, f)
	f.begin(head[:], in.Size())
	f.traffic.RecvCalls = 2 // those of head
	in.Serve(f)
}

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
	"tcpvsudp/internal/clock"
	"tcpvsudp/internal/socket"
)

// headTimeout is how long a new connection may take to say what it is, at most: where the sessions' idle time is
// shorter, that.
const headTimeout = 10 * time.Second

// acceptPause is how long to wait after an accept that failed.
const acceptPause = 10 * time.Millisecond

// pooledBytes is the size of the blocks that are used again: a connection may be over after one message.
const pooledBytes = 256 << 10

var blocks = sync.Pool{New: func() any { return new([pooledBytes + 1]byte) }}

// newBlock returns a block of some bytes, whole messages of size, and what gives it back.
func newBlock(bytes, size int) (block []byte, release func()) {
	if bytes != pooledBytes {
		return bench.NewBlock(max(bytes/size, 1), size), func() {}
	}
	all := blocks.Get().(*[pooledBytes + 1]byte)
	return all[:pooledBytes/size*size], func() { blocks.Put(all) }
}

// Server carries the flows of sessions, each on a connection of its own, and hands connections that begin
// with something else than a message to Control.
type Server struct {
	listener net.Listener
	sessions *bench.Table
	control  *handoff
	strays   *strays
	flows    atomic.Int64 // connections that carry a flow, and
	room     int64        // how many there may be

	conns sync.WaitGroup
	mu    sync.Mutex
	open  map[net.Conn]struct{} // nil when closed
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
		open: map[net.Conn]struct{}{}}, nil
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

func (s *Server) forget(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
	s.conns.Done()
}

// welcome finds out what a new connection is for.
func (s *Server) welcome(conn *net.TCPConn) {
	defer s.forget(conn)
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
	if in := s.sessions.Inbound("tcp", h, conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()); in != nil {
		s.serve(conn, in, head[:])
	}
}

// serve carries one flow of a session, whose stream began with head.
func (s *Server) serve(conn *net.TCPConn, in *bench.Inbound, head []byte) {
	if !in.Attach(conn) {
		return
	}
	defer in.Detach()
	s.strays.remove(conn)
	defer s.flows.Add(-1)
	if s.flows.Add(1) > s.room { // sessions may have more flows than the process files
		return
	}
	_ = conn.SetReadDeadline(time.Time{}) // the session's end closes the connection
	size := in.Size()
	f := newFlow(conn, bench.Options{Wait: in.Wait()})
	f.tail = append(f.tail, head...)
	f.traffic.RecvCalls = 2 // those of head
	granted := f.Granted()
	granted.Wait = bench.Block // head was waited for asleep
	block, release := newBlock(in.BlockBytes(), size)
	defer release()
	for first := true; ; first = false {
		n, err := f.Recv(block, size)
		if err == nil && !first && f.spinner != nil {
			granted.Wait = bench.Spin
		}
		if err != nil || !s.messages(f, in, block[:n*size], granted) {
			break // the client is done, or gone: its session tells what has come
		}
	}
	// By now the kernel has tuned the buffers.
	if in.Enter() {
		wait := granted.Wait
		granted = f.Granted()
		granted.Wait = wait
		in.SetGranted(granted)
		in.Leave()
	}
}

// messages gives a block to its flow and sends back what that answers; it returns false when there is nothing
// more to do.
func (s *Server) messages(f *flow, in *bench.Inbound, block []byte, granted bench.Granted) bool {
	if !in.Enter() {
		return false
	}
	reply, start := in.Arrived(block, clock.Now())
	var err error
	if len(reply) > 0 {
		_, err = f.Send(reply, in.Size())
	}
	in.SetGranted(granted)
	in.Count(f.traffic)
	in.Leave()
	if start {
		in.Pump(f) // what the client says meanwhile can wait: it only listens
	}
	f.traffic = bench.Traffic{}
	return err == nil
}

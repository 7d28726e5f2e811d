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

// Server carries the flows of sessions on one port. A datagram that belongs to no session, or comes
// from another address than its session's, is dropped in silence: no state is made for it and nothing is
// sent.
//
// What comes to the port is sorted by its headers. A flow that greets may get a socket of its own there, connected to
// its client, to which the kernel then brings what that client sends, as a TCP server's accept does.
type Server struct {
	addr     netip.AddrPort
	sessions *bench.Table
	doors    []door
	serving  sync.Mutex     // held by Serve
	running  sync.WaitGroup // sources and flows

	mu   sync.Mutex
	open map[*bench.Inbound]*adopted // nil when closed
	gone uint64                      // the datagrams that closed flows' sockets have dropped

	malformed, foreign atomic.Uint64
}

// door is a socket that datagrams of anybody come to.
type door interface {
	socket.Handle
	// receive waits for datagrams and calls deliver for each, or for several of one sender which the kernel has joined. With
	// segment not 0, they are of segment bytes each, but for the last, which may be shorter.
	receive(spin func() bool, deliver func(m mail)) error
	// reply sends the messages of block to who sent the datagrams that are being delivered.
	reply(block []byte, size int, m mail) (calls int)
	// sender sends to who sent those, for as long as it is wanted.
	sender(m mail, o bench.Options) bench.Sender
	// granted is what the kernel gave.
	granted() bench.Granted
}

// mail is what a door delivers: bytes until deliver returns.
type mail struct {
	bytes   []byte
	segment int
	cut     bool
	from    netip.AddrPort
	name    *socket.Name // from, where the door has it so
}

// Listen binds addr, "host:port"; port 0 is any free one. Nothing is read before Serve.
func Listen(addr string, sessions *bench.Table) (*Server, error) {
	s := &Server{sessions: sessions, open: map[*bench.Inbound]*adopted{}}
	var err error
	if s.doors, s.addr, err = doors(addr); err != nil {
		return nil, err
	}
	sessions.OverflowedBy("udp", s.Overflowed)
	return s, nil
}

// listen opens a socket on addr.
func listen(config net.ListenConfig, addr string) (*net.UDPConn, error) {
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
	return conn, nil
}

// Addr is the address that the server is bound to.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Dropped returns how many datagrams were no messages, and how many belonged to no session.
func (s *Server) Dropped() (malformed, foreign uint64) {
	return s.malformed.Load(), s.foreign.Load()
}

// Overflowed returns how many datagrams were dropped because a receive buffer was full; known is false where
// that can't be told.
func (s *Server) Overflowed() (dropped uint64, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dropped = s.gone
	for _, d := range s.doors {
		n, ok := socket.Overflowed(d)
		dropped, known = dropped+n, known || ok
	}
	for _, a := range s.open {
		n, _ := a.Overflowed()
		dropped += n
	}
	return dropped, known
}

// Serve reads datagrams until Close, and then returns nil.
func (s *Server) Serve() error {
	s.serving.Lock()
	defer s.serving.Unlock()
	var all sync.WaitGroup
	spinning := s.sessions.Spinning
	for _, d := range s.doors {
		all.Go(func() {
			granted := d.granted()
			deliver := func(m mail) { s.datagrams(d, m, granted) }
			for {
				switch err := d.receive(spinning, deliver); {
				case errors.Is(err, net.ErrClosed):
					return
				case err != nil:
					// Of an earlier reply that nobody wanted, or a datagram too long for anyone: others still come.
					s.malformed.Add(1)
				}
			}
		})
	}
	all.Wait()
	return nil
}

// datagrams gives what has come to a door to its flow and sends back what that answers.
func (s *Server) datagrams(d door, m mail, granted bench.Granted) {
	h, ok := bench.ParseHeader(m.bytes)
	if !ok {
		s.drop(&s.malformed, m)
		return
	}
	in := s.sessions.Inbound("udp", h, m.from.Addr())
	if in == nil || !in.Enter() {
		s.drop(&s.foreign, m)
		return
	}
	var strays []mail
	if h.Kind == bench.Hello {
		strays = s.adopt(d, in, m) // ahead of the answer, after which the flow's messages come
	}
	traffic := bench.Traffic{RecvCalls: 1}
	start := false
	size := in.Size()
	if block := whole(m.bytes, m.segment, size, m.cut, &traffic); len(block) > 0 {
		var reply []byte
		if reply, start = in.Arrived(block, clock.Now()); len(reply) > 0 {
			traffic.SendCalls += uint64(d.reply(reply, size, m)) // what is not sent is lost, and the client counts it
		}
	}
	if in.Wait() == bench.Block {
		granted.Wait = bench.Block
	}
	in.SetGranted(granted)
	in.Count(traffic)
	in.Leave()
	for _, m := range strays {
		s.datagrams(d, m, granted)
	}
	if start {
		// m.from is the session's address, or there would be no flow.
		to := d.sender(m, in.Options())
		s.running.Go(func() { in.Pump(to) })
	}
}

// drop counts what is thrown away.
func (s *Server) drop(as *atomic.Uint64, m mail) {
	n := 1
	if m.segment > 0 {
		n = (len(m.bytes) + m.segment - 1) / m.segment
	}
	as.Add(uint64(n))
}

// adopter is a door that can open sockets for flows.
type adopter interface {
	connect(server netip.AddrPort, client mail, o bench.Options) (f *flow, strays []mail, err error)
}

// maxAdopted is how many flows have a socket of their own, and a thread that waits on it.
const maxAdopted = 128

// adopt gives the flow, whose client has sent m, a socket of its own, if there may be one and it has none yet. It returns what has
// come to that socket from others.
func (s *Server) adopt(d door, in *bench.Inbound, m mail) (strays []mail) {
	by, ok := d.(adopter)
	o := in.Options()
	if !ok || o.Many || o.Portable {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.open[in]
	if s.open == nil || len(s.open) >= maxAdopted || before != nil && before.from == m.from {
		return nil
	}
	f, strays, err := by.connect(s.addr, m, o)
	if err != nil {
		return nil // the door goes on
	}
	a := &adopted{flow: f, server: s, in: in, door: beside{d}, from: m.from, name: new(*m.name)}
	s.open[in] = a
	s.running.Go(func() {
		in.Serve(a) // which closes the one before
		a.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		n, _ := a.Overflowed()
		s.gone += n
		if s.open[in] == a {
			delete(s.open, in)
		}
	})
	return strays
}

// adopted is a flow on a socket of its own. It goes on when it hears that a message which it sent was not wanted: others may
// still be.
type adopted struct {
	*flow
	server *Server
	in     *bench.Inbound
	door   door
	from   netip.AddrPort
	name   *socket.Name

	closing sync.Mutex // held to change what follows
	closed  bool
	dropped uint64 // what Overflowed told when it was closed
}

// Recv implements bench.Flow. The client's port may have become another flow's meanwhile, or be several flows': what is another's goes
// there.
func (a *adopted) Recv(size int) ([]byte, error) {
	for {
		block, err := a.flow.Recv(size)
		if err != nil {
			if socket.IsRefused(err) {
				continue
			}
			return nil, err
		}
		others := 0 // bytes ahead of the first message that is this flow's
		for others < len(block) && !a.owns(block[others:]) {
			others += size
		}
		if others > 0 {
			a.server.datagrams(a.door, mail{bytes: block[:others], segment: size, from: a.from, name: a.name}, a.door.granted())
		}
		if others < len(block) {
			return block[others:], nil
		}
	}
}

// owns tells whether a message is this flow's, or nobody's.
func (a *adopted) owns(msg []byte) bool {
	h, ok := bench.ParseHeader(msg)
	return !ok || h.Session == a.in.Session().ID && h.Flow == a.in.Number()
}

// Send implements bench.Sender.
func (a *adopted) Send(block []byte, size int, more bool) (int, error) {
	n, err := a.flow.Send(block, size, more)
	if socket.IsRefused(err) {
		err = fmt.Errorf("%w: %w", bench.ErrUnreachable, err)
	}
	return n, err
}

// Overflowed implements bench.Overflower, after Close too.
func (a *adopted) Overflowed() (datagrams uint64, known bool) {
	a.closing.Lock()
	defer a.closing.Unlock()
	if a.closed {
		return a.dropped, true
	}
	return a.flow.Overflowed()
}

// Close implements bench.Flow.
func (a *adopted) Close() (err error) {
	a.closing.Lock()
	defer a.closing.Unlock()
	if a.closed {
		return net.ErrClosed
	}
	a.dropped, _ = a.flow.Overflowed()
	a.closed = true
	return a.flow.Close()
}

// beside is a door as one uses it who does not receive there: it replies by a sender of its own.
type beside struct{ door }

func (b beside) reply(block []byte, size int, m mail) (calls int) {
	to := b.sender(m, bench.Options{})
	_, _ = to.Send(block, size, false)
	return int(to.Traffic().SendCalls)
}

// Close stops the server; it returns when Serve has, and all sources and flows.
func (s *Server) Close() error {
	var errs []error
	for _, d := range s.doors {
		errs = append(errs, d.Close())
	}
	s.serving.Lock()
	defer s.serving.Unlock()
	s.mu.Lock()
	for _, a := range s.open {
		a.Close()
	}
	s.open = nil
	s.mu.Unlock()
	s.running.Wait()
	return errors.Join(errs...)
}

// Package benchtest holds what tests of transports and of the runner share: a conformance suite that every
// transport runs, a fake network whose truth is known, and a relay that misbehaves as told.
package benchtest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/internal/clock"
)

// Network is a fake transport and its server, in one process and without sockets. Its delays are those of
// package time, so that it runs in a testing/synctest bubble.
type Network struct {
	// Sessions are the server's.
	Sessions *bench.Table
	// Fate says what becomes of measured message n (from 0, in each direction by itself) on its way up to the
	// server or down to the client: the delay of every copy that arrives. Nil delivers one at once. Every other
	// message takes a millisecond.
	Fate func(up bool, n int) []time.Duration
	// SendError, if not nil, is asked before message n of a flow is sent.
	SendError func(n int) error
	// Lose, if not nil, tells which messages are lost, the unmeasured ones included; Fate is asked of the others.
	Lose func(up bool, h bench.Header) bool
	// ServerAhead is by how much the server's clock is ahead of the client's; Ahead, if not nil, says so for every
	// moment.
	ServerAhead time.Duration
	Ahead       func() time.Duration

	mu      sync.Mutex
	counted [2]int
}

var (
	_ bench.Transport = (*Network)(nil)
	_ bench.Flow      = (*fakeFlow)(nil)
)

// fakeAddr is where the client of a Network seems to be.
var fakeAddr = netip.MustParseAddr("127.0.0.1")

// Name implements bench.Transport.
func (*Network) Name() string { return "fake" }

// MaxMessage implements bench.Transport.
func (*Network) MaxMessage() int { return 1 << 16 }

// Lossy implements bench.Transport.
func (*Network) Lossy() bool { return true }

// Dial implements bench.Transport.
func (n *Network) Dial(ctx context.Context, addr string, o bench.Options) (bench.Flow, error) {
	return &fakeFlow{network: n, arrived: make(chan struct{}, 1), moved: make(chan struct{}), closed: make(chan struct{})}, ctx.Err()
}

// carry delivers a message by what Fate has for it.
func (n *Network) carry(up bool, msg []byte, deliver func([]byte)) {
	copies := []time.Duration{time.Millisecond}
	switch h, ok := bench.ParseHeader(msg); {
	case ok && n.Lose != nil && n.Lose(up, h):
		return
	case n.Fate == nil:
		copies[0] = 0
	case ok && h.Seq&bench.WarmUp == 0:
		direction := 0
		if up {
			direction = 1
		}
		n.mu.Lock()
		number := n.counted[direction]
		n.counted[direction]++
		n.mu.Unlock()
		copies = n.Fate(up, number)
	}
	for _, delay := range copies {
		own := append(make([]byte, 0, len(msg)+1), msg...)
		if delay == 0 {
			deliver(own)
		} else {
			time.AfterFunc(delay, func() { deliver(own) })
		}
	}
}

// serve is the server: it gives a message to its session and sends the answer to f.
func (n *Network) serve(f *fakeFlow, msg []byte) {
	h, ok := bench.ParseHeader(msg)
	if !ok {
		return
	}
	in := n.Sessions.Inbound("fake", h, fakeAddr)
	if in == nil || len(msg) != in.Size() {
		return
	}
	f.serving.Lock() // what arrives at the same moment does not have to wait to enter
	defer f.serving.Unlock()
	if !in.Enter() {
		return
	}
	ahead := n.ServerAhead
	if n.Ahead != nil {
		ahead = n.Ahead()
	}
	reply, start := in.Arrived(msg, clock.Now()+int64(ahead))
	in.Leave()
	if len(reply) > 0 {
		n.carry(false, reply, f.deliver)
	}
	if start {
		go in.Pump(&fakeSource{network: n, to: f})
	}
}

// fakeSource is a server's sending half of a flow.
type fakeSource struct {
	network *Network
	to      *fakeFlow
	traffic bench.Traffic
}

// sourceGap is how long a source takes for a message.
const sourceGap = time.Millisecond

func (s *fakeSource) Send(block []byte, size int, _ bool) (n int, err error) {
	for off := 0; off < len(block); off += size {
		time.Sleep(sourceGap)
		s.network.carry(false, block[off:off+size], s.to.deliver)
		s.traffic.SendCalls++
		n++
	}
	return n, nil
}

func (s *fakeSource) Batch(int) int { return 1 }

func (s *fakeSource) Traffic() bench.Traffic { return s.traffic }

// fakeFlow is a flow of a Network.
type fakeFlow struct {
	network *Network
	sent    int
	serving sync.Mutex

	mu             sync.Mutex
	inbox          [][]byte
	arrived        chan struct{} // holds a token when something was put in inbox
	sendBy, recvBy time.Time
	moved          chan struct{} // closed and replaced when recvBy is
	closed         chan struct{}
	traffic        bench.Traffic
}

func (f *fakeFlow) Send(block []byte, size int, _ bool) (n int, err error) {
	if err := f.usable(&f.sendBy); err != nil {
		return 0, err
	}
	for off := 0; off < len(block); off += size {
		f.sent++
		if f.network.SendError != nil {
			if err := f.network.SendError(f.sent - 1); err != nil {
				return n, err
			}
		}
		f.network.carry(true, block[off:off+size], func(msg []byte) { f.network.serve(f, msg) })
		n++
	}
	return n, nil
}

func (f *fakeFlow) deliver(msg []byte) {
	f.mu.Lock()
	f.inbox = append(f.inbox, msg)
	f.mu.Unlock()
	select {
	case f.arrived <- struct{}{}:
	default:
	}
}

func (f *fakeFlow) Recv(size int) ([]byte, error) {
	for {
		if err := f.usable(&f.recvBy); err != nil {
			return nil, err
		}
		if block := f.take(size); len(block) > 0 {
			return block, nil
		}
		f.mu.Lock()
		deadline, moved := f.recvBy, f.moved
		f.mu.Unlock()
		var expired <-chan time.Time
		if !deadline.IsZero() {
			timer := time.NewTimer(time.Until(deadline))
			defer timer.Stop()
			expired = timer.C
		}
		select {
		case <-f.arrived:
		case <-moved:
		case <-expired:
		case <-f.closed:
		}
	}
}

// take empties the inbox.
func (f *fakeFlow) take(size int) (block []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, msg := range f.inbox {
		if len(msg) == size {
			block = append(block, msg...)
		} else {
			f.traffic.Malformed++
		}
	}
	f.inbox = nil
	return block
}

// usable returns the error that a call with that deadline must end with.
func (f *fakeFlow) usable(deadline *time.Time) error {
	select {
	case <-f.closed:
		return net.ErrClosed
	default:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !deadline.IsZero() && time.Until(*deadline) <= 0 {
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (f *fakeFlow) SetSendDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sendBy = t
	return nil
}

func (f *fakeFlow) SetRecvDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.recvBy = t
	close(f.moved)
	f.moved = make(chan struct{})
	return nil
}

func (f *fakeFlow) Granted() bench.Granted { return bench.Granted{} }

func (f *fakeFlow) Batch(int) int { return 1 }

func (f *fakeFlow) Traffic() bench.Traffic { return f.traffic }

func (f *fakeFlow) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.closed:
		return net.ErrClosed
	default:
		close(f.closed)
		return nil
	}
}

// Control agrees sessions with a Table in the same process, for clients at 127.0.0.1.
type Control struct{ Sessions *bench.Table }

var _ bench.Control = Control{}

// Agree implements bench.Control.
func (c Control) Agree(ctx context.Context, spec bench.Spec) (uint64, error) {
	s, err := c.Sessions.Agree(ctx, spec, fakeAddr, "")
	if err != nil {
		return 0, err
	}
	return s.ID, nil
}

// Renew implements bench.Control.
func (c Control) Renew(ctx context.Context, session uint64) error {
	return c.Sessions.Renew(ctx, session)
}

// Stop implements bench.Control.
func (c Control) Stop(_ context.Context, session uint64) ([]uint64, error) {
	return c.Sessions.Stop(session)
}

// Settle implements bench.Control.
func (c Control) Settle(ctx context.Context, session uint64, end bench.Settlement) (bench.Account, error) {
	for {
		account, err := c.Sessions.Settle(ctx, session, end)
		if !errors.Is(err, bench.ErrSettling) {
			return account, err
		}
	}
}

// End implements bench.Control.
func (c Control) End(_ context.Context, session uint64) error { return c.Sessions.End(session) }

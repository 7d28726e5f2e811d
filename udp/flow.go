package udp

import (
	"fmt"
	"net"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// flow sends and receives a message a datagram.
type flow struct {
	datagrams
	asked   bench.Options
	traffic bench.Traffic
}

// datagrams is the way to a connected socket. One goroutine may send while another receives.
type datagrams interface {
	socket.Handle
	// send sends the messages of block, a datagram each, and returns how many it sent. With an error that is of one message
	// alone, n counts those ahead of it.
	send(block []byte, size int) (n, calls int, err error)
	// recv waits for a datagram at least and returns those of size bytes, which may be none, and counts in t what it did.
	recv(size int, t *bench.Traffic) (block []byte, err error)
	// batch is how many messages send takes at once.
	batch(size int) int
	// means tells how it sends, receives and waits.
	means() (bench.Path, bench.Wait, bench.Offload)
}

var (
	_ bench.Eager      = (*flow)(nil)
	_ bench.Overflower = (*flow)(nil)
	_ bench.Framer     = (*flow)(nil)
)

// newFlow chooses the way to conn's socket.
func newFlow(conn *net.UDPConn, o bench.Options) *flow {
	f := &flow{asked: o}
	if !o.Portable {
		f.datagrams = fast(conn, o)
	}
	if f.datagrams == nil {
		f.datagrams = portable(conn, o)
	}
	return f
}

// Send implements bench.Flow.
func (f *flow) Send(block []byte, size int, _ bool) (n int, err error) {
	n, calls, err := f.send(block, size)
	f.traffic.SendCalls += uint64(calls)
	return n, sendError(err)
}

// sendError says what err, of a send, means to the runner.
func sendError(err error) error {
	switch {
	case err == nil:
	case socket.IsQueueFull(err):
		return fmt.Errorf("%w: %w", bench.ErrSendQueueFull, err)
	case socket.IsUnreachable(err):
		return fmt.Errorf("%w: %w", bench.ErrUnreachable, err)
	case socket.IsTooLong(err):
		return fmt.Errorf("%w: %w", bench.ErrTooLong, err)
	}
	return err
}

// Batch implements bench.Sender.
func (f *flow) Batch(size int) int {
	if f.asked.Batch > 0 {
		return f.asked.BlockOf(size)
	}
	return f.batch(size)
}

// Recv implements bench.Flow.
func (f *flow) Recv(size int) ([]byte, error) {
	for {
		block, err := f.recv(size, &f.traffic)
		switch {
		case err == nil && len(block) > 0:
			return block, nil
		case socket.IsUnreachable(err) || socket.IsTooLong(err) && !f.asked.DontFragment:
			// News from the way of a message that was sent earlier, and is lost: others may still come.
		case err != nil:
			return nil, sendError(err)
		}
	}
}

// Try implements bench.Eager.
func (f *flow) Try(size int) (block []byte, ok bool, err error) {
	eager, ok := f.datagrams.(interface {
		tryRecv(size int, t *bench.Traffic) ([]byte, error)
	})
	if !ok {
		return nil, false, nil
	}
	block, err = eager.tryRecv(size, &f.traffic)
	if socket.IsUnreachable(err) || socket.IsTooLong(err) && !f.asked.DontFragment {
		err = nil // see Recv
	}
	return block, true, sendError(err)
}

// SetSendDeadline implements bench.Flow.
func (f *flow) SetSendDeadline(t time.Time) error { return f.SetWriteDeadline(t) }

// SetRecvDeadline implements bench.Flow.
func (f *flow) SetRecvDeadline(t time.Time) error { return f.SetReadDeadline(t) }

// Granted implements bench.Flow.
func (f *flow) Granted() bench.Granted {
	g := bench.Granted{SendBufferAsked: f.asked.SendBuffer, RecvBufferAsked: f.asked.RecvBuffer}
	g.SendBuffer, g.RecvBuffer = socket.Buffers(f)
	g.Path, g.Wait, g.Offload = f.means()
	return g
}

// Overflowed implements bench.Overflower.
func (f *flow) Overflowed() (datagrams uint64, known bool) { return socket.Overflowed(f) }

// Headers implements bench.Framer: a datagram is a message.
func (f *flow) Headers(size int) (headers, data uint64, known bool) {
	n, known := socket.DatagramHeaders(f, size)
	return uint64(n), uint64(size), known
}

// Traffic implements bench.Sender.
func (f *flow) Traffic() bench.Traffic { return f.traffic }

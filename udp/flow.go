package udp

import (
	"fmt"
	"net"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// flow sends and receives a message a datagram. A later fast path is chosen in newFlow, when the flow is
// opened, and changes read and write alone.
type flow struct {
	conn    *net.UDPConn
	asked   bench.Options
	spinner *socket.Spinner // nil to sleep
	traffic bench.Traffic
}

var _ bench.Flow = (*flow)(nil)

func newFlow(conn *net.UDPConn, o bench.Options) *flow {
	f := &flow{conn: conn, asked: o}
	if o.Wait == bench.Spin {
		f.spinner = socket.NewSpinner(conn)
	}
	return f
}

// Send implements bench.Flow.
func (f *flow) Send(block []byte, size int) (n int, err error) {
	for off := 0; off < len(block); off += size {
		f.traffic.SendCalls++
		if _, err := f.conn.Write(block[off : off+size]); err != nil {
			return n, sendError(err)
		}
		n++
	}
	return n, nil
}

// sendError says what err, of a send, means to the runner.
func sendError(err error) error {
	switch {
	case socket.IsQueueFull(err):
		return fmt.Errorf("%w: %w", bench.ErrSendQueueFull, err)
	case socket.IsUnreachable(err):
		return fmt.Errorf("%w: %w", bench.ErrUnreachable, err)
	case socket.IsTooLong(err):
		return fmt.Errorf("%w: %w", bench.ErrTooLong, err)
	}
	return err
}

// Recv implements bench.Flow.
func (f *flow) Recv(block []byte, size int) (n int, err error) {
	for {
		got, err := f.read(block[:size+1]) // the spare byte shows a datagram that is too long
		switch {
		case got > size || socket.IsCut(err):
			f.traffic.Truncated++
		case socket.IsUnreachable(err) || socket.IsTooLong(err) && !f.asked.DontFragment:
			// News from the way of a message that was sent earlier, and is lost: others may still come.
		case err != nil:
			return 0, sendError(err)
		case got < size:
			f.traffic.Malformed++
		default:
			return 1, nil
		}
	}
}

func (f *flow) read(buf []byte) (int, error) {
	if err := f.spinner.Await(); err != nil {
		return 0, err
	}
	n, err := f.conn.Read(buf)
	if n > 0 {
		f.traffic.RecvCalls++
	}
	return n, err
}

// SetSendDeadline implements bench.Flow.
func (f *flow) SetSendDeadline(t time.Time) error { return f.conn.SetWriteDeadline(t) }

// SetRecvDeadline implements bench.Flow.
func (f *flow) SetRecvDeadline(t time.Time) error { return f.conn.SetReadDeadline(t) }

// Granted implements bench.Flow.
func (f *flow) Granted() bench.Granted {
	g := bench.Granted{SendBufferAsked: f.asked.SendBuffer, RecvBufferAsked: f.asked.RecvBuffer}
	g.SendBuffer, g.RecvBuffer = socket.Buffers(f.conn)
	if f.spinner != nil {
		g.Wait = bench.Spin
	}
	return g
}

// Traffic implements bench.Flow.
func (f *flow) Traffic() bench.Traffic { return f.traffic }

// Close implements bench.Flow.
func (f *flow) Close() error { return f.conn.Close() }

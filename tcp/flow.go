package tcp

import (
	"errors"
	"io"
	"net"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// flow cuts the stream of a connection into messages. A later fast path is chosen in newFlow, when the flow
// is opened, and changes read and write alone.
type flow struct {
	conn    *net.TCPConn
	asked   bench.Options
	spinner *socket.Spinner // nil to sleep
	tail    []byte          // the beginning of a message whose rest has not come
	broken  bool            // a message was sent in part
	traffic bench.Traffic
}

var _ bench.Flow = (*flow)(nil)

func newFlow(conn *net.TCPConn, o bench.Options) *flow {
	f := &flow{conn: conn, asked: o}
	if o.Wait == bench.Spin {
		f.spinner = socket.NewSpinner(conn)
	}
	return f
}

// errBroken is returned by Send after a message went out in part.
var errBroken = errors.New("the stream was cut in the middle of a message by an earlier error")

// Send implements bench.Flow.
func (f *flow) Send(block []byte, size int) (n int, err error) {
	if f.broken {
		return 0, errBroken
	}
	f.traffic.SendCalls++
	written, err := f.conn.Write(block)
	f.broken = written%size != 0
	return written / size, err
}

// Recv implements bench.Flow.
func (f *flow) Recv(block []byte, size int) (n int, err error) {
	got := copy(block, f.tail)
	f.tail = f.tail[:0]
	for got < size {
		m, err := f.read(block[got:])
		got += m
		if err != nil {
			f.tail = append(f.tail, block[:got]...)
			if errors.Is(err, io.EOF) && got > 0 {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
	whole := got - got%size
	f.tail = append(f.tail, block[whole:got]...)
	return whole / size, nil
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
	g.CongestionControl = socket.CongestionControl(f.conn)
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

package tcp

import (
	"errors"
	"io"
	"net"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// flow cuts the stream of a connection into messages.
type flow struct {
	stream
	asked   bench.Options
	buf     []byte  // what has been read lies in it from the start
	lent    *[]byte // buf, where flows share buffers: while nothing is waited for
	tail    []byte  // what was in buf, where it has been given back
	got     int     // the bytes of it that have been read, and
	given   int     // those that Recv has given out
	broken  bool    // a message was sent in part
	traffic bench.Traffic
}

// stream is the way to the bytes of a connection. One goroutine may read while another writes.
type stream interface {
	socket.Handle
	// await waits for something to read, the end included.
	await() error
	// read waits for a byte at least, or io.EOF.
	read(buf []byte) (n int, err error)
	// write writes all of buf, so many bytes a call, or returns an error; more is that of bench.Sender. calls is how many system
	// calls it took.
	write(buf []byte, call int, more bool) (n, calls int, err error)
	// push sends what a write has kept back for more.
	push() error
	// means tells how it reads, waits and writes.
	means() (bench.Path, bench.Wait)
}

var (
	_ bench.Eager        = (*flow)(nil)
	_ bench.PathInformer = (*flow)(nil)
	_ bench.Framer       = (*flow)(nil)
)

// newFlow chooses the way to conn's bytes.
func newFlow(conn *net.TCPConn, o bench.Options) *flow {
	f := &flow{asked: o}
	if o.Buffers == nil {
		f.asked.Many = false
	}
	if !o.Portable {
		f.stream = fast(conn, o)
	}
	if f.stream == nil {
		f.stream = portable(conn, o)
	}
	return f
}

// errBroken is returned by Send after a message went out in part.
var errBroken = errors.New("the stream was cut in the middle of a message by an earlier error")

// Send implements bench.Flow.
func (f *flow) Send(block []byte, size int, more bool) (n int, err error) {
	if f.broken {
		return 0, errBroken
	}
	if len(block) == 0 {
		return 0, f.push()
	}
	call := len(block)
	if f.asked.Batch > 0 {
		call = min(f.asked.Batch, len(block)/size) * size
	}
	written, calls, err := f.write(block, call, more)
	f.traffic.SendCalls += uint64(calls)
	f.broken = written%size != 0
	return written / size, err
}

// Batch implements bench.Sender: as many as fill a block.
func (f *flow) Batch(size int) int { return f.asked.BlockOf(size) }

// Recv implements bench.Flow.
func (f *flow) Recv(size int) ([]byte, error) {
	f.rest()
	if f.asked.Many && f.got < size {
		f.giveBack()
		if err := f.await(); err != nil {
			return nil, err
		}
		f.borrow(size)
	}
	f.grow(size)
	for f.got < size {
		n, err := f.read(f.buf[f.got:])
		if err := f.came(n, err); err != nil {
			return nil, err
		}
	}
	return f.give(size), nil
}

// came counts what a read has brought, and says what its error means.
func (f *flow) came(n int, err error) error {
	if n > 0 {
		f.got += n
		f.traffic.RecvCalls++
	}
	if errors.Is(err, io.EOF) && f.got > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// give gives out the whole messages that have been read.
func (f *flow) give(size int) []byte {
	f.given = f.got - f.got%size
	return f.buf[:f.given]
}

// rest moves what has been read beyond the messages that Recv has given out to the start of buf.
func (f *flow) rest() {
	if f.given > 0 {
		f.got = copy(f.buf, f.buf[f.given:f.got])
		f.given = 0
	}
}

// Try implements bench.Eager.
func (f *flow) Try(size int) (block []byte, ok bool, err error) {
	eager, ok := f.stream.(interface{ tryRead(buf []byte) (int, error) })
	if !ok || f.asked.Many {
		return nil, false, nil
	}
	f.rest()
	f.grow(size)
	n, err := eager.tryRead(f.buf[f.got:])
	if err := f.came(n, err); err != nil {
		return nil, true, err
	}
	return f.give(size), true, nil
}

// borrow takes a buffer of those that the session's flows share: of many flows, few are being read at any time.
func (f *flow) borrow(size int) {
	if f.lent, _ = f.asked.Buffers.Get().(*[]byte); f.lent == nil {
		f.lent = new([]byte)
	}
	f.buf = *f.lent
	f.grow(size)
	f.got = copy(f.buf, f.tail)
}

func (f *flow) giveBack() {
	if f.buf == nil {
		return
	}
	f.tail = append(f.tail[:0], f.buf[:f.got]...)
	if f.lent != nil {
		*f.lent = f.buf
		f.asked.Buffers.Put(f.lent)
	}
	f.lent, f.buf, f.got = nil, nil, 0
}

// grow sees to it that there is room for a block of messages.
func (f *flow) grow(size int) {
	if len(f.buf) < size {
		buf := make([]byte, f.room(size))
		copy(buf, f.buf[:f.got])
		f.buf = buf
	}
}

// room is the length of a block of messages.
func (f *flow) room(size int) int { return max(f.asked.Block/size, 1) * size }

// begin puts the bytes of head, which have been read already, ahead of what is read.
func (f *flow) begin(head []byte, size int) {
	f.grow(size)
	f.got = copy(f.buf, head)
}

// SetSendDeadline implements bench.Flow.
func (f *flow) SetSendDeadline(t time.Time) error { return f.SetWriteDeadline(t) }

// SetRecvDeadline implements bench.Flow.
func (f *flow) SetRecvDeadline(t time.Time) error { return f.SetReadDeadline(t) }

// Granted implements bench.Flow.
func (f *flow) Granted() bench.Granted {
	g := bench.Granted{SendBufferAsked: f.asked.SendBuffer, RecvBufferAsked: f.asked.RecvBuffer}
	g.CongestionControl = socket.CongestionControl(f)
	g.SendBuffer, g.RecvBuffer = socket.Buffers(f)
	g.Path, g.Wait = f.means()
	return g
}

// PathInfo implements bench.PathInformer.
func (f *flow) PathInfo() (info bench.PathInfo, known bool) {
	i, known := socket.TCPInfo(f)
	return bench.PathInfo{Retransmitted: i.Retransmitted, SRTT: i.SRTT, RTTVar: i.RTTVar, MinRTT: i.MinRTT}, known
}

// Headers implements bench.Framer.
func (f *flow) Headers(int) (headers, data uint64, known bool) { return socket.StreamHeaders(f) }

// Traffic implements bench.Sender.
func (f *flow) Traffic() bench.Traffic { return f.traffic }

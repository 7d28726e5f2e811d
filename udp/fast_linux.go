package udp

import (
	"net"
	"os"

	"golang.org/x/sys/unix"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// How much goes by one call. The kernel cuts a send of at most maxSegments (128, once 64) and of MaxMessage bytes. Longer
// batches of datagrams than mmsgBatch gain nothing.
const (
	maxSegments    = 128
	oldMaxSegments = 64
	mmsgBatch      = 64
	joinedBuffers  = 8
	joinedRoom     = 1 << 16
)

// direct is a connected socket by system calls of our own.
type direct struct {
	socket.Raw
	path     bench.Path
	wait     bench.Wait
	joins    bool          // the kernel joins what is received
	most     int           // of messages a call, 0 for no limit
	single   bool          // one datagram a call
	offload  bench.Offload // the sender's
	segments int           // that the kernel takes at once
	cutTo    int           // the size to which it cuts what is sent, 0 for not

	// What doRecv and doSend work on: they are made once, so that no call allocates.
	doRecv, doSend func(fd uintptr) (done bool)
	inbox          *socket.Inbox
	room           int // for a datagram in inbox
	inErr          unix.Errno
	inN, next      int // datagrams in inbox, and the first that has not been given out
	buf            []byte

	outbox        *socket.Outbox
	out           []byte
	size          int
	outErr        unix.Errno
	outN, outCall int
}

// fast returns a way to conn's socket that is faster than the portable one, nil where there is none. conn is its
// then.
func fast(conn *net.UDPConn, o bench.Options) datagrams {
	d := &direct{
		path: bench.PathOwn, wait: o.Wait, offload: bench.OffloadOff, segments: maxSegments,
		most: o.Batch, single: o.Batch == 1, outbox: socket.NewOutbox(mmsgBatch),
	}
	var err error
	if o.Many || o.Brief {
		d.path = bench.PathShared
		d.Raw, err = socket.Shared(conn, o.Wait == bench.Spin)
	} else {
		d.Raw, err = socket.Own(conn, o.Wait == bench.Spin, o.Bulk)
	}
	if err != nil {
		return nil
	}
	if !o.NoOffload && !d.single && socket.JoinDatagrams(d.Raw) == nil {
		d.joins, d.offload = true, bench.OffloadOn
	}
	d.doRecv = func(fd uintptr) bool {
		if d.single {
			d.inN, d.inErr = socket.RecvWhole(fd, d.buf, d.Sleeps())
		} else {
			d.inN, d.inErr = d.inbox.Recv(fd, d.Sleeps())
		}
		return d.inErr != unix.EAGAIN && d.inErr != unix.EINTR
	}
	d.doSend = func(fd uintptr) bool {
		for d.outErr = 0; len(d.out) > 0; {
			n, err := d.sendSome(fd)
			d.outCall++
			switch err {
			case 0:
				d.out, d.outN = d.out[n*d.size:], d.outN+n
			case unix.EINTR:
			case unix.EAGAIN:
				return false
			default:
				d.outErr = err
				return true
			}
		}
		return true
	}
	return d
}

// sendSome sends some of out by one call.
func (d *direct) sendSome(fd uintptr) (n int, err unix.Errno) {
	count := len(d.out) / d.size
	if len(d.out) == d.size || d.single {
		_, err = socket.Send(fd, d.out[:d.size], false)
		return 1, err
	}
	if d.most > 0 {
		count = min(count, d.most)
	}
	if d.offload == bench.OffloadOn {
		if n = min(d.segments, MaxMessage/d.size, count); n > 1 {
			return d.sendSegments(fd, n)
		}
	}
	if d.cutTo != 0 {
		socket.Segment(fd, 0)
		d.cutTo = 0
	}
	return d.outbox.Send(fd, d.out[:count*d.size], d.size, nil)
}

// sendSegments gives n messages of out to the kernel as one, to be cut on the way. What is refused for good is noted, and nothing
// of it has been sent then.
func (d *direct) sendSegments(fd uintptr, n int) (int, unix.Errno) {
	err := unix.Errno(0)
	if d.cutTo != d.size {
		if err = socket.Segment(fd, d.size); err == 0 {
			d.cutTo = d.size
		}
	}
	if err == 0 {
		_, err = socket.Send(fd, d.out[:n*d.size], false)
	}
	switch {
	case err == unix.EINVAL && n > oldMaxSegments:
		d.segments = oldMaxSegments
	case err == unix.EINVAL || err == unix.EIO || err == unix.EMSGSIZE || err == unix.ENOPROTOOPT:
		d.offload = bench.OffloadRefused // too long for the path, or a device that computes no checksums
	default:
		return n, err
	}
	return 0, 0
}

func (d *direct) send(block []byte, size int) (n, calls int, err error) {
	d.out, d.size, d.outN, d.outCall = block, size, 0, 0
	err = d.Write(d.doSend)
	d.out = nil
	if err == nil && d.outErr != 0 {
		err = os.NewSyscallError("sendmsg", d.outErr)
	}
	return d.outN, d.outCall, err
}

func (d *direct) recv(size int, t *bench.Traffic) ([]byte, error) {
	if d.next < d.inN && !d.single {
		return d.take(size, t), nil
	}
	d.prepare(size)
	return d.came(d.Read(d.doRecv), size, t)
}

// tryRecv is recv that returns an empty block where that would wait.
func (d *direct) tryRecv(size int, t *bench.Traffic) ([]byte, error) {
	if d.next < d.inN && !d.single {
		return d.take(size, t), nil
	}
	d.prepare(size)
	if err := d.Try(d.doRecv); err != nil || d.inErr == unix.EAGAIN || d.inErr == unix.EINTR {
		d.inN = 0
		return nil, err
	}
	return d.came(nil, size, t)
}

// came gives out what doRecv has received, unless err is an error.
func (d *direct) came(err error, size int, t *bench.Traffic) ([]byte, error) {
	d.next = 0
	if err == nil && d.inErr != 0 {
		err = os.NewSyscallError("recvmsg", d.inErr)
	}
	if err != nil {
		d.inN = 0
		return nil, err
	}
	t.RecvCalls++
	if d.single {
		return whole(d.buf[:min(d.inN, size)], 0, size, d.inN > size, t), nil
	}
	return d.take(size, t), nil
}

// prepare makes room for messages of size bytes.
func (d *direct) prepare(size int) {
	switch {
	case d.single:
		if len(d.buf) < size {
			d.buf = make([]byte, size)
		}
	case d.joins:
		if d.inbox == nil {
			d.room = joinedRoom
			d.inbox = socket.NewInbox(joinedBuffers, joinedRoom, false)
		}
	case d.room != size:
		d.room = size
		d.inbox = socket.NewInbox(d.batch(size), size, false)
	}
}

// take gives out what the inbox has: a datagram that may be several joined, or all of those that lie end to end.
func (d *direct) take(size int, t *bench.Traffic) []byte {
	if d.joins {
		bytes, segment, cut := d.inbox.Datagram(d.next)
		d.next++
		return whole(bytes, segment, size, cut, t)
	}
	first, n := d.next, 0
	for ; d.next < d.inN; d.next++ {
		bytes, _, cut := d.inbox.Datagram(d.next)
		if len(bytes) != size || cut {
			if n > 0 {
				break
			}
			whole(bytes, 0, size, cut, t)
			first = d.next + 1
			continue
		}
		n++
	}
	return d.inbox.Joined(first, n)
}

func (d *direct) batch(size int) int {
	if d.offload == bench.OffloadOn {
		if n := min(d.segments, MaxMessage/size); n > 1 {
			return n
		}
	}
	return max(min(mmsgBatch, blockBytes/size), 1)
}

// blockBytes is how much a batch holds of messages that are long.
const blockBytes = 1 << 20

func (d *direct) means() (bench.Path, bench.Wait, bench.Offload) { return d.path, d.wait, d.offload }

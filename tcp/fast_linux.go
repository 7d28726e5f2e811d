package tcp

import (
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// direct is the stream of a connection by system calls of our own.
type direct struct {
	socket.Raw
	path bench.Path
	wait bench.Wait

	// What doRead and doWrite work on: they are made once, so that no call allocates.
	doRead, doWrite func(fd uintptr) (done bool)
	in              []byte
	inErr           unix.Errno
	inN             int
	out             []byte
	call            int // how much of out is written at once
	outErr          unix.Errno
	outN, calls     int
	more            bool
}

// manyUnsent is how many bytes a flow of many keeps waiting to be sent.
const manyUnsent = 128 << 10

// fast returns a stream that is faster than the portable one, nil where there is none. conn is its then.
func fast(conn *net.TCPConn, o bench.Options) stream {
	d := &direct{wait: o.Wait, path: bench.PathOwn}
	var err error
	if o.Many || o.Brief {
		d.path = bench.PathShared
		if o.Many {
			// Else the data of all flows together is gone from the processor's cache by the time that it is received.
			_ = socket.LimitUnsent(conn, manyUnsent)
		}
		d.Raw, err = socket.Shared(conn, o.Wait == bench.Spin)
	} else {
		d.Raw, err = socket.Own(conn, o.Wait == bench.Spin, o.Bulk)
	}
	if err != nil {
		return nil
	}
	d.doRead = func(fd uintptr) bool {
		d.inN, d.inErr = socket.Recv(fd, d.in, d.Sleeps())
		return d.inErr != unix.EAGAIN && d.inErr != unix.EINTR
	}
	d.doWrite = func(fd uintptr) bool {
		for d.outErr = 0; len(d.out) > 0; {
			n, err := socket.Send(fd, d.out[:min(d.call, len(d.out))], d.more || len(d.out) > d.call)
			d.calls++
			switch err {
			case 0:
				d.out, d.outN = d.out[n:], d.outN+n
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

func (d *direct) await() error { return d.Read(socket.HasInput) }

func (d *direct) read(buf []byte) (int, error) {
	d.in = buf
	return d.came(d.Read(d.doRead))
}

// tryRead is read that returns 0 where that would wait.
func (d *direct) tryRead(buf []byte) (int, error) {
	d.in = buf
	if err := d.Try(d.doRead); err != nil || d.inErr == unix.EAGAIN || d.inErr == unix.EINTR {
		return 0, err
	}
	return d.came(nil)
}

func (d *direct) came(err error) (int, error) {
	d.in = nil
	switch {
	case err != nil:
		return 0, err
	case d.inErr != 0:
		return 0, os.NewSyscallError("recvfrom", d.inErr)
	case d.inN == 0:
		return 0, io.EOF
	}
	return d.inN, nil
}

func (d *direct) write(buf []byte, call int, more bool) (n, calls int, err error) {
	d.out, d.call, d.more, d.outN, d.calls = buf, call, more, 0, 0
	err = d.Write(d.doWrite)
	d.out = nil
	if err == nil && d.outErr != 0 {
		err = os.NewSyscallError("sendto", d.outErr)
	}
	return d.outN, d.calls, err
}

func (d *direct) push() error { return socket.Push(d) }

func (d *direct) means() (bench.Path, bench.Wait) { return d.path, d.wait }

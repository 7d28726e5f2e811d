package socket

import (
	"net"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tcpvsudp/internal/clock"
)

// Own takes the socket of c out of the poller of Go's sockets, for a goroutine that has a thread for itself, and closes
// c. Who waits on it sleeps in ppoll, or with spin does not sleep. Left in the poller, a socket wakes up a
// thread of the poller with every packet, beside the one that waits for it.
func Own(c Conn, spin bool) (Raw, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	o := &own{spin: spin}
	var failed error
	err = raw.Control(func(fd uintptr) { o.fd, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	// It takes the descriptor out of the poller by name (EPOLL_CTL_DEL): the copy would keep it in there.
	if err := c.Close(); err != nil {
		unix.Close(o.fd)
		return nil, err
	}
	return o, nil
}

// own is a descriptor that nobody else knows.
type own struct {
	fd   int
	spin bool
	// users is how many calls are under way, less closed when the socket is to be closed: by the last of them, so that none
	// meets a descriptor that is somebody else's by then.
	users          atomic.Int32
	readBy, sendBy atomic.Int64 // deadlines by package clock, 0 for none
}

const (
	closed = 1 << 30
	// past is the deadline that was over when it was set: it is noticed ahead of every call. One that ends later is looked at
	// only by those who wait.
	past = 1
	// nap is how long a call sleeps at most until it looks whether its deadline was moved.
	nap = 10 * time.Millisecond
	// looks is how many times a spinning call tries between two looks at the clock.
	looks = 64
)

func (o *own) enter() bool {
	for {
		n := o.users.Load()
		if n < 0 {
			return false
		}
		if o.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (o *own) leave() {
	if o.users.Add(-1) == -closed {
		unix.Close(o.fd)
	}
}

func (o *own) Read(f func(fd uintptr) (done bool)) error {
	return o.until(f, unix.POLLIN, &o.readBy, o.spin)
}

func (o *own) Write(f func(fd uintptr) (done bool)) error {
	return o.until(f, unix.POLLOUT, &o.sendBy, o.spin)
}

func (o *own) until(f func(fd uintptr) bool, event int16, by *atomic.Int64, spin bool) error {
	if !o.enter() {
		return net.ErrClosed
	}
	defer o.leave()
	for tries := 1; ; tries++ {
		if by.Load() == past {
			return os.ErrDeadlineExceeded
		}
		done := f(uintptr(o.fd))
		if o.users.Load() < 0 {
			return net.ErrClosed // what Close did looks like the peer's end
		}
		if done {
			return nil
		}
		if spin && tries%looks != 0 {
			continue
		}
		sleep := nap
		if deadline := by.Load(); deadline != 0 {
			left := deadline - clock.Now()
			if left <= 0 {
				return os.ErrDeadlineExceeded
			}
			sleep = min(sleep, time.Duration(left))
		}
		if !spin {
			fds := [1]unix.PollFd{{Fd: int32(o.fd), Events: event}}
			timeout := unix.NsecToTimespec(int64(sleep))
			_, _ = unix.Ppoll(fds[:], &timeout, nil) // interrupted or failed: f says what there is
		}
	}
}

func (o *own) Control(f func(fd uintptr)) error {
	if !o.enter() {
		return net.ErrClosed
	}
	defer o.leave()
	f(uintptr(o.fd))
	return nil
}

func (o *own) SetReadDeadline(t time.Time) error  { return o.setDeadline(&o.readBy, t) }
func (o *own) SetWriteDeadline(t time.Time) error { return o.setDeadline(&o.sendBy, t) }

func (o *own) setDeadline(by *atomic.Int64, t time.Time) error {
	if o.users.Load() < 0 {
		return net.ErrClosed
	}
	at := int64(0)
	if left := time.Until(t); t.IsZero() {
	} else if left <= 0 {
		at = past
	} else {
		at = clock.Now() + int64(left)
	}
	by.Store(at)
	return nil
}

func (o *own) Close() error {
	for {
		n := o.users.Load()
		if n < 0 {
			return net.ErrClosed
		}
		if o.users.CompareAndSwap(n, n-closed) {
			if n == 0 {
				return unix.Close(o.fd)
			}
			_ = unix.Shutdown(o.fd, unix.SHUT_RDWR) // wakes up who waits
			return nil
		}
	}
}

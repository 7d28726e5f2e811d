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
// c. Left in the poller, a socket wakes up a thread of the poller with every packet, beside the one that waits for it. Who
// waits on it sleeps, or with spin does not sleep; with bulk it sleeps when nothing has come for a moment, so that
// a sender who is a little slower need not wake it up for every packet.
func Own(c Conn, spin, bulk bool) (Raw, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	o := &own{spin: spin, isFar: true}
	if bulk {
		o.patience = bulkLooks
	}
	var failed error
	err = raw.Control(func(fd uintptr) { o.fd, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	nap := unix.NsecToTimeval(int64(nap))
	if err := unix.SetsockoptTimeval(o.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &nap); err == nil && !spin {
		o.naps = unix.SetNonblock(o.fd, false) == nil
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
	fd       int
	spin     bool
	patience int // how many times a call to receive tries until it sleeps
	// users is how many calls are under way, less closed when the socket is to be closed: by the last of them, so that none
	// meets a descriptor that is somebody else's by then.
	users          atomic.Int32
	readBy, sendBy atomic.Int64 // deadlines by package clock, 0 for none

	// Those of the call that receives.
	naps   bool  // that it has to wait is for no longer than a nap
	sleeps bool  // what Sleeps says
	looked int64 // the deadline that far has looked at
	isFar  bool
}

const (
	closed = 1 << 30
	// past is the deadline that was over when it was set: it is noticed ahead of every call. One that ends later is looked at
	// only by those who wait.
	past = 1
	// nap is how long a call sleeps at most until it looks whether its deadline was moved.
	nap = 10 * time.Millisecond
	// idleNaps is after how many naps in a row a call waits longer at a time.
	idleNaps = 20
	longNap  = 200 * time.Millisecond
	// bulkLooks is the patience of a bulk transfer.
	bulkLooks = 300
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
	return o.until(f, unix.POLLIN, &o.readBy, o.patience)
}

func (o *own) Try(f func(fd uintptr) (done bool)) error {
	if !o.enter() {
		return net.ErrClosed
	}
	defer o.leave()
	if o.readBy.Load() == past {
		return os.ErrDeadlineExceeded
	}
	o.sleeps = false
	f(uintptr(o.fd))
	return nil
}

func (o *own) Write(f func(fd uintptr) (done bool)) error {
	return o.until(f, unix.POLLOUT, &o.sendBy, 0)
}

func (o *own) Sleeps() bool { return o.sleeps }

// until calls f until it is done, so many times without waiting in between. A thread that sleeps in the receive itself is awake
// earlier than one that is told by ppoll to receive, and so f does that where it can, but for the last moment ahead of a
// deadline.
func (o *own) until(f func(fd uintptr) bool, event int16, by *atomic.Int64, patience int) error {
	if !o.enter() {
		return net.ErrClosed
	}
	defer o.leave()
	for tries := 1; ; tries++ {
		deadline := by.Load()
		if deadline == past {
			return os.ErrDeadlineExceeded
		}
		if event == unix.POLLIN {
			o.sleeps = o.naps && tries > patience && tries <= patience+idleNaps && o.far(deadline, tries > patience+1)
		}
		done := f(uintptr(o.fd))
		switch {
		case o.users.Load() < 0:
			return net.ErrClosed // what Close did looks like the peer's end
		case done:
			return nil
		case tries < patience || o.spin && tries%looks != 0 || event == unix.POLLIN && o.sleeps:
			continue
		}
		sleep := nap
		if tries > patience+idleNaps {
			sleep = longNap
		}
		if deadline != 0 {
			left := deadline - clock.Now()
			if left <= 0 {
				return os.ErrDeadlineExceeded
			}
			sleep = min(sleep, time.Duration(left))
		}
		if !o.spin {
			fds := [1]unix.PollFd{{Fd: int32(o.fd), Events: event}}
			timeout := unix.NsecToTimespec(int64(sleep))
			_, _ = unix.Ppoll(fds[:], &timeout, nil) // interrupted or failed: f says what there is
		}
	}
}

// far tells whether a deadline is further away than a nap, to look at the clock again only when it has been moved or again says
// so: a call that finds something soon may be a nap too late.
func (o *own) far(deadline int64, again bool) bool {
	if deadline != o.looked || again {
		o.looked = deadline
		o.isFar = deadline == 0 || deadline-clock.Now() > int64(nap)
	}
	return o.isFar
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
		if o.users.CompareAndSwap(n, n+1-closed) { // as a user, so that nobody closes it meanwhile
			if n > 0 {
				_ = unix.Shutdown(o.fd, unix.SHUT_RDWR) // wakes up who waits
			}
			o.leave()
			return nil
		}
	}
}

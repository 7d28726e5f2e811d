package link

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tcpvsudp/internal/clock"
)

// A Forwarder carries packets between the far ends of two hosts' interfaces, as its Spec says. One thread does it, which sleeps
// until shortly before the next packet is due and then asks without end.
type Forwarder struct {
	ends   [2]*device // the client's and the server's
	ways   [2]*direction
	exempt [4]byte // the server's address for what is not to be measured
	pool   *pool
	log    *journal
	job    atomic.Pointer[func()]
	wake   int // an eventfd that ends a sleep
	stop   atomic.Bool
	files  []*os.File // kept open
}

const (
	// spinFor is how long before a packet is due the thread stops sleeping, and linger for how long it asks for more when a
	// packet has come: a thread that sleeps takes tens of µs to wake.
	spinFor = 300 * time.Microsecond
	linger  = 60 * time.Microsecond
	// burst is how many packets of one direction are taken in a row.
	burst = 8
)

// NewForwarder makes a Forwarder between the devices that client and server are, which stay open. headers are what frames to
// the client and the server begin with, empty for TUN devices. Packets from and to the server's address exempt pass it at once.
func NewForwarder(client, server *os.File, headers [2][]byte, exempt netip.Addr) (*Forwarder, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	f := &Forwarder{
		ends: [2]*device{newDevice(client, headers[0]), newDevice(server, headers[1])}, pool: &pool{}, wake: wake,
		files: []*os.File{client, server}, exempt: exempt.As4(),
	}
	clean, err := Parse("clean")
	if err != nil {
		return nil, err
	}
	return f, f.set(clean[0], 0, 0)
}

// Set makes the link be as spec says, from its beginning: nothing is on its way. The last keep packets' ends are logged at
// most, none with 0.
func (f *Forwarder) Set(spec Spec, seed uint64, keep int) (err error) {
	f.do(func() { err = f.set(spec, seed, keep) })
	return err
}

func (f *Forwarder) set(spec Spec, seed uint64, keep int) error {
	var log *journal
	if keep > 0 {
		log = &journal{records: make([]record, 0, keep)}
	}
	now := clock.Now()
	var ways [2]*direction
	for i, side := range []Side{spec.Up, spec.Down} {
		var err error
		if ways[i], err = newDirection(side, i == 1, seed, now, f.pool, log); err != nil {
			return err
		}
	}
	for _, end := range f.ends {
		end.drops()
		end.missed = 0
	}
	f.ways, f.log = ways, log
	f.pool.out = 0 // what was on its way is gone, and its memory with it
	return nil
}

// Account tells what the link did since it was set.
func (f *Forwarder) Account() (a Account) {
	f.do(func() {
		a = Account{f.ways[0].account(), f.ways[1].account()}
		a.Up.Missed, a.Down.Missed = f.ends[0].drops(), f.ends[1].drops()
	})
	return a
}

// Log returns what happened to the packets since the link was set, and how many it had no room for.
func (f *Forwarder) Log() (entries []Entry, missing uint64) {
	var log *journal
	f.do(func() {
		if f.log != nil {
			log = &journal{records: f.log.records[:len(f.log.records):len(f.log.records)], missing: f.log.missing}
		}
	})
	if log == nil {
		return nil, 0
	}
	return log.entries(), log.missing
}

// do has the forwarding thread call job.
func (f *Forwarder) do(job func()) {
	done := make(chan struct{})
	call := func() { job(); close(done) }
	for !f.job.CompareAndSwap(nil, &call) {
		runtime.Gosched()
	}
	f.rouse()
	<-done
}

func (f *Forwarder) rouse() { _, _ = unix.Write(f.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// Stop ends Run.
func (f *Forwarder) Stop() {
	f.stop.Store(true)
	f.rouse()
}

// Run forwards packets until Stop. No other call returns before it runs.
func (f *Forwarder) Run() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // refused: packets are later, and the account says so
	fds := []unix.PollFd{{Fd: int32(f.ends[0].fd), Events: unix.POLLIN}, {Fd: int32(f.ends[1].fd), Events: unix.POLLIN}, {Fd: int32(f.wake), Events: unix.POLLIN}}
	last := int64(0) // when there was something to do
	for !f.stop.Load() {
		if job := f.job.Load(); job != nil {
			f.catchUp()
			(*job)()
			f.job.Store(nil)
		}
		some := f.take(0)
		some = f.take(1) || some
		now := clock.Now()
		next := min(f.give(0, now), f.give(1, now))
		if some {
			last = now
			continue
		}
		sleep := time.Duration(next - now - int64(spinFor))
		switch {
		case next == never && now-last < int64(linger), next != never && sleep <= 0:
			continue
		case next == never:
			sleep = -1
		}
		if err := f.poll(fds, sleep); err != nil {
			return err
		}
	}
	return nil
}

// catchUp forwards what had come before now, as far as that is no more than a queue of packets: who asks for an account has seen them leave.
func (f *Forwarder) catchUp() {
	for range 1000 {
		some := f.take(0)
		some = f.take(1) || some
		if !some {
			return
		}
		now := clock.Now()
		f.give(0, now)
		f.give(1, now)
	}
}

// poll sleeps until there is something to read, or for d; without end with a negative d.
func (f *Forwarder) poll(fds []unix.PollFd, d time.Duration) error {
	var timeout *unix.Timespec
	if d >= 0 {
		ts := unix.NsecToTimespec(int64(d))
		timeout = &ts
	}
	n, err := unix.Ppoll(fds, timeout, nil)
	switch {
	case err == unix.EINTR || err == nil && n == 0:
		return nil
	case err != nil:
		return os.NewSyscallError("ppoll", err)
	}
	if fds[2].Revents != 0 {
		var count [8]byte
		_, _ = unix.Read(f.wake, count[:])
	}
	for i, end := range []string{"client", "server"} {
		if fds[i].Revents&(unix.POLLERR|unix.POLLNVAL) != 0 && fds[i].Revents&unix.POLLIN == 0 {
			return fmt.Errorf("the %s's interface is gone", end)
		}
	}
	return nil
}

// take takes packets from an end, and tells whether there were any.
func (f *Forwarder) take(from int) bool {
	for i := range burst {
		p := f.ends[from].read(f.pool)
		if p == nil {
			return i > 0
		}
		l := parse(p.Data)
		p.Exempt = l.source == f.exempt || l.dest == f.exempt
		f.ways[from].arrive(p)
	}
	return true
}

// give hands on what is due on a way by now, and returns when the next packet is.
func (f *Forwarder) give(from int, now int64) int64 {
	way, to := f.ways[from], f.ends[1-from]
	for range burst {
		p := way.due(now)
		if p == nil {
			return way.next()
		}
		at := clock.Now()
		way.done(p, at, to.write(p))
	}
	return now
}

package clock

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// start reads both clocks a few times and keeps the tightest bracket, so that origin is off by tens
// of nanoseconds at most, and by the same amount for the whole life of the process.
func start() (time.Time, int64) {
	var (
		best   = time.Duration(1<<63 - 1)
		b      time.Time
		origin int64
	)
	for range 16 {
		before := time.Now()
		var ts unix.Timespec
		if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
			return before, 0
		}
		took := time.Since(before)
		if took < best {
			best, b, origin = took, before, ts.Nano()-int64(took)/2
		}
	}
	return b, origin
}

// spinMargin is how long before its moment a waiter wakes up, to spin the rest. The send lag in the results shows
// whether a machine wakes up later than that.
const spinMargin = 80 * time.Microsecond

type slackless struct{ old uintptr }

// NewWaiter returns the most punctual Waiter of this platform: it sleeps on an absolute deadline
// with a timer slack of 1 ns until shortly before the moment, then spins. It locks the calling
// goroutine to its thread until Close.
func NewWaiter() Waiter {
	runtime.LockOSThread()
	old, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		old = 0 // 0 asks the kernel for the thread's default again
	}
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // refused: punctuality suffers, and the send lag shows it
	return &slackless{old: uintptr(old)}
}

func (w *slackless) Until(t int64) {
	if early := t - int64(spinMargin); early > Now() {
		ts := unix.NsecToTimespec(early)
		// An interrupted sleep (EINTR) is resumed: the deadline is absolute.
		for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
		}
	}
	for Now() < t {
	}
}

func (w *slackless) Close() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, w.old, 0, 0, 0)
	runtime.UnlockOSThread()
}

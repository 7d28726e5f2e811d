package clock

import (
	"runtime"
	"sync"
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

// A waiter wakes up ahead of its moment, sleeps a little once more, and spins the rest: a processor that has slept for long wakes up
// later than one that has not. It keeps ahead by as much as this system was late when it was asked, within bounds.
type margins struct{ long, short time.Duration }

const (
	asked     = 100
	longSleep = time.Millisecond
	leastLong = 200 * time.Microsecond
	mostLong  = 500 * time.Microsecond

	shortSleep = 150 * time.Microsecond
	leastShort = 20 * time.Microsecond
	mostShort  = 120 * time.Microsecond
)

// measured are those of this process. They are found out by the first waiter, which takes some 120 ms.
var measured = sync.OnceValue(func() margins {
	return margins{
		long:  min(max(latest(longSleep), leastLong), mostLong),
		short: min(max(latest(shortSleep), leastShort), mostShort),
	}
})

// latest is how much later than it was asked this thread has woken up from sleeps of d, at most.
func latest(d time.Duration) (worst time.Duration) {
	for range asked {
		due := Now() + int64(d)
		sleepUntil(due)
		worst = max(worst, time.Duration(Now()-due))
	}
	return worst
}

// sleepUntil sleeps until t or later.
func sleepUntil(t int64) {
	ts := unix.NsecToTimespec(t)
	// An interrupted sleep (EINTR) is resumed: the deadline is absolute.
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
	}
}

type slackless struct {
	old uintptr
	margins
}

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
	return &slackless{old: uintptr(old), margins: measured()}
}

func (w *slackless) Until(t int64) {
	for _, early := range [2]int64{int64(w.long), int64(w.short)} {
		if t-Now() > 2*early { // a shorter sleep is not worth its wake-up
			sleepUntil(t - early)
		}
	}
	for Now() < t {
	}
}

func (w *slackless) Close() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, w.old, 0, 0, 0)
	runtime.UnlockOSThread()
}

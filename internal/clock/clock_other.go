//go:build !linux

package clock

import "time"

func start() (time.Time, int64) { return time.Now(), 0 }

// spinMargin covers the overshoot of time.Sleep.
const spinMargin = 1500 * time.Microsecond

type spinner struct{}

// NewWaiter returns the most punctual Waiter of this platform: it sleeps until shortly before the
// moment, then spins.
func NewWaiter() Waiter { return spinner{} }

func (spinner) Until(t int64) {
	time.Sleep(time.Duration(t-Now()) - spinMargin)
	for Now() < t {
	}
}

func (spinner) Close() {}

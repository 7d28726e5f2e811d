// Package clock reads the monotonic clock and waits on it.
//
// All times are int64 nanoseconds. On Linux they are CLOCK_MONOTONIC itself, so that two processes
// of one host read the same clock and a one-way delay between them needs no estimate; elsewhere the
// zero is this process's own and Shared says so.
package clock

import "time"

// base ties Go's monotonic reading to the host's: Now is origin plus the time since base.
var base, origin = start()

// Now returns the monotonic time in nanoseconds. It does not allocate and makes no system call
// where the platform's clock has none.
func Now() int64 { return origin + int64(time.Since(base)) }

// Shared tells whether Now is comparable between processes of one host.
func Shared() bool { return origin != 0 }

// Time returns the time.Time at which Now reads t, as the deadline of a socket wants it.
func Time(t int64) time.Time { return base.Add(time.Duration(t - origin)) }

// A Waiter waits for a moment of the clock.
type Waiter interface {
	// Until returns at t or as soon after as the platform can, at once when t has passed.
	Until(t int64)
	// Close gives back what the waiter holds. A Waiter belongs to one goroutine.
	Close()
}

// Sleeper is the portable Waiter: time.Sleep alone. It overshoots by up to a millisecond on many
// systems, and it is the one that runs inside a testing/synctest bubble.
type Sleeper struct{}

// Until implements Waiter.
func (Sleeper) Until(t int64) { time.Sleep(time.Duration(t - Now())) }

// Close implements Waiter.
func (Sleeper) Close() {}

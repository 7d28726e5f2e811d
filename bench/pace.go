package bench

import (
	"math"
	"math/bits"
	"time"
)

// A Pace is a constant rate of messages. It has no clock inside: it says when message i is due, and so
// never drifts, however late the one before it was.
type Pace struct {
	// So many messages are sent in so many nanoseconds; both are at most 1e15.
	messages, nanos uint64
}

// NewPace returns the Pace of rate messages/s, which is above 0 and no more than 1e9, to a precision of
// 1e-6 messages/s.
func NewPace(rate float64) Pace {
	return Pace{messages: uint64(math.Round(rate * 1e6)), nanos: 1e9 * 1e6}
}

// Before is the number of messages that are due before d has passed since the start.
func (p Pace) Before(d time.Duration) uint64 {
	high, low := bits.Mul64(uint64(max(d, 0)), p.messages)
	whole, rest := bits.Div64(high, low, p.nanos) // d is below 2^63 and a rate at most a message a nanosecond
	if rest > 0 {
		whole++
	}
	return whole
}

// Due is the time after the start at which message i is due, i counting from 0.
func (p Pace) Due(i uint64) time.Duration {
	high, low := bits.Mul64(i, p.nanos)
	if high >= p.messages {
		return math.MaxInt64 // beyond 584 years
	}
	due, _ := bits.Div64(high, low, p.messages)
	return time.Duration(min(due, math.MaxInt64))
}

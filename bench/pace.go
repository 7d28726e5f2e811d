package bench

import (
	"math"
	"math/bits"
	"time"
)

// A Pace is a constant rate of messages. It has no clock inside: it says when message i is due, and so
// never drifts, however late the one before it was.
type Pace struct {
	// nanos messages are sent in every perNanos nanoseconds; both are at most 1e15.
	messages, nanos uint64
}

// NewPace returns the Pace of rate messages/s, which is above 0 and no more than 1e9, to a precision of
// 1e-6 messages/s.
func NewPace(rate float64) Pace {
	return Pace{messages: uint64(math.Round(rate * 1e6)), nanos: 1e9 * 1e6}
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

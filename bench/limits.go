package bench

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Limits are what a server allows. It tells them to its clients and enforces them itself.
type Limits struct {
	// Sessions may be open at the same time, in all and by client address; a client beyond them waits for its turn.
	Sessions           int `json:"sessions"`
	SessionsPerAddress int `json:"sessions_per_address"`
	// Flows are those of one session in one direction, Size that of its messages, Duration how long it may send.
	Flows    int           `json:"flows"`
	Size     int           `json:"size_bytes"`
	Duration time.Duration `json:"duration_ns"`
	// RateBps is how many bits of messages a session may send a second, in each direction; 0 is no limit.
	RateBps float64 `json:"rate_bps"`
	// Memory is what all sessions may take together, as Spec.Memory estimates it.
	Memory int64 `json:"memory_bytes"`
	// Spin lets clients have the server's receivers spin, each at the cost of a core; where it is not set they sleep, and
	// what is granted says so.
	Spin bool `json:"spin"`
	// Idle is how long a client may be silent on the control channel before its session is over.
	Idle time.Duration `json:"idle_ns"`
}

// The limits that no server raises. MaxBuckets is that of all flows' time series together, MaxSeries of one flow's.
const (
	MaxSize     = 16 << 20
	MaxFlows    = 10_000
	MaxDuration = time.Hour
	MaxBuckets  = 4 << 20
	MaxSeries   = 1 << 16
	MaxBatch    = 1 << 16
)

// DefaultLimits are those of a server that nobody has told anything.
func DefaultLimits() Limits {
	return Limits{
		Sessions:           100,
		SessionsPerAddress: 20,
		Flows:              MaxFlows,
		Size:               MaxSize,
		Duration:           MaxDuration,
		Memory:             1 << 30,
		Spin:               true,
		Idle:               15 * time.Second,
	}
}

// Poll is how long a request on the control channel is kept waiting for an answer, at most, and how often a client says
// that it is there.
func (l Limits) Poll() time.Duration { return min(l.Idle/3, 5*time.Second) }

// Exclusive tells whether sessions run one after the other.
func (l Limits) Exclusive() bool { return l.Sessions == 1 }

// Validate returns an error for every limit that makes no sense, joined.
func (l Limits) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if l.Sessions < 1 || l.SessionsPerAddress < 1 {
		bad("%d sessions, %d of an address: there must be 1 or more", l.Sessions, l.SessionsPerAddress)
	}
	if l.Flows < 1 || l.Flows > MaxFlows {
		bad("at most %d flows: use from 1 to %d", l.Flows, MaxFlows)
	}
	if l.Size < HeaderSize || l.Size > MaxSize {
		bad("messages of at most %d bytes: use from %d to %d", l.Size, HeaderSize, MaxSize)
	}
	if l.Duration < time.Millisecond || l.Duration > MaxDuration {
		bad("a duration of at most %v: use from 1ms to %v", l.Duration, MaxDuration)
	}
	if !(l.RateBps == 0 || l.RateBps >= 1000 && l.RateBps <= 1e15) { // a NaN is refused too
		bad("at most %v bit/s: use 0 for no limit, or from 1000 to 1e15", l.RateBps)
	}
	if l.Memory < 1<<20 {
		bad("%d bytes of memory for all sessions: use 1 MiB or more", l.Memory)
	}
	if l.Idle < 500*time.Millisecond || l.Idle > MaxDuration {
		bad("an idle time of %v: use from 500ms to %v", l.Idle, MaxDuration)
	}
	return errors.Join(errs...)
}

// ErrBeyondLimits says that what a client wants is more than the server ever allows.
var ErrBeyondLimits = errors.New("beyond the server's limits")

// Check returns an error that names the first limit which s is beyond.
func (l Limits) Check(s Spec) error {
	beyond := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrBeyondLimits}, args...)...)
	}
	switch need := s.Memory(); {
	case s.Flows > l.Flows:
		return beyond("%d flows, and it allows %d", s.Flows, l.Flows)
	case s.Size > l.Size:
		return beyond("messages of %d bytes, and it allows %d", s.Size, l.Size)
	case s.Duration > l.Duration:
		return beyond("a duration of %v with the warm-up, and it allows %v", s.Duration, l.Duration)
	case l.RateBps > 0 && s.RateBps == 0:
		return beyond("as fast as it goes, and it allows %.4g bit/s", l.RateBps)
	case l.RateBps > 0 && s.RateBps > l.RateBps:
		return beyond("%.4g bit/s, and it allows %.4g", s.RateBps, l.RateBps)
	case need > l.Memory:
		return beyond("%d flows of %d bytes take some %d MiB of its memory, and it allows %d", s.Flows, s.Size, need>>20, l.Memory>>20)
	}
	return nil
}

// Memory is about how many bytes a server takes for the session.
func (s Spec) Memory() int64 {
	buckets := int64(0)
	if s.Interval > 0 {
		buckets = int64(s.Duration/s.Interval) + 1
	}
	const flow = 16 << 10   // a goroutine, a tally, and what a batch is described by
	copies := int64(s.Size) // the beginning of a message whose rest has not come
	if s.Mode == Source || s.Mode == Duplex {
		copies += int64(s.Size) + max(int64(s.BlockBytes()), int64(s.Batch)*int64(s.Size)) // what is sent, and what it is made of
	}
	if !s.many() {
		copies += datagramBytes
	}
	window := int64(DefaultWindow/max(s.Flows, 1)/64)*24 + 4<<10 // a Counter's once the order has been broken
	return int64(s.Size) + int64(s.FlowCount())*(flow+window+copies+int64(s.BlockBytes())+buckets*seriesBucketBytes)
}

// datagramBytes is how much a flow that has a thread of its own is ready to take of datagrams at once, beside its block.
const datagramBytes = 1 << 20

// blockBytes is how much a receiver is ready to take at once, and allBlocksBytes how much all flows of a session are.
const (
	blockBytes     = 256 << 10
	allBlocksBytes = 64 << 20
)

// BlockBytes is about how much a flow's receiver should be ready to take at once: less where flows are many.
func (s Spec) BlockBytes() int {
	block := blockBytes
	if s.many() {
		block /= 8
	}
	return max(s.Size, min(block, allBlocksBytes/max(s.Flows, 1)))
}

// throttle keeps the messages of one flow below a rate. A flow that has been slow for a while may catch up by a
// little, so that blocks and late wake-ups cost nothing.
type throttle struct {
	gap   float64 // ns a message
	first float64 // how long after its beginning the first message leaves
	next  float64 // when the next message may leave, by a clock that may be negative
	begun bool
}

// throttleCredit is how much of the past a throttle makes up for, in ns.
const throttleCredit = 10e6

// newThrottle returns a throttle for flow number n of so many that share bps, nil for no limit. The flows take turns.
func newThrottle(bps float64, size, flows, n int) *throttle {
	if bps <= 0 {
		return nil
	}
	turn := float64(size) * 8 / bps * 1e9
	return &throttle{gap: turn * float64(flows), first: turn * float64(n)}
}

// batchNs is how long a throttle's messages that leave at once may take at its rate.
const batchNs = 1e6

// most is how many of n messages may leave at once, so that a limited sender makes no bursts to speak of.
func (t *throttle) most(n int) int {
	if t == nil {
		return n
	}
	return max(min(n, int(min(batchNs/t.gap, math.MaxInt32))), 1)
}

// due is when n more messages may leave, no later than now on a nil throttle.
func (t *throttle) due(now int64, n int) int64 {
	if t == nil {
		return now
	}
	if !t.begun {
		t.begun, t.next = true, float64(now)+t.first
	}
	at := max(t.next, float64(now)-throttleCredit)
	t.next = at + t.gap*float64(n)
	return int64(min(at, math.MaxInt64/2))
}

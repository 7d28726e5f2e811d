package bench

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"tcpvsudp/internal/clock"
	"tcpvsudp/internal/host"
)

// Mode is what a server does with the requests of a session.
type Mode string

const (
	// Echo sends every request back as a reply.
	Echo Mode = "echo"
	// Sink counts the requests and sends nothing.
	Sink Mode = "sink"
)

// Spec is what a client and a server agree on for one trial.
type Spec struct {
	// Proto is the transport by which the messages come; those that come by another are not the session's.
	Proto string `json:"proto"`
	Mode  Mode   `json:"mode"`
	Size  int    `json:"size_bytes"`
	Flows int    `json:"flows"`
	Wait  Wait   `json:"wait"`
	// Duration is how long the client is going to send, warm-up included, and Interval the length of the
	// buckets of the time series.
	Duration time.Duration `json:"duration_ns"`
	Interval time.Duration `json:"interval_ns"`
	// Verify asks that every byte after the header is checked.
	Verify bool `json:"verify,omitempty"`
}

// The limits that a server enforces on every session, and on their number. MaxBuckets is that of all flows' time
// series together.
const (
	MaxSize     = 16 << 20
	MaxFlows    = 10_000
	MaxDuration = time.Hour
	MaxBuckets  = 4 << 20
	MaxSessions = 100
)

// settleTime is what a session has beside its duration, to open its flows and to settle, before it expires.
const settleTime = 3 * time.Minute

// Validate returns an error that names the first field which can't be served.
func (s Spec) Validate() error {
	switch {
	case s.Mode != Echo && s.Mode != Sink:
		return fmt.Errorf("mode %q: use %s or %s", s.Mode, Echo, Sink)
	case s.Size < HeaderSize || s.Size > MaxSize:
		return fmt.Errorf("message size %d: it must be from %d to %d bytes", s.Size, HeaderSize, MaxSize)
	case s.Flows < 1 || s.Flows > MaxFlows:
		return fmt.Errorf("%d flows: there must be from 1 to %d", s.Flows, MaxFlows)
	case s.Duration <= 0 || s.Duration > MaxDuration:
		return fmt.Errorf("duration %v: it must be above 0 and no more than %v", s.Duration, MaxDuration)
	case s.Interval < 0 || s.Interval > 0 && int64(s.Flows)*int64(s.Duration/s.Interval+1) > MaxBuckets:
		return fmt.Errorf("%d flows of %v in intervals of %v: there must be no more than %d intervals in all", s.Flows, s.Duration, s.Interval, MaxBuckets)
	}
	return nil
}

// A Session is the server's half of one trial, the same for every transport: it counts what arrives and
// says what goes back.
type Session struct {
	ID     uint64
	Spec   Spec
	client netip.Addr
	flows  []Inbound
	expiry *time.Timer

	epoch    atomic.Int64 // when the first measured message arrived, 0 before
	cpuBegun atomic.Int64
	ended    atomic.Bool

	mu       sync.Mutex
	attached map[io.Closer]struct{}
}

// Inbound is one flow of a session as the server sees it. It belongs to whoever has entered it.
type Inbound struct {
	session *Session
	number  uint32
	held    atomic.Bool
	tally   *Tally
	traffic Traffic
	granted Granted
}

// newSession makes the session; all that its flows need while measuring is taken here.
func newSession(id uint64, spec Spec, client netip.Addr) *Session {
	s := &Session{ID: id, Spec: spec, client: client, attached: map[io.Closer]struct{}{}}
	s.flows = make([]Inbound, spec.Flows)
	for i := range s.flows {
		s.flows[i] = Inbound{
			session: s,
			number:  uint32(i),
			tally:   newTally(spec.Flows, spec.Size, spec.Verify, newSeries(&s.epoch, int64(spec.Interval), int64(spec.Duration))),
		}
	}
	return s
}

// Enter makes the caller the flow's owner, who alone may call Arrived, Count and SetGranted until it calls
// Leave, after a block. It is how a session's end knows that no count is under way: one atomic instruction where
// nobody owns the flow. Otherwise it waits for the owner to leave, and returns false when the session has ended.
func (in *Inbound) Enter() bool {
	for tries := 0; !in.tryEnter(); tries++ {
		if in.session.ended.Load() {
			return false
		}
		if tries < 1000 {
			runtime.Gosched()
		} else {
			time.Sleep(100 * time.Microsecond)
		}
	}
	return true
}

func (in *Inbound) tryEnter() bool { return in.held.CompareAndSwap(false, true) }

// Leave ends what Enter began.
func (in *Inbound) Leave() { in.held.Store(false) }

// Session is the session that the flow is part of.
func (in *Inbound) Session() *Session { return in.session }

// Size is the size of the session's messages in bytes.
func (in *Inbound) Size() int { return in.session.Spec.Size }

// Wait is the way the session's receivers wait.
func (in *Inbound) Wait() Wait { return in.session.Spec.Wait }

// Arrived counts the messages of block, all of the session's size, that arrived at time at, and returns
// those to be sent back: in place, at the start of block. It allocates nothing, and nothing that it is
// given makes it answer a reply.
func (in *Inbound) Arrived(block []byte, at int64) (reply []byte) {
	size, echo := in.session.Spec.Size, in.session.Spec.Mode == Echo
	out, measured := 0, 0
	for off := 0; off+size <= len(block); off += size {
		msg := block[off : off+size]
		h, ok := ParseHeader(msg)
		if !ok || h.Session != in.session.ID || h.Flow != in.number || h.Kind == Reply {
			in.tally.foreign++
			continue
		}
		if h.Kind == Request {
			if h.Seq&WarmUp == 0 {
				if in.tally.message(msg, h.Seq, at) {
					measured++
				}
			}
			if !echo {
				continue
			}
		}
		setKind(msg, Reply)
		if out != off {
			copy(block[out:out+size], msg)
		}
		out += size
	}
	if measured > 0 {
		in.session.begin(at)
		in.tally.arrived(measured, size, at)
	}
	return block[:out]
}

// begin notes the first measured arrival of the session, the zero of its time series.
func (s *Session) begin(at int64) {
	if s.epoch.Load() != 0 || !s.epoch.CompareAndSwap(0, at) {
		return
	}
	if spent, known := host.CPUTime(); known {
		s.cpuBegun.Store(int64(spent))
	}
}

// Count adds what the transport saw below the message.
func (in *Inbound) Count(t Traffic) { in.traffic.Add(t) }

// SetGranted says what the kernel gave to the flow's socket.
func (in *Inbound) SetGranted(g Granted) { in.granted = g }

// Attach has the session close c when it ends, so that nobody stays in a read for a client that is gone.
// It returns false when the session has ended already. Detach undoes it.
func (s *Session) Attach(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended.Load() {
		return false
	}
	s.attached[c] = struct{}{}
	return true
}

// Detach undoes Attach.
func (s *Session) Detach(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.attached, c)
}

func (s *Session) closeAttached() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended.Store(true)
	for c := range s.attached {
		c.Close()
	}
}

// Settlement is what a client says when it has sent everything.
type Settlement struct {
	// Sent is the number of measured messages that each flow sent.
	Sent []uint64 `json:"sent"`
	// Tmax is how long to wait for messages that are missing, counted from the last arrival, so that a queue on
	// the way is not taken for a loss; Quiet is how long the line must have been silent when none is missing.
	Tmax  time.Duration `json:"tmax_ns"`
	Quiet time.Duration `json:"quiet_ns"`
}

// settleGrace is how long a session's end waits for a flow's owner to leave of its own accord.
const settleGrace = time.Second

// settle waits for what is still on its way and returns the session's account. Nothing that arrives
// afterwards is counted anywhere.
func (s *Session) settle(ctx context.Context, end Settlement) (Account, error) {
	if len(end.Sent) != len(s.flows) {
		return Account{}, fmt.Errorf("settle session: %d flows sent messages, and %d were agreed", len(end.Sent), len(s.flows))
	}
	cpu := s.awaitArrivals(ctx, end)
	s.ended.Store(true)
	var sum Account
	for i := range s.flows {
		in := &s.flows[i]
		if !in.seize(settleGrace) {
			s.closeAttached()
			if !in.seize(settleGrace) {
				return Account{}, fmt.Errorf("settle session: flow %d is still receiving", i)
			}
		}
		one := in.tally.account(end.Sent[i])
		one.Traffic, one.Granted = in.traffic, in.granted
		sum.Add(one)
	}
	sum.CPUNs = cpu
	return sum, nil
}

// seize enters the flow for good within d, or returns false: whatever arrives later finds it held.
func (in *Inbound) seize(d time.Duration) bool {
	for end := clock.Now() + int64(d); !in.tryEnter(); {
		if clock.Now() > end {
			return false
		}
		time.Sleep(100 * time.Microsecond)
	}
	return true
}

// awaitArrivals returns when every message has come and the line has been silent for end.Quiet, or when it has
// been for end.Tmax: with the CPU time that the process had spent on the session by the last arrival, nil where
// it can't be told. What a spinning receiver burns in silence is not the messages'.
func (s *Session) awaitArrivals(ctx context.Context, end Settlement) (cpu *int64) {
	last, before := clock.Now(), uint64(0)
	for ctx.Err() == nil {
		received, complete := s.progress(end.Sent)
		now := clock.Now()
		if received != before {
			before, last = received, now
			cpu = s.cpuSpent()
		}
		limit := end.Tmax
		if complete {
			limit = min(end.Quiet, end.Tmax)
		}
		left := limit - time.Duration(now-last)
		if left <= 0 {
			return cpu
		}
		time.Sleep(min(time.Millisecond, left))
	}
	return cpu
}

// cpuSpent is the process's CPU time since the first measured message.
func (s *Session) cpuSpent() *int64 {
	spent, known := host.CPUTime()
	if !known || s.epoch.Load() == 0 {
		return nil
	}
	n := int64(spent) - s.cpuBegun.Load()
	return &n
}

// progress returns how many messages have come, duplicates included, and whether every message that was sent has. A flow whose
// owner has not left is not complete.
func (s *Session) progress(sent []uint64) (received uint64, complete bool) {
	complete = true
	for i := range s.flows {
		in := &s.flows[i]
		if !in.tryEnter() {
			complete = false
			continue
		}
		received += in.tally.counter.Received()
		complete = complete && in.tally.counter.Unique() >= sent[i]
		in.Leave()
	}
	return received, complete
}

package bench

import (
	"fmt"
	"time"

	"tcpvsudp/internal/clock"
	"tcpvsudp/internal/host"
)

// Settlement is what a client says when it has sent everything.
type Settlement struct {
	// Sent is the number of measured messages that each flow sent; 0 for those of a source.
	Sent []uint64 `json:"sent"`
	// Tmax is how long to wait for messages that are missing, counted from the last arrival, so that a queue on
	// the way is not taken for a loss; Quiet is how long the line must have been silent when none is missing.
	Tmax  time.Duration `json:"tmax_ns"`
	Quiet time.Duration `json:"quiet_ns"`
}

// Validate returns an error when end can't settle a session of spec.
func (end Settlement) Validate(spec Spec) error {
	if len(end.Sent) != spec.FlowCount() {
		return fmt.Errorf("settle session: %d flows sent messages, and %d were agreed", len(end.Sent), spec.FlowCount())
	}
	if end.Tmax < 0 || end.Quiet < 0 {
		return fmt.Errorf("settle session: a Tmax of %v and %v of silence: they must be 0 or more", end.Tmax, end.Quiet)
	}
	return nil
}

// settleGrace is how long a session's end waits for a flow's owner to leave of its own accord.
const settleGrace = time.Second

// settle waits for what is still on its way and returns the session's account. Nothing that arrives
// afterwards is counted anywhere. A source has been stopped before, or is now.
func (s *Session) settle(end Settlement) (Account, error) {
	cpu := s.stopSources()
	if arrived := s.awaitArrivals(end); cpu == nil || arrived != nil && *arrived > *cpu {
		cpu = arrived
	}
	full := s.overflow.settle().without(since(faultyDatagrams(), s.faulty)) // while the sockets are there
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
		one.Traffic, one.Granted, one.Source, one.Path = in.traffic, in.granted, in.source.account, in.pathInfo()
		one.Traffic.Add(in.source.traffic)
		sum.Add(one)
	}
	if !s.shared.Load() {
		sum.CPUNs = cpu
		sum.BufferFull = full
		sum.BytesPerFlow = s.footprint.perFlow(len(s.flows))
	}
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

// awaitArrivals returns when every message has come and the line has been silent for end.Quiet, when it has
// been for end.Tmax, or when the session is over: with the CPU time that the process had spent on the session by
// the last arrival, nil where it can't be told. What a spinning receiver burns in silence is not the messages'.
func (s *Session) awaitArrivals(end Settlement) (cpu *int64) {
	defer func() {
		if cpu == nil { // whoever receives has not left the flow yet
			cpu = s.cpuSpent()
		}
	}()
	last, before := clock.Now(), uint64(0)
	for !s.over() {
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

// over tells whether the session has been forgotten by its table.
func (s *Session) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
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

package bench

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tcpvsudp/internal/clock"
)

// source is the sending half of a flow whose messages come from the server.
type source struct {
	started  atomic.Bool
	stopping sync.Once
	stop     chan struct{} // closed when the client has said stop
	done     chan struct{} // closed when Pump has returned
	account  SourceAccount // Pump's until done is closed
	traffic  Traffic       // so is this
}

// SourceAccount is what a source sent of measured messages, one flow or several.
type SourceAccount struct {
	Sent uint64 `json:"sent"`
	// SendErrors of them were lost before they left.
	SendErrors uint64 `json:"send_errors"`
	// BeginNs is when the first left and EndNs when the last had, by the sender's clock; both 0 when none did.
	BeginNs int64 `json:"begin_ns"`
	EndNs   int64 `json:"end_ns"`
}

// Add adds another flow's account to a.
func (a *SourceAccount) Add(b SourceAccount) {
	switch {
	case b.Sent == 0:
		return
	case a.Sent == 0:
		*a = b
		return
	}
	a.Sent += b.Sent
	a.SendErrors += b.SendErrors
	a.BeginNs, a.EndNs = min(a.BeginNs, b.BeginNs), max(a.EndNs, b.EndNs)
}

// wait returns after d, or when the source is stopped or its session over.
func (s *source) wait(d time.Duration, over <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.stop:
	case <-over:
	}
}

func (s *source) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// start tells whether the source is to start now: it does so once.
func (s *source) start() bool { return s.started.CompareAndSwap(false, true) }

// Pump sends the messages of a source, as fast as the session allows, through out: those of the warm-up first. It
// returns when their time is over, when the client has stopped the session or the session has ended, and at an error
// of out. It is called once, when Arrived has returned start, and takes part in no Enter and Leave. What
// out counts meanwhile is in the session's account.
func (in *Inbound) Pump(out Sender) {
	src, s := &in.source, in.session
	defer close(src.done)
	size := s.Spec.Size
	limit := newThrottle(s.Spec.RateBps, size, s.Spec.Flows, int(in.number)%s.Spec.Flows)
	messages := limit.most(out.Batch(size))
	block := NewBlock(messages, size)
	fillBlock(block, size, Header{Kind: Reply, Flow: in.number, Session: s.ID})
	before := out.Traffic()
	defer func() { src.traffic = out.Traffic().minus(before) }() // ahead of done

	now := clock.Now()
	measure, stop := now+int64(s.Spec.Warmup), now+int64(s.Spec.Duration)
	for warm := uint64(0); now < stop; now = clock.Now() {
		if due := min(limit.due(now, messages), stop); due > now {
			src.wait(time.Duration(due-now), s.done)
			if now = clock.Now(); now >= stop {
				break
			}
		}
		if src.stopped() || s.ended.Load() {
			break
		}
		if now < measure {
			stampBlock(block, size, WarmUp|warm, now, s.Spec.StampEach)
			warm += uint64(messages)
		} else {
			if src.account.Sent == 0 {
				src.account.BeginNs = now
				s.begin(now)
			}
			stampBlock(block, size, src.account.Sent, now, s.Spec.StampEach)
			src.account.Sent += uint64(messages)
		}
		n, err := out.Send(block, size, limit == nil)
		if err != nil && !lostUnsent(err) {
			if !src.stopped() && !s.ended.Load() {
				s.endBy(fmt.Errorf("it could not send: %w", err))
			}
			break
		}
		if unsent := messages - n; unsent > 0 && now >= measure {
			src.account.SendErrors += uint64(unsent)
		}
		pauseAfter(err)
	}
	_, _ = out.Send(nil, size, false) // the end of what is waiting for more
	if src.account.Sent > 0 {
		src.account.EndNs = clock.Now()
	}
}

// lostUnsent tells whether err says that messages were lost before they left, and others may still leave.
func lostUnsent(err error) bool {
	return errors.Is(err, ErrSendQueueFull) || errors.Is(err, ErrUnreachable)
}

// pauseAfter keeps a sender that nothing slows from trying without end while there is no way to its peer.
func pauseAfter(err error) {
	if errors.Is(err, ErrUnreachable) {
		time.Sleep(time.Millisecond)
	}
}

// stopGrace is how long a source may take to end; then the flow is cut.
const stopGrace = 5 * time.Second

// stopSources ends the sending of all sources and returns the CPU time that the process has spent on the session; nil
// where there is no source, or it can't be told. Calling it again changes nothing.
func (s *Session) stopSources() (cpu *int64) {
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	for i := range s.flows {
		in := &s.flows[i]
		if in.mode != Source {
			continue
		}
		in.source.stopping.Do(func() { close(in.source.stop) })
		if in.source.start() { // never asked for: now it can't be any more
			close(in.source.done)
		}
		select {
		case <-in.source.done:
		case <-grace.C:
			s.closeAttached()
			<-in.source.done
		}
		cpu = s.cpuSpent()
	}
	return cpu
}

// sourced is the number of measured messages that each flow's source sent, after stopSources.
func (s *Session) sourced() []uint64 {
	sent := make([]uint64, len(s.flows))
	for i := range s.flows {
		sent[i] = s.flows[i].source.account.Sent
	}
	return sent
}

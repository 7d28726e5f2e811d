package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tcpvsudp/internal/clock"
)

// settleTime is what a session has beside its duration, to open its flows and to settle, before it is over
// whatever its client says.
const settleTime = 3 * time.Minute

// outcome is what became of a session, kept for a client that asks again because the answer was lost.
type outcome struct {
	account Account
	err     error // nil for an account
	told    bool
	memory  int64 // what it takes of the limit while it is kept
	client  netip.Addr
}

// expire ends s if its client has been silent for too long or its time is over, and else looks again later.
func (t *Table) expire(s *Session) {
	now := clock.Now()
	left := s.heard.Load() + int64(t.limits.Idle) - now
	switch {
	case now >= s.expires:
		t.finish(s, &outcome{err: fmt.Errorf("%w: its time was over", ErrEnded)})
	case left <= 0:
		t.finish(s, &outcome{err: fmt.Errorf("%w: its client was silent for %v", ErrEnded, t.limits.Idle)})
	default:
		t.mu.Lock()
		defer t.mu.Unlock()
		if !s.over() {
			s.expiry.Reset(time.Duration(min(left, s.expires-now)))
		}
	}
}

// finish forgets s, of which o became, and closes what is attached to it. The first one counts.
func (t *Table) finish(s *Session, o *outcome) {
	t.mu.Lock()
	if s.over() {
		t.mu.Unlock()
		return
	}
	t.change(func(m map[uint64]*Session) { delete(m, s.ID) })
	o.client = s.client
	o.memory = int64(len(o.account.Series)) * seriesBucketBytes
	t.memory += o.memory - s.Spec.Memory()
	s.expiry.Stop()
	if s.Spec.Wait == Spin {
		t.spinning.Add(-1)
	}
	id := s.ID // the session itself is not to be kept
	t.past[id] = o
	time.AfterFunc(t.limits.Idle, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.past, id)
		t.memory -= o.memory
		t.admit()
	})
	close(s.done)
	t.admit()
	t.mu.Unlock()
	s.closeAttached()
	if t.Ended != nil {
		why := o.err
		if errors.Is(why, ErrNoSession) {
			why = nil
		}
		t.Ended(s, why)
	}
}

// find returns the session, which its client has now been heard of, or what became of it. It is told then for good, but to
// a renewal: a client that learns by it that the session has ended may ask why on another way, at the same time.
func (t *Table) find(id uint64, renewal bool) (*Session, *outcome) {
	if s := t.Find(id); s != nil {
		s.heard.Store(clock.Now())
		return s, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.past[id]
	if o == nil {
		return nil, &outcome{err: ErrNoSession}
	}
	o.told = o.told || !renewal
	return nil, o
}

// Owns tells whether session id is, or was, agreed with the client at addr.
func (t *Table) Owns(addr netip.Addr, id uint64) bool {
	if s := t.Find(id); s != nil {
		return s.client == plain(addr)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.past[id]
	return o != nil && o.client == plain(addr)
}

// Renew tells that the client of session id is still there. It returns when the session has ended, with the reason,
// or with nil after Limits.Poll or when ctx is done: so a client hears of an end at once.
func (t *Table) Renew(ctx context.Context, id uint64) error {
	s, past := t.find(id, true)
	if s == nil {
		return past.err
	}
	timer := time.NewTimer(t.limits.Poll())
	defer timer.Stop()
	select {
	case <-s.done:
		_, past := t.find(id, true)
		return past.err
	case <-timer.C:
		s.heard.Store(clock.Now())
	case <-ctx.Done():
	}
	return nil
}

// Stop ends the sending of the session's sources and returns how many measured messages each flow was sent.
func (t *Table) Stop(id uint64) ([]uint64, error) {
	s, past := t.find(id, false)
	if s == nil {
		return nil, past.err
	}
	s.stopSources()
	return s.sourced(), nil
}

// ErrSettling says that a settlement is still under way: ask again.
var ErrSettling = errors.New("the session is being settled")

// Settle ends session id and returns its account: the same one to whoever asks again. It returns ErrSettling when that
// takes longer than Limits.Poll.
func (t *Table) Settle(ctx context.Context, id uint64, end Settlement) (Account, error) {
	s, past := t.find(id, false)
	if s == nil {
		return past.account, past.err
	}
	if err := end.Validate(s.Spec); err != nil {
		return Account{}, err
	}
	s.settling.Do(func() {
		go func() {
			account, err := s.settle(end)
			t.finish(s, &outcome{account: account, err: err})
		}()
	})
	timer := time.NewTimer(t.limits.Poll())
	defer timer.Stop()
	select {
	case <-s.done:
		_, past := t.find(id, false)
		return past.account, past.err
	case <-timer.C:
		return Account{}, ErrSettling
	case <-ctx.Done():
		return Account{}, context.Cause(ctx)
	}
}

// End ends session id without an account.
func (t *Table) End(id uint64) error {
	s, past := t.find(id, false)
	if s == nil {
		return past.err
	}
	t.finish(s, &outcome{err: ErrNoSession})
	return nil
}

// Shutdown admits nobody any more, ends all sessions because of why, and returns when all of their clients have been
// told so, or when ctx is done.
func (t *Table) Shutdown(ctx context.Context, why error) {
	t.mu.Lock()
	t.closed = why
	for _, w := range t.queue {
		w.ready <- why
	}
	t.queue = nil
	var ended []uint64
	for id := range *t.sessions.Load() {
		ended = append(ended, id)
	}
	t.mu.Unlock()
	for _, id := range ended {
		if s := t.Find(id); s != nil {
			t.finish(s, &outcome{err: fmt.Errorf("%w: %w", ErrEnded, why)})
		}
	}
	for !t.allTold(ended) && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
}

// allTold tells whether the clients of these sessions have been told what became of them.
func (t *Table) allTold(ids []uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !slices.ContainsFunc(ids, func(id uint64) bool { o := t.past[id]; return o != nil && !o.told })
}

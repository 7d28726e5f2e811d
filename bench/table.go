package bench

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tcpvsudp/internal/clock"
)

// Errors of a Table beside ErrBeyondLimits.
var (
	// ErrNoSession says that a session is not, or no longer, known to the server.
	ErrNoSession = errors.New("no such session")
	// ErrEnded says that the server has ended a session by itself; what wraps it tells why.
	ErrEnded = errors.New("the server ended the session")
	// ErrTooMany says that more clients wait than the server has patience for.
	ErrTooMany = errors.New("too many clients wait already")
	// ErrShutdown says that the server is ending.
	ErrShutdown = errors.New("the server is shutting down")
)

// settleTime is what a session has beside its duration, to open its flows and to settle, before it is over
// whatever its client says.
const settleTime = 3 * time.Minute

// A Table holds the sessions of a server. Looking one up takes no lock.
type Table struct {
	limits   Limits
	sessions atomic.Pointer[map[uint64]*Session]
	spinning atomic.Int32

	// Agreed and Ended, if not nil, are told of every session; set them before the first. They call nothing of the
	// table. why is nil for a session that its client settled or ended.
	Agreed func(*Session)
	Ended  func(s *Session, why error)

	mu     sync.Mutex // held to change sessions, and for what follows
	memory int64      // what the open sessions take
	queue  []*waiter  // who waits for room, the first first
	past   map[uint64]*outcome
	closed error
}

// waiter is a client that waits for its turn.
type waiter struct {
	s     *Session
	ready chan error // nil when s is open
	left  int64      // when its client broke off, to ask again: its place is kept; 0 while it is there
}

// outcome is what became of a session, kept for a client that asks again because the answer was lost.
type outcome struct {
	account Account
	err     error // nil for an account
	told    bool
	memory  int64 // what it takes of the limit while it is kept
	client  netip.Addr
}

// NewTable returns an empty Table for a server with such limits.
func NewTable(limits Limits) *Table {
	t := &Table{limits: limits, past: map[uint64]*outcome{}}
	t.sessions.Store(&map[uint64]*Session{})
	return t
}

// Client is the address that the session was agreed with.
func (s *Session) Client() netip.Addr { return s.client }

// Limits are the table's.
func (t *Table) Limits() Limits { return t.limits }

// maxQueue is how many clients may wait at the same time.
const maxQueue = 1000

// Agree makes a session for the client at addr. While there is no room it waits, in the order of those who came,
// until ctx is done. A client that asks again with the same key, which is not empty, within Limits.Idle is given the
// session that it has, or its place in the queue. The session ends by itself when its client is silent for
// Limits.Idle, or its time is over, counted from its creation: clients which vanish leave nothing behind.
func (t *Table) Agree(ctx context.Context, spec Spec, addr netip.Addr, key string) (*Session, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if err := t.limits.Check(spec); err != nil {
		return nil, err
	}
	w, err := t.enqueue(spec, plain(addr), key)
	if err != nil {
		return nil, err
	}
	select {
	case err := <-w.ready:
		return w.session(err)
	case <-ctx.Done():
	}
	t.mu.Lock()
	if i := slices.Index(t.queue, w); i >= 0 && key == "" {
		t.queue = slices.Delete(t.queue, i, i+1)
	}
	w.left = clock.Now()
	t.mu.Unlock()
	select {
	case err := <-w.ready: // just now
		return w.session(err)
	default:
		return nil, context.Cause(ctx)
	}
}

func (w *waiter) session(err error) (*Session, error) {
	if err != nil {
		return nil, err
	}
	return w.s, nil
}

// plain is addr as addresses are compared here.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// enqueue puts a client into the queue, and opens whatever there is room for.
func (t *Table) enqueue(spec Spec, addr netip.Addr, key string) (*waiter, error) {
	w := &waiter{ready: make(chan error, 1)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed != nil {
		return nil, t.closed
	}
	if key != "" {
		for _, s := range *t.sessions.Load() {
			if s.key == key && s.client == addr {
				w.s = s
				w.ready <- nil
				return w, nil
			}
		}
		for i, other := range t.queue {
			if other.s.key == key && other.s.client == addr {
				w.s = other.s
				other.ready <- errors.New("asked again by another request")
				t.queue[i] = w
				t.admit()
				return w, nil
			}
		}
	}
	if len(t.queue) >= maxQueue {
		return nil, fmt.Errorf("%w: %d", ErrTooMany, len(t.queue))
	}
	var id [8]byte
	rand.Read(id[:]) // never fails
	w.s = &Session{ID: binary.BigEndian.Uint64(id[:]), Spec: spec, client: addr, key: key}
	t.queue = append(t.queue, w)
	t.admit()
	return w, nil
}

// admit opens sessions for those in the queue that there is room for; t.mu is held. Who waits for other sessions of
// its own address, or has broken off, keeps nobody else waiting.
func (t *Table) admit() {
	now := clock.Now()
	t.queue = slices.DeleteFunc(t.queue, func(w *waiter) bool {
		if w.left != 0 {
			return now-w.left > int64(t.limits.Idle)
		}
		open := *t.sessions.Load()
		of := 0
		for _, s := range open {
			if s.client == w.s.client {
				of++
			}
		}
		if len(open) >= t.limits.Sessions || of >= t.limits.SessionsPerAddress || t.memory+w.s.Spec.Memory() > t.limits.Memory {
			return false
		}
		t.open(w.s)
		w.ready <- nil
		return true
	})
}

// open makes s a session; t.mu is held.
func (t *Table) open(s *Session) {
	s.init()
	s.police = newPolice(t.limits.RateBps, func() {
		t.finish(s, &outcome{err: fmt.Errorf("%w: it sent more than %.4g bit/s", ErrEnded, t.limits.RateBps)})
	})
	now := clock.Now()
	s.expires = now + int64(s.Spec.Duration+settleTime)
	s.heard.Store(now)
	s.expiry = time.AfterFunc(t.limits.Idle, func() { t.expire(s) })
	t.memory += s.Spec.Memory()
	if s.Spec.Wait == Spin {
		t.spinning.Add(1)
	}
	t.change(func(m map[uint64]*Session) {
		for _, other := range m {
			other.shared.Store(true)
			s.shared.Store(true)
		}
		m[s.ID] = s
	})
	if t.Agreed != nil {
		t.Agreed(s)
	}
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
	t.past[s.ID] = o
	time.AfterFunc(t.limits.Idle, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.past, s.ID)
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

// change replaces the map by a changed copy: readers keep the one they have. t.mu is held.
func (t *Table) change(f func(map[uint64]*Session)) {
	next := make(map[uint64]*Session, len(*t.sessions.Load())+1)
	for id, s := range *t.sessions.Load() {
		next[id] = s
	}
	f(next)
	t.sessions.Store(&next)
}

// Find returns session id, or nil.
func (t *Table) Find(id uint64) *Session { return (*t.sessions.Load())[id] }

// Inbound returns the flow that a message with header h, come by proto from addr, belongs to; nil when it
// belongs to none: the session is not known, or agreed with another address or for another transport.
func (t *Table) Inbound(proto string, h Header, from netip.Addr) *Inbound {
	s := t.Find(h.Session)
	if s == nil || s.Spec.Proto != proto || int64(h.Flow) >= int64(len(s.flows)) || s.client != plain(from) {
		return nil
	}
	return &s.flows[h.Flow]
}

// Spinning tells whether a session wants its receivers to spin.
func (t *Table) Spinning() bool { return t.spinning.Load() > 0 }

// Open is how many sessions there are.
func (t *Table) Open() int { return len(*t.sessions.Load()) }

// Memory is what the sessions are charged for, in bytes.
func (t *Table) Memory() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.memory
}

// Closed tells whether Shutdown has been called.
func (t *Table) Closed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed != nil
}

// Waiting is how many clients wait for a session.
func (t *Table) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queue)
}

// IDs returns the known sessions, in order.
func (t *Table) IDs() []uint64 {
	var ids []uint64
	for id := range *t.sessions.Load() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

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
	"time"

	"tcpvsudp/internal/clock"
)

// waiter is a client that waits for its turn.
type waiter struct {
	s     *Session
	ready chan error // nil when s is open
	left  int64      // when its client broke off, to ask again: its place is kept; 0 while it is there
	again bool       // s was open already
}

// maxQueue is how many clients may wait at the same time; of one address no more than may have sessions.
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
	var footprint footprint
	if t.Open() == 0 { // else the session shares what grows with others
		footprint = newFootprint(spec)
	}
	w, err := t.enqueue(spec, plain(addr), key, footprint)
	if err != nil {
		return nil, err
	}
	select {
	case err := <-w.ready:
		return t.opened(w, err)
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
		return t.opened(w, err)
	default:
		return nil, context.Cause(ctx)
	}
}

// opened returns what a waiter was told.
func (t *Table) opened(w *waiter, err error) (*Session, error) {
	if err != nil {
		return nil, err
	}
	if t.Agreed != nil && !w.again {
		t.Agreed(w.s)
	}
	return w.s, nil
}

// plain is addr as addresses are compared here.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// enqueue puts a client into the queue, and opens whatever there is room for.
func (t *Table) enqueue(spec Spec, addr netip.Addr, key string, footprint footprint) (*waiter, error) {
	w := &waiter{ready: make(chan error, 1)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed != nil {
		return nil, t.closed
	}
	if key != "" {
		for _, s := range *t.sessions.Load() {
			if s.key == key && s.client == addr {
				w.s, w.again = s, true
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
	t.admit() // lets go of those who have not come back
	of, away := 0, -1
	for i, other := range t.queue {
		if Network(other.s.client) == Network(addr) {
			of++
			if other.left != 0 {
				away = i
			}
		}
	}
	if of >= t.limits.SessionsPerAddress && away >= 0 { // more likely this one's own than somebody's who comes back
		t.queue = slices.Delete(t.queue, away, away+1)
		of--
	}
	if len(t.queue) >= maxQueue || of >= t.limits.SessionsPerAddress {
		return nil, fmt.Errorf("%w: %d, %d of them of this address", ErrTooMany, len(t.queue), of)
	}
	var id [8]byte
	rand.Read(id[:]) // never fails
	w.s = &Session{ID: binary.BigEndian.Uint64(id[:]), Spec: spec, client: addr, key: key, footprint: footprint}
	t.queue = append(t.queue, w)
	t.admit()
	return w, nil
}

// admit opens sessions for those in the queue that there is room for; t.mu is held. Who waits for other sessions of
// its own address, or has broken off, keeps nobody else waiting; who waits for what all share, does.
func (t *Table) admit() {
	now := clock.Now()
	full := false
	t.queue = slices.DeleteFunc(t.queue, func(w *waiter) bool {
		if w.left != 0 {
			return now-w.left > int64(t.limits.Idle)
		}
		full = full || t.Open() >= t.limits.Sessions
		if full || t.share(w.s.client) >= t.limits.SessionsPerAddress {
			return false
		}
		if full = t.memory+w.s.Spec.Memory() > t.limits.Memory; full {
			return false
		}
		t.open(w.s)
		w.ready <- nil
		return true
	})
}

// share is how many sessions the clients of an address have.
func (t *Table) share(addr netip.Addr) (n int) {
	for _, s := range *t.sessions.Load() {
		if Network(s.client) == Network(addr) {
			n++
		}
	}
	return n
}

// Network is whom an address is counted with: of IPv6, where a host has as many addresses as it likes, those of its subnet (RFC
// 4291 section 2.5.4).
func Network(addr netip.Addr) netip.Addr {
	if addr = plain(addr); addr.Is4() {
		return addr
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.Masked().Addr()
}

// open makes s a session; t.mu is held.
func (t *Table) open(s *Session) {
	if !t.limits.Spin {
		s.Spec.Wait = Block
	}
	s.init()
	s.overflow.open(t.full[s.Spec.Proto])
	s.faulty = faultyDatagrams()
	var once sync.Once
	s.endBy = func(why error) { // from within a flow: whoever ends the session may wait for the flow
		once.Do(func() { go t.finish(s, &outcome{err: fmt.Errorf("%w: %w", ErrEnded, why)}) })
	}
	s.police = newPolice(t.limits.RateBps, func() { s.endBy(fmt.Errorf("it sent more than %.4g bit/s", t.limits.RateBps)) })
	now := clock.Now()
	s.expires = now + int64(s.Spec.Duration+settleTime)
	s.heard.Store(now)
	s.expiry = time.AfterFunc(min(t.limits.Idle, s.Spec.Duration+settleTime), func() { t.expire(s) })
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
}

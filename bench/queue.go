package bench

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tcpvsudp/internal/clock"
)

// waiter is a client that waits for its turn.
type waiter struct {
	s     *Session
	ready chan error // nil when s is open
	left  int64      // when its client broke off, to ask again: its place is kept; 0 while it is there
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
	t.admit() // lets go of those who have not come back
	of := 0
	for _, other := range t.queue {
		if other.s.client == addr {
			of++
		}
	}
	if len(t.queue) >= maxQueue || of >= t.limits.SessionsPerAddress {
		return nil, fmt.Errorf("%w: %d, %d of them of this address", ErrTooMany, len(t.queue), of)
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

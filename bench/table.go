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
)

// ErrNoSession says that a session is not, or no longer, known to the server.
var ErrNoSession = errors.New("no such session")

// ErrTooManySessions says that a server has no room for another session.
var ErrTooManySessions = errors.New("too many sessions")

// A Table holds the sessions of a server. Looking one up takes no lock.
type Table struct {
	mu       sync.Mutex // held to change
	sessions atomic.Pointer[map[uint64]*Session]
	spinning atomic.Int32
}

// NewTable returns an empty Table.
func NewTable() *Table {
	t := &Table{}
	t.sessions.Store(&map[uint64]*Session{})
	return t
}

// Agree makes a session for the client at addr. It expires by itself, counted from now, so that clients which
// vanish leave nothing behind.
func (t *Table) Agree(spec Spec, client netip.Addr) (*Session, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	var id [8]byte
	rand.Read(id[:]) // never fails
	s := newSession(binary.BigEndian.Uint64(id[:]), spec, client.Unmap().WithZone(""))
	s.expiry = time.AfterFunc(spec.Duration+settleTime, func() { _ = t.End(s.ID) }) // it may have ended
	full := false
	t.change(func(m map[uint64]*Session) {
		if full = len(m) >= MaxSessions; !full {
			m[s.ID] = s
		}
	})
	if full {
		s.expiry.Stop()
		return nil, fmt.Errorf("%w: %d are open; try again when one has ended", ErrTooManySessions, MaxSessions)
	}
	if spec.Wait == Spin {
		t.spinning.Add(1)
	}
	return s, nil
}

// Settle ends session id and returns its account.
func (t *Table) Settle(ctx context.Context, id uint64, end Settlement) (Account, error) {
	s := t.Find(id)
	if s == nil {
		return Account{}, ErrNoSession
	}
	account, err := s.settle(ctx, end)
	return account, errors.Join(err, t.End(id))
}

// End forgets session id and closes what is attached to it.
func (t *Table) End(id uint64) error {
	var s *Session
	t.change(func(m map[uint64]*Session) {
		s = m[id]
		delete(m, id)
	})
	if s == nil {
		return ErrNoSession
	}
	s.expiry.Stop()
	if s.Spec.Wait == Spin {
		t.spinning.Add(-1)
	}
	s.closeAttached()
	return nil
}

// change replaces the map by a changed copy: readers keep the one they have.
func (t *Table) change(f func(map[uint64]*Session)) {
	t.mu.Lock()
	defer t.mu.Unlock()
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
	if s == nil || s.Spec.Proto != proto || int64(h.Flow) >= int64(len(s.flows)) || s.client != from.Unmap().WithZone("") {
		return nil
	}
	return &s.flows[h.Flow]
}

// Spinning tells whether a session wants its receivers to spin.
func (t *Table) Spinning() bool { return t.spinning.Load() > 0 }

// IDs returns the known sessions, in order.
func (t *Table) IDs() []uint64 {
	var ids []uint64
	for id := range *t.sessions.Load() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

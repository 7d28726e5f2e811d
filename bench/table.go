package bench

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
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

// A Table holds the sessions of a server. Looking one up takes no lock.
type Table struct {
	limits   Limits
	sessions atomic.Pointer[map[uint64]*Session]
	spinning atomic.Int32

	// Agreed and Ended, if not nil, are told of every session; set them before the first. why is nil for a session that its client settled or ended.
	Agreed func(*Session)
	Ended  func(s *Session, why error)

	mu     sync.Mutex // held to change sessions, and for what follows
	full   map[string]func() (datagrams uint64, known bool)
	memory int64     // what the open sessions take
	queue  []*waiter // who waits for room, the first first
	past   map[uint64]*outcome
	closed error
}

// NewTable returns an empty Table for a server with such limits.
func NewTable(limits Limits) *Table {
	t := &Table{limits: limits, past: map[uint64]*outcome{}, full: map[string]func() (uint64, bool){}}
	t.sessions.Store(&map[uint64]*Session{})
	return t
}

// OverflowedBy has count tell how many datagrams the sockets of a transport's server have dropped so far, because their receive
// buffers were full. Set it before the first session; count must not use the table.
func (t *Table) OverflowedBy(proto string, count func() (datagrams uint64, known bool)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.full[proto] = count
}

// Limits are the table's.
func (t *Table) Limits() Limits { return t.limits }

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
	n := 0
	for _, w := range t.queue {
		if w.left == 0 {
			n++
		}
	}
	return n
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

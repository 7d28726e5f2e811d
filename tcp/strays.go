package tcp

import (
	"container/list"
	"net"
	"sync"
)

// strays are the connections that carry no flow of a session: those that have not said yet what they are for, and
// control's. There is room for so many; one more ends the oldest, so that connections which say nothing keep
// nobody out. A client whose control connection ends makes another.
type strays struct {
	mu    sync.Mutex
	room  int
	order list.List // of net.Conn, the oldest first
	known map[net.Conn]*list.Element
}

// maxStrays is far more than clients need, who say at once what they want.
const maxStrays = 16 << 10

// newStrays has room for a part of the files that the process may have open.
func newStrays(files int) *strays {
	return &strays{room: min(maxStrays, max(files*3/8, 16)), known: map[net.Conn]*list.Element{}}
}

func (s *strays) add(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[conn] = s.order.PushBack(conn)
	if s.order.Len() > s.room {
		oldest := s.order.Front().Value.(net.Conn)
		s.drop(oldest)
		oldest.Close()
	}
}

func (s *strays) remove(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(conn)
}

func (s *strays) drop(conn net.Conn) {
	if e := s.known[conn]; e != nil {
		s.order.Remove(e)
		delete(s.known, conn)
	}
}

func (s *strays) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.order.Len()
}

package socket

import (
	"net"
	"syscall"
	"time"
)

// Raw is the way to a socket's descriptor for those who make the system calls themselves. Read and Write may
// run at the same time, each in one goroutine at a time; the other methods may be called from anywhere.
type Raw interface {
	Handle
	// Read calls f until it returns true, and waits before every further call for something
	// to read; Write waits for room to send. f must not block, unless Sleeps says so. They return an error, and may have called f, when the deadline is over
	// (os.ErrDeadlineExceeded) or the socket closed (net.ErrClosed). They allocate nothing.
	Read(f func(fd uintptr) (done bool)) error
	Write(f func(fd uintptr) (done bool)) error
	// Try calls f once, in place of Read.
	Try(f func(fd uintptr) (done bool)) error
	// Sleeps tells Read's f, at every call, whether it is to wait by itself: the socket sees to it that it is not for long.
	Sleeps() bool
}

// Handle is what all ways to a socket have in common.
type Handle interface {
	// Control calls f once.
	Control(f func(fd uintptr)) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	Close() error
}

// Of returns the handle of a connection of package net.
func Of(c Conn) Handle {
	raw, err := c.SyscallConn()
	if err != nil {
		raw = nil
	}
	return handle{c, raw}
}

type handle struct {
	net.Conn
	raw syscall.RawConn
}

func (h handle) Control(f func(fd uintptr)) error {
	if h.raw == nil {
		return net.ErrClosed
	}
	return h.raw.Control(f)
}

// Shared returns the way to c's descriptor through the poller that Go's sockets share: a goroutine that waits costs
// no thread. With spin it waits without ever sleeping.
func Shared(c Conn, spin bool) (Raw, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &shared{RawConn: raw, conn: c, spin: spin}
	s.once = func(fd uintptr) bool { s.done = s.try(fd); return true }
	return s, nil
}

type shared struct {
	syscall.RawConn
	conn net.Conn
	spin bool

	try  func(fd uintptr) bool
	once func(fd uintptr) bool // calls try a single time
	done bool
}

func (s *shared) Read(f func(fd uintptr) (done bool)) error {
	if !s.spin {
		return s.RawConn.Read(f)
	}
	s.try = f
	for s.done = false; !s.done; {
		if err := s.RawConn.Read(s.once); err != nil {
			return err
		}
	}
	return nil
}

func (s *shared) Try(f func(fd uintptr) (done bool)) error {
	s.try = f
	return s.RawConn.Read(s.once)
}

func (s *shared) Sleeps() bool { return false }

func (s *shared) SetReadDeadline(t time.Time) error  { return s.conn.SetReadDeadline(t) }
func (s *shared) SetWriteDeadline(t time.Time) error { return s.conn.SetWriteDeadline(t) }
func (s *shared) Close() error                       { return s.conn.Close() }

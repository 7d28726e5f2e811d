// Package socket reads and sets what a socket's connection in package net does not show.
package socket

import (
	"net"
	"syscall"
)

// Conn is what TCP and UDP connections of package net have in common.
type Conn interface {
	net.Conn
	syscall.Conn
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error
}

// AskBuffers asks for socket buffers of so many bytes; 0 leaves one to the kernel. What came of it is told
// by Buffers: a kernel that gives less says so there and is no error.
func AskBuffers(c Conn, send, recv int) error {
	if send > 0 {
		if err := c.SetWriteBuffer(send); err != nil {
			return err
		}
	}
	if recv > 0 {
		return c.SetReadBuffer(recv)
	}
	return nil
}

// A Spinner waits for a socket to become readable without ever sleeping.
type Spinner struct {
	conn  syscall.RawConn
	probe func(fd uintptr) bool
	ready bool
}

// NewSpinner returns a Spinner on c, nil where this platform has none: then the reader sleeps, and what is
// granted is to say so.
func NewSpinner(c syscall.Conn) *Spinner {
	raw, err := c.SyscallConn()
	if err != nil || !canSpin {
		return nil
	}
	s := &Spinner{conn: raw}
	s.probe = func(fd uintptr) bool { s.ready = readable(fd); return true }
	return s
}

// Await returns nil when there is something to read, or an error of the read side: past its deadline, or
// closed. It returns nil at once on a nil Spinner. It does not allocate.
func (s *Spinner) Await() error { return s.AwaitWhile(func() bool { return true }) }

// AwaitWhile is Await that gives up, with nil, as soon as wanted returns false.
func (s *Spinner) AwaitWhile(wanted func() bool) error {
	if s == nil {
		return nil
	}
	for s.ready = false; !s.ready && wanted(); {
		if err := s.conn.Read(s.probe); err != nil {
			return err
		}
	}
	return nil
}

// A Readable waits for a socket to become readable, asleep.
type Readable struct{ conn syscall.RawConn }

// NewReadable returns a Readable on c.
func NewReadable(c syscall.Conn) Readable {
	raw, err := c.SyscallConn()
	if err != nil {
		raw = nil
	}
	return Readable{raw}
}

// Await returns nil when there is something to read, or an error of the read side. Where this platform can't tell
// without reading, it returns at once.
func (r Readable) Await() error {
	if r.conn == nil {
		return nil
	}
	return r.conn.Read(readable)
}

//go:build !linux

package socket

import (
	"errors"
	"syscall"
)

// Fragment says whether datagrams sent by c may be cut into several packets. This platform leaves that to itself.
func Fragment(_ syscall.Conn, allowed bool) error {
	if allowed {
		return nil
	}
	return errors.New("fragmentation can't be forbidden on this platform")
}

// Overflowed is how many datagrams the socket has dropped because its receive buffer was full; known is false where
// that can't be told.
func Overflowed(Handle) (dropped uint64, known bool) { return 0, false }

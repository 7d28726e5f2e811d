//go:build !linux

package socket

import "errors"

// Own is there on Linux alone.
func Own(_ Conn, spin, bulk bool) (Raw, error) { return nil, errors.ErrUnsupported }

// Name is a socket's address as the kernel has it, for the calls that Linux alone has.
type Name struct{}

package socket

import (
	"errors"

	"golang.org/x/sys/windows"
)

const canSpin = false

func readable(uintptr) bool { return true }

// Buffers returns the sizes of the send and receive buffers in bytes; 0 is not known.
func Buffers(h Handle) (send, recv int) {
	_ = h.Control(func(fd uintptr) {
		send, _ = windows.GetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_SNDBUF)
		recv, _ = windows.GetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_RCVBUF)
	})
	return send, recv
}

// IsQueueFull tells whether err says that the sender's queue had no room.
func IsQueueFull(err error) bool { return errors.Is(err, windows.WSAENOBUFS) }

// IsUnreachable tells whether err says that there is no way to the peer's host for now.
func IsUnreachable(err error) bool {
	return errors.Is(err, windows.WSAENETUNREACH) || errors.Is(err, windows.WSAEHOSTUNREACH) || errors.Is(err, windows.WSAENETDOWN) || errors.Is(err, windows.WSAEHOSTDOWN)
}

// IsTooLong tells whether err says that a datagram does not fit into one packet of the path.
func IsTooLong(error) bool { return false } // received it means that the buffer was too short, see IsCut

// FileLimit is how many files and sockets this process may have open.
func FileLimit() int { return 1 << 20 }

// IsCut tells whether err says that a datagram was longer than the buffer it was read into.
func IsCut(err error) bool { return errors.Is(err, windows.WSAEMSGSIZE) }

// IsRefused tells whether err says that nobody wanted what was sent earlier.
func IsRefused(err error) bool {
	return errors.Is(err, windows.WSAECONNREFUSED) || errors.Is(err, windows.WSAECONNRESET)
}

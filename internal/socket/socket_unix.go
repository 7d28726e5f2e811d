//go:build unix

package socket

import (
	"errors"

	"golang.org/x/sys/unix"
)

const canSpin = true

// readable tells whether a read of fd would return at once.
func readable(fd uintptr) bool {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds[:], 0)
	return n > 0 && err == nil
}

// Buffers returns the sizes of the send and receive buffers in bytes, as the kernel tells them: Linux
// gives twice what was asked, for its own bookkeeping, and counts that. 0 is not known.
func Buffers(h Handle) (send, recv int) {
	_ = h.Control(func(fd uintptr) {
		send, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
		recv, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	})
	return send, recv
}

// IsQueueFull tells whether err says that the sender's queue had no room.
func IsQueueFull(err error) bool { return errors.Is(err, unix.ENOBUFS) }

// IsUnreachable tells whether err says that there is no way to the peer's host for now.
func IsUnreachable(err error) bool {
	return errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH) || errors.Is(err, unix.ENETDOWN) || errors.Is(err, unix.EHOSTDOWN)
}

// IsTooLong tells whether err says that a datagram does not fit into one packet of the path.
func IsTooLong(err error) bool { return errors.Is(err, unix.EMSGSIZE) }

// FileLimit is how many files and sockets this process may have open.
func FileLimit() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	return int(min(limit.Cur, 1<<20))
}

// IsCut tells whether err says that a datagram was longer than the buffer it was read into.
func IsCut(error) bool { return false } // Unix cuts in silence

// IsRefused tells whether err says that nobody wanted what was sent earlier.
func IsRefused(err error) bool { return errors.Is(err, unix.ECONNREFUSED) }

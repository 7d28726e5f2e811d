package socket

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// CongestionControl returns the name of the algorithm that a TCP socket uses, empty where not known.
func CongestionControl(c syscall.Conn) (name string) {
	raw, err := c.SyscallConn()
	if err != nil {
		return ""
	}
	_ = raw.Control(func(fd uintptr) {
		name, _ = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	})
	return name
}

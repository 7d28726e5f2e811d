package socket

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// Fragment says whether datagrams sent by c may be cut into several packets, here or by a router on the way (RFC 791
// section 2.3). Of IPv6 it is the sender alone who cuts (RFC 8200 section 4.5), by what it has learnt of the path.
func Fragment(c syscall.Conn, allowed bool) error {
	v4, v6 := unix.IP_PMTUDISC_DO, unix.IPV6_PMTUDISC_DO
	if allowed {
		v4, v6 = unix.IP_PMTUDISC_DONT, unix.IPV6_PMTUDISC_WANT
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var err4, err6 error
	err = raw.Control(func(fd uintptr) {
		err4 = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, v4)
		err6 = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, v6)
	})
	if err4 != nil && err6 != nil { // a socket of one family refuses the other's
		err = errors.Join(err, err4, err6)
	}
	return err
}

// Overflowed is how many datagrams the socket has dropped because its receive buffer was full; known is false where
// that can't be told.
func Overflowed(h Handle) (dropped uint64, known bool) {
	err := h.Control(func(fd uintptr) { dropped, known = drops(int(fd)) })
	return dropped, known && err == nil
}

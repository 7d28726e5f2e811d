package socket

import (
	"encoding/binary"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// nameOf is the address of c as the kernel has it.
func nameOf(c net.Conn) *Name {
	at := c.LocalAddr().(*net.UDPAddr).AddrPort()
	n := new(Name)
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&n.raw.Port))[:], at.Port())
	if at.Addr().Is4() {
		n.raw.Family, n.len = unix.AF_INET, unix.SizeofSockaddrInet4
		(*unix.RawSockaddrInet4)(unsafe.Pointer(&n.raw)).Addr = at.Addr().As4()
		return n
	}
	n.raw.Family, n.len = unix.AF_INET6, unix.SizeofSockaddrInet6
	n.raw.Addr = at.Addr().As16()
	return n
}

package socket

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Connect has a datagram socket send to one address, of which a socket of its family has heard, and hear it alone.
func Connect(c Conn, to *Name) error {
	return set(Of(c), func(fd int) error {
		_, _, err := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len))
		if err != 0 {
			return err
		}
		return nil
	})
}

// SteerByFlow has the sockets that share h's port get datagrams by the 32-bit number that these have at offset: those of
// number n come to socket n modulo count, counted in the order in which they were bound. Sockets beyond count get none, unless they are
// connected to whom a datagram is from.
func SteerByFlow(h Handle, offset, count int) error {
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: uint32(offset)}, // of the payload; one that is too short is for socket 0
		{Code: unix.BPF_ALU | unix.BPF_MOD | unix.BPF_K, K: uint32(count)},
		{Code: unix.BPF_RET | unix.BPF_A},
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: unsafe.SliceData(program)}
	return set(h, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &filter)
	})
}

package socket

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// drops reads SK_MEMINFO_DROPS of SO_MEMINFO, which package unix has no function for.
func drops(fd int) (n uint64, known bool) {
	const skMeminfoDrops = 8
	var info [skMeminfoDrops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, failed := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	return uint64(info[skMeminfoDrops]), failed == 0 && uintptr(size) == unsafe.Sizeof(info)
}

package socket

import "golang.org/x/sys/unix"

// Retransmitted returns how many segments of a TCP connection have been sent again (TCP_INFO, tcpi_total_retrans).
func Retransmitted(h Handle) (segments uint64, known bool) {
	_ = h.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			segments, known = uint64(info.Total_retrans), true
		}
	})
	return segments, known
}

package socket

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// TCPInfo returns what the kernel has learnt of a TCP connection's path (TCP_INFO).
func TCPInfo(h Handle) (info Info, known bool) {
	_ = h.Control(func(fd uintptr) {
		if i, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			info, known = infoOf(i), true
		}
	})
	return info, known
}

func infoOf(i *unix.TCPInfo) Info {
	us := func(n uint32) time.Duration { return time.Duration(n) * time.Microsecond }
	info := Info{Retransmitted: uint64(i.Total_retrans)}
	if i.Rtt > 0 { // else nothing has been acknowledged yet, and Rttvar is what to begin with
		info.SRTT, info.RTTVar = us(i.Rtt), us(i.Rttvar)
	}
	if i.Min_rtt != math.MaxUint32 { // which is the kernel's word for not known
		info.MinRTT = us(i.Min_rtt)
	}
	return info
}

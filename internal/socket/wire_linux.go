package socket

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Bytes of headers: RFC 791 section 3.1, RFC 8200 section 3, RFC 768, RFC 9293 section 3.1, and the timestamps of RFC 7323 section 3.2
// with the padding that Linux puts ahead of them.
const (
	headerIPv4    = 20
	headerIPv6    = 40
	headerUDP     = 8
	headerTCP     = 20
	timestampsTCP = 12
)

// DatagramHeaders returns how many bytes of headers, IP's included, a datagram of size bytes has on the wire; known is false where it
// does not fit into one packet of the path, and where the system does not tell.
func DatagramHeaders(h Handle, size int) (bytes int, known bool) {
	_ = h.Control(func(fd uintptr) {
		ip := ipHeader(int(fd))
		level, option := unix.IPPROTO_IP, unix.IP_MTU
		if ip == headerIPv6 {
			level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU
		}
		mtu, err := unix.GetsockoptInt(int(fd), level, option)
		bytes = ip + headerUDP
		known = ip > 0 && err == nil && bytes+size <= mtu
	})
	return bytes, known
}

// StreamHeaders returns how many bytes of headers, IP's included, and of data have been sent by a TCP connection in segments that had data
// (tcpi_data_segs_out, tcpi_bytes_sent): those that were sent again included, what selective acknowledgements take not.
func StreamHeaders(h Handle) (headers, data uint64, known bool) {
	_ = h.Control(func(fd uintptr) {
		ip := ipHeader(int(fd))
		if i, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil && ip > 0 {
			headers, data, known = streamHeaders(i, ip)
		}
	})
	return headers, data, known
}

func streamHeaders(i *unix.TCPInfo, ip int) (headers, data uint64, known bool) {
	const timestamps = 1 // TCPI_OPT_TIMESTAMPS
	each := ip + headerTCP
	if i.Options&timestamps != 0 {
		each += timestampsTCP
	}
	return uint64(i.Data_segs_out) * uint64(each), i.Bytes_sent, i.Data_segs_out > 0 && i.Bytes_sent > 0
}

// ipHeader is the length of IP's header on the way to a socket's peer, 0 where it has none.
func ipHeader(fd int) int {
	peer, err := unix.Getpeername(fd)
	if err != nil {
		return 0
	}
	switch p := peer.(type) {
	case *unix.SockaddrInet4:
		return headerIPv4
	case *unix.SockaddrInet6:
		if netip.AddrFrom16(p.Addr).Is4In6() {
			return headerIPv4
		}
		return headerIPv6
	}
	return 0
}

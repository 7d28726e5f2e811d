package socket

import "time"

// Info is what a kernel has learnt of the path of a TCP connection.
type Info struct {
	// Retransmitted segments have been sent again (RFC 4898, tcpEStatsPerfSegsRetrans).
	Retransmitted uint64
	// SRTT is the smoothed round trip, RTTVar its mean deviation (RFC 6298) and MinRTT the smallest; 0 is not known.
	SRTT, RTTVar, MinRTT time.Duration
}

//go:build !linux

package socket

// Retransmitted returns how many segments of a TCP connection have been sent again: nobody tells here.
func Retransmitted(Handle) (segments uint64, known bool) { return 0, false }

//go:build !linux

package socket

// TCPInfo returns what the kernel has learnt of a TCP connection's path: it is not asked here.
func TCPInfo(Handle) (info Info, known bool) { return Info{}, false }

//go:build !linux

package socket

// DatagramHeaders returns how many bytes of headers a datagram has on the wire: that is not asked here.
func DatagramHeaders(Handle, int) (bytes int, known bool) { return 0, false }

// StreamHeaders returns how many bytes of headers and of data a TCP connection has sent: that is not asked here.
func StreamHeaders(Handle) (headers, data uint64, known bool) { return 0, 0, false }

//go:build !linux

package socket

import "syscall"

// CongestionControl returns the name of the algorithm that a TCP socket uses, empty where not known.
func CongestionControl(syscall.Conn) string { return "" }

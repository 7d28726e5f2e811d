//go:build !linux

package tcp

import (
	"net"

	"tcpvsudp/bench"
)

// fast is there on Linux alone.
func fast(*net.TCPConn, bench.Options) stream { return nil }

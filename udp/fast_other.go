//go:build !linux

package udp

import (
	"net"

	"tcpvsudp/bench"
)

// fast is there on Linux alone.
func fast(*net.UDPConn, bench.Options) datagrams { return nil }

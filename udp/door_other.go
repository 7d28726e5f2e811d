//go:build !linux

package udp

import (
	"errors"
	"net/netip"

	"tcpvsudp/bench"
)

func doors(addr string) ([]door, netip.AddrPort, error) { return openPlainDoor(addr) }

func canAdopt([]door) bool { return false }

func connected(netip.AddrPort, netip.AddrPort, bench.Options) (*flow, error) {
	return nil, errors.ErrUnsupported
}

//go:build !linux

package udp

import "net/netip"

func doors(addr string) ([]door, netip.AddrPort, error) { return openPlainDoor(addr) }

package host

import (
	"net"
	"net/netip"
	"time"
)

// Activity is what all of a host's processes have done since it started, as far as this platform tells.
type Activity struct {
	CPU       CPU
	CPUKnown  bool
	Datagrams DatagramCounts
	// DatagramsKnown is of the network namespace of this process.
	DatagramsKnown bool
	// LoadAverage is that of the last minute.
	LoadAverage      float64
	LoadAverageKnown bool
}

// CPU is the time of all processors together.
type CPU struct {
	// All is what has passed; Processes is what processes have used, their system calls included and interrupts not; Stolen is what the
	// hypervisor gave to others.
	All, Processes, Stolen time.Duration
}

// DatagramCounts counts UDP's datagrams, IPv4 and IPv6 together, that were received and dropped.
type DatagramCounts struct {
	// BufferErrors found the receive buffer of their socket full (RcvbufErrors). Faulty ones were dropped for what they are: above all,
	// their checksum was wrong (InErrors that are neither RcvbufErrors nor MemErrors).
	BufferErrors, Faulty uint64
}

// ReadActivity reads what this host has done.
func ReadActivity() (a Activity) {
	a.readPlatform()
	return a
}

// Datagrams is ReadActivity's part of that name.
func Datagrams() (DatagramCounts, bool) { return datagrams() }

// Carried returns the bytes that a network interface has received and sent.
func Carried(nic string) (bytes uint64, known bool) { return carried(nic) }

// InterfaceTo names the network interface by which this host reaches addr, "host:port"; empty where that can't be told. Nothing is sent.
func InterfaceTo(addr string) string {
	conn, err := net.Dial("udp", addr)
	if err != nil {
		return ""
	}
	defer conn.Close()
	local := addressOf(conn.LocalAddr())
	loopback := local == addressOf(conn.RemoteAddr()) // a host reaches its own addresses so, whatever they are
	nics, err := net.Interfaces()
	if err != nil {
		return ""
	}
	for _, nic := range nics {
		if loopback {
			if nic.Flags&net.FlagLoopback != 0 {
				return nic.Name
			}
			continue
		}
		addrs, _ := nic.Addrs() // of one that has just gone: it is not the one
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap().WithZone("") == local {
				return nic.Name
			}
		}
	}
	return ""
}

func addressOf(a net.Addr) netip.Addr {
	if udp, ok := a.(*net.UDPAddr); ok {
		return udp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

package host

import (
	"net"
	"testing"
	"time"
)

const procStat = `cpu  1255949 38386 1331648 6089687 18899 7 252821 863 1200 30
cpu0 618349 18744 643793 3065912 6788 0 138747 416 0 0
cpu1 637599 19641 687854 3023775 12110 0 114074 446 0 0
intr 1293487232 0 9
`

func TestCPUOf(t *testing.T) {
	const ticks = 10 * time.Millisecond
	want := CPU{All: 8988260 * ticks, Processes: (1255949 + 38386 + 1331648) * ticks, Stolen: 863 * ticks}
	if got, known := cpuOf(procStat); !known || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, text := range []string{"", "cpu", "cpu 1 2 3 4\n", "cpu0 1 2 3 4 5 6 7 8 9 10\n", "cpu 1 2 3 x 5 6 7 8 9 10\n", "cpu -1 2 3 4 5 6 7 8\n"} {
		if got, known := cpuOf(text); known {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

const procSNMP = `Ip: Forwarding DefaultTTL InReceives
Ip: 1 64 444443
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
Udp: 441806596 181129 49772250 484596054 49772240 0 7 0 3
UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
UdpLite: 0 0 0 0 9 0 9 0 0
`

const procSNMP6 = `Ip6InReceives                   	2379905
Udp6InDatagrams                 	2379905
Udp6InErrors                    	62
Udp6RcvbufErrors                	60
Udp6InCsumErrors                	2
Udp6
UdpLite6RcvbufErrors            	5
`

func TestDatagramsOf(t *testing.T) {
	for _, test := range []struct {
		name, snmp, snmp6 string
		want              DatagramCounts
		known             bool
	}{
		{"both families", procSNMP, procSNMP6, DatagramCounts{49772300, 9}, true},
		{"no IPv6", procSNMP, "", DatagramCounts{49772240, 7}, true},
		{"an old kernel", "Udp: InDatagrams NoPorts\nUdp: 1 2\n", "", DatagramCounts{}, false},
		{"names alone", "Udp: RcvbufErrors InErrors\n", "", DatagramCounts{}, false},
		{"fewer numbers than names", "Udp: RcvbufErrors InErrors\nUdp: 3\n", "", DatagramCounts{3, 0}, true},
		{"nothing", "", "", DatagramCounts{}, false},
	} {
		if got, known := datagramsOf(test.snmp, test.snmp6); got != test.want || known != test.known {
			t.Errorf("%s: %+v, %v", test.name, got, known)
		}
	}
}

const procDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 11078146881563 808022804    0  732    0     0          0         0 11078146881563 808022804    0    0    0     0       0          0
  eth0: 250105967   11227    0    0    0     0          0         0   953371    8517    0    0    0     0       0          0
  bad0: 1 2
 wide0:250105967   11227    0    0    0     0          0         0   1    8517    0    0    0     0       0          0
`

func TestCarriedBy(t *testing.T) {
	for nic, want := range map[string]uint64{"lo": 2 * 11078146881563, "eth0": 250105967 + 953371, "wide0": 250105968, "eth": 0, "bad0": 0, "": 0} {
		if got, known := carriedBy(nic, procDev); got != want || known != (want > 0) {
			t.Errorf("%q: %d, %v; want %d", nic, got, known, want)
		}
	}
}

func TestActivityOfThisHost(t *testing.T) {
	a := ReadActivity()
	if !a.CPUKnown || a.CPU.All <= 0 || a.CPU.Processes > a.CPU.All || !a.DatagramsKnown || !a.LoadAverageKnown {
		t.Errorf("%+v", a)
	}
	nic := InterfaceTo("127.0.0.1:9")
	lo, err := net.InterfaceByName(nic)
	if err != nil || lo.Flags&net.FlagLoopback == 0 {
		t.Errorf("127.0.0.1 is reached by %q, %v", nic, err)
	}
	if _, known := Carried(nic); !known {
		t.Errorf("what %s has carried is not known", nic)
	}
	if nic := InterfaceTo("no address"); nic != "" {
		t.Errorf("nowhere is reached by %q", nic)
	}
}

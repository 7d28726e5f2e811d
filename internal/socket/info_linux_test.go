package socket

import (
	"math"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestInfoOf(t *testing.T) {
	for _, test := range []struct {
		name string
		in   unix.TCPInfo
		want Info
	}{
		{"all", unix.TCPInfo{Total_retrans: 3, Rtt: 200, Rttvar: 50, Min_rtt: 150}, Info{3, 200 * time.Microsecond, 50 * time.Microsecond, 150 * time.Microsecond}},
		{"nothing acknowledged", unix.TCPInfo{Rttvar: 250_000, Min_rtt: math.MaxUint32}, Info{}},
		{"an old kernel", unix.TCPInfo{Rtt: 200, Rttvar: 50}, Info{0, 200 * time.Microsecond, 50 * time.Microsecond, 0}},
	} {
		if got := infoOf(&test.in); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// A connection on this host has a round trip that is above 0 and not much.
func TestTCPInfo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	info, known := TCPInfo(Of(conn.(*net.TCPConn)))
	if !known || info.Retransmitted != 0 || info.SRTT <= 0 || info.SRTT > time.Second || info.MinRTT > info.SRTT {
		t.Errorf("%+v, %v", info, known)
	}
	conn.Close()
	if info, known := TCPInfo(Of(conn.(*net.TCPConn))); known {
		t.Errorf("a closed connection tells %+v", info)
	}
}

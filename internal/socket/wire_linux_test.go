package socket

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestStreamHeadersOf(t *testing.T) {
	for _, test := range []struct {
		in            unix.TCPInfo
		ip            int
		headers, data uint64
		known         bool
	}{
		{unix.TCPInfo{Data_segs_out: 10, Bytes_sent: 14_480, Options: 1 | 2 | 4}, headerIPv4, 520, 14_480, true},
		{unix.TCPInfo{Data_segs_out: 10, Bytes_sent: 14_480, Options: 2}, headerIPv6, 600, 14_480, true},
		{unix.TCPInfo{Data_segs_out: 10}, headerIPv4, 400, 0, false}, // a kernel before 4.19
	} {
		headers, data, known := streamHeaders(&test.in, test.ip)
		if headers != test.headers || data != test.data || known != test.known {
			t.Errorf("%+v: %d, %d, %v", test, headers, data, known)
		}
	}
}

// The loopback interface carries 65,536 B in one packet.
func TestDatagramHeaders(t *testing.T) {
	for addr, want := range map[string]int{"127.0.0.1:9": 28, "[::1]:9": 48} {
		conn, err := net.Dial("udp", addr)
		if err != nil {
			t.Logf("%s: %v", addr, err)
			continue
		}
		defer conn.Close()
		h := Of(conn.(*net.UDPConn))
		if got, known := DatagramHeaders(h, 1400); got != want || !known {
			t.Errorf("%s: %d, %v", addr, got, known)
		}
		if _, known := DatagramHeaders(h, 1<<17); known {
			t.Errorf("%s: more than a packet holds fits into one", addr)
		}
	}
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, known := DatagramHeaders(Of(conn), 64); known {
		t.Error("a socket of no peer knows its path")
	}
}

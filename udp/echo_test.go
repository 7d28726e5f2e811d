package udp

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// startEcho starts an echo with a buffer of 4 bytes that ends with the test, and connects to it.
func startEcho(t *testing.T) net.Conn {
	t.Helper()
	l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Echo(ctx, l, 4) }()
	conn, err := net.Dial("udp", l.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer conn.Close()
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Echo returned %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("Echo did not end with its context")
		}
	})
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	return conn
}

// What does not fit into the buffer is gone with its datagram.
func TestEchoCutsDatagrams(t *testing.T) {
	conn := startEcho(t)
	got := make([]byte, 100)
	for _, sent := range []string{"hello, datagram", "four", "abc", ""} {
		if _, err := io.WriteString(conn, sent); err != nil {
			t.Fatal(err)
		}
		want := sent[:min(len(sent), 4)]
		if n, err := conn.Read(got); err != nil || string(got[:n]) != want {
			t.Errorf("sent %q, got %q, %v; want %q", sent, got[:n], err, want)
		}
	}
}

func TestEchoLikePortsAreNotAnswered(t *testing.T) {
	for port, want := range map[uint16]bool{0: true, 7: true, 19: true, 53: true, 1900: true, 1024: false, 40000: false} {
		if got := answersByItself(port); got != want {
			t.Errorf("answersByItself(%d) = %v", port, got)
		}
	}
}

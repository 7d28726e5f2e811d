package udp

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

var unlimited = rate.NewLimiter(rate.Inf, 0)

// startEcho starts an echo with a buffer of 4 bytes that ends with the test, and connects to it.
func startEcho(t *testing.T, limit *rate.Limiter) net.Conn {
	t.Helper()
	l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Echo(ctx, l, 4, limit) }()
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
	conn := startEcho(t, unlimited)
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

// What is beyond the limit is dropped.
func TestEchoIsLimited(t *testing.T) {
	conn := startEcho(t, rate.NewLimiter(0.001, 3*(headers+4)))
	for range 10 {
		if _, err := io.WriteString(conn, "four"); err != nil {
			t.Fatal(err)
		}
	}
	answers := 0
	_ = conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
	for got := make([]byte, 10); ; answers++ {
		if _, err := conn.Read(got); err != nil {
			break
		}
	}
	if answers != 3 {
		t.Errorf("%d of 10 datagrams are answered, and the limit is 3", answers)
	}
}

// Two echoes that somebody sets on each other are silent.
func TestEchoDoesNotAnswerItsOwnPort(t *testing.T) {
	l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	other, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2), Port: l.LocalAddr().(*net.UDPAddr).Port})
	if err != nil {
		l.Close()
		t.Skipf("no second address with the same port: %v", err)
	}
	defer other.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Echo(ctx, l, 100, unlimited) }()
	if _, err := other.WriteTo([]byte("hello, echo"), l.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	_ = other.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, _, err := other.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes came back", n)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

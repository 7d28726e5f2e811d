package tcp

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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Echo(ctx, l, 4, limit) }()
	conn, err := net.Dial("tcp", l.Addr().String())
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

// What does not fit into the buffer comes with the next read: nothing is lost.
func TestEchoReturnsTheWholeStream(t *testing.T) {
	conn := startEcho(t, unlimited)
	const sent = "hello, stream"
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != sent {
		t.Errorf("got %q, %v", got, err)
	}
}

// What is beyond the limit waits, and nothing is lost.
func TestEchoIsLimited(t *testing.T) {
	conn := startEcho(t, rate.NewLimiter(100, 10))
	sent := make([]byte, 40)
	start := time.Now()
	if _, err := conn.Write(sent); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, sent); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 250*time.Millisecond {
		t.Errorf("40 bytes at 100 bytes/s, 10 of them at once, took %v", took)
	}
}

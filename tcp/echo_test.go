package tcp

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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Echo(ctx, l, 4) }()
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
	conn := startEcho(t)
	const sent = "hello, stream"
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != sent {
		t.Errorf("got %q, %v", got, err)
	}
}

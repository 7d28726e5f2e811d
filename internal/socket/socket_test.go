package socket

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// pair returns two UDP sockets, the second of which hears the first.
func pair(t *testing.T) (from, to *net.UDPConn) {
	t.Helper()
	to, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	from, err = net.DialUDP("udp", nil, to.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { from.Close(); to.Close() })
	return from, to
}

func spinner(t *testing.T, c *net.UDPConn) *Spinner {
	t.Helper()
	s := NewSpinner(c)
	if s == nil {
		t.Skip("this platform has no way to spin")
	}
	return s
}

// ends checks that f returns soon, and returns its error.
func ends(t *testing.T, f func() error) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- f() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(5 * time.Second):
		t.Fatal("it spins on")
		return nil
	}
}

func TestAwaitSomethingToRead(t *testing.T) {
	from, to := pair(t)
	s := spinner(t, to)
	time.AfterFunc(10*time.Millisecond, func() { _, _ = from.Write([]byte("here")) })
	if err := ends(t, s.Await); err != nil {
		t.Fatal(err)
	}
	_ = to.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := to.Read(make([]byte, 10)); n != 4 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestAwaitEndsWithTheDeadlineAndTheSocket(t *testing.T) {
	_, to := pair(t)
	s := spinner(t, to)
	_ = to.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if err := ends(t, s.Await); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	_ = to.SetReadDeadline(time.Time{})
	time.AfterFunc(10*time.Millisecond, func() { to.Close() })
	if err := ends(t, s.Await); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// A server spins while somebody wants it to, and not until the next datagram comes.
func TestAwaitWhileItIsWanted(t *testing.T) {
	_, to := pair(t)
	s := spinner(t, to)
	var wanted atomic.Bool
	wanted.Store(true)
	time.AfterFunc(10*time.Millisecond, func() { wanted.Store(false) })
	if err := ends(t, func() error { return s.AwaitWhile(wanted.Load) }); err != nil || wanted.Load() {
		t.Errorf("%v, still wanted %v", err, wanted.Load())
	}
}

func TestNoSpinnerDoesNotWait(t *testing.T) {
	var s *Spinner
	if err := s.Await(); err != nil {
		t.Error(err)
	}
}

func TestBuffersAreGrantedAsAsked(t *testing.T) {
	_, to := pair(t)
	const asked = 32 << 10 // less than any system's limit
	if err := AskBuffers(to, asked, asked); err != nil {
		t.Fatal(err)
	}
	send, recv := Buffers(Of(to))
	if send < asked || recv < asked {
		t.Errorf("asked for %d bytes, granted %d to send and %d to receive", asked, send, recv)
	}
}

func BenchmarkAwait(b *testing.B) {
	b.ReportAllocs()
	to, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer to.Close()
	if _, err := to.WriteToUDPAddrPort([]byte("x"), to.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
		b.Fatal(err)
	}
	s := NewSpinner(to)
	for b.Loop() {
		if err := s.Await(); err != nil {
			b.Fatal(err)
		}
	}
}

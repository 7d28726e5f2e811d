package socket

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// rawWays are the ways to a descriptor.
var rawWays = []struct {
	name string
	open func(c Conn) (Raw, error)
}{
	{"own", func(c Conn) (Raw, error) { return Own(c, false, false) }},
	{"own, bulk", func(c Conn) (Raw, error) { return Own(c, false, true) }},
	{"own, spin", func(c Conn) (Raw, error) { return Own(c, true, false) }},
	{"shared", func(c Conn) (Raw, error) { return Shared(c, false) }},
	{"shared, spin", func(c Conn) (Raw, error) { return Shared(c, true) }},
}

// eachRaw runs test with every way to the second of a pair of UDP sockets.
func eachRaw(t *testing.T, test func(t *testing.T, from *net.UDPConn, raw Raw)) {
	for _, way := range rawWays {
		t.Run(way.name, func(t *testing.T) {
			from, to := pair(t)
			raw, err := way.open(to)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { raw.Close() })
			test(t, from, raw)
		})
	}
}

// streams returns both ends of a TCP connection.
func streams(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	d, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return c.(*net.TCPConn), d.(*net.TCPConn)
}

// reading returns a function for Read or Try that receives to buf, and where its outcome is.
func reading(raw Raw, buf []byte) (f func(fd uintptr) bool, n *int, errno *unix.Errno) {
	n, errno = new(int), new(unix.Errno)
	return func(fd uintptr) bool {
		*n, *errno = Recv(fd, buf, raw.Sleeps())
		return *errno != unix.EAGAIN && *errno != unix.EINTR
	}, n, errno
}

func inode(fd int) (uint64, error) {
	var stat unix.Stat_t
	err := unix.Fstat(fd, &stat)
	return stat.Ino, err
}

// inodeOf returns what tells the socket of h from all others.
func inodeOf(t *testing.T, h interface{ Control(func(uintptr)) error }) (ino uint64) {
	t.Helper()
	var failed error
	if err := errors.Join(h.Control(func(fd uintptr) { ino, failed = inode(int(fd)) }), failed); err != nil {
		t.Fatal(err)
	}
	return ino
}

// descriptors returns the links of this process's descriptors, by their numbers.
func descriptors(t *testing.T) map[string]string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]string{}
	for _, e := range entries {
		if link, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil { // else it has been closed
			links[e.Name()] = link
		}
	}
	return links
}

// isPolled tells whether one of this process's pollers watches the socket.
func isPolled(t *testing.T, ino uint64) bool {
	t.Helper()
	pollers := 0
	for fd, link := range descriptors(t) {
		if link != "anon_inode:[eventpoll]" {
			continue
		}
		pollers++
		info, err := os.ReadFile("/proc/self/fdinfo/" + fd)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(info)) {
			// tfd: 4 events: 80002019 data: ... pos:0 ino:2c3f sdev:8
			if _, rest, ok := strings.Cut(line, " ino:"); ok && strings.HasPrefix(line, "tfd:") {
				if hex, _, _ := strings.Cut(rest, " "); hex == strconv.FormatUint(ino, 16) {
					return true
				}
			}
		}
	}
	if pollers == 0 {
		t.Fatal("Go's poller is not found")
	}
	return false
}

// A socket of one's own is no longer watched by the poller of Go's sockets, and its connection of package net is closed.
func TestOwnLeavesThePoller(t *testing.T) {
	for _, kind := range []string{"udp", "tcp"} {
		for _, way := range rawWays[:3] {
			t.Run(kind+", "+way.name, func(t *testing.T) {
				var c Conn
				if kind == "udp" {
					_, c = pair(t)
				} else {
					_, c = streams(t)
				}
				ino := inodeOf(t, Of(c))
				if !isPolled(t, ino) {
					t.Fatal("the poller does not watch the socket of package net: the test can't tell")
				}
				raw, err := way.open(c)
				if err != nil {
					t.Fatal(err)
				}
				defer raw.Close()
				if got := inodeOf(t, raw); got != ino {
					t.Errorf("the descriptor is that of %d, want %d", got, ino)
				}
				if isPolled(t, ino) {
					t.Error("the poller still watches the socket")
				}
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("the connection of package net can still be read: %v", err)
				}
			})
		}
	}
}

// Read returns what has come already, and waits for what comes later.
func TestReadNowAndLater(t *testing.T) {
	eachRaw(t, func(t *testing.T, from *net.UDPConn, raw Raw) {
		buf := make([]byte, 10)
		f, n, errno := reading(raw, buf)
		for i, later := range []time.Duration{0, 2 * time.Millisecond, 15 * time.Millisecond, 0} {
			text := fmt.Sprint("number ", i)
			send := func() { _, _ = from.Write([]byte(text)) }
			if later == 0 {
				send()
			} else {
				time.AfterFunc(later, send)
			}
			if err := ends(t, func() error { return raw.Read(f) }); err != nil || *errno != 0 || string(buf[:max(*n, 0)]) != text {
				t.Fatalf("read %q, %v, %v; want %q", buf[:max(*n, 0)], err, *errno, text)
			}
		}
	})
}

// Try calls its function once, which is not told to wait, even after a Read that was.
func TestTryDoesNotWait(t *testing.T) {
	eachRaw(t, func(t *testing.T, from *net.UDPConn, raw Raw) {
		buf := make([]byte, 10)
		f, n, errno := reading(raw, buf)
		time.AfterFunc(15*time.Millisecond, func() { _, _ = from.Write([]byte("here")) })
		if err := ends(t, func() error { return raw.Read(f) }); err != nil {
			t.Fatal(err)
		}
		calls := 0
		try := func() error {
			return raw.Try(func(fd uintptr) bool {
				calls++
				if raw.Sleeps() {
					t.Error("it is told to wait")
				}
				return f(fd)
			})
		}
		if err := ends(t, try); err != nil || calls != 1 || *errno != unix.EAGAIN {
			t.Errorf("with nothing there: %d calls, %v, %v; want one, and %v", calls, err, *errno, unix.EAGAIN)
		}
		if _, err := from.Write([]byte("again")); err != nil {
			t.Fatal(err)
		}
		// What was sent over loopback may still be on its way.
		for end := time.Now().Add(5 * time.Second); *errno == unix.EAGAIN && time.Now().Before(end); {
			if err := ends(t, try); err != nil {
				t.Fatal(err)
			}
		}
		if *errno != 0 || string(buf[:max(*n, 0)]) != "again" {
			t.Errorf("tried %q, %v", buf[:max(*n, 0)], *errno)
		}
	})
}

// A deadline ends a Read that waits, and no sooner; without it one waits again.
func TestReadEndsWithItsDeadline(t *testing.T) {
	eachRaw(t, func(t *testing.T, from *net.UDPConn, raw Raw) {
		f, n, _ := reading(raw, make([]byte, 10))
		for _, d := range []time.Duration{3 * time.Millisecond, 15 * time.Millisecond} { // less than a nap, and more
			start := time.Now()
			if err := raw.SetReadDeadline(start.Add(d)); err != nil {
				t.Fatal(err)
			}
			if err := ends(t, func() error { return raw.Read(f) }); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("a deadline in %v: %v", d, err)
			}
			if took := time.Since(start); took < d {
				t.Errorf("a deadline in %v is over after %v", d, took)
			}
		}
		if err := raw.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(15*time.Millisecond, func() { _, _ = from.Write([]byte("here")) })
		if err := ends(t, func() error { return raw.Read(f) }); err != nil || *n != 4 {
			t.Errorf("after the deadline was taken back: read %d, %v", *n, err)
		}
	})
}

// A deadline that another goroutine sets ends a Read that waits without one, or with one that is far: whether it is over already or
// not yet.
func TestDeadlineFromAnotherGoroutine(t *testing.T) {
	eachRaw(t, func(t *testing.T, _ *net.UDPConn, raw Raw) {
		f, _, _ := reading(raw, make([]byte, 10))
		for _, test := range []struct{ before, in time.Duration }{ // what it has, 0 for none, and gets
			{0, -time.Second}, {0, 5 * time.Millisecond}, {time.Hour, 0}, {time.Hour, 25 * time.Millisecond},
		} {
			deadline := time.Time{}
			if test.before > 0 {
				deadline = time.Now().Add(test.before)
			}
			if err := raw.SetReadDeadline(deadline); err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(5*time.Millisecond, func() { _ = raw.SetReadDeadline(time.Now().Add(test.in)) })
			if err := ends(t, func() error { return raw.Read(f) }); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a deadline in %v in place of one in %v: %v", test.in, test.before, err)
			}
		}
	})
}

// A deadline that was over when it was set is noticed ahead of a call, although there is something to read and room to send. It
// is of its own direction alone.
func TestPastDeadlineIsNoticedFirst(t *testing.T) {
	eachRaw(t, func(t *testing.T, from *net.UDPConn, raw Raw) {
		buf := make([]byte, 10)
		f, n, _ := reading(raw, buf)
		if _, err := from.Write([]byte("here")); err != nil {
			t.Fatal(err)
		}
		never := func(uintptr) bool { t.Error("the function is called past the deadline"); return true }
		wrote := false
		write := func(uintptr) bool { wrote = true; return true }

		if err := raw.SetReadDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		if err := raw.Read(never); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read past its deadline: %v", err)
		}
		if err := raw.Write(write); err != nil || !wrote {
			t.Errorf("Write past the deadline of Read: %v, called %v", err, wrote)
		}
		if err := raw.SetWriteDeadline(time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := raw.Write(never); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write past its deadline: %v", err)
		}
		if err := raw.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if err := ends(t, func() error { return raw.Read(f) }); err != nil || *n != 4 {
			t.Errorf("Read past the deadline of Write: %d, %v", *n, err)
		}
	})
}

// Close ends a Read that waits, and whatever is called later says that the socket is closed.
func TestCloseEndsARead(t *testing.T) {
	eachRaw(t, func(t *testing.T, _ *net.UDPConn, raw Raw) {
		f, _, _ := reading(raw, make([]byte, 10))
		ino := inodeOf(t, raw)
		closed := make(chan error, 1)
		time.AfterFunc(15*time.Millisecond, func() { closed <- raw.Close() })
		if err := ends(t, func() error { return raw.Read(f) }); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read under way at Close: %v", err)
		}
		if err := <-closed; err != nil {
			t.Errorf("Close: %v", err)
		}
		never := func(uintptr) bool { t.Error("the function is called after Close"); return true }
		for name, err := range map[string]error{
			"Read":             raw.Read(never),
			"Write":            raw.Write(never),
			"Try":              raw.Try(never),
			"Control":          raw.Control(func(fd uintptr) { never(fd) }),
			"SetReadDeadline":  raw.SetReadDeadline(time.Now()),
			"SetWriteDeadline": raw.SetWriteDeadline(time.Time{}),
			"Close":            raw.Close(),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		wantGone(t, ino)
	})
}

// wantGone checks that no descriptor of this process is that socket's.
func wantGone(t *testing.T, ino uint64) {
	t.Helper()
	for fd, link := range descriptors(t) {
		if link == fmt.Sprintf("socket:[%d]", ino) {
			t.Errorf("descriptor %s of the socket is still open", fd)
		}
	}
}

// flood is a function for Write that sends without end, for as long as there is room.
func flood(fd uintptr) bool {
	var buf [1 << 14]byte
	for {
		switch _, err := Send(fd, buf[:], false); err {
		case 0, unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			return true
		}
	}
}

// A Write waits for room until there is some, its deadline is over, or the socket closed.
func TestWriteWaitsForRoom(t *testing.T) {
	for _, way := range rawWays {
		t.Run(way.name, func(t *testing.T) {
			from, to := streams(t)
			if err := errors.Join(AskBuffers(from, 1<<16, 0), AskBuffers(to, 0, 1<<16)); err != nil {
				t.Fatal(err)
			}
			raw, err := way.open(from)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			start := time.Now()
			if err := raw.SetWriteDeadline(start.Add(12 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if err := ends(t, func() error { return raw.Write(flood) }); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) < 12*time.Millisecond {
				t.Fatalf("with a deadline in 12 ms: %v after %v", err, time.Since(start))
			}
			if err := raw.SetWriteDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
			// It waits now until somebody takes what fills the buffers, and sends one more byte then.
			var read sync.WaitGroup
			read.Go(func() {
				time.Sleep(5 * time.Millisecond)
				_, _ = io.Copy(io.Discard, to)
			})
			err = ends(t, func() error {
				return raw.Write(func(fd uintptr) bool {
					_, err := Send(fd, []byte{1}, false)
					return err == 0
				})
			})
			_ = to.SetReadDeadline(time.Now())
			read.Wait()
			if err != nil {
				t.Fatalf("with room at last: %v", err)
			}
			time.AfterFunc(5*time.Millisecond, func() { raw.Close() })
			if err := ends(t, func() error { return raw.Write(flood) }); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Write under way at Close: %v", err)
			}
		})
	}
}

// While one reads, one writes, others ask and some close a socket, its descriptor is closed exactly once: no call meets one that
// is somebody else's by then, and none that was opened meanwhile is closed.
func TestCloseRacesCalls(t *testing.T) {
	var opening sync.WaitGroup
	stop := make(chan struct{})
	defer opening.Wait()
	defer close(stop)
	opening.Go(func() { // takes every number that becomes free
		for {
			select {
			case <-stop:
				return
			default:
			}
			fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Errorf("open: %v", err)
				return
			}
			runtime.Gosched()
			if err := unix.Close(fd); err != nil {
				t.Errorf("descriptor %d was closed by somebody else: %v", fd, err)
			}
		}
	})
	for round := range 30 {
		way := rawWays[round%3]
		from, to := pair(t)
		raw, err := way.open(to)
		if err != nil {
			t.Fatal(err)
		}
		ino := inodeOf(t, raw)
		its := func(fd uintptr) {
			if got, err := inode(int(fd)); err != nil || got != ino {
				t.Errorf("%s: a call was given descriptor %d of %d, want %d: %v", way.name, fd, got, ino, err)
			}
		}
		var begun, calls sync.WaitGroup
		begun.Add(4)
		until := func(call func() error) {
			calls.Go(func() {
				for n := 0; ; n++ {
					err := call()
					if n == 0 {
						begun.Done()
					}
					if errors.Is(err, net.ErrClosed) {
						return
					}
					if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("%s: %v", way.name, err)
						return
					}
					runtime.Gosched()
				}
			})
		}
		f, _, _ := reading(raw, make([]byte, 10))
		until(func() error {
			return raw.Read(func(fd uintptr) bool { its(fd); return f(fd) || round%2 == 0 })
		})
		until(func() error {
			return raw.Write(func(fd uintptr) bool { its(fd); return true })
		})
		until(func() error { return raw.Control(its) })
		until(func() error { return raw.SetReadDeadline(time.Now().Add(time.Millisecond)) })
		if _, err := from.Write([]byte("here")); err != nil {
			t.Fatal(err)
		}
		begun.Wait()
		var done atomic.Int32
		for range 3 {
			calls.Go(func() {
				switch err := raw.Close(); {
				case err == nil:
					done.Add(1)
				case !errors.Is(err, net.ErrClosed):
					t.Errorf("%s: Close: %v", way.name, err)
				}
			})
		}
		_ = ends(t, func() error { calls.Wait(); return nil })
		if n := done.Load(); n != 1 {
			t.Errorf("%s: %d of 3 have closed the socket, want 1", way.name, n)
		}
		wantGone(t, ino)
		from.Close()
		if t.Failed() {
			return
		}
	}
}

// A peer hears of the end of a stream that was closed while somebody read it, and of one that nobody did.
func TestCloseIsHeard(t *testing.T) {
	for _, way := range rawWays {
		for _, isRead := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, read %v", way.name, isRead), func(t *testing.T) {
				from, to := streams(t)
				raw, err := way.open(to)
				if err != nil {
					t.Fatal(err)
				}
				f, _, _ := reading(raw, make([]byte, 1))
				var read sync.WaitGroup
				if isRead {
					read.Go(func() { _ = raw.Read(f) })
					time.Sleep(2 * time.Millisecond)
				}
				if err := raw.Close(); err != nil {
					t.Fatal(err)
				}
				_ = from.SetReadDeadline(time.Now().Add(5 * time.Second))
				if n, err := from.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("the peer reads %d, %v; want the end", n, err)
				}
				_ = ends(t, func() error { read.Wait(); return nil })
			})
		}
	}
}

// sleeping returns the shared way to c, whose calls wait for 5 s at most.
func sleeping(t *testing.T, c Conn) Raw {
	t.Helper()
	raw, err := Shared(c, false)
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.SetReadDeadline(time.Now().Add(5 * time.Second))
	_ = raw.SetWriteDeadline(time.Now().Add(5 * time.Second))
	return raw
}

// fill receives to inbox what is there, and waits for something to be there.
func fill(t *testing.T, raw Raw, inbox *Inbox) (n int) {
	t.Helper()
	var errno unix.Errno
	err := raw.Read(func(fd uintptr) bool {
		n, errno = inbox.Recv(fd, false)
		return errno != unix.EAGAIN && errno != unix.EINTR
	})
	if err != nil || errno != 0 || n <= 0 {
		t.Fatalf("received %d datagrams, %v, %v", n, err, errno)
	}
	return n
}

// post sends all of block.
func post(t *testing.T, raw Raw, outbox *Outbox, block []byte, size int, to *Name) (calls int) {
	t.Helper()
	var errno unix.Errno
	err := raw.Write(func(fd uintptr) bool {
		for len(block) > 0 {
			n := 0
			n, errno = outbox.Send(fd, block, size, to)
			if errno == unix.EAGAIN {
				return false
			}
			if errno != 0 {
				return true
			}
			block = block[n*size:]
			calls++
		}
		return true
	})
	if err != nil || errno != 0 {
		t.Fatalf("%d bytes are left to send: %v, %v", len(block), err, errno)
	}
	return calls
}

// counted returns n messages of size bytes, each filled with its number.
func counted(n, size int) []byte {
	block := make([]byte, 0, n*size)
	for i := range n {
		block = append(block, bytes.Repeat([]byte{byte(i + 1)}, size)...)
	}
	return block
}

// listenOn opens a UDP socket on addr, or skips the test.
func listenOn(t *testing.T, config net.ListenConfig, addr string) *net.UDPConn {
	t.Helper()
	c, err := config.ListenPacket(t.Context(), "udp", addr)
	if err != nil {
		t.Skipf("%s can't be listened on here: %v", addr, err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.UDPConn)
}

// Blocks go out as datagrams and come in as they were sent, with the address of who sent them, to which others can be sent back.
func TestMailRoundTrip(t *testing.T) {
	for _, test := range []struct{ server, client string }{
		{"127.0.0.1:0", "127.0.0.1"},
		{"[::1]:0", "::1"},
		{"[::]:0", "127.0.0.1"}, // one socket for both families
		{"[::]:0", "::1"},
	} {
		t.Run(test.server+" from "+test.client, func(t *testing.T) {
			server := listenOn(t, net.ListenConfig{}, test.server)
			port := server.LocalAddr().(*net.UDPAddr).AddrPort().Port()
			client, err := net.Dial("udp", netip.AddrPortFrom(netip.MustParseAddr(test.client), port).String())
			if err != nil {
				t.Skipf("%s can't be reached here: %v", test.client, err)
			}
			defer client.Close()
			at, from := sleeping(t, server), sleeping(t, client.(*net.UDPConn))
			const size, n = 100, 10
			sent := counted(n, size)
			if calls := post(t, from, NewOutbox(4), sent, size, nil); calls != 3 {
				t.Errorf("%d datagrams were sent by %d calls with room for 4, want 3 calls", n, calls)
			}
			inbox := NewInbox(3, size+20, true)
			back := NewOutbox(n)
			var got []byte
			for len(got) < len(sent) {
				count := fill(t, at, inbox)
				if count > 3 {
					t.Fatalf("%d datagrams are in an inbox for 3", count)
				}
				for i := range count {
					datagram, segment, cut := inbox.Datagram(i)
					if segment != 0 || cut || len(datagram) != size {
						t.Fatalf("a datagram of %d bytes, segment %d, cut %v", len(datagram), segment, cut)
					}
					if name, want := inbox.Name(i).AddrPort(), client.LocalAddr().(*net.UDPAddr).AddrPort(); name != want {
						t.Fatalf("it came from %v, want %v", name, want)
					}
					got = append(got, datagram...)
					post(t, at, back, datagram, size, inbox.Name(i))
				}
			}
			if !bytes.Equal(got, sent) {
				t.Errorf("what came is not what was sent: % x", got)
			}
			answers := NewInbox(n, size, false)
			for got = nil; len(got) < len(sent); {
				got = append(got, answers.Joined(0, fill(t, from, answers))...)
			}
			if !bytes.Equal(got, sent) {
				t.Errorf("what came back is not what was sent: % x", got)
			}
		})
	}
}

// A datagram that is longer than its room is told to be cut, and the others beside it are not; one read alone tells its length.
func TestTruncation(t *testing.T) {
	from, to := pair(t)
	raw := sleeping(t, to)
	const room = 50
	lengths := []int{room, room + 1, 0, 9000, room - 1}
	for i, n := range lengths {
		if _, err := from.Write(bytes.Repeat([]byte{byte(i + 1)}, n)); err != nil {
			t.Fatal(err)
		}
	}
	inbox := NewInbox(2, room, true)
	for i := 0; i < len(lengths); {
		for j := range fill(t, raw, inbox) {
			datagram, _, cut := inbox.Datagram(j)
			if want := bytes.Repeat([]byte{byte(i + 1)}, min(lengths[i], room)); !bytes.Equal(datagram, want) || cut != (lengths[i] > room) {
				t.Errorf("of a datagram of %d bytes came %d, cut %v: % x", lengths[i], len(datagram), cut, datagram)
			}
			i++
		}
	}
	for _, length := range lengths {
		if _, err := from.Write(make([]byte, length)); err != nil {
			t.Fatal(err)
		}
		buf := bytes.Repeat([]byte{7}, room+2)
		var n int
		var errno unix.Errno
		err := raw.Read(func(fd uintptr) bool {
			n, errno = RecvWhole(fd, buf[:room], false)
			return errno != unix.EAGAIN
		})
		if err != nil || errno != 0 || n != length {
			t.Errorf("a datagram of %d bytes is told to be of %d: %v, %v", length, n, err, errno)
		}
		if filled := min(length, room); bytes.Contains(buf[:filled], []byte{7}) || buf[filled] != 7 {
			t.Errorf("of a datagram of %d bytes not %d are in the buffer", length, filled)
		}
	}
}

// sharePorts lets several sockets have one port.
func sharePorts(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	return errors.Join(err, failed)
}

// Of the sockets that share a port, the number in a datagram tells which of them gets it; one that is connected gets all of its
// client's and nothing else, until it is closed.
func TestSteerByFlow(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			const doors, offset = 3, 4
			var all []*net.UDPConn
			for range doors {
				c := listenOn(t, net.ListenConfig{Control: sharePorts}, addr)
				addr = c.LocalAddr().String()
				all = append(all, c)
			}
			if err := SteerByFlow(Of(all[0]), offset, doors); err != nil {
				t.Skipf("this kernel does not steer: %v", err)
			}
			server := all[0].LocalAddr().(*net.UDPAddr)
			var clients []*net.UDPConn
			for range 4 {
				c, err := net.DialUDP("udp", nil, server)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				clients = append(clients, c)
			}
			serial := byte(0)
			// expect has a client send a datagram of a flow, and want get it.
			expect := func(what string, client *net.UDPConn, flow uint32, want *net.UDPConn) {
				t.Helper()
				serial++
				sent := []byte{9, 9, 9, 9, byte(flow >> 24), byte(flow >> 16), byte(flow >> 8), byte(flow), serial}
				if _, err := client.Write(sent); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, 100)
				_ = want.SetReadDeadline(time.Now().Add(2 * time.Second))
				n, from, err := want.ReadFromUDPAddrPort(got)
				if err != nil || !bytes.Equal(got[:n], sent) || from != client.LocalAddr().(*net.UDPAddr).AddrPort() {
					t.Fatalf("%s, flow %d: its socket read % x from %v, %v", what, flow, got[:n], from, err)
				}
			}
			byNumber := func(what string, clients []*net.UDPConn) {
				t.Helper()
				for _, client := range clients {
					for _, flow := range []uint32{0, 1, 2, 3, 4, 5, 300, 1<<16 + 1, 1 << 31, 1<<32 - 1} {
						expect(what, client, flow, all[flow%doors])
					}
				}
			}
			byNumber("at first", clients)

			// Those that are connected: the first in time for a client that is not the first.
			own := map[int]*net.UDPConn{}
			for _, i := range []int{2, 0} {
				c := listenOn(t, net.ListenConfig{Control: sharePorts}, addr)
				if err := Connect(c, nameOf(clients[i])); err != nil {
					t.Fatal(err)
				}
				own[i] = c
			}
			for flow := range uint32(4) {
				expect("of a client with a socket for itself", clients[2], flow, own[2])
				expect("of another", clients[0], flow, own[0])
			}
			byNumber("beside connected sockets", []*net.UDPConn{clients[1], clients[3]})
			// What a connected socket sends needs no address.
			post(t, sleeping(t, own[2]), NewOutbox(1), []byte("answer"), 6, nil)
			got := make([]byte, 100)
			_ = clients[2].SetReadDeadline(time.Now().Add(2 * time.Second))
			if n, err := clients[2].Read(got); err != nil || string(got[:n]) != "answer" {
				t.Errorf("its client read %q, %v", got[:n], err)
			}

			own[2].Close()
			byNumber("after one was closed", clients[1:])
			for flow := range uint32(4) {
				expect("of a client that keeps its socket", clients[0], flow, own[0])
			}
			// A datagram that is too short for a number comes to the first.
			if _, err := clients[1].Write([]byte("short")); err != nil {
				t.Fatal(err)
			}
			_ = all[0].SetReadDeadline(time.Now().Add(2 * time.Second))
			if n, err := all[0].Read(got); err != nil || string(got[:n]) != "short" {
				t.Errorf("the first socket read %q, %v", got[:n], err)
			}
		})
	}
}

// What the kernel cuts into datagrams and joins again is what was given to it, and the size of the pieces is told.
func TestSegmentAndJoin(t *testing.T) {
	from, to := pair(t)
	if err := AskBuffers(to, 0, 1<<18); err != nil {
		t.Fatal(err)
	}
	sender, receiver := sleeping(t, from), sleeping(t, to)
	if err := JoinDatagrams(receiver); err != nil {
		t.Skipf("this kernel joins no datagrams: %v", err)
	}
	inbox := NewInbox(4, 1<<16, false)
	send := func(segment int, block []byte) {
		t.Helper()
		var refused, errno unix.Errno
		var n int
		err := sender.Write(func(fd uintptr) bool {
			if refused = Segment(fd, segment); refused == 0 {
				n, errno = Send(fd, block, false)
			}
			return errno != unix.EAGAIN
		})
		if refused != 0 {
			t.Skipf("this kernel cuts nothing: %v", refused)
		}
		if errno == unix.EIO {
			t.Skipf("this device can't have datagrams cut: %v", errno)
		}
		if err != nil || errno != 0 || n != len(block) {
			t.Fatalf("sent %d of %d bytes: %v, %v", n, len(block), err, errno)
		}
	}
	for _, test := range []struct{ segment, n, rest int }{
		{64, 40, 0}, {64, 40, 10}, {64, 1, 0}, {64, 1, 1}, {1200, 50, 1}, {1, 3, 0}, {0, 0, 500}, {64, 2, 63}, {0, 0, 128},
	} {
		block := append(counted(test.n, test.segment), bytes.Repeat([]byte{200}, test.rest)...)
		send(test.segment, block)
		var want []int // the lengths of the datagrams
		for range test.n {
			want = append(want, test.segment)
		}
		if test.rest > 0 {
			want = append(want, test.rest)
		}
		var got []byte
		var lengths []int
		for len(got) < len(block) {
			for i := range fill(t, receiver, inbox) {
				datagram, segment, cut := inbox.Datagram(i)
				if cut {
					t.Fatalf("%d bytes were not room enough", len(datagram))
				}
				got = append(got, datagram...)
				if segment == 0 {
					lengths = append(lengths, len(datagram))
					continue
				}
				for piece := range slices.Chunk(datagram, segment) {
					lengths = append(lengths, len(piece))
				}
			}
		}
		if !bytes.Equal(got, block) || !slices.Equal(lengths, want) {
			t.Errorf("%d datagrams of %d bytes and one of %d: there came %v, and the bytes are right: %v",
				test.n, test.segment, test.rest, lengths, bytes.Equal(got, block))
		}
	}
}

// What is kept back for more leaves when it is pushed.
func TestPush(t *testing.T) {
	from, to := streams(t)
	raw := sleeping(t, from)
	var n int
	var errno unix.Errno
	if err := raw.Write(func(fd uintptr) bool { n, errno = Send(fd, []byte("hello"), true); return true }); err != nil || errno != 0 || n != 5 {
		t.Fatalf("sent %d, %v, %v", n, err, errno)
	}
	if err := Push(raw); err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var failed error
	if err := raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if info.Notsent_bytes != 0 {
		t.Errorf("%d bytes are still kept back", info.Notsent_bytes)
	}
	got := make([]byte, 10)
	_ = to.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := io.ReadAtLeast(to, got, 5); err != nil || string(got[:n]) != "hello" {
		t.Errorf("the peer read %q, %v", got[:n], err)
	}
}

// A limit of what waits to be sent is granted as it was asked for.
func TestLimitUnsent(t *testing.T) {
	from, _ := streams(t)
	const asked = 100_000
	if err := LimitUnsent(from, asked); err != nil {
		t.Fatal(err)
	}
	var got int
	var failed error
	err := Of(from).Control(func(fd uintptr) { got, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT) })
	if err != nil || failed != nil || got != asked {
		t.Errorf("asked for %d, granted %d: %v, %v", asked, got, err, failed)
	}
}

// No call allocates.
func TestRawAllocatesNothing(t *testing.T) {
	eachRaw(t, func(t *testing.T, _ *net.UDPConn, raw Raw) {
		f := func(uintptr) bool { return true }
		for name, call := range map[string]func(func(uintptr) bool) error{"Read": raw.Read, "Write": raw.Write, "Try": raw.Try} {
			if n := testing.AllocsPerRun(20, func() { _ = call(f) }); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}

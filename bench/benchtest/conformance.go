package benchtest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"tcpvsudp/bench"
)

// Subject is a transport, with its server, that is held against the contract of bench.Flow.
type Subject struct {
	Transport bench.Transport
	// Serve starts a server for sessions that ends with the test, and returns its address.
	Serve func(t *testing.T, sessions *bench.Table) (addr string)
	// Client is the address that the server sees the transport's flows come from.
	Client netip.Addr
	// Allocates is set for a transport whose flows allocate for every message.
	Allocates bool
	// Fast is set for a transport that has ways of its own to carry a flow, beside the one of every system.
	Fast bool
}

// patience is how long the suite waits for what must come, and silence for what must not.
const (
	patience = 5 * time.Second
	silence  = 50 * time.Millisecond
)

// Conformance runs the whole suite in every way of carrying a flow, and of waiting.
func Conformance(t *testing.T, s Subject) {
	ways := variants
	if !s.Fast {
		ways = variants[:1]
	}
	for _, v := range ways {
		t.Run(v.name, func(t *testing.T) { conformance(t, s, v) })
	}
}

func conformance(t *testing.T, s Subject, v variant) {
	waits := []bench.Wait{bench.Block}
	if v.spins {
		waits = append(waits, bench.Spin)
	}
	for _, wait := range waits {
		t.Run(wait.String(), func(t *testing.T) {
			for name, test := range map[string]func(*testing.T, *bed){
				"echo of one message":                testEchoOne,
				"echo of blocks":                     testEchoBlocks,
				"echo of every size":                 testEchoSizes,
				"sink counts and is silent":          testSink,
				"source sends when asked":            testSource,
				"source ends with its session":       testSourceEnds,
				"duplex goes both ways":              testDuplex,
				"deadline":                           testDeadline,
				"deadline moved while receiving":     testDeadlineMoved,
				"close ends a receive":               testClose,
				"silence to an unknown session":      testUnknownSession,
				"silence to another's address":       testOtherAddress,
				"silence to a flow out of range":     testFlowOutOfRange,
				"a reply is never answered":          testReplyNotAnswered,
				"messages of another session":        testForeign,
				"nothing after the end":              testAfterEnd,
				"flows keep apart":                   testTwoFlows,
				"sends while it receives":            testFullDuplex,
				"no allocation for a message":        testAllocations,
				"what is granted can be asked for":   testGranted,
				"a dial that is called off":          testDialCancelled,
				"the warm-up is echoed, not counted": testWarmUp,
			} {
				t.Run(name, func(t *testing.T) { test(t, newBed(t, s, v, wait)) })
			}
		})
	}
}

func testEchoOne(t *testing.T, b *bed) {
	s, f := b.agree(bench.Echo, 64, 1), b.dial()
	request := b.block(s, 0, 0, 1)
	b.send(f, request, 64)
	b.wantReplies(b.recv(f, 1, 64), request, 64)
	if traffic := f.Traffic(); traffic.Truncated+traffic.Malformed != 0 {
		t.Errorf("%+v", traffic)
	}
}

func testEchoBlocks(t *testing.T, b *bed) {
	s, f := b.agree(bench.Echo, 100, 1), b.dial()
	for seq, n := range []int{1, 2, 10, 64, 200} {
		requests := b.block(s, 0, uint64(1000*seq), n)
		b.send(f, requests, 100)
		b.wantReplies(b.recv(f, n, 100), requests, 100)
	}
}

func testEchoSizes(t *testing.T, b *bed) {
	for _, size := range []int{bench.HeaderSize, 33, 1400, 9000, min(b.Transport.MaxMessage(), 65507)} {
		s, f := b.agree(bench.Echo, size, 1), b.dial()
		for seq := range uint64(3) {
			request := b.block(s, 0, seq, 1)
			b.send(f, request, size)
			b.wantReplies(b.recv(f, 1, size), request, size)
		}
		f.Close()
		if a := b.settle(s, 3); a.Unique != 3 || a.Lost() != 0 || a.Corrupt != 0 || a.Bytes != uint64(3*size) {
			t.Errorf("%d B: %+v", size, a)
		}
	}
}

func testSink(t *testing.T, b *bed) {
	s, f := b.agree(bench.Sink, 64, 1), b.dial()
	b.send(f, b.block(s, 0, 0, 5), 64)
	b.wantSilence(f, 64)
	deadline(t, f, patience)
	hello := b.block(s, 0, bench.WarmUp, 1)
	for _, kind := range []bench.Kind{bench.Hello, bench.Done} {
		bench.Header{Kind: kind, Session: s.ID, Seq: bench.WarmUp, Sent: 42}.Put(hello)
		b.send(f, hello, 64)
		reply := b.recv(f, 1, 64)
		if h, ok := bench.ParseHeader(reply); !ok || h.Kind != bench.Reply || h.Seq != bench.WarmUp {
			t.Errorf("the answer to a %v is %+v", kind, h)
		}
	}
	f.Close()
	if a := b.settle(s, 7); a.Unique != 5 || a.Lost() != 2 || a.Bytes != 320 || a.FirstNs == 0 || a.LastNs < a.FirstNs {
		t.Errorf("%+v", a)
	}
}

// sourced receives what a source sends until it has stopped, n messages or more, and checks each.
func (b *bed) sourced(s *bench.Session, f bench.Flow, flow uint32, n int) {
	b.t.Helper()
	size := s.Spec.Size
	want := b.block(s, flow, 0, 1)
	next, warm := uint64(0), 0
	stopped := make(chan uint64, 1)
	total := uint64(1<<63 - 1)
	for end := time.Now().Add(patience); next < total; {
		deadline(b.t, f, silence)
		block, err := f.Recv(size)
		if err != nil && (!errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(end)) {
			b.t.Fatalf("after %d messages of the warm-up and %d: %v", warm, next, err)
		}
		for off := 0; off < len(block); off += size {
			h, ok := bench.ParseHeader(block[off:])
			if !ok || h.Kind != bench.Reply || h.Session != s.ID || h.Flow != flow {
				b.t.Fatalf("a source sent %+v", h)
			}
			if !bytes.Equal(block[off+bench.HeaderSize:off+size], want[bench.HeaderSize:]) {
				b.t.Fatal("a source's message is not the pattern")
			}
			if h.Seq&bench.WarmUp != 0 {
				warm++
				continue
			}
			if h.Seq < next {
				b.t.Fatalf("message %d after %d", h.Seq, next)
			}
			next = h.Seq + 1
			if next == uint64(n) {
				go func() {
					sent, err := b.sessions.Stop(s.ID)
					if err != nil {
						b.t.Error(err)
						sent = make([]uint64, flow+1)
					}
					stopped <- sent[flow]
				}()
			}
		}
		select {
		case total = <-stopped:
		default:
		}
	}
	if warm == 0 {
		b.t.Error("no message of the warm-up")
	}
}

// pacedSpec is that of a source that no receiver is too slow for.
func (b *bed) pacedSpec(mode bench.Mode) bench.Spec {
	return bench.Spec{Proto: b.Transport.Name(), Mode: mode, Size: 100, Flows: 1, Wait: b.wait,
		Warmup: 30 * time.Millisecond, Duration: time.Minute, Verify: true, RateBps: 100 * 8 * 10_000}
}

func testSource(t *testing.T, b *bed) {
	s, err := b.sessions.Agree(t.Context(), b.pacedSpec(bench.Source), b.Client, "")
	if err != nil {
		t.Fatal(err)
	}
	f := b.dial()
	hello := b.block(s, 0, bench.WarmUp, 1)
	bench.Header{Kind: bench.Hello, Session: s.ID, Seq: bench.WarmUp}.Put(hello)
	b.send(f, hello, 100)
	b.recv(f, 1, 100)
	b.wantSilence(f, 100) // nobody has asked yet
	deadline(t, f, patience)
	for range 3 { // asking again changes nothing
		b.send(f, b.block(s, 0, bench.WarmUp, 1), 100)
	}
	b.sourced(s, f, 0, 300)
	f.Close()
	if a := b.settle(s, 0); a.Source.Sent < 300 || a.Source.EndNs <= a.Source.BeginNs || a.Received != 0 || a.SendCalls == 0 {
		t.Errorf("%+v", a)
	}
}

func testSourceEnds(t *testing.T, b *bed) {
	s, err := b.sessions.Agree(t.Context(), b.pacedSpec(bench.Source), b.Client, "")
	if err != nil {
		t.Fatal(err)
	}
	f := b.dial()
	b.send(f, b.block(s, 0, bench.WarmUp, 1), 100)
	if _, err := f.Recv(100); err != nil {
		t.Fatal(err)
	}
	if err := b.sessions.End(s.ID); err != nil {
		t.Fatal(err)
	}
	time.Sleep(silence / 5) // for what is on its way
	deadline(t, f, silence)
	for err = nil; err == nil; {
		_, err = f.Recv(100)
	}
	b.wantSilence(f, 100)
}

func testDuplex(t *testing.T, b *bed) {
	s, err := b.sessions.Agree(t.Context(), b.pacedSpec(bench.Duplex), b.Client, "")
	if err != nil {
		t.Fatal(err)
	}
	up, down := b.dial(), b.dial()
	b.send(up, b.block(s, 0, 0, 5), 100)
	b.send(down, b.block(s, 1, bench.WarmUp, 1), 100)
	b.sourced(s, down, 1, 100)
	b.wantSilence(up, 100)
	up.Close()
	down.Close()
	if a := b.settle(s, 5, 0); a.Unique != 5 || a.Lost() != 0 || a.Source.Sent < 100 {
		t.Errorf("%+v", a)
	}
}

func testDeadline(t *testing.T, b *bed) {
	s, f := b.agree(bench.Echo, 64, 1), b.dial()
	deadline(t, f, silence)
	start := time.Now()
	block, err := f.Recv(64)
	if len(block) != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Recv past the deadline = %d bytes, %v", len(block), err)
	}
	if waited := time.Since(start); waited < silence*9/10 {
		t.Errorf("Recv waited %v for a deadline in %v", waited, silence)
	}
	deadline(t, f, patience)
	request := b.block(s, 0, 0, 1)
	b.send(f, request, 64)
	b.wantReplies(b.recv(f, 1, 64), request, 64)
	// One direction's deadline leaves the other alone.
	if err := f.SetRecvDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	b.send(f, request, 64)
	if err := f.SetSendDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Send(request, 64, false); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Send past the deadline: %v", err)
	}
}

func testDeadlineMoved(t *testing.T, b *bed) {
	f := b.dial()
	ended := make(chan error, 1)
	go func() {
		_, err := f.Recv(64)
		ended <- err
	}()
	time.Sleep(silence / 5)
	if err := f.SetRecvDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Recv: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Recv did not notice that its deadline was moved")
	}
}

func testClose(t *testing.T, b *bed) {
	f := b.dial()
	ended := make(chan error, 1)
	go func() {
		_, err := f.Recv(64)
		ended <- err
	}()
	time.Sleep(silence / 5)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("Recv under way at Close: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Recv did not notice Close")
	}
	if _, err := f.Recv(64); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Recv after Close: %v", err)
	}
	if _, err := f.Send(bench.NewBlock(1, 64), 64, false); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Send after Close: %v", err)
	}
}

func testUnknownSession(t *testing.T, b *bed) {
	s, f := b.agree(bench.Echo, 64, 1), b.dial()
	request := b.block(s, 0, 0, 1)
	bench.Header{Kind: bench.Request, Session: s.ID + 1}.Put(request)
	b.send(f, request, 64)
	b.wantSilence(f, 64)
	if a := b.settle(s, 0); a.Received+a.Foreign != 0 {
		t.Errorf("%+v", a)
	}
}

func testOtherAddress(t *testing.T, b *bed) {
	s, err := b.sessions.Agree(context.Background(), bench.Spec{
		Proto: b.Transport.Name(), Mode: bench.Echo, Size: 64, Flows: 1, Wait: b.wait, Duration: time.Minute,
	}, netip.MustParseAddr("192.0.2.1"), "")
	if err != nil {
		t.Fatal(err)
	}
	f := b.dial()
	b.send(f, b.block(s, 0, 0, 1), 64)
	b.wantSilence(f, 64)
	if a := b.settle(s, 0); a.Received != 0 {
		t.Errorf("%+v", a)
	}
}

func testFlowOutOfRange(t *testing.T, b *bed) {
	for _, above := range []uint32{0, 1 << 31, 1<<32 - 100} {
		s, f := b.agree(bench.Echo, 64, 2), b.dial()
		b.send(f, b.block(s, above+uint32(s.Spec.FlowCount()), 0, 1), 64)
		b.wantSilence(f, 64)
	}
}

func testReplyNotAnswered(t *testing.T, b *bed) {
	s, f := b.agree(bench.Echo, 64, 1), b.dial()
	request := b.block(s, 0, 0, 1)
	reply := b.block(s, 0, 1, 1)
	bench.Header{Kind: bench.Reply, Session: s.ID, Seq: 1}.Put(reply)
	b.send(f, request, 64)
	b.send(f, reply, 64)
	b.wantReplies(b.recv(f, 1, 64), request, 64)
	b.wantSilence(f, 64)
	f.Close()
	if a := b.settle(s, 1); a.Unique != 1 || a.Foreign != 1 {
		t.Errorf("%+v", a)
	}
}

// testForeign sends a message of one session on the flow of another: a stream is bound to the session it
// began with, and a datagram stands for itself.
func testForeign(t *testing.T, b *bed) {
	s, other, f := b.agree(bench.Sink, 64, 1), b.agree(bench.Sink, 64, 1), b.dial()
	b.send(f, b.block(s, 0, 0, 1), 64)
	b.send(f, b.block(other, 0, 0, 1), 64)
	b.send(f, b.block(s, 0, 1, 1), 64)
	time.Sleep(silence / 5)
	f.Close()
	a, o := b.settle(s, 2), b.settle(other, 1)
	if a.Unique != 2 || a.Foreign+o.Unique != 1 {
		t.Errorf("own %+v, other %+v", a, o)
	}
}

func testAfterEnd(t *testing.T, b *bed) {
	s, f := b.agree(bench.Echo, 64, 1), b.dial()
	request := b.block(s, 0, 0, 1)
	b.send(f, request, 64)
	b.recv(f, 1, 64)
	if a := b.settle(s, 1); a.Unique != 1 {
		t.Errorf("%+v", a)
	}
	_, _ = f.Send(request, 64, false) // a stream may have been closed
	b.wantSilence(f, 64)
	if a := b.settle(s, 1); a.Unique != 1 {
		t.Errorf("settled twice: %+v", a)
	}
}

func testTwoFlows(t *testing.T, b *bed) {
	s := b.agree(bench.Echo, 64, 2)
	for flow := range uint32(2) {
		f := b.dial()
		requests := b.block(s, flow, 0, 3)
		b.send(f, requests, 64)
		b.wantReplies(b.recv(f, 3, 64), requests, 64)
		f.Close()
	}
	if a := b.settle(s, 3, 3); a.Unique != 6 || a.Duplicated() != 0 || a.Reordered != 0 {
		t.Errorf("%+v", a)
	}
}

func testFullDuplex(t *testing.T, b *bed) {
	const n, size = 2000, 200
	s, f := b.agree(bench.Echo, size, 1), b.dial()
	failed := make(chan error, 1)
	go func() {
		for seq := range uint64(n) {
			if _, err := f.Send(b.block(s, 0, seq, 1), size, false); err != nil {
				failed <- err
				return
			}
			if seq%20 == 19 {
				time.Sleep(time.Millisecond) // so that no socket buffer overflows
			}
		}
		failed <- nil
	}()
	b.recv(f, n, size)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	f.Close()
	if a := b.settle(s, n); a.Unique != n || a.Reordered != 0 || a.Corrupt != 0 {
		t.Errorf("%+v", a)
	}
}

func testAllocations(t *testing.T, b *bed) {
	if b.Allocates {
		t.Skip("this transport allocates for every message")
	}
	if raceDetector && b.variant.many {
		t.Skip("the race detector lets shared buffers be made anew")
	}
	s, f := b.agree(bench.Echo, 64, 1), b.dial()
	request := b.block(s, 0, 0, 1)
	const n = 500
	var before, after runtime.MemStats
	for i := range n + 10 {
		if i == 10 { // the first ones may set something up
			runtime.ReadMemStats(&before)
		}
		b.send(f, request, 64)
		if _, err := f.Recv(64); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	// testing.AllocsPerRun leaves one processor, on which a spinning receiver keeps its peer from running. Here
	// the runtime's own few allocations are counted too.
	if all := after.Mallocs - before.Mallocs; all > n/10 {
		t.Errorf("%d allocations for %d messages there and back, at both ends", all, n)
	}
}

func testGranted(t *testing.T, b *bed) {
	f := b.dial()
	if g := f.Granted(); g.Wait != bench.Block && g.Wait != b.wait {
		t.Errorf("asked to wait by %v, granted %v", b.wait, g.Wait)
	}
}

func testDialCancelled(t *testing.T, b *bed) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f, err := b.Transport.Dial(ctx, b.addr, bench.Options{})
	if err == nil {
		f.Close()
		t.Fatal("Dial with a context that has ended returned a flow")
	}
}

func testWarmUp(t *testing.T, b *bed) {
	s, f := b.agree(bench.Echo, 64, 1), b.dial()
	for _, seq := range []uint64{bench.WarmUp, bench.WarmUp | 1, 0} {
		request := b.block(s, 0, seq, 1)
		b.send(f, request, 64)
		b.wantReplies(b.recv(f, 1, 64), request, 64)
	}
	f.Close()
	if a := b.settle(s, 1); a.Unique != 1 || a.Received != 1 || a.Lost() != 0 {
		t.Errorf("%+v", a)
	}
}

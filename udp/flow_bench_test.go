package udp

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"tcpvsudp/bench"
)

// BenchmarkRoundTrip is a message of 64 B to a server and back over loopback, by the means of a trial that measures latency. What is
// allocated is that of both ends.
func BenchmarkRoundTrip(b *testing.B) {
	ways := []struct {
		name string
		fast bench.Fast
		path bench.Path
	}{{"portable", bench.Fast{Portable: true}, bench.PathPortable}}
	if runtime.GOOS == "linux" {
		ways = append(ways, ways[0])
		ways[0].name, ways[0].fast, ways[0].path = "fast", bench.Fast{}, bench.PathOwn
	}
	for _, way := range ways {
		for _, wait := range []bench.Wait{bench.Block, bench.Spin} {
			b.Run(fmt.Sprintf("%s/%v", way.name, wait), func(b *testing.B) { benchmarkRoundTrip(b, wait, way.fast, way.path) })
		}
	}
}

func benchmarkRoundTrip(b *testing.B, wait bench.Wait, fast bench.Fast, path bench.Path) {
	const size = 64
	loopback := netip.MustParseAddr("127.0.0.1")
	limits := bench.DefaultLimits()
	limits.Idle = limits.Duration // nobody renews the session
	sessions := bench.NewTable(limits)
	s, err := Listen(netip.AddrPortFrom(loopback, 0).String(), sessions)
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
		if err := <-served; err != nil {
			b.Errorf("Serve returned %v", err)
		}
	}()
	session, err := sessions.Agree(b.Context(), bench.Spec{
		Proto: Transport{}.Name(), Mode: bench.Echo, Size: size, Flows: 1, Wait: wait, Duration: limits.Duration, Fast: fast,
	}, loopback, "")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = sessions.End(session.ID) }()
	f, err := Transport{}.Dial(b.Context(), s.Addr().String(), bench.Options{Wait: wait, Block: size, Fast: fast})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if got := f.Granted(); got.Path != path {
		b.Fatalf("the flow is carried by the %s path, want %s", got.Path, path)
	}

	var armed time.Time
	arm := func() { // a deadline is moved a few times a trial, and not once a message
		if now := time.Now(); armed.Sub(now) < 5*time.Second {
			armed = now.Add(10 * time.Second)
			if f.SetSendDeadline(armed) != nil || f.SetRecvDeadline(armed) != nil {
				b.Fatal("the deadlines can't be set")
			}
		}
	}
	msg := bench.NewBlock(1, size)
	h := bench.Header{Kind: bench.Hello, Session: session.ID, Seq: bench.WarmUp}
	exchange := func() {
		h.Put(msg)
		if _, err := f.Send(msg, size, false); err != nil {
			b.Fatalf("send %d: %v", h.Seq, err)
		}
		for block := []byte(nil); len(block) == 0; {
			if block, err = f.Recv(size); err != nil {
				b.Fatalf("receive %d: %v", h.Seq, err)
			}
			if got, ok := bench.ParseHeader(block); !ok || len(block) != size || got.Kind != bench.Reply || got.Seq != h.Seq {
				b.Fatalf("%d bytes came for message %d: %+v", len(block), h.Seq, got)
			}
		}
	}
	arm()
	exchange() // the hello, by which the flow gets what is its own at the server
	h.Kind = bench.Request
	for h.Seq = range uint64(50) { // the first ones set something up
		exchange()
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%1024 == 0 {
			arm()
		}
		h.Seq++
		exchange()
	}
}

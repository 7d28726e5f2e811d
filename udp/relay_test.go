package udp

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/bench/benchtest"
	"tcpvsudp/results"
)

// through is a Transport whose datagrams go by way of a relay.
type through struct {
	Transport
	relay *benchtest.Relay
}

func (t through) Dial(ctx context.Context, _ string, o bench.Options) (bench.Flow, error) {
	return t.Transport.Dial(ctx, t.relay.Addr.String(), o)
}

// measure runs one trial through a relay and returns it.
func measure(t *testing.T, plan bench.Plan, forward benchtest.Forward) results.Trial {
	t.Helper()
	sessions := bench.NewTable(bench.DefaultLimits())
	server := serve(t, netip.MustParseAddr("127.0.0.1"), sessions)
	relay := benchtest.NewRelay(t, server.Addr(), forward)
	var trial results.Trial
	err := bench.Run(t.Context(), bench.Config{
		Plan: plan, Transports: []bench.Transport{through{relay: relay}}, Addr: server.Addr().String(),
		Control: benchtest.Control{Sessions: sessions},
		Keep: func(r results.Record) error {
			trial = r.Trial
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

// pacedPlan is meant to send 1500 messages.
func pacedPlan() bench.Plan {
	p := bench.DefaultPlan()
	p.Protos, p.Workloads, p.Sizes, p.Trials, p.Seed = []string{"udp"}, []string{"paced"}, []int{64}, 1, 1
	p.Rate, p.Duration, p.Warmup, p.Drain = 1000, 1500*time.Millisecond, 20*time.Millisecond, time.Second
	return p
}

// measure1500 is measure until all of the 1500 messages were sent: a machine that stands still as the trial ends
// leaves some out.
func measure1500(t *testing.T, forward func() benchtest.Forward) (got results.Trial) {
	t.Helper()
	for range 5 {
		if got = measure(t, pacedPlan(), forward()); got.Sent == 1500 {
			return got
		}
	}
	t.Fatalf("sent %d messages, want 1500", got.Sent)
	return got
}

// dropAndDouble drops 75 of 1500 messages and sends 150 others twice.
func dropAndDouble(n int, msg []byte) [][]byte {
	switch {
	case n%20 == 19:
		return nil
	case n%10 == 1:
		return [][]byte{msg, msg}
	}
	return [][]byte{msg}
}

// swapper swaps neighbours: 1 0 3 2 and so on.
func swapper() func(n int, msg []byte) [][]byte {
	var held []byte
	return func(n int, msg []byte) [][]byte {
		if n%2 == 0 {
			held = msg
			return nil
		}
		return [][]byte{msg, held}
	}
}

func TestRelayDropsAndDoubles(t *testing.T) {
	for _, lossyUp := range []bool{true, false} {
		got := measure1500(t, func() benchtest.Forward {
			return func(up bool, n int, msg []byte) [][]byte {
				if up == lossyUp {
					return dropAndDouble(n, msg)
				}
				return [][]byte{msg}
			}
		})
		if got.Lost != 75 || got.Duplicated != 150 || got.Reordered != 0 || got.Unique != 1425 || got.Foreign != 0 {
			t.Errorf("up %v: lost %d duplicated %d reordered %d unique %d foreign %d; want 75, 150, 0, 1425, 0",
				lossyUp, got.Lost, got.Duplicated, got.Reordered, got.Unique, got.Foreign)
		}
		requests, _ := got.LostRequests.Get()
		replies, _ := got.LostReplies.Get()
		if lossyUp && requests != 75 || !lossyUp && replies != 75 || requests+replies != 75 {
			t.Errorf("up %v: %v requests and %v replies lost", lossyUp, requests, replies)
		}
	}
}

func TestRelaySwapsNeighbours(t *testing.T) {
	got := measure1500(t, func() benchtest.Forward {
		swap := swapper()
		return func(up bool, n int, msg []byte) [][]byte {
			if up {
				return swap(n, msg)
			}
			return [][]byte{msg}
		}
	})
	extentMax, _ := got.ExtentMax.Get()
	extentMean, _ := got.ExtentMean.Get()
	n1, _ := got.N1Ratio.Get()
	n2, _ := got.N2Ratio.Get()
	ratio, _ := got.ReorderedRatio.Get()
	run, _ := got.FreeRunMean.Get()
	if got.Lost != 0 || got.Duplicated != 0 || got.Reordered != 750 || ratio != 0.5 || extentMax != 1 || extentMean != 1 ||
		n1 != 0.5 || n2 != 0 || run != 1 {
		t.Errorf("lost %d duplicated %d reordered %d (%v), extents up to %v, %v on average, n1 %v, n2 %v, free runs of %v",
			got.Lost, got.Duplicated, got.Reordered, ratio, extentMax, extentMean, n1, n2, run)
	}
}

// The one-way workload is counted at the server.
func TestRelayAndThroughput(t *testing.T) {
	plan := pacedPlan()
	plan.Workloads, plan.Batches, plan.Duration = []string{"throughput"}, []int{0}, 50*time.Millisecond
	dropped, doubled := uint64(0), uint64(0)
	got := measure(t, plan, func(up bool, n int, msg []byte) [][]byte {
		switch {
		case n >= 200:
			// What overflows a socket buffer on the way is no known answer; let the rest be lost.
			dropped++
			return nil
		case n%20 == 19:
			dropped++
			return nil
		case n%10 == 1:
			doubled++
			return [][]byte{msg, msg}
		}
		return [][]byte{msg}
	})
	if got.Unique != 190 || got.Duplicated != 20 || got.Reordered != 0 || got.Lost != got.Sent-190 {
		t.Errorf("sent %d unique %d lost %d duplicated %d reordered %d; the relay dropped %d and doubled %d",
			got.Sent, got.Unique, got.Lost, got.Duplicated, got.Reordered, dropped, doubled)
	}
}

// A datagram of the wrong size, from a stranger, or of no kind at all is counted as what it is, and no one is
// answered who has no session.
func TestServerSortsDatagrams(t *testing.T) {
	sessions := bench.NewTable(bench.DefaultLimits())
	s := serve(t, netip.MustParseAddr("127.0.0.1"), sessions)
	session, err := sessions.Agree(t.Context(), bench.Spec{
		Proto: "udp", Mode: bench.Echo, Size: 64, Flows: 1, Duration: time.Minute,
	}, netip.MustParseAddr("127.0.0.1"), "")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	datagram := func(size int, h bench.Header) []byte {
		b := make([]byte, max(size, bench.HeaderSize))
		h.Put(b)
		return b[:size]
	}
	own := bench.Header{Kind: bench.Request, Session: session.ID}
	for _, d := range [][]byte{
		datagram(63, own), datagram(65, own), datagram(1400, own), // malformed 1, truncated 2
		datagram(64, bench.Header{Kind: bench.Request, Session: session.ID + 1}), // foreign
		datagram(64, bench.Header{Kind: 9, Session: session.ID}),                 // no message
		datagram(20, own),                // no message
		[]byte("GET / HTTP/1.1\r\n\r\n"), // no message
		{},                               // no message
	} {
		if _, err := conn.Write(d); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Write(datagram(64, own)); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	reply := make([]byte, 2000)
	if n, err := conn.Read(reply); n != 64 || err != nil {
		t.Fatalf("the reply to the one good message: %d bytes, %v", n, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := conn.Read(reply); err == nil {
		t.Errorf("a reply of %d bytes to something that deserves none", n)
	}
	if malformed, foreign := s.Dropped(); malformed != 4 || foreign != 1 {
		t.Errorf("the server dropped %d malformed and %d foreign datagrams, want 4 and 1", malformed, foreign)
	}
	a, err := sessions.Settle(t.Context(), session.ID, bench.Settlement{Sent: []uint64{1}})
	if err != nil || a.Truncated != 2 || a.Malformed != 1 || a.Unique != 1 {
		t.Errorf("%+v, %v", a, err)
	}
}

// A client's flow passes over what is no whole message of its size.
func TestFlowSortsDatagrams(t *testing.T) {
	peer, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	f, err := Transport{}.Dial(t.Context(), peer.LocalAddr().String(), bench.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Send(bench.NewBlock(1, 64), 64, false); err != nil {
		t.Fatal(err)
	}
	_, client, err := peer.ReadFromUDPAddrPort(make([]byte, 64))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{63, 65, 9000, 0, 64} {
		if _, err := peer.WriteToUDPAddrPort(make([]byte, size), client); err != nil {
			t.Fatal(err)
		}
	}
	_ = f.SetSendDeadline(time.Now().Add(5 * time.Second))
	_ = f.SetRecvDeadline(time.Now().Add(5 * time.Second))
	if block, err := f.Recv(64); len(block) != 64 || err != nil {
		t.Fatalf("Recv = %d bytes, %v", len(block), err)
	}
	if got := f.Traffic(); got.Truncated != 2 || got.Malformed != 2 {
		t.Errorf("%+v, want 2 truncated and 2 malformed", got)
	}
}

// unknown are datagrams that belong to no session.
func unknown() map[string][]byte {
	message := bench.NewBlock(1, 64)
	bench.Header{Kind: bench.Request, Session: 77}.Put(message)
	return map[string][]byte{"of no session": message, "no message": []byte("hello, who is there?"), "empty": nil}
}

// What belongs to no session costs no allocation, whoever sends it.
func TestUnknownDatagramsAllocateNothing(t *testing.T) {
	sessions := bench.NewTable(bench.DefaultLimits())
	s := serve(t, netip.MustParseAddr("127.0.0.1"), sessions)
	m := mail{from: netip.MustParseAddrPort("192.0.2.1:7")}
	for name, msg := range unknown() {
		m.bytes = msg
		if n := testing.AllocsPerRun(1000, func() { s.datagrams(nil, m, bench.Granted{}) }); n != 0 {
			t.Errorf("a datagram %s: %v allocations", name, n)
		}
	}
	if malformed, foreign := s.Dropped(); malformed != 2002 || foreign != 1001 {
		t.Errorf("%d are counted as no messages, %d as of no session", malformed, foreign)
	}
}

func BenchmarkUnknownDatagram(b *testing.B) {
	s := &Server{sessions: bench.NewTable(bench.DefaultLimits())}
	m := mail{from: netip.MustParseAddrPort("192.0.2.1:7")}
	for name, msg := range unknown() {
		m.bytes = msg
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.datagrams(nil, m, bench.Granted{})
			}
		})
	}
}

package bench

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"tcpvsudp/internal/host"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func agree(t testing.TB, table *Table, mode Mode) (*Session, *Inbound) {
	t.Helper()
	s, err := table.Agree(t.Context(), Spec{Proto: "any", Mode: mode, Size: HeaderSize, Flows: 1, Duration: time.Second, Interval: time.Millisecond}, loopback, "")
	if err != nil {
		t.Fatal(err)
	}
	in := table.Inbound("any", Header{Session: s.ID}, loopback)
	if in == nil || !in.Enter() {
		t.Fatal("the flow can't be entered")
	}
	return s, in
}

// blockOf lays messages end to end.
func blockOf(headers ...Header) []byte {
	b := NewBlock(len(headers), HeaderSize)
	for i, h := range headers {
		h.Put(b[i*HeaderSize:])
	}
	return b
}

// What a block is answered with: its requests in an echo, its hellos and dones always, nothing else ever.
func TestArrivedAnswers(t *testing.T) {
	for mode, want := range map[Mode][]uint64{Echo: {1, WarmUp, 3, 4}, Sink: {3, 4}} {
		s, in := agree(t, NewTable(DefaultLimits()), mode)
		block := blockOf(
			Header{Kind: Request, Session: s.ID, Seq: 1},
			Header{Kind: Request, Session: s.ID, Seq: WarmUp},
			Header{Kind: Reply, Session: s.ID, Seq: 2},       // never answered
			Header{Kind: Request, Session: s.ID + 1, Seq: 2}, // of another session
			Header{Kind: Request, Session: s.ID, Flow: 1, Seq: 2},
			Header{Kind: Hello, Session: s.ID, Seq: 3},
			Header{Kind: 77, Session: s.ID, Seq: 2},
			Header{Kind: Done, Session: s.ID, Seq: 4},
		)
		reply, _ := in.Arrived(block, 5)
		var got []uint64
		for off := 0; off < len(reply); off += HeaderSize {
			h, ok := ParseHeader(reply[off:])
			if !ok || h.Kind != Reply || h.Session != s.ID {
				t.Errorf("%s: answer %+v", mode, h)
			}
			got = append(got, h.Seq)
		}
		if len(got) != len(want) {
			t.Fatalf("%s: answers to %v, want %v", mode, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: answers to %v, want %v", mode, got, want)
			}
		}
		if a := in.tally.account(2); a.Unique != 1 || a.Foreign != 4 || a.Bytes != HeaderSize || a.FirstNs != 5 {
			t.Errorf("%s: %+v", mode, a)
		}
	}
}

// The part of a block beyond its last whole message is nobody's.
func TestArrivedIgnoresAnIncompleteEnd(t *testing.T) {
	s, in := agree(t, NewTable(DefaultLimits()), Echo)
	block := append(blockOf(Header{Kind: Request, Session: s.ID}), make([]byte, HeaderSize-1)...)
	if reply, _ := in.Arrived(block, 1); len(reply) != HeaderSize {
		t.Errorf("%d bytes are answered", len(reply))
	}
}

// Tmax runs from the last arrival: what comes 200 ms apart is waited for with a Tmax of 300 ms.
func TestSettleWaitsForWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := NewTable(DefaultLimits())
		s, in := agree(t, table, Sink)
		in.Leave()
		for i, seq := range []uint64{0, 2, 1, 1} {
			time.AfterFunc(time.Duration(i)*200*time.Millisecond, func() {
				if in.Enter() {
					in.Arrived(blockOf(Header{Kind: Request, Session: s.ID, Seq: seq}), 1)
					in.Leave()
				}
			})
		}
		start := time.Now()
		a, err := table.Settle(t.Context(), s.ID, Settlement{Sent: []uint64{4}, Tmax: 300 * time.Millisecond, Quiet: 50 * time.Millisecond})
		if err != nil || a.Unique != 3 || a.Lost() != 1 || a.Reordered != 1 || a.Duplicated() != 1 {
			t.Errorf("%+v, %v", a, err)
		}
		if took := time.Since(start); took < 900*time.Millisecond || took > 905*time.Millisecond {
			t.Errorf("it took %v, want 300 ms from the last arrival at 600 ms", took)
		}
		if in.Enter() {
			t.Error("the flow of a session that has ended can be entered")
		}
	})
}

// With nothing missing, silence is enough.
func TestSettleEndsEarlyWhenNothingIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := NewTable(DefaultLimits())
		s, in := agree(t, table, Sink)
		in.Arrived(blockOf(Header{Kind: Request, Session: s.ID}), 1)
		in.Leave()
		start := time.Now()
		if _, err := table.Settle(t.Context(), s.ID, Settlement{Sent: []uint64{1}, Tmax: time.Minute, Quiet: 50 * time.Millisecond}); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 50*time.Millisecond || took > 55*time.Millisecond {
			t.Errorf("it took %v, want 50 ms", took)
		}
	})
}

// closer remembers being closed, and then leaves the flow that it is in.
type closer struct{ f func() }

func (c *closer) Close() error { c.f(); return nil }

// A client that never lets go is cut off.
func TestSettleEndsWhoIsStillReceiving(t *testing.T) {
	table := NewTable(DefaultLimits())
	s, in := agree(t, table, Sink)
	if !in.Attach(&closer{in.Leave}) {
		t.Fatal("nothing can be attached")
	}
	if _, err := table.Settle(t.Context(), s.ID, Settlement{Sent: []uint64{0}, Tmax: time.Millisecond}); err != nil {
		t.Error(err)
	}
	if in.Attach(&closer{}) {
		t.Error("something can be attached to a session that has ended")
	}
}

// The CPU time is told although the last block's receiver has not left its flow when the session is settled.
func TestSettleWhileAFlowIsHeld(t *testing.T) {
	if _, known := host.CPUTime(); !known {
		t.Skip("this platform does not tell a process's CPU time")
	}
	table := NewTable(DefaultLimits())
	s, in := agree(t, table, Echo)
	in.Arrived(blockOf(Header{Kind: Request, Session: s.ID}), 1)
	time.AfterFunc(20*time.Millisecond, in.Leave)
	if a, err := table.Settle(t.Context(), s.ID, Settlement{Sent: []uint64{1}}); err != nil || a.Unique != 1 || a.CPUNs == nil {
		t.Errorf("unique %d, CPU time %v, %v", a.Unique, a.CPUNs, err)
	}
}

// A client whose connection is lost while it settles asks again, and is told the same.
func TestSettleTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := NewTable(DefaultLimits())
		s, in := agree(t, table, Sink)
		in.Arrived(blockOf(Header{Kind: Request, Session: s.ID}), 1)
		in.Leave()
		end := Settlement{Sent: []uint64{2}, Tmax: 2 * time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := table.Settle(ctx, s.ID, end); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("called off: %v", err)
		}
		first, err := table.Settle(t.Context(), s.ID, end)
		again, errAgain := table.Settle(t.Context(), s.ID, end)
		if err != nil || errAgain != nil || first.Unique != 1 || first.Lost() != 1 || !reflect.DeepEqual(first, again) {
			t.Errorf("%+v, %v and then %+v, %v", first, err, again, errAgain)
		}
		time.Sleep(table.limits.Idle + time.Second)
		if _, err := table.Settle(t.Context(), s.ID, end); !errors.Is(err, ErrNoSession) {
			t.Errorf("long after: %v", err)
		}
	})
}

// A settlement that takes long tells so every now and then, and is the same one.
func TestSettleTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := NewTable(DefaultLimits())
		s, in := agree(t, table, Sink)
		in.Leave()
		start := time.Now()
		settling := 0
		for {
			a, err := table.Settle(t.Context(), s.ID, Settlement{Sent: []uint64{1}, Tmax: 18 * time.Second})
			if errors.Is(err, ErrSettling) {
				settling++
				continue
			}
			if err != nil || a.Lost() != 1 || settling != 3 {
				t.Errorf("lost %d, %v after %d times", a.Lost(), err, settling)
			}
			break
		}
		if took := time.Since(start); took < 18*time.Second || took > 19*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestSettleWithAnotherNumberOfFlows(t *testing.T) {
	table := NewTable(DefaultLimits())
	s, in := agree(t, table, Sink)
	in.Leave()
	for _, end := range []Settlement{{Sent: []uint64{1, 2}}, {}, {Sent: []uint64{1}, Tmax: -1}} {
		if _, err := table.Settle(t.Context(), s.ID, end); err == nil {
			t.Errorf("%+v settles a session of one flow", end)
		}
	}
	if err := table.End(s.ID); err != nil {
		t.Errorf("the session: %v", err)
	}
}

func TestInboundFindsItsOwnAlone(t *testing.T) {
	table := NewTable(DefaultLimits())
	s, in := agree(t, table, Sink)
	in.Leave()
	other := netip.MustParseAddr("127.0.0.2")
	mapped := netip.MustParseAddr("::ffff:127.0.0.1")
	for _, test := range []struct {
		proto string
		h     Header
		from  netip.Addr
		found bool
	}{
		{"any", Header{Session: s.ID}, loopback, true},
		{"any", Header{Session: s.ID}, mapped, true},
		{"any", Header{Session: s.ID}, other, false},
		{"none", Header{Session: s.ID}, loopback, false},
		{"any", Header{Session: s.ID ^ 1}, loopback, false},
		{"any", Header{Session: s.ID, Flow: 1}, loopback, false},
	} {
		if got := table.Inbound(test.proto, test.h, test.from); (got != nil) != test.found {
			t.Errorf("%s %+v from %v: found %v", test.proto, test.h, test.from, got != nil)
		}
	}
}

func BenchmarkArrived(b *testing.B) {
	for name, messages := range map[string]int{"one message": 1, "block of 1000": 1000} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s, in := agree(b, NewTable(DefaultLimits()), Sink)
			block := bytes.Repeat(blockOf(Header{Kind: Request, Session: s.ID}), messages)
			seq := uint64(0)
			for b.Loop() {
				for off := 0; off < len(block); off += HeaderSize {
					setSeqSent(block[off:], seq, 0)
					seq++
				}
				in.Arrived(block, 1)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(seq), "ns/message")
		})
	}
}

func BenchmarkFindSession(b *testing.B) {
	b.ReportAllocs()
	table := NewTable(DefaultLimits())
	s, in := agree(b, table, Sink)
	in.Leave()
	h := Header{Session: s.ID}
	for b.Loop() {
		if in := table.Inbound("any", h, loopback); in == nil || !in.Enter() {
			b.Fatal("not found")
		} else {
			in.Leave()
		}
	}
}

// FuzzArrived gives a session blocks of anything. Nothing that comes makes it send more than it was sent, answer a reply, or
// a message of another session.
func FuzzArrived(f *testing.F) {
	f.Add(blockOf(Header{Kind: Request, Session: 1, Seq: 1}, Header{Kind: Hello, Session: 1}, Header{Kind: Reply, Session: 1}), 0, uint8(0))
	f.Add(blockOf(Header{Kind: Request, Session: 1, Seq: 1 << 62}, Header{Kind: Request, Session: 1, Seq: 5}), 8, uint8(2))
	f.Add(blockOf(Header{Kind: Done, Session: 2}, Header{Kind: 5, Session: 1, Flow: 9}), 1, uint8(3))
	f.Fuzz(func(t *testing.T, block []byte, more int, mode uint8) {
		spec := Spec{Proto: "any", Mode: []Mode{Echo, Sink, Source, Duplex}[mode%4], Size: HeaderSize + min(max(more, 0), 100), Flows: 1,
			Duration: time.Second, Interval: time.Millisecond, Verify: more%2 == 0}
		if spec.Validate() != nil {
			t.Skip()
		}
		s := &Session{ID: 1, Spec: spec}
		s.init()
		for i := range s.flows {
			in := &s.flows[i]
			before := bytes.Clone(block)
			reply, start := in.Arrived(bytes.Clone(block), 1)
			if len(reply) > len(block) || start && in.mode != Source {
				t.Fatalf("%d bytes answer %d, start %v", len(reply), len(block), start)
			}
			asked := 0
			for off := 0; off+spec.Size <= len(before); off += spec.Size {
				if h, ok := ParseHeader(before[off:]); ok && h.Session == 1 && h.Kind != Reply {
					asked++
				}
			}
			for off := 0; off < len(reply); off += spec.Size {
				h, ok := ParseHeader(reply[off:])
				if asked--; !ok || h.Kind != Reply || h.Session != 1 || asked < 0 {
					t.Fatalf("answered with %+v", h)
				}
			}
			a := in.tally.account(10)
			if a.Unique > a.Received || a.Received > uint64(len(block)/spec.Size) {
				t.Fatalf("%d messages, %d of them different, are counted in %d bytes", a.Received, a.Unique, len(block))
			}
		}
	})
}

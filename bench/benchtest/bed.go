package benchtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/internal/clock"
)

// bed is a server and what a test needs to talk to it.
type bed struct {
	Subject
	t        *testing.T
	wait     bench.Wait
	variant  variant
	sessions *bench.Table
	addr     string
	greeted  map[bench.Flow]bool
}

// variant is one of the ways in which a transport may carry a flow.
type variant struct {
	name string
	fast bench.Fast
	many bool // so many flows that none has a thread of its own
	// greets sends a hello before anything else, as a flow does that is to last.
	greets bool
	// spins has it tested with spinning receivers too.
	spins bool
}

var variants = []variant{
	{name: "portable", fast: bench.Fast{Portable: true}, spins: true},
	{name: "one by one", fast: bench.Fast{Batch: 1}, greets: true, spins: true},
	{name: "batches", fast: bench.Fast{NoOffload: true}, greets: true},
	{name: "offload", greets: true, spins: true},
	{name: "many", many: true, greets: true, spins: true},
	{name: "brief"},
}

func newBed(t *testing.T, s Subject, v variant, wait bench.Wait) *bed {
	sessions := bench.NewTable(bench.DefaultLimits())
	return &bed{Subject: s, t: t, wait: wait, variant: v, sessions: sessions, addr: s.Serve(t, sessions), greeted: map[bench.Flow]bool{}}
}

// agree makes a session.
func (b *bed) agree(mode bench.Mode, size, flows int) *bench.Session {
	b.t.Helper()
	if b.variant.many {
		flows += bench.OwnThreads
	}
	s, err := b.sessions.Agree(context.Background(), bench.Spec{
		Proto: b.Transport.Name(), Mode: mode, Size: size, Flows: flows, Wait: b.wait, Duration: time.Minute, Verify: true,
		Fast: b.variant.fast,
	}, b.Client, "")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = b.sessions.End(s.ID) })
	return s
}

// dial opens a flow that ends with the test and gives up after patience.
func (b *bed) dial() bench.Flow {
	b.t.Helper()
	f, err := b.Transport.Dial(context.Background(), b.addr, bench.Options{
		Wait: b.wait, Block: 1 << 16, Many: b.variant.many, Buffers: new(sync.Pool), Fast: b.variant.fast,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { f.Close() })
	deadline(b.t, f, patience)
	return f
}

func deadline(t *testing.T, f bench.Flow, d time.Duration) {
	t.Helper()
	for _, set := range []func(time.Time) error{f.SetSendDeadline, f.SetRecvDeadline} {
		if err := set(time.Now().Add(d)); err != nil {
			t.Fatal(err)
		}
	}
}

// block makes n requests from seq on.
func (b *bed) block(s *bench.Session, flow uint32, seq uint64, n int) []byte {
	size := s.Spec.Size
	block := bench.NewBlock(n, size)
	for i := range n {
		msg := block[i*size : (i+1)*size]
		bench.Header{Kind: bench.Request, Flow: flow, Session: s.ID, Seq: seq + uint64(i), Sent: 42}.Put(msg)
		for j := range msg[bench.HeaderSize:] {
			msg[bench.HeaderSize+j] = byte(j % 251)
		}
	}
	return block
}

func (b *bed) send(f bench.Flow, block []byte, size int) {
	b.t.Helper()
	b.greet(f, block, size)
	if n, err := f.Send(block, size, false); err != nil || n != len(block)/size {
		b.t.Fatalf("Send = %d, %v; want %d messages", n, err, len(block)/size)
	}
}

// greet says hello on a flow that sends for the first time, for the session and flow that block is of, if there is one, and takes
// the answer.
func (b *bed) greet(f bench.Flow, block []byte, size int) {
	b.t.Helper()
	h, ok := bench.ParseHeader(block)
	if !b.variant.greets || !ok || h.Kind != bench.Request || b.greeted[f] || b.sessions.Inbound(b.Transport.Name(), h, b.Client) == nil {
		return
	}
	b.greeted[f] = true
	hello := append([]byte(nil), block[:size]...)
	h.Kind, h.Seq = bench.Hello, bench.WarmUp
	h.Put(hello)
	if _, err := f.Send(hello, size, false); err != nil {
		b.t.Fatal(err)
	}
	b.recv(f, 1, size)
}

// recv receives exactly n messages, in however many calls.
func (b *bed) recv(f bench.Flow, n, size int) []byte {
	b.t.Helper()
	var all []byte
	for len(all) < n*size {
		block, err := f.Recv(size)
		if err != nil || len(block) == 0 || len(block)%size != 0 {
			b.t.Fatalf("Recv = %d bytes, %v after %d of %d messages", len(block), err, len(all)/size, n)
		}
		all = append(all, block...)
	}
	if len(all) != n*size {
		b.t.Fatalf("received %d messages, want %d", len(all)/size, n)
	}
	return all
}

// stampEnd is where the stamp of an answer ends, in one that has room for it.
const stampEnd = bench.HeaderSize + 8

// wantReplies checks that replies are those to requests, byte by byte but for the kind and the stamp.
func (b *bed) wantReplies(replies, requests []byte, size int) {
	b.t.Helper()
	for off := 0; off < len(requests); off += size {
		h, ok := bench.ParseHeader(replies[off:])
		if !ok || h.Kind != bench.Reply {
			b.t.Fatalf("message %d is no reply: %+v", off/size, h)
		}
		h.Kind = bench.Request
		h.Put(replies[off:])
		if size >= stampEnd {
			stamp := replies[off+bench.HeaderSize : off+stampEnd]
			if at := int64(binary.BigEndian.Uint64(stamp)); at > clock.Now() || at < clock.Now()-int64(time.Minute) {
				b.t.Fatalf("message %d is stamped %d, and it is %d now", off/size, at, clock.Now())
			}
			copy(stamp, requests[off+bench.HeaderSize:])
		}
	}
	if !bytes.Equal(replies, requests) {
		b.t.Fatal("the replies are not what was sent")
	}
}

// wantSilence checks that nothing comes back; that the server closes the flow is silence too.
func (b *bed) wantSilence(f bench.Flow, size int) {
	b.t.Helper()
	deadline(b.t, f, silence)
	block, err := f.Recv(size)
	if len(block) != 0 || err == nil {
		b.t.Fatalf("Recv = %d bytes, %v; want silence", len(block), err)
	}
}

// settle ends the session and returns its account.
func (b *bed) settle(s *bench.Session, sent ...uint64) bench.Account {
	b.t.Helper()
	sent = append(sent, make([]uint64, s.Spec.FlowCount()-len(sent))...)
	a, err := b.sessions.Settle(context.Background(), s.ID, bench.Settlement{Sent: sent, Tmax: silence, Quiet: time.Millisecond})
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

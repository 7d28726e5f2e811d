package bench

import (
	"testing"
	"time"

	"tcpvsudp/results"
)

// kept holds on to what an operation results in, so that the compiler does not leave the operation out.
var kept struct {
	header  Header
	fate    Fate
	n       int
	ns      int64
	elapsed time.Duration
}

// hot are the operations that are done for every message, or for every block. Each is prepared by its function, which returns one that
// does it so many times.
var hot = []struct {
	name     string
	messages int // an operation
	prepare  func() (run func(times int))
}{
	{"Header.Put", 1, func() func(int) {
		msg := NewBlock(1, 64)
		h := Header{Kind: Request, Flow: 1, Session: 2}
		return func(times int) {
			for range times {
				h.Seq++
				h.Put(msg)
			}
		}
	}},
	{"ParseHeader", 1, func() func(int) {
		msg := NewBlock(1, 64)
		Header{Kind: Request, Flow: 1, Session: 2, Seq: 3}.Put(msg)
		return func(times int) {
			for range times {
				h, ok := ParseHeader(msg)
				if !ok {
					panic("refused")
				}
				kept.header = h
			}
		}
	}},
	{"inRow/4096 of 64 B", 4096, func() func(int) {
		h := Header{Kind: Request, Flow: 1, Session: 2, Seq: 3}
		block := hotBlock(4096, 64, h)
		return func(times int) {
			for range times {
				kept.n = inRow(block, 64, h)
			}
			if kept.n != 4096 {
				panic("the row is broken")
			}
		}
	}},
	{"stampBlock/128 of 64 B", 128, func() func(int) { return stamping(false) }},
	{"stampBlock/128 of 64 B, a time each", 128, func() func(int) { return stamping(true) }},
	{"Counter.Add/in order", 1, func() func(int) {
		c, seq := NewCounter(DefaultWindow), uint64(0)
		return func(times int) {
			for range times {
				kept.fate = c.Add(seq, 0).Fate
				seq++
			}
		}
	}},
	{"Counter.Add/every 100th reordered", 1, func() func(int) {
		c, i := NewCounter(DefaultWindow), uint64(0)
		add := func() {
			seq := i
			switch i % 100 { // the last two of a hundred come the other way round
			case 98:
				seq++
			case 99:
				seq--
			}
			kept.fate = c.Add(seq, int64(i)).Fate
			i++
		}
		for range 100 {
			add() // the memory is taken at the first break of the order
		}
		return func(times int) {
			for range times {
				add()
			}
		}
	}},
	{"Inbound.Arrived/sink, 128 of 64 B", 128, func() func(int) {
		return arriving(Sink, 128, false)
	}},
	{"Inbound.Arrived/sink, 128 of 64 B, verified", 128, func() func(int) {
		return arriving(Sink, 128, true)
	}},
	{"Inbound.Arrived/echo, 1 of 64 B", 1, func() func(int) {
		return arriving(Echo, 1, false)
	}},
	{"Histogram.Record", 1, func() func(int) {
		h, ns := results.NewHistogram(), int64(1)
		return func(times int) {
			for range times {
				h.Record(ns)
				ns = ns*5/4%1e9 + 1
			}
		}
	}},
	{"throttle.due", 1, func() func(int) {
		limit, now := newThrottle(1e9, 64, 4, 1), int64(0)
		return func(times int) {
			for range times {
				kept.ns = limit.due(now, 1)
				now += 2000
			}
		}
	}},
	{"Pace.Due", 1, func() func(int) {
		p, i := NewPace(123_456.789), uint64(0)
		return func(times int) {
			for range times {
				kept.elapsed = p.Due(i)
				i++
			}
		}
	}},
}

// hotBlock makes n messages of size bytes in a row that begins with h.
func hotBlock(n, size int, h Header) []byte {
	block := NewBlock(n, size)
	fillBlock(block, size, h)
	stampBlock(block, size, h.Seq, 0, false)
	return block
}

// stamping has a block of 128 messages of 64 B stamped.
func stamping(each bool) func(times int) {
	block, seq := NewBlock(128, 64), uint64(0)
	return func(times int) {
		for range times {
			stampBlock(block, 64, seq, int64(seq), each)
			seq += 128
		}
	}
}

// arriving has n messages of 64 B arrive as a block, again and again those that are expected next. That costs no numbering: the counter is
// told to expect the same ones again, and an echo's message is made a request again.
func arriving(mode Mode, n int, verify bool) func(times int) {
	s := &Session{ID: 1, Spec: Spec{Proto: "any", Mode: mode, Size: 64, Flows: 1, Duration: time.Minute, Interval: time.Millisecond, Verify: verify}}
	s.init()
	in := &s.flows[0]
	block := hotBlock(n, 64, Header{Kind: Request, Session: s.ID})
	return func(times int) {
		for range times {
			in.tally.counter.next = 0
			if mode == Echo {
				setKind(block, Request)
			}
			reply, _ := in.Arrived(block, 1)
			kept.n = len(reply)
		}
		if in.tally.counter.Received() != uint64(n) || in.tally.foreign != 0 {
			panic("the messages are not all counted")
		}
	}
}

// BenchmarkHot tells what a message costs, and an operation where that is of many.
func BenchmarkHot(b *testing.B) {
	for _, op := range hot {
		b.Run(op.name, func(b *testing.B) {
			b.ReportAllocs()
			run := op.prepare()
			b.ResetTimer()
			run(b.N) // not b.Loop: a call of a function value would cost more than some of these
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(op.messages), "ns/message")
		})
	}
}

// Nothing is allocated for a message.
func TestHotAllocatesNothing(t *testing.T) {
	for _, op := range hot {
		run := op.prepare()
		if n := testing.AllocsPerRun(50, func() { run(20) }); n != 0 {
			t.Errorf("%s: %v allocations for 20 of them", op.name, n)
		}
	}
}

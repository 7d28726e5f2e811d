package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// sameCounts compares all that two counts tell.
func sameCounts(t *testing.T, what string, got, want Counts) {
	t.Helper()
	got.any, got.last, got.current = false, 0, 0
	want.any, want.last, want.current = false, 0, 0
	if got != want {
		t.Fatalf("%s: counts\n%+v, want\n%+v", what, got, want)
	}
}

// traffic draws what comes of a flow's messages, in order of arrival: mostly long rows, which are broken by gaps, copies, late ones,
// messages of the warm-up and those of others. sent is how many measured ones were sent. No message is foreign to own but by
// its session, flow or kind.
func traffic(rng *rand.Rand, own Header) (arrivals []Header, sent uint64) {
	at := func(seq uint64) Header {
		h := own
		h.Seq, h.Sent = seq, int64(rng.Uint64())
		return h
	}
	for warm := range rng.Uint64N(100) {
		arrivals = append(arrivals, at(WarmUp|warm))
	}
	odd := []float64{0, 0.005, 0.05, 0.5}[rng.IntN(4)] // how often something is not as expected
	for sent < 1500 {
		h := at(sent)
		sent++
		if rng.Float64() >= odd {
			arrivals = append(arrivals, h)
			continue
		}
		switch rng.IntN(9) {
		case 0: // lost
		case 1: // so are many
			sent += rng.Uint64N(200)
		case 2: // two copies
			arrivals = append(arrivals, h, h)
		case 3: // a row that comes again
			if n := rng.IntN(50); n < len(arrivals) {
				arrivals = append(arrivals, arrivals[len(arrivals)-n:]...)
			}
			arrivals = append(arrivals, h)
		case 4: // a late message of the warm-up, or a few
			for i := range 1 + rng.Uint64N(5) {
				arrivals = append(arrivals, at(WarmUp|(sent+i)))
			}
			arrivals = append(arrivals, h)
		case 5: // of another flow, with the number that is expected, and then one's own
			other := h
			other.Flow++
			arrivals = append(arrivals, other, h)
		case 6:
			other := h
			other.Session++
			arrivals = append(arrivals, other, h)
		case 7:
			other := h
			other.Kind = []Kind{0, Request, Reply, Hello, Done, Done + 1}[rng.IntN(6)]
			arrivals = append(arrivals, other, h)
		case 8: // later than some that follow
			arrivals = append(arrivals, h)
			if n := len(arrivals); n > 3 {
				i, j := n-1, n-1-rng.IntN(min(n, 40))
				arrivals[i], arrivals[j] = arrivals[j], arrivals[i]
			}
		}
	}
	return arrivals, sent + rng.Uint64N(10)
}

// deliver calls f with the arrivals in blocks of any length, of which messages a few have bytes that are not the pattern.
func deliver(rng *rand.Rand, arrivals []Header, size int, f func(block []byte, headers []Header, corrupt []bool, at int64)) {
	body := pattern(size)
	for at := int64(1000); len(arrivals) > 0; at += 1 + rng.Int64N(1e6) {
		n := min(1+rng.IntN(1+rng.IntN(200)), len(arrivals))
		block, corrupt := NewBlock(n, size), make([]bool, n)
		for i, h := range arrivals[:n] {
			msg := block[i*size : (i+1)*size]
			h.Put(msg)
			copy(msg[HeaderSize:], body)
			if size > HeaderSize && rng.IntN(50) == 0 {
				corrupt[i] = true
				msg[HeaderSize+rng.IntN(size-HeaderSize)] ^= 0x80
			}
		}
		f(block, arrivals[:n], corrupt, at)
		arrivals = arrivals[n:]
	}
}

// oneByOne is what a flow's account must be: the messages are looked at one after the other, and no row is made use of.
type oneByOne struct {
	counter          *Counter
	foreign, corrupt uint64
	first, last      int64
	firstBytes       uint64
	bytes            uint64
	answers          []uint64 // the numbers of the messages that are answered
}

// measured counts a message that is one's own and not of the warm-up, and tells whether it is the first of its number.
func (o *oneByOne) measured(h Header, corrupt bool, at int64) (isFirst bool) {
	if corrupt {
		o.corrupt++
	}
	fate := o.counter.Add(h.Seq, at).Fate
	return fate == InOrder || fate == Reordered
}

// came notes that n first copies of size bytes came together.
func (o *oneByOne) came(n, size int, at int64) {
	if n == 0 {
		return
	}
	if o.bytes == 0 {
		o.first, o.firstBytes = at, uint64(n*size)
	}
	o.last = at
	o.bytes += uint64(n * size)
}

// check compares a tally with what it must be.
func (o *oneByOne) check(t *testing.T, what string, tally *Tally, sent uint64, size int) {
	t.Helper()
	if got, want := tally.counter.Unique(), o.counter.Unique(); got != want {
		t.Fatalf("%s: Unique() = %d, want %d", what, got, want)
	}
	if got, want := tally.counter.Received(), o.counter.Received(); got != want {
		t.Fatalf("%s: Received() = %d, want %d", what, got, want)
	}
	a := tally.account(sent)
	sameCounts(t, what, a.Counts, o.counter.Finish(sent))
	if a.Foreign != o.foreign || a.Corrupt != o.corrupt {
		t.Fatalf("%s: %d foreign and %d corrupt, want %d and %d", what, a.Foreign, a.Corrupt, o.foreign, o.corrupt)
	}
	if a.FirstNs != o.first || a.LastNs != o.last || a.FirstBytes != o.firstBytes || a.Bytes != o.bytes {
		t.Fatalf("%s: %d bytes from %d on, %d in all until %d; want %d from %d on, %d in all until %d",
			what, a.FirstBytes, a.FirstNs, a.Bytes, a.LastNs, o.firstBytes, o.first, o.bytes, o.last)
	}
	var inSeries uint64
	for _, b := range a.Series {
		inSeries += b.Messages
	}
	if inSeries*uint64(size) != o.bytes {
		t.Fatalf("%s: the time series holds %d messages, want %d", what, inSeries, o.bytes/uint64(size))
	}
}

// A server counts and answers what comes in blocks as it would if it looked at every message by itself.
func TestArrivedCountsAsOneByOne(t *testing.T) {
	for seed := range uint64(80) {
		rng := rand.New(rand.NewPCG(seed, 3))
		size := []int{HeaderSize, 33, 64, 200}[rng.IntN(4)]
		mode := []Mode{Sink, Sink, Echo}[rng.IntN(3)]
		s := &Session{ID: rng.Uint64(), Spec: Spec{Proto: "any", Mode: mode, Size: size, Flows: 3, Duration: 1e9, Interval: 1e6, Verify: true}}
		s.init()
		in := &s.flows[1]
		own := Header{Kind: Request, Flow: 1, Session: s.ID}
		arrivals, sent := traffic(rng, own)
		want := oneByOne{counter: NewCounter(DefaultWindow / s.Spec.Flows)}
		var answers []uint64
		deliver(rng, arrivals, size, func(block []byte, headers []Header, corrupt []bool, at int64) {
			firsts := 0
			for i, h := range headers {
				switch {
				case h.Flow != own.Flow || h.Session != own.Session || h.Kind == Reply || h.Kind < Request || h.Kind > Done:
					want.foreign++
					continue
				case h.Kind == Request && h.Seq&WarmUp == 0 && want.measured(h, corrupt[i], at):
					firsts++
				}
				if h.Kind != Request || mode == Echo {
					want.answers = append(want.answers, h.Seq)
				}
			}
			want.came(firsts, size, at)
			reply, start := in.Arrived(block, at)
			if start {
				t.Fatalf("seed %d: a source is to start, and there is none", seed)
			}
			for off := 0; off < len(reply); off += size {
				answers = append(answers, seqOf(reply[off:]))
			}
		})
		what := fmt.Sprintf("seed %d, %s of %d B", seed, mode, size)
		if !slices.Equal(answers, want.answers) {
			t.Fatalf("%s: %d messages are answered, want %d: those of the numbers %v, want %v",
				what, len(answers), len(want.answers), answers, want.answers)
		}
		want.check(t, what, in.tally, sent, size)
	}
}

// A client counts what a source sends in blocks as it would if it looked at every message by itself.
func TestTakeCountsAsOneByOne(t *testing.T) {
	for seed := range uint64(80) {
		rng := rand.New(rand.NewPCG(seed, 4))
		size := []int{HeaderSize, 33, 64, 200}[rng.IntN(4)]
		tr := &trial{scheduled: scheduled{cell: cell{size: size, flows: 2}}, session: rng.Uint64()}
		w := &worker{t: tr, id: 1, mode: Source, flowing: make(chan struct{}),
			tally: newTally(2, pattern(size), newSeries(&tr.measure, 1e6, 1e9))}
		own := Header{Kind: Reply, Flow: 1, Session: tr.session}
		arrivals, sent := traffic(rng, own)
		want := oneByOne{counter: NewCounter(DefaultWindow / 2)}
		begun := false
		deliver(rng, arrivals, size, func(block []byte, headers []Header, corrupt []bool, at int64) {
			firsts := 0
			for i, h := range headers {
				switch {
				case h.Flow != own.Flow || h.Session != own.Session || h.Kind != Reply:
					want.foreign++
					continue
				case h.Seq&WarmUp == 0 && want.measured(h, corrupt[i], at):
					firsts++
				}
				begun = true
			}
			want.came(firsts, size, at)
			if w.take(block, at, noSeq) {
				t.Fatalf("seed %d: an answer is found that nobody has asked for", seed)
			}
			select {
			case <-w.flowing:
				if !begun {
					t.Fatalf("seed %d: the source is said to have begun, and nothing of it has come", seed)
				}
			default:
				if begun {
					t.Fatalf("seed %d: the source has begun, and nobody is told", seed)
				}
			}
		})
		want.check(t, fmt.Sprintf("seed %d, %d B", seed, size), w.tally, sent, size)
	}
}

// A row ends ahead of the first message that is not the next of its own, and of one that is not whole.
func TestInRow(t *testing.T) {
	const size = 40
	own := Header{Kind: Request, Flow: 7, Session: 1 << 60, Seq: 100}
	row := func(n int) []byte {
		block := NewBlock(n, size)
		for i := range n {
			h := own
			h.Seq += uint64(i)
			h.Sent = int64(i) * 1e9
			h.Put(block[i*size:])
		}
		return block
	}
	// change rewrites the third of five.
	change := func(f func(h *Header)) []byte {
		block := row(5)
		h, _ := ParseHeader(block[2*size:])
		f(&h)
		h.Put(block[2*size:])
		return block
	}
	for _, test := range []struct {
		name  string
		block []byte
		want  int
	}{
		{"no block", nil, 0},
		{"less than a message", row(1)[:size-1], 0},
		{"a header and no more", row(1)[:HeaderSize], 0},
		{"one", row(1), 1},
		{"five", row(5), 5},
		{"five and a part", row(6)[:6*size-1], 5},
		{"bodies and times differ", func() []byte { b := row(3); b[size+30], b[2*size+35] = 77, 78; return b }(), 3},
		{"another number at once", row(5)[size:], 0},
		{"the same number again", change(func(h *Header) { h.Seq-- }), 2},
		{"a number is left out", change(func(h *Header) { h.Seq++ }), 2},
		{"the warm-up", change(func(h *Header) { h.Seq |= WarmUp }), 2},
		{"a number that differs in its highest byte", change(func(h *Header) { h.Seq |= 1 << 56 }), 2},
		{"another flow", change(func(h *Header) { h.Flow++ }), 2},
		{"another session", change(func(h *Header) { h.Session++ }), 2},
		{"a session that differs in its highest bit", change(func(h *Header) { h.Session ^= 1 << 63 }), 2},
		{"a reply", change(func(h *Header) { h.Kind = Reply }), 2},
		{"a hello", change(func(h *Header) { h.Kind = Hello }), 2},
		{"another magic", func() []byte { b := row(5); b[2*size] ^= 1; return b }(), 2},
		{"another version", func() []byte { b := row(5); b[2*size+2] ^= 2; return b }(), 2},
	} {
		if got := inRow(test.block, size, own); got != test.want {
			t.Errorf("%s: %d are in a row, want %d", test.name, got, test.want)
		}
	}
	// What is in a row is what ParseHeader says it is, byte by byte: no other byte of the header matters, and all of these do.
	for i := range HeaderSize {
		block := row(2)
		block[size+i] ^= 1
		want := 2
		if i < 24 {
			want = 1
		}
		if got := inRow(block, size, own); got != want {
			t.Errorf("with a change of byte %d, %d are in a row, want %d", i, got, want)
		}
	}
}

// A row of the warm-up is passed over whole, and a measured one counted; neither takes anything of the other with it.
func TestTallyRow(t *testing.T) {
	const size = HeaderSize
	own := Header{Kind: Reply, Flow: 2, Session: 9}
	block := func(seqs ...uint64) []byte {
		b := NewBlock(len(seqs), size)
		for i, seq := range seqs {
			h := own
			h.Seq = seq
			h.Put(b[i*size:])
		}
		return b
	}
	tally := newTally(1, nil, series{})
	for _, step := range []struct {
		name        string
		block       []byte
		n, measured int
		unique      uint64
	}{
		{"the warm-up, and the first of the measurement", block(WarmUp|5, WarmUp|6, 0, 1), 2, 0, 0},
		{"a gap in the warm-up", block(WarmUp|7, WarmUp|9), 1, 0, 0},
		{"not the next", block(1, 2), 0, 0, 0},
		{"the next, and the warm-up", block(0, 1, WarmUp|10), 2, 2, 2},
		{"a copy", block(1, 2), 0, 0, 2},
		{"the next, and a copy", block(2, 2), 1, 1, 3},
		{"the next, and a gap", block(3, 5), 1, 1, 4},
	} {
		before := bytes.Clone(step.block)
		n, measured := tally.row(step.block, size, own)
		if n != step.n || measured != step.measured || tally.counter.Unique() != step.unique {
			t.Errorf("%s: passes over %d and counts %d, %d in all; want %d and %d, %d in all",
				step.name, n, measured, tally.counter.Unique(), step.n, step.measured, step.unique)
		}
		if !bytes.Equal(step.block, before) {
			t.Errorf("%s: the block is changed", step.name)
		}
	}
	sameCounts(t, "in all", tally.counter.Finish(4), Counts{Sent: 4, Received: 4, Unique: 4})
}

// A row ends where the numbers of the warm-up begin, and where they end.
func TestRowEndsWithItsNumbers(t *testing.T) {
	for _, seqs := range [][]uint64{{1<<64 - 1, 0}, {WarmUp - 1, WarmUp, WarmUp + 1}} {
		block := NewBlock(len(seqs), HeaderSize)
		for i, seq := range seqs {
			Header{Kind: Request, Session: 7, Seq: seq}.Put(block[i*HeaderSize:])
		}
		if n := inRow(block, HeaderSize, Header{Kind: Request, Session: 7, Seq: seqs[0]}); n != 1 {
			t.Errorf("%x: a row of %d, want 1", seqs, n)
		}
	}
}

// What a client asks for is refused where it overflows, or takes the server long to read.
func TestSpecsThatOverflow(t *testing.T) {
	good := Spec{Proto: "any", Mode: Sink, Size: 1 << 16, Flows: 1, Duration: time.Second}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Spec){
		"batch of 4 GiB": func(s *Spec) { s.Batch = 1 << 16 },
		"long pin":       func(s *Spec) { s.Pin = Pin(strings.Repeat("0-1023,", 100) + "0:0") },
		"negative batch": func(s *Spec) { s.Batch = -1 },
		"nameless pin":   func(s *Spec) { s.Pin = "somewhere" },
		"long algorithm": func(s *Spec) { s.Congestion = "abcdefghijklmnop" },
	} {
		bad := good
		change(&bad)
		if bad.Validate() == nil {
			t.Errorf("%s is valid", name)
		}
	}
	source := good
	source.Mode, source.Size, source.Flows, source.Batch = Source, 256, 10_000, 1<<16
	if need := source.Memory(); need < 10_000<<24 {
		t.Errorf("10,000 blocks of 16 MiB are charged for %d bytes", need)
	}
}

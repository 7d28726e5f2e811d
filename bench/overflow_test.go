package bench

import (
	"testing"
	"time"

	"tcpvsudp/results"
)

// A counter that grows by 10 up to the warm-up's end, by 5 until the first measured message is taken, and by 100 after.
func TestOverflowReadings(t *testing.T) {
	n, known := uint64(1000), true
	read := func() (uint64, bool) { return n, known }
	var r overflowReadings
	r.open(read)
	n += 10
	r.read(&r.warm)
	n += 5
	r.read(&r.first)
	n += 100
	if got, want := *r.settle(), (Overflow{115, 100, 105}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	r.first.Store(0) // no measured message came at all
	if got, want := *r.settle(), (Overflow{115, 0, 105}); got != want {
		t.Errorf("without a first: %+v, want %+v", got, want)
	}
	n = 900 // a socket is being replaced
	if got, want := *r.settle(), (Overflow{}); got != want {
		t.Errorf("shrunk: %+v, want %+v", got, want)
	}
	known = false
	if got := r.settle(); got != nil {
		t.Errorf("not known: %+v", got)
	}
	var none overflowReadings
	none.open(nil)
	none.warmsUp(time.Nanosecond)
	if got := none.settle(); got != nil {
		t.Errorf("nobody can tell: %+v", got)
	}
	if got := (*Overflow)(nil).without(3); got != nil {
		t.Errorf("without the faulty ones: %+v", got)
	}
	if got, want := *(&Overflow{115, 3, 105}).without(5), (Overflow{110, 0, 100}); got != want {
		t.Errorf("without the faulty ones: %+v, want %+v", got, want)
	}
}

func TestPlaced(t *testing.T) {
	for _, test := range []struct {
		name          string
		lost, refused uint64
		full          *Overflow
		joined        uint64
		want          places
	}{
		{"nothing lost", 0, 0, nil, 1, places{known: true}},
		{"nothing lost, though the warm-up was", 0, 0, &Overflow{50, 0, 50}, 1, places{known: true}},
		{"nobody can tell", 7, 2, nil, 1, places{sender: 2, network: 5}},
		{"never left", 7, 9, nil, 1, places{sender: 7, known: true}},
		{"the buffer, exactly", 7, 0, &Overflow{7, 7, 7}, 1, places{buffer: 7, known: true}},
		{"the network", 7, 0, &Overflow{}, 1, places{network: 7, known: true}},
		{"all three", 12, 2, &Overflow{4, 4, 4}, 1, places{sender: 2, buffer: 4, network: 6, known: true}},
		{"within the range", 7, 0, &Overflow{9, 4, 9}, 1, places{buffer: 7, known: true}},
		{"above the range", 12, 0, &Overflow{9, 4, 9}, 1, places{buffer: 4, network: 8, known: true}},
		{"below the range", 3, 0, &Overflow{9, 4, 9}, 1, places{buffer: 3, known: true}},
		{"joined", 128, 0, &Overflow{1, 1, 1}, 128, places{buffer: 128, known: true}},
		{"joined, some of them", 100, 0, &Overflow{1, 1, 1}, 128, places{buffer: 100, known: true}},
		{"joined, and the network", 130, 0, &Overflow{1, 1, 1}, 128, places{buffer: 128, network: 2, known: true}},
	} {
		if got := placed(test.lost, test.refused, test.full, test.joined); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// Each direction is held against the buffer at its own end.
func TestWhereLost(t *testing.T) {
	lost := func(n uint64, full *Overflow) Account { return Account{Counts: Counts{Sent: n}, BufferFull: full} }
	drops := func(n uint64) *Overflow { return &Overflow{n, n, n} }
	for _, test := range []struct {
		name             string
		mode             Mode
		server, received Account
		client           *Overflow
		want             [3]results.Value
	}{
		{"sink", Sink, lost(9, drops(5)), lost(9, nil), nil, [3]results.Value{results.Known(0), results.Known(5), results.Known(4)}},
		{"source", Source, lost(0, nil), lost(9, nil), drops(6), [3]results.Value{results.Known(0), results.Known(6), results.Known(3)}},
		{"echo", Echo, lost(4, drops(4)), lost(9, nil), drops(2), [3]results.Value{results.Known(0), results.Known(6), results.Known(3)}},
		{"echo whose requests came", Echo, lost(0, drops(4)), lost(9, nil), drops(2), [3]results.Value{results.Known(0), results.Known(2), results.Known(7)}},
		{"echo, the server is silent", Echo, lost(4, nil), lost(9, nil), drops(2), [3]results.Value{results.Known(0), {}, {}}},
		{"nothing lost, both are silent", Echo, lost(0, nil), lost(0, nil), nil, [3]results.Value{results.Known(0), results.Known(0), results.Known(0)}},
	} {
		tr := &trial{spec: Spec{Mode: test.mode}, server: test.server}
		w := tr.whereLost(test.received, Account{BufferFull: test.client})
		if got := [3]results.Value{w.Sender, w.Buffer, w.Network}; got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// What flows tell of their paths: sums, means, and the smallest; who tells nothing counts for nothing.
func TestPathInfos(t *testing.T) {
	var p PathInfos
	p.ask(nil)
	p.ask(teller{known: false})
	if v, known := p.retransmitted().Get(); known || p.roundTrip() != (results.PathRTT{}) {
		t.Errorf("of nobody: %v, %+v", v, p.roundTrip())
	}
	p.ask(teller{PathInfo{Retransmitted: 3}, true}) // nothing of it has been acknowledged
	if got := p.roundTrip(); p.retransmitted() != results.Known(3) || got != (results.PathRTT{}) {
		t.Errorf("without a round trip: %v, %+v", p.retransmitted(), got)
	}
	p.ask(teller{PathInfo{4, 300 * time.Microsecond, 30 * time.Microsecond, 250 * time.Microsecond}, true})
	if v, known := p.wire(results.Known(1e6)).Get(); known {
		t.Errorf("%v on the wire, of flows that don't tell", v)
	}
	var q PathInfos
	q.ask(teller{PathInfo{5, 100 * time.Microsecond, 50 * time.Microsecond, 260 * time.Microsecond}, true})
	p.add(q)
	want := results.PathRTT{SmoothedUs: results.Known(200), VariationUs: results.Known(40), MinUs: results.Known(250)}
	if got := p.roundTrip(); got != want || p.retransmitted() != results.Known(12) {
		t.Errorf("%v again, %+v, want %+v", p.retransmitted(), got, want)
	}
}

// Headers of 28 B to every 64 B are 92 B on the wire.
func TestWire(t *testing.T) {
	var p PathInfos
	p.askHeaders(framer{28, 64, true}, 64)
	p.askHeaders(framer{28, 64, true}, 64)
	p.askHeaders(framer{1, 1, false}, 64)
	if got := p.wire(results.Known(64e6)); got != results.Known(92e6) {
		t.Errorf("%v", got)
	}
	if got := p.wire(results.Value{}); got != (results.Value{}) {
		t.Errorf("%v of nothing", got)
	}
}

type framer struct {
	headers, data uint64
	known         bool
}

func (f framer) Headers(int) (headers, data uint64, known bool) { return f.headers, f.data, f.known }

type teller struct {
	info  PathInfo
	known bool
}

func (t teller) PathInfo() (PathInfo, bool) { return t.info, t.known }

// CPU time of one end by the message, empty where it is not known.
func TestPerMessage(t *testing.T) {
	for _, test := range []struct {
		s        results.Value
		messages float64
		want     results.Value
	}{{results.Known(0.5), 1000, results.Known(500)}, {results.Known(0.5), 0, results.Value{}}, {results.Value{}, 7, results.Value{}}} {
		if got := perMessage(test.s, test.messages); got != test.want {
			t.Errorf("%v among %v: %v, want %v", test.s, test.messages, got, test.want)
		}
	}
}

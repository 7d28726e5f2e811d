package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tcpvsudp/results"
)

// flowOf is a flow whose messages 0, 1, 2... took so many ns each, one sent every 100 ns.
func flowOf(delays ...int64) (flow []delayed) {
	for i, d := range delays {
		flow = append(flow, delayed{uint64(i), int64(i)*100 + d, d})
	}
	return flow
}

// The IPDV of RFC 3393, the PDV of RFC 5481 and the jitter of RFC 3550 of five delays, by hand.
func TestVariationKnownAnswer(t *testing.T) {
	flow := flowOf(20, 10, 20, 25, 20)
	if got, want := ipdv(flow), []int64{-10, 10, 5, -5}; !slices.Equal(got, want) {
		t.Errorf("IPDV %v, want %v", got, want)
	}
	if got, want := pdv(flow), []int64{10, 0, 10, 15, 10}; !slices.Equal(got, want) {
		t.Errorf("PDV %v, want %v", got, want)
	}
	if j, known := jitter(flow); !known || math.Abs(j-1.6698) > 0.00005 {
		t.Errorf("jitter %.5f, want 1.6698", j)
	}
	// A constant that is added to every delay, as by a clock that is ahead, changes nothing.
	for i := range flow {
		flow[i].delay -= 1e15
	}
	if got, want := pdv(flow), []int64{10, 0, 10, 15, 10}; !slices.Equal(got, want) {
		t.Errorf("PDV %v with clocks apart, want %v", got, want)
	}
}

// IPDV is not defined across a loss, and one arrival has no jitter.
func TestVariationAcrossALoss(t *testing.T) {
	flow := flowOf(20, 10, 20, 25, 20)
	flow = slices.Delete(flow, 2, 3)
	if got, want := ipdv(flow), []int64{-10, -5}; !slices.Equal(got, want) {
		t.Errorf("IPDV %v, want %v", got, want)
	}
	if _, known := jitter(flow[:1]); known {
		t.Error("one arrival has a jitter")
	}
	if got := ipdv(nil); got != nil {
		t.Errorf("IPDV of nothing: %v", got)
	}
}

// Flows are pooled: PDV is over each flow's own smallest delay, jitter is the mean; a reordered flow's IPDV is in the order of sending
// and its jitter in that of arrival.
func TestVariationOfFlows(t *testing.T) {
	var v variation
	v.add(flowOf(20_000, 10_000, 20_000, 25_000, 20_000), false)
	reordered := flowOf(1_000_000, 1_000_000, 1_000_016)
	reordered[1], reordered[2] = reordered[2], reordered[1]
	v.add(reordered, false)
	v.add(nil, true) // a flow of which nothing came says nothing
	r := v.record()
	for name, check := range map[string][2]results.Value{
		"count": {r.IPDVCount, results.Known(6)},
		"min":   {r.IPDVMinUs, results.Known(-10)},
		"max":   {r.IPDVMaxUs, results.Known(10)},
		"p50":   {r.IPDVAbsP50Us, results.Value{}}, // six are too few
		"pdv":   {r.PDVP50Us, results.Value{}},
	} {
		if check[0] != check[1] {
			t.Errorf("%s %v, want %v", name, check[0], check[1])
		}
	}
	// 16/16 after the second arrival, then another 16: 1 + (16-1)/16.
	if j, known := r.JitterUs.Get(); !known || math.Abs(j-(1.66977+0.0019375)/2) > 0.0001 {
		t.Errorf("jitter %v", r.JitterUs)
	}
	v.add(flowOf(1, 2), true)
	if _, known := v.record().JitterUs.Get(); known {
		t.Error("a flow of which messages were left out has a jitter")
	}
	if got := new(variation).record(); got != (results.Variation{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

// A percentile by the nearest rank, told only where five values lie beyond it.
func TestPercentileUs(t *testing.T) {
	sorted := make([]int64, 5000)
	for i := range sorted {
		sorted[i] = int64(i+1) * 1000
	}
	for _, test := range []struct {
		n    int
		p    float64
		want results.Value
	}{{9, 50, results.Value{}}, {10, 50, results.Known(5)}, {499, 99, results.Value{}}, {500, 99, results.Known(495)},
		{4999, 99.9, results.Value{}}, {5000, 99.9, results.Known(4995)}, {0, 50, results.Value{}}} {
		if got := percentileUs(sorted[:test.n], test.p); got != test.want {
			t.Errorf("p%v of %d: %v, want %v", test.p, test.n, got, test.want)
		}
	}
}

// However long a trial is, what is kept of it is spread over it in runs of neighbours, from the first on, and nothing is allocated.
func TestDelaysAreThinnedInRuns(t *testing.T) {
	for _, flows := range []int{1, 64, 10_000} {
		d := newDelays(flows)
		const sent = 3_000_000
		rng := rand.New(rand.NewPCG(1, 2))
		seq := uint64(0)
		if n := testing.AllocsPerRun(1, func() {
			for ; seq%(sent/2) < sent/2-1; seq++ {
				if rng.IntN(100) > 0 { // the others are lost
					d.add(delaySample{seq: seq})
				}
			}
			seq++
		}); n != 0 {
			t.Errorf("%d flows: %v allocations", flows, n)
		}
		if !d.thinned() || len(d.samples) > cap(d.samples) || len(d.samples) < cap(d.samples)/4 {
			t.Fatalf("%d flows: %d samples kept, and there is room for %d", flows, len(d.samples), cap(d.samples))
		}
		neighbours, last := 0, uint64(0)
		for i, s := range d.samples {
			if i > 0 && s.seq == last+1 {
				neighbours++
			}
			last = s.seq
		}
		if share := float64(neighbours) / float64(len(d.samples)); share < 0.7 {
			t.Errorf("%d flows: %.0f %% of the samples have their neighbour", flows, share*100)
		}
		if last < sent*3/4 {
			t.Errorf("%d flows: the last sample is number %d of %d", flows, last, sent)
		}
	}
	d := newDelays(1)
	for seq := range uint64(delaySamples) {
		d.add(delaySample{seq: seq})
	}
	if d.thinned() || len(d.samples) != delaySamples {
		t.Errorf("%d samples kept of as many as there is room for", len(d.samples))
	}
}

// A drift that the readings prove is taken out, and one that may be their error is not.
func TestSteadyClocks(t *testing.T) {
	c := clocks{
		before: clockReading{at: 0, offset: 1000, bound: 10, known: true},
		after:  clockReading{at: 1_000_000, offset: 2000, bound: 10, known: true},
	}
	if d := c.steady(501_500, 500_000) - c.steady(1000, 0); d != 500_000 {
		t.Errorf("with a drift of 1000 per million, 500,000 ns are %d", d)
	}
	c.after.bound = 990
	if got := c.steady(501_500, 500_000); got != 501_500 {
		t.Errorf("a drift that is not proven is taken out: %d", got)
	}
	if got := (clocks{}).steady(7, 7); got != 7 {
		t.Errorf("without a reading: %d", got)
	}
}

package bench

import (
	"cmp"
	"math"
	"slices"

	"tcpvsudp/results"
)

// delayed is a message on its way in one direction: its number, when it arrived, and how long it took. arrived and delay may be off
// by a constant, the same for all messages of a flow: what follows needs differences alone.
type delayed struct {
	seq            uint64
	arrived, delay int64 // ns
}

// variation tells how the delays of one direction vary, from those of several flows. Each flow is given in the order of arrival;
// thinned says that messages are left out of it which arrived.
type variation struct {
	ipdv, abs, pdv []int64 // ns, of all flows
	jitters        []float64
	thinned        bool
}

// add takes a flow.
func (v *variation) add(flow []delayed, thinned bool) {
	if len(flow) == 0 {
		return
	}
	v.thinned = v.thinned || thinned
	if j, known := jitter(flow); known {
		v.jitters = append(v.jitters, j)
	}
	inOrder := slices.Clone(flow)
	slices.SortFunc(inOrder, func(a, b delayed) int { return cmp.Compare(a.seq, b.seq) })
	for _, d := range ipdv(inOrder) {
		v.ipdv, v.abs = append(v.ipdv, d), append(v.abs, max(d, -d))
	}
	v.pdv = append(v.pdv, pdv(inOrder)...)
}

// ipdv is the inter-packet delay variation of RFC 3393: D(i) - D(i-1) for messages that were sent one after the other. It is not
// defined across one that was lost, or is not known.
func ipdv(inOrder []delayed) (all []int64) {
	for i := 1; i < len(inOrder); i++ {
		if inOrder[i].seq == inOrder[i-1].seq+1 {
			all = append(all, inOrder[i].delay-inOrder[i-1].delay)
		}
	}
	return all
}

// pdv is the packet delay variation of RFC 5481 section 4.2: D - Dmin, the smallest delay of the flow in the trial.
func pdv(flow []delayed) (all []int64) {
	least := int64(math.MaxInt64)
	for _, m := range flow {
		least = min(least, m.delay)
	}
	for _, m := range flow {
		all = append(all, m.delay-least)
	}
	return all
}

// jitter is the interarrival jitter of RFC 3550 section 6.4.1 after the last message, in ns: J += (|D(i) - D(i-1)| - J) / 16 in the
// order of arrival. One message has none.
func jitter(arrivals []delayed) (j float64, known bool) {
	for i := 1; i < len(arrivals); i++ {
		d := arrivals[i].delay - arrivals[i-1].delay
		j += (float64(max(d, -d)) - j) / 16
	}
	return j, len(arrivals) > 1
}

// record is what v has found, as columns.
func (v *variation) record() results.Variation {
	var r results.Variation
	if len(v.pdv) == 0 {
		return r
	}
	for _, list := range [][]int64{v.ipdv, v.abs, v.pdv} {
		slices.Sort(list)
	}
	n := len(v.ipdv)
	r.IPDVCount = results.Known(float64(n))
	if n > 0 {
		r.IPDVMinUs, r.IPDVMaxUs = results.Known(float64(v.ipdv[0])/1000), results.Known(float64(v.ipdv[n-1])/1000)
	}
	r.IPDVAbsP50Us, r.IPDVAbsP99Us = percentileUs(v.abs, 50), percentileUs(v.abs, 99)
	r.PDVP50Us, r.PDVP99Us, r.PDVP999Us = percentileUs(v.pdv, 50), percentileUs(v.pdv, 99), percentileUs(v.pdv, 99.9)
	if !v.thinned && len(v.jitters) > 0 {
		sum := 0.0
		for _, j := range v.jitters {
			sum += j
		}
		r.JitterUs = results.Known(sum / float64(len(v.jitters)) / 1000)
	}
	return r
}

// percentileUs is the p-th percentile of sorted times in ns by the nearest rank, in µs; not known where too few lie beyond it.
func percentileUs(sorted []int64, p float64) results.Value {
	if !results.EnoughBeyond(len(sorted), p) {
		return results.Value{}
	}
	rank := int(math.Ceil(float64(len(sorted))*p/100 - 1e-9))
	return results.Known(float64(sorted[max(rank, 1)-1]) / 1000)
}

// variations are those of the way up to the server and of the way back. Both rest on the messages whose reply has come. In an open
// loop the way up begins with the intended send.
func (t *trial) variations() (up, down results.Variation) {
	var there, back variation
	for _, w := range t.workers {
		if w.delays == nil {
			continue
		}
		n := len(w.delays.samples)
		ups, downs := make([]delayed, 0, n), make([]delayed, 0, n)
		for _, s := range w.delays.samples {
			stamp := t.clocks.steady(s.stamp, s.at)
			ups = append(ups, delayed{s.seq, stamp, stamp - s.sent})
			downs = append(downs, delayed{s.seq, s.at, s.at - stamp})
		}
		// The samples are in the order in which the replies came; the requests of one block came together.
		slices.SortStableFunc(ups, func(a, b delayed) int { return cmp.Compare(a.arrived, b.arrived) })
		there.add(ups, w.delays.thinned())
		back.add(downs, w.delays.thinned())
	}
	return there.record(), back.record()
}

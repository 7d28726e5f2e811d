package bench

import (
	"math/rand/v2"
	"slices"
	"testing"

	"tcpvsudp/results"
)

const ms = int64(1e6)

// count feeds the arrivals, numbered from 1 as the RFCs do and 10 ms apart, to a Counter and returns
// what it says of each, and of all when sent messages were sent.
func count(window int, arrivals []uint64, sent uint64) ([]Arrival, Counts) {
	c := NewCounter(window)
	var all []Arrival
	for i, s := range arrivals {
		all = append(all, c.Add(s-1, int64(i)*10*ms))
	}
	return all, c.Finish(sent)
}

// The worked examples of RFC 4737 section 7 and RFC 5560, and those made after them.
func TestReorderingKnownAnswers(t *testing.T) {
	type late struct {
		seq, extent, n uint64
		lateMs         int64
	}
	for _, test := range []struct {
		name     string
		arrivals []uint64
		late     []late
		n        [3]uint64
		gapSum   uint64
		runs     uint64
		runSum   uint64
	}{
		{"one packet four late", []uint64{1, 2, 3, 5, 6, 7, 8, 4, 9, 10},
			[]late{{4, 4, 4, 40}}, [3]uint64{1, 1, 1}, 0, 1, 7},
		{"one packet early", []uint64{1, 2, 3, 4, 7, 5, 6, 8, 9, 10},
			[]late{{5, 1, 1, 10}, {6, 2, 0, 20}}, [3]uint64{1, 0, 0}, 0, 2, 5},
		{"three late together", []uint64{1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11},
			[]late{{4, 4, 4, 40}, {5, 5, 0, 50}, {6, 6, 0, 60}}, [3]uint64{1, 1, 1}, 0, 3, 7},
		{"two discontinuities", []uint64{1, 2, 3, 6, 7, 4, 5, 8, 9, 10, 12, 13, 11, 14, 15, 16},
			[]late{{4, 2, 2, 20}, {5, 3, 0, 30}, {11, 2, 2, 20}}, [3]uint64{2, 2, 0}, 7, 3, 10},
		{"three late at the end", []uint64{1, 2, 3, 7, 8, 9, 4, 5, 6},
			[]late{{4, 3, 3, 30}, {5, 4, 0, 40}, {6, 5, 0, 50}}, [3]uint64{1, 1, 1}, 0, 3, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			sent := uint64(len(test.arrivals))
			all, got := count(DefaultWindow, test.arrivals, sent)
			var found []late
			var extentSum, extentMax uint64
			var lateSum, lateMax int64
			for i, a := range all {
				if a.Fate == Reordered {
					found = append(found, late{test.arrivals[i], a.Extent, a.N, a.Late / ms})
					extentSum, extentMax = extentSum+a.Extent, max(extentMax, a.Extent)
					lateSum, lateMax = lateSum+a.Late, max(lateMax, a.Late)
				} else if a != (Arrival{}) {
					t.Errorf("arrival %d (%d): %+v", i+1, test.arrivals[i], a)
				}
			}
			if !slices.Equal(found, test.late) {
				t.Errorf("reordered %v, want %v", found, test.late)
			}
			want := Counts{
				Sent: sent, Received: sent, Unique: sent,
				Reordered: uint64(len(test.late)), NReordered: test.n,
				ExtentSum: extentSum, ExtentMax: extentMax, LateSumNs: lateSum, LateMaxNs: lateMax,
				FreeRuns: test.runs, FreeRunMessages: test.runSum,
				DiscontinuityGaps: test.gapSum,
			}
			if test.gapSum > 0 {
				want.Discontinuities = 1
			}
			if got != want {
				t.Errorf("counts\n%+v, want\n%+v", got, want)
			}
		})
	}
}

// RFC 4737 section 4.5 by way of the fourth example: the runs are 5, 0 and 5 messages long.
func TestReorderingFreeRuns(t *testing.T) {
	c := NewCounter(DefaultWindow)
	var runs []uint64
	for _, s := range []uint64{1, 2, 3, 6, 7, 4, 5, 8, 9, 10, 12, 13, 11, 14, 15, 16} {
		before := c.counts.FreeRunMessages
		if c.Add(s-1, 0).Fate == Reordered {
			runs = append(runs, c.counts.FreeRunMessages-before)
		}
	}
	if want := []uint64{5, 0, 5}; !slices.Equal(runs, want) {
		t.Errorf("runs %v, want %v", runs, want)
	}
}

func TestDuplicationKnownAnswer(t *testing.T) {
	all, got := count(DefaultWindow, []uint64{1, 1, 1, 2, 3, 3, 3, 4}, 4)
	fates := make([]Fate, len(all))
	for i, a := range all {
		fates[i] = a.Fate
	}
	if want := []Fate{InOrder, Duplicate, Duplicate, InOrder, InOrder, Duplicate, Duplicate, InOrder}; !slices.Equal(fates, want) {
		t.Errorf("fates %v, want %v", fates, want)
	}
	if want := (Counts{Sent: 4, Received: 8, Unique: 4, Replicated: 2}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if got.Lost() != 0 || got.Duplicated() != 4 {
		t.Errorf("lost %d, duplicated %d; want 0, 4", got.Lost(), got.Duplicated())
	}
}

// RFC 3357: the losses 2 5 7 9 10 of ten.
func TestLossPeriodsKnownAnswer(t *testing.T) {
	var l LossPeriods
	var distances, between, lengths []uint64
	for _, seq := range []uint64{2, 5, 7, 9, 10} {
		d, begins := l.add(seq, seq+1)
		distances = append(distances, d)
		if begins {
			between = append(between, d)
			lengths = append(lengths, 0)
		}
		lengths[len(lengths)-1]++
	}
	for name, check := range map[string][2][]uint64{
		"distances":              {distances, {0, 3, 2, 2, 1}},
		"lengths":                {lengths, {1, 1, 1, 2}},
		"inter-period distances": {between, {0, 3, 2, 2}},
	} {
		if !slices.Equal(check[0], check[1]) {
			t.Errorf("%s %v, want %v", name, check[0], check[1])
		}
	}
	_, got := count(DefaultWindow, []uint64{1, 3, 4, 6, 8}, 10)
	if got.Lost() != 5 || got.LossPeriods.LossPeriods != 4 || got.LongestLossPeriod != 2 || got.InterLossSum != 7 || got.InterLosses != 3 {
		t.Errorf("counts %+v: want 5 lost in 4 periods, the longest of 2, 7 apart in sum", got)
	}
}

// The columns that the worked examples give: RFC 4737 sections 4.1, 4.2, 4.4 and 4.5, RFC 3357 section 4, RFC 5560.
func TestColumnsOfTheKnownAnswers(t *testing.T) {
	_, three := count(DefaultWindow, []uint64{1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11}, 11)
	_, two := count(DefaultWindow, []uint64{1, 2, 3, 6, 7, 4, 5, 8, 9, 10, 12, 13, 11, 14, 15, 16}, 16)
	_, copies := count(DefaultWindow, []uint64{1, 1, 1, 2, 3, 3, 3, 4}, 4)
	_, losses := count(DefaultWindow, []uint64{1, 3, 4, 6, 8}, 10)
	_, one := count(DefaultWindow, []uint64{1, 2, 4}, 4)
	several := losses
	several.Add(losses) // of another flow: nothing is counted from one flow's last loss to the other's first
	several.Add(one)
	lossOf := func(c Counts) results.Loss {
		t := &trial{spec: Spec{Mode: Sink}}
		return t.loss(Account{Counts: c}, Account{})
	}
	for name, check := range map[string][2]results.Value{
		"ratio":                             {order(three).ReorderedRatio, results.Ratio(3, 11)},
		"mean extent":                       {order(three).ExtentMean, results.Known(5)},
		"largest extent":                    {order(three).ExtentMax, results.Known(6)},
		"n=3":                               {order(three).N3Ratio, results.Ratio(1, 11)},
		"gap":                               {order(two).GapMean, results.Known(7)},
		"no gap":                            {order(three).GapMean, results.Value{}},
		"run":                               {order(two).FreeRunMean, results.Ratio(10, 3)},
		"no run":                            {order(copies).FreeRunMean, results.Value{}},
		"duplication":                       {lossOf(copies).DuplicationRatio, results.Known(1)},
		"replicated":                        {lossOf(copies).ReplicatedRatio, results.Known(0.5)},
		"loss period":                       {lossOf(losses).LossPeriodMean, results.Ratio(5, 4)},
		"loss distance":                     {lossOf(losses).LossDistanceMean, results.Ratio(7, 3)},
		"loss period of several flows":      {lossOf(several).LossPeriodMean, results.Ratio(11, 9)},
		"loss distance of several flows":    {lossOf(several).LossDistanceMean, results.Ratio(14, 6)},
		"loss period where nothing is lost": {lossOf(copies).LossPeriodMean, results.Value{}},
		"loss distance of one period":       {lossOf(one).LossDistanceMean, results.Value{}},
	} {
		if check[0] != check[1] {
			t.Errorf("%s: %v, want %v", name, check[0], check[1])
		}
	}
}

func TestDropsAndDuplicatesDoNotCancel(t *testing.T) {
	var arrivals []uint64
	for s := uint64(1); s <= 1500; s++ {
		if s%20 == 0 {
			continue // 75 dropped
		}
		arrivals = append(arrivals, s)
		if s%10 == 1 {
			arrivals = append(arrivals, s) // 150 sent twice
		}
	}
	_, got := count(DefaultWindow, arrivals, 1500)
	if got.Lost() != 75 || got.Duplicated() != 150 || got.Reordered != 0 || got.Replicated != 150 {
		t.Errorf("lost %d duplicated %d reordered %d; want 75, 150, 0", got.Lost(), got.Duplicated(), got.Reordered)
	}
}

// naive counts by the definitions, word for word, with all of the past in memory.
func naive(arrivals []uint64, sent uint64) Counts {
	c := Counts{Sent: sent}
	var unique []uint64
	copies := map[uint64]int{}
	var next, inRun, lastJ uint64
	for _, s := range arrivals {
		c.Received++
		copies[s]++
		if copies[s] > 1 {
			if copies[s] == 2 {
				c.Replicated++
			}
			continue
		}
		unique = append(unique, s)
		i := len(unique) - 1
		if s >= next {
			next = s + 1
			inRun++
			continue
		}
		c.Reordered++
		c.FreeRuns, c.FreeRunMessages, inRun = c.FreeRuns+1, c.FreeRunMessages+inRun, 0
		j := slices.IndexFunc(unique, func(u uint64) bool { return u > s })
		extent := uint64(i - j)
		c.ExtentSum, c.ExtentMax = c.ExtentSum+extent, max(c.ExtentMax, extent)
		if position := uint64(j) + 1; lastJ != position {
			if lastJ != 0 && position > lastJ {
				c.Discontinuities, c.DiscontinuityGaps = c.Discontinuities+1, c.DiscontinuityGaps+position-lastJ
			}
			lastJ = position
		}
		n := 0
		for n < i && unique[i-1-n] > s {
			n++
		}
		for k := range c.NReordered {
			if n > k {
				c.NReordered[k]++
			}
		}
	}
	c.Unique = uint64(len(unique))
	for s := range sent {
		if copies[s] == 0 {
			c.LossPeriods.add(s, s+1)
		}
	}
	return c
}

// TestCounterAgainstTheDefinitions holds the sliding, run-length Counter against naive on random traffic
// whose reordering stays within the smallest window, over many window lengths.
func TestCounterAgainstTheDefinitions(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		sent := rng.Uint64N(4000)
		loss, dup, swap := rng.Float64()*0.3, rng.Float64()*0.3, rng.Float64()*0.3
		if seed%5 == 0 {
			loss, dup, swap = loss/50, dup/50, swap/50 // long runs
		}
		var arrivals []uint64
		for s := range sent {
			if rng.Float64() < loss {
				continue
			}
			arrivals = append(arrivals, s)
			if rng.Float64() < dup {
				arrivals = append(arrivals, s)
			}
		}
		for i := range arrivals {
			if j := i + rng.IntN(30); j < len(arrivals) && rng.Float64() < swap {
				arrivals[i], arrivals[j] = arrivals[j], arrivals[i]
			}
		}
		want := naive(arrivals, sent)
		c := NewCounter(1) // rounded up to 512
		for _, s := range arrivals {
			c.Add(s, 0)
		}
		if unique := c.Unique(); unique != want.Unique {
			t.Fatalf("seed %d: Unique() = %d, want %d", seed, unique, want.Unique)
		}
		got := c.Finish(sent)
		got.any, got.last, got.current = false, 0, 0
		want.any, want.last, want.current = false, 0, 0
		if got != want {
			t.Fatalf("seed %d:\n got %+v\nwant %+v", seed, got, want)
		}
	}
}

// A window of 512 can't judge what comes more than 512 numbers late, and says so.
func TestBeyondTheWindow(t *testing.T) {
	c := NewCounter(512)
	c.Add(1, 0)
	for s := uint64(2); s < 10_000; s++ {
		c.Add(s, 0)
	}
	c.Add(20_000, 0)
	if got := c.Add(0, 0); got.Fate != BeyondWindow {
		t.Errorf("fate of a straggler is %v, want BeyondWindow", got.Fate)
	}
	got := c.Finish(20_001)
	if got.BeyondWindow != 1 || got.Unique != 10_000 || got.Received != 10_001 || got.Duplicated() != 0 {
		t.Errorf("%+v", got)
	}
	if got.Lost() != 10_001 || got.LossPeriods.LossPeriods != 2 || got.LongestLossPeriod != 10_000 {
		t.Errorf("%d lost in %d periods, longest %d", got.Lost(), got.LossPeriods.LossPeriods, got.LongestLossPeriod)
	}
}

// A number from nowhere must not make the counter walk there.
func TestHugeJumpIsCheap(t *testing.T) {
	c := NewCounter(512)
	c.Add(0, 0)
	c.Add(1<<62, 0)
	c.Add(1<<62+1, 0)
	got := c.Finish(1<<62 + 2)
	if got.Unique != 3 || got.LongestLossPeriod != 1<<62-1 {
		t.Errorf("%+v", got)
	}
}

func TestCountsAdd(t *testing.T) {
	_, a := count(DefaultWindow, []uint64{1, 2, 3, 5, 6, 7, 8, 4, 9, 10}, 12)
	_, b := count(DefaultWindow, []uint64{1, 1, 3, 2, 2, 6}, 6)
	sum := a
	sum.Add(b)
	if sum.Sent != 18 || sum.Received != 16 || sum.Unique != 14 || sum.Lost() != 4 || sum.Duplicated() != 2 ||
		sum.Replicated != 2 || sum.Reordered != 2 || sum.ExtentMax != 4 || sum.ExtentSum != 5 ||
		sum.NReordered != [3]uint64{2, 1, 1} || sum.LossPeriods.LossPeriods != 2 || sum.LongestLossPeriod != 2 {
		t.Errorf("%+v", sum)
	}
}

func TestCounterDoesNotAllocateAfterTheFirstBreak(t *testing.T) {
	c := NewCounter(DefaultWindow)
	c.Add(5, 0)
	seq := uint64(6)
	if n := testing.AllocsPerRun(1000, func() {
		c.Add(seq+2, 0)
		c.Add(seq, 0)
		c.Add(seq, 0)
		seq += 4
	}); n != 0 {
		t.Errorf("%v allocations per four messages", n)
	}
}

func BenchmarkCounter(b *testing.B) {
	for name, step := range map[string]uint64{"in order": 1, "every second lost": 2} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			c := NewCounter(DefaultWindow)
			c.Add(1, 0)
			seq := uint64(2)
			for b.Loop() {
				c.Add(seq, 0)
				seq += step
			}
		})
	}
}

package bench

import (
	"slices"

	"tcpvsudp/results"
)

// deadlines judges the messages of an echo on their way up to the server, where the clocks are known: what was lost and what
// came too late miss the deadline alike. In an open loop a message's time begins when it was meant to leave, and one that never left has
// missed too.
func (t *trial) deadlines() (d results.Deadlines) {
	if !t.timesOneWay() || !t.clocks.known() {
		return d
	}
	var delays, arrivals []int64
	sampled := false
	for _, w := range t.workers {
		sampled = sampled || w.delays.thinned()
		for _, s := range w.delays.samples {
			stamp := t.clocks.ours(s.stamp, s.at)
			delays, arrivals = append(delays, max(stamp-s.sent, 0)), append(arrivals, stamp)
		}
	}
	limit := int64(t.plan.Deadline)
	d.DeadlineMs = results.Known(milliseconds(t.plan.Deadline))
	late := 0
	for _, delay := range delays {
		if delay > limit {
			late++
		}
	}
	// A reply that was lost leaves no stamp: its request was in time as often as the others were.
	var sent uint64
	for _, w := range t.workers {
		sent += w.sent
	}
	missing := float64(t.unsent + min(t.server.Lost(), sent))
	judged := float64(t.unsent + sent)
	arrived := judged - missing
	if n := float64(len(delays)); n > 0 {
		lateAll := float64(late)
		if arrived != n {
			lateAll = arrived * float64(late) / n
		}
		d.Missed = results.Known(missing + lateAll)
	} else if arrived == 0 {
		d.Missed = results.Known(missing)
	}
	d.Judged = results.Known(judged)
	if missed, known := d.Missed.Get(); known {
		d.MissRatio = results.Ratio(missed, judged)
	}
	if len(delays) == 0 {
		return d
	}
	d.HeldUp, d.HeldUpRatio = t.heldUp(delays)
	if !sampled {
		slices.Sort(arrivals)
		longest := int64(0)
		for i := 1; i < len(arrivals); i++ {
			longest = max(longest, arrivals[i]-arrivals[i-1])
		}
		d.LongestStallMs = results.Known(float64(longest) / 1e6)
	}
	return d
}

// heldUp counts the messages that took more than a round trip longer than the median: the median round trip, which is what it takes
// to learn of a loss and to mend it. What a path's own jitter adds is less.
func (t *trial) heldUp(delays []int64) (count, share results.Value) {
	var trips []int64
	for _, w := range t.workers {
		for _, s := range w.delays.samples {
			trips = append(trips, s.at-s.sent)
		}
	}
	slices.Sort(delays)
	slices.Sort(trips)
	over, _ := slices.BinarySearch(delays, delays[len(delays)/2]+trips[len(trips)/2]+1)
	n := float64(len(delays) - over)
	return results.Known(n), results.Ratio(n, float64(len(delays)))
}

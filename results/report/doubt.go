package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tcpvsudp/results"
)

// Footnotes about how far figures can be trusted: how verdicts came to be, the noise floor, drift, and what else went on at the host.

// judgementNotes say how ratios and verdicts came to be.
func judgementNotes(list []results.Judgement, ratio, from, test string, wide bool) []string {
	notes := []string{fmt.Sprintf("%s is estimated from the %s (Hodges and Lehmann), with its interval of 95 %% confidence; for shares, maxima and rows with ¹ it is the ratio of the two figures.", ratio, from)}
	tested, short := false, false
	for _, j := range list {
		_, p := j.P.Get()
		tested = tested || p
		short = short || strings.HasPrefix(j.Verdict, noneShown)
	}
	if tested {
		notes = append(notes, fmt.Sprintf("A difference is named where p < %v by %s, adjusted by Holm for the rows of its table, and where it is %v %% or more, and no less than the noise floor.", alpha, test, 100*leastDifference))
	}
	if short && !wide {
		notes = append(notes, "not shown (n): no difference is shown; to show one like that seen, or one that counts, would take about n trials.")
	}
	return notes
}

// incomplete says which trials are gone, and which rows are not of all.
func incomplete(s *results.Set) (notes []string) {
	if why := damaged(s); why != "" {
		notes = append(notes, capital(why)+".")
	}
	for _, cell := range cells(s) {
		for _, proto := range protos(s) {
			trials := side(s, cell, proto).trials
			for _, m := range metrics {
				if m.value == nil || m.percentile != 0 || m.optional || !slices.Contains(m.workloads, cell.Workload) {
					continue
				}
				if missing := len(trials) - len(m.figures(half{trials: trials})); missing > 0 && missing < len(trials) {
					notes = append(notes, fmt.Sprintf("%s's %s in %s leaves out %d of %s, which have none.", strings.ToUpper(proto), m.name, cellNames(s.Trials)(cell), missing, Count(len(trials), "trial")))
				}
			}
		}
	}
	return notes
}

// floorNotes say which noise floor counted.
func floorNotes(s *results.Set) []string {
	n := s.Run.NoiseFloor
	switch {
	case n == nil && s.Run.FloorUnfit != "":
		return []string{s.Run.FloorUnfit}
	case n == nil:
		return []string{"No noise floor is known of this host: \"bench calibrate\" finds it."}
	}
	text := fmt.Sprintf("Noise floor of this host from %s, made on %s with %s of %v ms (wait: %s): ", n.File, n.Made.Format("2 Jan 2006"), Count(n.Pairs, "pair"), n.DurationMs, n.Wait)
	var parts []string
	for _, cell := range cells(s) {
		for _, metric := range headline {
			if !slices.Contains(metricOf(cell.Workload, metric).workloads, cell.Workload) {
				continue
			}
			name := cell.Workload
			if cell.Link != "" {
				name += " over " + readable(cell.Link)
			}
			floor := "none"
			if ratio := n.For(cell, metric); ratio > 0 {
				floor = short2(100*ratio) + " %"
			}
			parts = add(parts, fmt.Sprintf("%s %s %s", name, metric, floor))
		}
	}
	notes := []string{text + strings.Join(parts, ", ") + "."}
	if len(s.Trials) > 0 && s.Trials[0].DurationMs != n.DurationMs {
		notes = append(notes, fmt.Sprintf("Its trials took %v ms, and these %v ms: shorter ones differ more.", n.DurationMs, s.Trials[0].DurationMs))
	}
	return notes
}

// headline are the metrics that a workload is first known by.
var headline = []string{"rtt_p50_us", "goodput_bps", "connect_p50_us"}

// tooMany says where a table tests so many rows that none can be shown with as many pairs as there are.
func tooMany(rows []results.Summary) (notes []string) {
	tested, pairs := map[string]int{}, map[string]int{}
	var order []string
	for _, row := range rows {
		if table := tableFor(row.Workload); row.Family > 0 {
			order = add(order, table)
			tested[table], pairs[table] = row.Family, max(pairs[table], row.Pairs)
		}
	}
	for _, table := range order {
		least := 1
		for float64(tested[table])*math.Pow(2, 1-float64(least)) >= alpha {
			least++
		}
		if pairs[table] >= enoughTrials && pairs[table] < least {
			notes = append(notes, fmt.Sprintf("%s: %d rows are tested at once with %s, of which none can be shown: use --trials %d or more, or ask less at once.", table, tested[table], Count(pairs[table], "pair"), least))
		}
	}
	return notes
}

// drifted is the probability below which a trend is no chance, of the few that are looked at.
const drifted = 0.01

// driftNotes say what rose or fell from the first trial to the last. Pairs bear it, being next to each other; medians do not.
func driftNotes(rows []results.Summary) (notes []string) {
	for _, row := range rows {
		if !slices.Contains(headline, row.Metric) {
			continue
		}
		for _, side := range []struct {
			name string
			results.Side
		}{{"TCP", row.TCP}, {"UDP", row.UDP}} {
			if change, p, shown := drift(side.Side); shown && p < drifted {
				notes = append(notes, driftNote(side.name, row.Cell, row.Metric, change))
			}
		}
	}
	return notes
}

// drift is by how much a half's trials rose, and how likely that is by chance; shown is false where it is little, or not known.
func drift(side results.Side) (change, p float64, shown bool) {
	change, known := side.Drift.Get()
	p, _ = side.DriftP.Get()
	return change, p, known && math.Abs(change) >= 2*leastDifference
}

// driftNote says how the line through a half's trials ends, by how much it rises as a share of their median.
func driftNote(who string, cell results.Cell, metric string, change float64) string {
	text := "to nearly nothing"
	if first, last := 1-change/2, 1+change/2; first > 0 && last > 0 {
		text = fmt.Sprintf("by %+.0f %%", 100*(last/first-1))
	} else if first <= 0 {
		text = "from nearly nothing"
	}
	return fmt.Sprintf("Drift: %s's %s of %s (%s) changed %s from the first trial to the last (drift_ratio): its median tells of no steady state.",
		who, metric, cell.Workload, cellLabel(cell, false), text)
}

// From what shares on a host is said to have been busy with other things, and from what traffic on its interface.
const (
	muchSteal   = 0.01
	muchOther   = 0.1
	muchTraffic = 1e6
)

// busyHost says what else went on at the client's host.
func busyHost(s *results.Set) (notes []string) {
	for _, noise := range []struct {
		of    func(results.Noise) results.Value
		limit float64
		text  string
	}{
		{func(n results.Noise) results.Value { return n.StealRatio }, muchSteal,
			"Steal: in %s the hypervisor gave more than %s of the processors' time to others, in the worst %s (steal_ratio)."},
		{func(n results.Noise) results.Value { return n.OtherCPURatio }, muchOther,
			"Busy host: in %s other processes used more than %s of the processors' time, in the worst %s (other_cpu_ratio)."},
		{func(n results.Noise) results.Value { return n.OtherTrafficBps }, muchTraffic,
			"Other traffic: in %s the interface carried more than %s beside the trial's own, in the worst %s (other_traffic_bps)."},
	} {
		count, worst := 0, 0.0
		for _, t := range s.Trials {
			if v, known := noise.of(t.Noise).Get(); known && v > noise.limit {
				count, worst = count+1, max(worst, v)
			}
		}
		show := func(v float64) string {
			if noise.limit == muchTraffic {
				scale := scaleFor(bitsPerSecond, results.Known(v))
				return short(v*scale.factor) + " " + scale.symbol
			}
			return short(100*v) + " %"
		}
		if count > 0 {
			notes = append(notes, fmt.Sprintf(noise.text, Count(count, "trial"), show(noise.limit), show(worst)))
		}
	}
	if len(s.Trials) > 0 { // later ones have the run's own load
		if load, known := s.Trials[0].LoadAverage.Get(); known && s.Run.Client.Cores > 0 && load > float64(s.Run.Client.Cores)/2 {
			notes = append(notes, fmt.Sprintf("Busy host: the load average was %s on %s when the run began (load_average_1min).", short(load), Count(s.Run.Client.Cores, "core")))
		}
	}
	return notes
}

package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"tcpvsudp/results"
	"tcpvsudp/results/stats"
)

// Words of results.Summary.Over.
const (
	overTrials   = "median"
	overMessages = "merged"
)

// Summarize makes the rows of summary.csv from a run's records: for every cell and metric both transports'
// figures and their ratio.
func Summarize(s *results.Set) []results.Summary {
	var rows []results.Summary
	for _, cell := range cells(s) {
		tcp, udp := side(s, cell, "tcp"), side(s, cell, "udp")
		for _, m := range metrics {
			if !slices.Contains(m.workloads, cell.Workload) || m.linked && cell.Link == "" {
				continue
			}
			row := m.summarize(cell, tcp, udp)
			_, hasTCP := row.TCP.Value.Get()
			_, hasUDP := row.UDP.Value.Get()
			if !m.optional || hasTCP || hasUDP {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// directions is in the order of the tables.
var directions = []string{"echo", "up", "down", "both"}

// cells returns the cells of the run's trials in the order of the tables.
func cells(s *results.Set) []results.Cell {
	var list []results.Cell
	var links []string // in the order of the plan, as far as the trials tell
	for _, t := range s.Trials {
		links = add(links, t.Link)
	}
	order := linkOrder(links)
	for _, t := range s.Trials {
		if !slices.Contains(list, t.Cell) {
			list = append(list, t.Cell)
		}
	}
	slices.SortFunc(list, func(a, b results.Cell) int {
		rateA, _ := a.RateAsked.Get()
		rateB, _ := b.RateAsked.Get()
		goalA, _ := a.LossGoal.Get()
		goalB, _ := b.LossGoal.Get()
		return cmp.Or(
			cmp.Compare(place(a.Workload), place(b.Workload)),
			cmp.Compare(a.SizeBytes, b.SizeBytes),
			cmp.Compare(a.Flows, b.Flows),
			cmp.Compare(slices.Index(directions, a.Direction), slices.Index(directions, b.Direction)),
			cmp.Compare(rateA, rateB),
			cmp.Compare(batchSize(a), batchSize(b)),
			cmp.Compare(a.CongestionAsked, b.CongestionAsked),
			cmp.Compare(order[a.Link], order[b.Link]),
			cmp.Compare(goalA, goalB),
		)
	})
	return list
}

// batchSize sorts batches: as many as serve best come last.
func batchSize(c results.Cell) int {
	n, err := strconv.Atoi(c.Batch)
	if err != nil {
		return math.MaxInt
	}
	return n
}

// half is what one transport did in one cell.
type half struct {
	trials []results.Trial
	// merged holds all trials' values by metric.
	merged map[string]*results.Histogram
}

func side(s *results.Set, cell results.Cell, proto string) half {
	h := half{merged: map[string]*results.Histogram{}}
	for _, t := range s.Trials {
		if t.Cell == cell && t.Proto == proto {
			h.trials = append(h.trials, t)
		}
	}
	for _, b := range s.Buckets {
		if b.Cell == cell && b.Proto == proto {
			if h.merged[b.Metric] == nil {
				h.merged[b.Metric] = results.NewHistogram()
			}
			h.merged[b.Metric].AddBucket(b)
		}
	}
	return h
}

func (m metric) summarize(cell results.Cell, tcp, udp half) results.Summary {
	row := results.Summary{
		Schema: results.Schema, Cell: cell,
		Metric: m.name, Unit: string(m.unit), Better: m.better,
		Over: overMessages,
	}
	figure := m.merged
	if m.value != nil && (m.percentile == 0 || m.measured(tcp) && m.measured(udp)) {
		row.Over = overTrials
		figure = m.median
	}
	row.TCP, row.UDP = figure(tcp), figure(udp)
	if row.Over == overTrials {
		row.Ratio, row.Pairs = m.pairedRatio(tcp, udp)
		return row
	}
	a, aKnown := row.UDP.Value.Get()
	b, bKnown := row.TCP.Value.Get()
	if aKnown && bKnown {
		row.Ratio = results.Ratio(a, b)
	}
	return row
}

// measured tells whether every trial has a value, so that its median can stand; a transport with no trial
// does not keep the other one from it.
func (m metric) measured(h half) bool {
	return !slices.ContainsFunc(h.trials, func(t results.Trial) bool {
		_, known := m.value(t).Get()
		return !known
	})
}

// median is the figure of a metric whose replicate is the trial.
func (m metric) median(h half) results.Side {
	var sample []float64
	for _, t := range h.trials {
		if v, known := m.value(t).Get(); known {
			sample = append(sample, v)
		}
	}
	d, ok := stats.Describe(sample)
	if !ok {
		return results.Side{Trials: len(h.trials)}
	}
	return results.Side{
		Value: results.Known(d.Median), Min: results.Known(d.Min), Max: results.Known(d.Max), Trials: d.N,
	}
}

// merged is the figure of a metric that takes all trials' messages together.
func (m metric) merged(h half) results.Side {
	side := results.Side{Trials: len(h.trials)}
	switch {
	case m.share != nil:
		var part, whole uint64
		for _, t := range h.trials {
			p, w := m.share(t)
			part, whole = part+p, whole+w
		}
		side.Value, side.Of = results.Ratio(float64(part), float64(whole)), results.Known(float64(whole))
	case m.largest != nil:
		for _, t := range h.trials {
			v, known := m.largest(t).Get()
			if old, some := side.Value.Get(); known && (!some || v > old) {
				side.Value = results.Known(v)
			}
		}
	default:
		if all := h.merged[m.histogram]; all != nil {
			side.Value, side.Of = all.PercentileUs(m.percentile), results.Known(float64(all.Count()))
		}
	}
	return side
}

// pairedRatio is the median over pairs of UDP's value over TCP's.
func (m metric) pairedRatio(tcp, udp half) (results.Value, int) {
	byPair := map[int]float64{}
	for _, t := range tcp.trials {
		if v, known := m.value(t).Get(); known {
			byPair[t.Pair] = v
		}
	}
	var a, b []float64
	for _, t := range udp.trials {
		v, known := m.value(t).Get()
		if other, paired := byPair[t.Pair]; known && paired {
			a, b = append(a, v), append(b, other)
		}
	}
	ratio, n := stats.MedianRatio(a, b)
	if n == 0 {
		return results.Value{}, 0
	}
	return results.Known(ratio), n
}

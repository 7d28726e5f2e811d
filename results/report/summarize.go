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
// figures, their ratio, and what is known of their difference.
func Summarize(s *results.Set) []results.Summary {
	var rows []results.Summary
	var contests []*contest
	floors := s.Run.NoiseFloor.For
	for _, cell := range cells(s) {
		tcp, udp := side(s, cell, "tcp"), side(s, cell, "udp")
		for _, m := range metrics {
			row := results.Summary{Schema: results.Schema, Cell: cell}
			c := m.contest(cell, tcp, udp, &row.Figure, &row.TCP, &row.UDP)
			if c == nil {
				continue
			}
			c.names, c.paired, c.floor = transports, true, floors(cell, m.name)
			if !s.Run.SameTwice { // whose pairs are not of both
				c.base, c.other = m.pairs(tcp, udp)
			}
			rows, contests = append(rows, row), append(contests, c)
		}
	}
	for i, c := range contests {
		c.judgement = &rows[i].Judgement
		c.start()
	}
	judge(contests)
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

// contest is the question that m asks of two halves of a cell, whose figures it puts into the row; nil where the row is left out.
func (m metric) contest(cell results.Cell, base, other half, figure *results.Figure, a, b *results.Side) *contest {
	if !slices.Contains(m.workloads, cell.Workload) || m.linked && cell.Link == "" {
		return nil
	}
	*figure = results.Figure{Metric: m.name, Unit: string(m.unit), Better: m.better, Over: overMessages}
	of := m.merged
	if m.value != nil && (m.percentile == 0 || m.measured(base) && m.measured(other)) {
		figure.Over = overTrials
		of = m.median
	}
	*a, *b = of(base), of(other)
	_, hasA := a.Value.Get()
	_, hasB := b.Value.Get()
	if m.optional && !hasA && !hasB {
		return nil
	}
	return &contest{metric: m, cell: cell, table: tableFor(cell.Workload), values: [2]results.Value{a.Value, b.Value}, rates: figure.Over == overTrials}
}

// start sets the ratio of the two figures where no other is estimated, and leaves out what can't be tested.
func (c *contest) start() {
	if c.rates {
		return
	}
	a, aKnown := c.values[0].Get()
	b, bKnown := c.values[1].Get()
	if aKnown && bKnown {
		c.judgement.Ratio = results.Ratio(b, a)
	}
	if c.metric.share == nil {
		c.base, c.other = nil, nil // merged percentiles and extremes are no trial's
	}
}

// measured tells whether every trial has a value, so that its median can stand; a transport with no trial
// does not keep the other one from it.
func (m metric) measured(h half) bool {
	return !slices.ContainsFunc(h.trials, func(t results.Trial) bool {
		_, known := m.value(t).Get()
		return !known
	})
}

// figure is a trial's own.
func (m metric) figure(t results.Trial) results.Value {
	switch {
	case m.value != nil:
		return m.value(t)
	case m.share != nil:
		part, whole := m.share(t)
		return results.Ratio(float64(part), float64(whole))
	}
	return m.largest(t)
}

// figures are those of all trials that have one.
func (m metric) figures(h half) (list []float64) {
	for _, t := range h.trials {
		if v, known := m.figure(t).Get(); known {
			list = append(list, v)
		}
	}
	return list
}

// median is the figure of a metric whose replicate is the trial.
func (m metric) median(h half) results.Side {
	sample := m.figures(h)
	d, ok := stats.Describe(sample)
	if !ok {
		return results.Side{Trials: len(h.trials)}
	}
	side := results.Side{
		Value: results.Known(d.Median), Min: results.Known(d.Min), Max: results.Known(d.Max), Trials: d.N,
	}
	if i, ok := stats.MedianInterval(sample); ok {
		side.Low, side.High = results.Known(i.Low), results.Known(i.High)
	}
	if t, ok := stats.Drift(sample); ok {
		side.Drift, side.DriftP = results.Known(t.Change), results.Known(t.P)
	}
	return side
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

// pairs are the figures of the trials of both halves that ran as a pair.
func (m metric) pairs(base, other half) (a, b []float64) {
	byPair := map[int]float64{}
	for _, t := range base.trials {
		if v, known := m.figure(t).Get(); known {
			byPair[t.Pair] = v
		}
	}
	for _, t := range other.trials {
		v, known := m.figure(t).Get()
		if first, paired := byPair[t.Pair]; known && paired {
			a, b = append(a, first), append(b, v)
		}
	}
	return a, b
}

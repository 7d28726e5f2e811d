package plot

import (
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// distributions are the metrics of latency.csv, and distributionNames what an axis calls them.
var (
	distributions     = []string{"rtt", "connect", "owd_up", "owd_down", "send_lag"}
	distributionNames = map[string]string{
		"rtt": "round trip", "connect": "from nothing to the first reply", "owd_up": "one way to the server", "owd_down": "one way from the server",
		"send_lag": "how late the sender was",
	}
)

// cdf draws a picture for each workload, a panel for each cell.
func (d drawing) cdf() (list []Picture, err error) {
	for _, workload := range d.workloads() {
		metric := d.Metric
		if metric == "" {
			metric = map[string]string{"connect": "connect"}[workload]
		}
		if metric == "" {
			metric = "rtt"
		}
		panels, keys := d.cdfPanels(workload, metric)
		if len(panels) == 0 {
			continue
		}
		picture := Picture{
			Kind: CDF, Name: fileName("cdf", workload), keys: keys, rowHeight: 68,
			title: report.WorkloadTitle(workload) + ". Distribution of the latency",
			note:  d.source(workload) + " All trials' messages together; a curve ends where fewer than 5 messages are beyond it, and lost ones have no latency.",
		}
		if d.Metric != "" {
			picture.Name = fileName("cdf", workload, metric)
		}
		list = append(list, d.pages(picture, panels)...)
	}
	if len(list) == 0 {
		what := "any latency"
		if d.Metric != "" {
			what = d.Metric
		}
		return nil, noData("latency.csv has too few values of " + what + ": nothing was answered, or no workload measures it")
	}
	return list, nil
}

// workloads are those of the runs, in the order of the tables.
func (d drawing) workloads() (list []string) {
	for _, c := range d.cells() {
		if !slices.Contains(list, c.Workload) {
			list = append(list, c.Workload)
		}
	}
	return list
}

// cells are those of all runs together, in the order of the tables.
func (d drawing) cells() []results.Cell {
	all := &results.Set{}
	for _, run := range d.runs {
		all.Trials = append(all.Trials, run.Set.Trials...)
	}
	return report.Cells(all)
}

// curve is a distribution: how many values are not above us.
type curve struct {
	plotter.XYs
	side side
}

func (d drawing) cdfPanels(workload, metric string) (panels []panel, keys []key) {
	name := report.CellNames(d.sets()...)
	sums := d.sumBuckets(metric)
	for _, cell := range d.cells() {
		if cell.Workload != workload {
			continue
		}
		var curves []curve
		low, high, top := math.Inf(1), 0.0, 1.0
		for _, s := range d.sides() {
			points := distribution(sums[histogramOf{s.look, cell}])
			if len(points) < 2 {
				continue
			}
			curves = append(curves, curve{points, s})
			low, high = min(low, points[0].X), max(high, points[len(points)-1].X)
			top = max(top, points[len(points)-1].Y)
			if k := (key{look: s.look, name: d.name(s), line: true}); !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
		if len(curves) == 0 {
			continue
		}
		p := newPanel()
		addGrid(p, true, true)
		low, high = roundedOut(low, max(high, low*1.01))
		for _, c := range curves {
			line := &plotter.Line{XYs: thinned(c.XYs, low, high, top), LineStyle: c.side.look.line()}
			p.Add(line)
		}
		logAxis(&p.X, "us", low, high, gapAcross)
		p.X.Label.Text = distributionNames[metric] + " (logarithmic)"
		p.Y.Min, p.Y.Max = 0, top
		p.Y.Tick.Marker = ninesTicks(top)
		p.Y.Label.Text = "messages as fast"
		panels = append(panels, panel{p, name(cell), cell.SizeBytes})
	}
	return panels, keys
}

type histogramOf struct {
	look look
	cell results.Cell
}

// sumBuckets adds up the histograms of all trials of a cell, by the upper ends of their buckets.
func (d drawing) sumBuckets(metric string) map[histogramOf]map[int64]int64 {
	sums := map[histogramOf]map[int64]int64{}
	for _, s := range d.sides() {
		for _, b := range s.run.Set.Buckets {
			if b.Metric != metric || b.Proto != s.proto {
				continue
			}
			at := histogramOf{s.look, b.Cell}
			if sums[at] == nil {
				sums[at] = map[int64]int64{}
			}
			sums[at][b.ToNs] += b.Count
		}
	}
	return sums
}

// distribution are the points of a curve, in µs and nines, as far as enough values lie beyond them.
func distribution(counts map[int64]int64) (points plotter.XYs) {
	var ends []int64
	var n int64
	for end, count := range counts {
		ends = append(ends, end)
		n += count
	}
	slices.Sort(ends)
	var sum int64
	for _, end := range ends {
		if len(points) == 0 {
			points = append(points, plotter.XY{X: float64(max(end, 1)) / 1000, Y: 0})
		}
		sum += counts[end]
		share := float64(sum) / float64(n)
		if share >= 1 || !results.EnoughBeyond(int(n), share*100) {
			break
		}
		points = append(points, plotter.XY{X: float64(max(end, 1)) / 1000, Y: nines(share)})
	}
	return points
}

// thinned leaves out points that nobody could see apart, and places the others on a logarithmic axis.
func thinned(points plotter.XYs, low, high, top float64) (list plotter.XYs) {
	const finest = 1.0 / 600
	width := math.Log(high / low)
	for i, p := range points {
		if i > 0 && i < len(points)-1 {
			last := list[len(list)-1]
			if math.Log(p.X/last.X)/width < finest && (p.Y-last.Y)/top < finest {
				continue
			}
		}
		list = append(list, p)
	}
	for i := range list {
		list[i].X = math.Log10(list[i].X)
	}
	return list
}

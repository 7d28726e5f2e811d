package page

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// cdfs draw how latency is distributed: for each cell, which share of the messages took no longer than a time. Time is on a logarithmic
// axis, and so is the share that is still missing, so that the slowest in a thousand have as much room as the half.
func cdfs(s *results.Set, _ []results.Summary) section {
	part := section{ID: "cdf", Title: "How latency is distributed", Notes: []string{
		"The messages of all trials together. A line further left is faster; each step up is ten times rarer. A message that was lost has no latency, and is in no line."}}
	measured := false
	label := report.CellNames(s)
	for _, c := range report.Cells(s) {
		metric := map[string]string{"latency": "rtt", "paced": "rtt", "connect": "connect"}[c.Workload]
		if metric == "" {
			continue
		}
		measured = true
		curves := map[string]curve{}
		for _, proto := range report.Transports(s) {
			if of := curveOf(s, c, proto, metric); of.count > 0 {
				curves[proto] = of
			}
		}
		if len(curves) > 0 {
			what := map[string]string{"rtt": "round trip", "connect": "first reply"}[metric]
			part.Charts = append(part.Charts, drawCDF(c.Workload+", "+label(c), what, curves))
		}
	}
	if measured && len(part.Charts) == 0 {
		part.Missing = "No latency was recorded: no reply came, or latency.csv was not kept."
	}
	return part
}

// curve is a merged histogram: times in µs, and the share of messages that took at least so long.
type curve struct {
	us, least []float64
	count     int64
}

func curveOf(s *results.Set, c results.Cell, proto, metric string) (of curve) {
	counts := map[int64]int64{}
	for _, b := range s.Buckets {
		if b.Cell == c && b.Proto == proto && b.Metric == metric && b.Count > 0 {
			counts[max(b.ToNs, 1)] += b.Count
			of.count += b.Count
		}
	}
	beyond := of.count
	for _, ns := range slices.Sorted(maps.Keys(counts)) {
		of.us, of.least = append(of.us, float64(ns)/1000), append(of.least, float64(beyond)/float64(of.count))
		beyond -= counts[ns]
	}
	return of
}

// quantile is the time that the share p of all messages did not exceed.
func (c curve) quantile(p float64) float64 {
	i := len(c.us) - 1
	for i > 0 && c.least[i] <= 1-p+1e-9 { // 1-0.9 is not quite 0.1
		i--
	}
	return c.us[i]
}

// nines are the percentiles that have a mark.
var nines = []float64{0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999}

func drawCDF(title, what string, curves map[string]curve) *chart {
	var times []float64
	deepest := 1.0
	for _, of := range curves {
		times = append(times, of.us[0], of.us[len(of.us)-1])
		deepest = max(deepest, math.Log10(float64(of.count)))
	}
	y := axis{name: "percentile", low: 0, high: deepest, tick: func(depth float64) string { return percentile(1 - math.Pow(10, -depth)) }}
	for _, n := range nines {
		if depth := -math.Log10(1 - n); depth <= deepest {
			y.fixed = append(y.fixed, depth)
		}
	}
	p := newPlot(title, "Latency on a logarithmic axis from left to right, percentiles from bottom to top: each step up is a tenth of the messages before.",
		span(what, round("us"), times, true), y)
	header := words("percentile")
	var keys []shape
	lines := map[float64][]cell{}
	for _, proto := range slices.Sorted(maps.Keys(curves)) {
		of, name := curves[proto], strings.ToUpper(proto)
		keys = append(keys, shape{proto, name})
		header = append(header, figures(name)...)
		p.shape("line "+proto, polyline(p.thinned(of)))
		tell := func(n, us float64, word string) {
			depth := math.Log10(float64(of.count)) // of the one that took longest
			if n < 1 {
				depth = -math.Log10(1 - n)
			}
			p.point(proto, name, "", p.x.at(us), p.y.at(depth), fmt.Sprintf("%s %s: %s", name, word, show("us", us)))
			lines[n] = append(lines[n], figures(show("us", us))...)
		}
		for _, n := range nines {
			if results.EnoughBeyond(int(of.count), 100*n) {
				tell(n, of.quantile(n), percentile(n))
			} else {
				lines[n] = append(lines[n], figures("–")...)
			}
		}
		tell(1, of.us[len(of.us)-1], fmt.Sprintf("longest of %d", of.count))
	}
	p.legend(keys...)
	p.Figures = table{Header: header}
	for _, n := range append(slices.Clone(nines), 1) {
		p.Figures.Rows = append(p.Figures.Rows, row{Cells: append(words(percentile(n)), lines[n]...)})
	}
	return &p.chart
}

func percentile(n float64) string {
	if n >= 1 {
		return "max"
	}
	return "p" + place2(100*n)
}

// thinned are the steps of a curve, which goes up at each time and then on to the next, without those that are too small to be seen.
func (p *plot) thinned(of curve) (points [][2]float64) {
	const near = 1.5
	point := func(us, least float64, always bool) {
		at := [2]float64{p.x.at(us), p.y.at(-math.Log10(least))}
		if n := len(points); always || n == 0 || math.Hypot(at[0]-points[n-1][0], at[1]-points[n-1][1]) >= near {
			points = append(points, at)
		}
	}
	for i, us := range of.us {
		point(us, of.least[i], false)
		if i+1 < len(of.us) {
			point(us, of.least[i+1], false)
		} else {
			point(us, 1/float64(of.count), true)
		}
	}
	return points
}

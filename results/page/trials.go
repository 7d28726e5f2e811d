package page

import (
	"fmt"
	"slices"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// trialFigure is a figure of which each trial has its own.
type trialFigure struct {
	metric, label, unit string
	of                  func(results.Trial) results.Value
	// extra is the class of its marks: the second figure of a drawing is hollow.
	extra string
}

// trialFigures are what a cell's trials are drawn by.
func trialFigures(workload string) []trialFigure {
	switch workload {
	case "latency", "paced":
		return []trialFigure{
			{"rtt_p50_us", "p50", "us", func(t results.Trial) results.Value { return t.RTT.P50Us }, ""},
			{"rtt_p99_us", "p99", "us", func(t results.Trial) results.Value { return t.RTT.P99Us }, "hollow"},
		}
	case "connect":
		return []trialFigure{
			{"connect_p50_us", "p50", "us", func(t results.Trial) results.Value { return t.Connect.P50Us }, ""},
			{"connect_p99_us", "p99", "us", func(t results.Trial) results.Value { return t.Connect.P99Us }, "hollow"},
		}
	case "maxrate":
		return []trialFigure{{"max_rate_bps", "max rate", "bps", func(t results.Trial) results.Value { return t.MaxRate.Bps }, ""}}
	}
	return []trialFigure{{"goodput_bps", "goodput", "bps", func(t results.Trial) results.Value { return t.GoodputBps }, ""}}
}

// byTrial draw what single trials had: what the medians and intervals of the tables are made of.
func byTrial(s *results.Set, rows []results.Summary) section {
	part := section{ID: "trials", Title: "Trial by trial", Notes: []string{
		"A mark is a trial, full for the median of its latencies or its goodput, hollow for its p99. The band is the interval of the trials' median with 95 % confidence, which takes six trials; the dashed line is the median."}}
	label := report.CellNames(s)
	for _, c := range report.Cells(s) {
		if drawn := drawTrials(s, rows, c, c.Workload+", "+label(c)); drawn != nil {
			part.Charts = append(part.Charts, drawn)
		}
	}
	if len(part.Charts) == 0 && len(s.Trials) > 0 {
		part.Missing = "No trial has a latency or a goodput: nothing came back."
	}
	return part
}

func drawTrials(s *results.Set, rows []results.Summary, c results.Cell, title string) *chart {
	list := trialFigures(c.Workload)
	of := map[string][]results.Trial{}
	var values []float64
	most := 0
	for _, t := range s.Trials {
		if t.Cell != c {
			continue
		}
		of[t.Proto] = append(of[t.Proto], t)
		most = max(most, len(of[t.Proto]))
		for _, f := range list {
			if v, known := f.of(t).Get(); known && v > 0 {
				values = append(values, v)
			}
		}
	}
	if len(values) == 0 {
		return nil
	}
	unit := list[0].unit
	p := newPlot(title, "A mark for each trial, in the order in which they ran, with the median of all and its interval.",
		axis{name: "trial", low: 0.5, high: float64(most) + 0.5, tick: place, fixed: counted(most)},
		span(list[0].label+map[bool]string{true: ", p99"}[len(list) > 1], round(unit), values, true))
	var keys []shape
	header := words("transport", "trial")
	for _, f := range list {
		header = append(header, figures(f.label)...)
	}
	p.Figures = table{Header: header}
	for _, proto := range report.Transports(s) {
		name := strings.ToUpper(proto)
		if len(of[proto]) > 0 {
			keys = append(keys, shape{proto, name})
		}
		for _, f := range list {
			p.interval(rows, c, proto, f)
			for i, t := range of[proto] {
				if v, known := f.of(t).Get(); known && v > 0 {
					// The two transports of a pair stand beside each other, not on each other.
					x := float64(i+1) + map[string]float64{"tcp": -0.12, "udp": 0.12}[proto]
					p.point(proto, name+" "+f.label, f.extra, p.x.at(x), p.y.at(v), fmt.Sprintf("%s, trial %d: %s %s", name, t.Number, f.label, show(unit, v)))
				}
			}
		}
		for _, t := range of[proto] {
			cells := append(words(name), figures(itoa(t.Number))...)
			for _, f := range list {
				cells = append(cells, figures(report.Show(unit, f.of(t)))...)
			}
			p.Figures.Rows = append(p.Figures.Rows, row{Cells: cells})
		}
	}
	p.legend(keys...)
	return &p.chart
}

// counted are numbers from 1 to n, every one of few and some of many.
func counted(n int) (list []float64) {
	step := 1
	for n/step > 12 {
		step *= 2
	}
	for i := step; i <= n; i += step {
		list = append(list, float64(i))
	}
	return list
}

// interval draws the median over trials, and the band in which it lies.
func (p *plot) interval(rows []results.Summary, c results.Cell, proto string, f trialFigure) {
	i := slices.IndexFunc(rows, func(r results.Summary) bool { return r.Cell == c && r.Metric == f.metric && r.Over == "median" })
	if i < 0 {
		return
	}
	side := rows[i].TCP
	if proto == "udp" {
		side = rows[i].UDP
	}
	low, bounded := side.Low.Get()
	high, _ := side.High.Get()
	if bounded && low > 0 {
		p.shape("band "+proto, box(left, p.y.at(high), width-left-right, p.y.at(low)-p.y.at(high)))
	}
	if v, known := side.Value.Get(); known && v > 0 {
		p.shape("median "+proto, across(left, p.y.at(v), width-right))
	}
}

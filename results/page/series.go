package page

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
	"tcpvsudp/results/stats"
)

// overTime draw what came in the course of a trial, and what was lost in the course of the run.
func overTime(s *results.Set, _ []results.Summary) section {
	part := section{ID: "time", Title: "Throughput and loss over time", Notes: []string{
		"Goodput in the course of a trial: the line is the median over trials, the band reaches from the smallest to the largest. What was lost the files tell by trial: it is drawn in the course of the run."}}
	label := report.CellNames(s)
	for _, c := range report.Cells(s) {
		if drawn := drawSeries(s, c, c.Workload+", "+label(c)); drawn != nil {
			part.Charts = append(part.Charts, drawn)
		}
	}
	if drawn := drawLosses(s, label); drawn != nil {
		part.Charts = append(part.Charts, drawn)
	} else if len(s.Trials) > 0 {
		part.Notes = append(part.Notes, "No message was lost in any trial.")
	}
	return part
}

// bin is a part of a trial, of all trials of a cell.
type bin struct {
	middle float64
	bps    []float64
}

// binsOf are those of one transport, in order, for as long as messages were sent. What is left of a trial after its last whole bin is too
// short to tell a rate, and what came later tells of none.
func binsOf(s *results.Set, c results.Cell, proto string) (list []bin) {
	longest := 0.0
	sending := map[int]float64{}
	for _, t := range s.Trials {
		sending[t.Number] = t.DurationMs
	}
	for _, i := range s.Intervals {
		if i.Cell == c && i.Proto == proto {
			longest = max(longest, i.LengthMs)
		}
	}
	byStart := map[float64]*bin{}
	for _, i := range s.Intervals {
		if i.Cell != c || i.Proto != proto || i.LengthMs < longest/2 || i.StartMs+i.LengthMs/2 > sending[i.Trial] {
			continue
		}
		start := math.Round(i.StartMs)
		if byStart[start] == nil {
			byStart[start] = &bin{middle: i.StartMs + i.LengthMs/2}
		}
		byStart[start].bps = append(byStart[start].bps, i.GoodputBps)
	}
	for _, start := range slices.Sorted(maps.Keys(byStart)) {
		list = append(list, *byStart[start])
	}
	return list
}

// mostMarks is how many points of a line may tell their value.
const mostMarks = 100

func drawSeries(s *results.Set, c results.Cell, title string) *chart {
	bins := map[string][]bin{}
	end := 0.0
	var values []float64
	for _, proto := range report.Transports(s) {
		bins[proto] = binsOf(s, c, proto)
		for _, b := range bins[proto] {
			end, values = max(end, b.middle), append(values, b.bps...)
		}
	}
	if len(values) == 0 {
		return nil
	}
	p := newPlot(title, "Goodput over the time of a trial, median and range over all trials.", axis{name: "time since the measurement began", low: 0, high: end * 1.03, tick: round("ms")},
		span("goodput", round("bps"), values, false))
	p.Figures = table{Header: append(words("transport"), figures("time", "median", "smallest", "largest")...)}
	var keys []shape
	for _, proto := range report.Transports(s) {
		name := strings.ToUpper(proto)
		var upper, lower, middle [][2]float64
		for i, b := range bins[proto] {
			d, ok := stats.Describe(b.bps)
			if !ok {
				continue
			}
			x := p.x.at(b.middle)
			upper, lower, middle = append(upper, [2]float64{x, p.y.at(d.Max)}), append(lower, [2]float64{x, p.y.at(d.Min)}), append(middle, [2]float64{x, p.y.at(d.Median)})
			p.Figures.Rows = append(p.Figures.Rows, row{Cells: append(words(name), figures(round("ms")(b.middle), show("bps", d.Median), show("bps", d.Min), show("bps", d.Max))...)})
			if i%(1+len(bins[proto])/mostMarks) == 0 {
				p.point(proto, name, "small", x, p.y.at(d.Median), fmt.Sprintf("%s at %s: %s (%s to %s)", name, round("ms")(b.middle), show("bps", d.Median), show("bps", d.Min), show("bps", d.Max)))
			}
		}
		if len(middle) == 0 {
			continue
		}
		keys = append(keys, shape{proto, name})
		slices.Reverse(lower)
		p.shape("band "+proto, polyline(append(upper, lower...))+"Z")
		p.shape("line "+proto, polyline(middle))
	}
	p.legend(keys...)
	return &p.chart
}

// drawLosses draws every trial's loss at the time at which it began; nothing where none lost any.
func drawLosses(s *results.Set, name func(results.Cell) string) *chart {
	type loss struct {
		at, share float64
		trial     results.Trial
	}
	var list []loss
	var shares []float64
	end, worst := 0.0, 0.0
	for _, t := range s.Trials {
		if t.Sent == 0 {
			continue
		}
		l := loss{max(t.Started.Sub(s.Run.Started).Seconds(), 0), float64(t.Lost) / float64(t.Sent), t}
		if t.Started.IsZero() {
			l.at = 0
		}
		list, shares = append(list, l), append(shares, l.share)
		end, worst = max(end, l.at), max(worst, l.share)
	}
	if worst == 0 {
		return nil
	}
	p := newPlot("loss of all trials", "The share of its messages that each trial lost, over the time of the run.", axis{name: "time since the run began", low: 0, high: max(end*1.03, 1), tick: round("s")},
		span("lost", percent, shares, false))
	p.Figures = table{Header: append(words("transport", "messages"), figures("trial", "lost", "of")...)}
	p.legend(measured(s)...)
	for _, l := range list {
		who := strings.ToUpper(l.trial.Proto)
		what := l.trial.Workload + ", " + name(l.trial.Cell)
		p.point(l.trial.Proto, who, "", p.x.at(l.at), p.y.at(l.share), fmt.Sprintf("%s, trial %d (%s): %d of %d lost, %s", who, l.trial.Number, what, l.trial.Lost, l.trial.Sent, percent(l.share)))
		if l.trial.Lost > 0 {
			p.Figures.Rows = append(p.Figures.Rows, row{Cells: append(words(who, what), figures(itoa(l.trial.Number), fmt.Sprint(l.trial.Lost), fmt.Sprint(l.trial.Sent))...)})
		}
	}
	return &p.chart
}

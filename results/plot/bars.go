package plot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
	"tcpvsudp/results/stats"
)

// barMetrics are what bars show of a workload by themselves, a panel each.
var barMetrics = map[string][]string{
	"latency": {"rtt_p50_us", "rtt_p99_us"}, "paced": {"rtt_p50_us", "rtt_p99_us"}, "connect": {"connect_p50_us", "connect_p99_us"},
	"throughput": {"goodput_bps", "cpu_us_per_message"}, "maxrate": {"max_rate_bps"},
}

// bar is a figure of one side in one cell.
type bar struct {
	look             look
	value, low, high results.Value
}

// group are the bars of one cell, by its name.
type group struct {
	name string
	bars []bar
}

// mostCells is how many stay readable in one picture of bars.
const mostCells = 12

// bars draws a picture for each workload, with a panel for each of its metrics.
func (d drawing) bars() (list []Picture, err error) {
	summaries := map[*results.Set][]results.Summary{}
	for _, run := range d.runs {
		summaries[run.Set] = report.Summarize(run.Set)
	}
	name := report.CellNames(d.sets()...)
	for _, workload := range d.workloads() {
		metrics := barMetrics[workload]
		if d.Metric != "" {
			metrics = []string{d.Metric}
		}
		var cells []results.Cell
		for _, c := range d.cells() {
			if c.Workload == workload {
				cells = append(cells, c)
			}
		}
		together, most := d.barsThatFit(len(metrics), len(cells))
		for at := 0; at < len(cells); at += most {
			some := cells[at:min(at+most, len(cells))]
			picture := Picture{Kind: Bars, Name: fileName("bars", workload), columns: 1, title: report.WorkloadTitle(workload)}
			if d.Metric != "" {
				picture.Name = fileName("bars", workload, d.Metric)
			}
			if len(cells) > most {
				picture.Name += fmt.Sprintf("-%d", at/most+1)
			}
			intervals := false
			for _, metric := range metrics {
				var groups []group
				known := false
				for _, cell := range some {
					g := group{name: name(cell)}
					for _, s := range d.sides() {
						b, has := barOf(s, cell, metric, summaries[s.run.Set])
						if !has {
							continue
						}
						g.bars = append(g.bars, b)
						_, some := b.value.Get()
						known = known || some
						_, some = b.low.Get()
						intervals = intervals || some
						if k := (key{look: s.look, name: d.name(s), filled: true}); !slices.Contains(picture.keys, k) {
							picture.keys = append(picture.keys, k)
						}
					}
					if len(g.bars) > 0 {
						groups = append(groups, g)
					}
				}
				if known {
					picture.panels = append(picture.panels, panel{Plot: barPanel(workload, metric, groups)})
					rows := 0
					for _, g := range groups {
						rows += len(g.bars) + 1
					}
					picture.rowHeight = max(picture.rowHeight, 17+3.8*float64(rows))
				}
			}
			if len(picture.panels) == 0 {
				continue
			}
			picture.note = d.source(workload) + " Medians over trials"
			if intervals {
				picture.note += " with their intervals of 95 % confidence"
			} else {
				picture.note += "; fewer than six trials have no interval"
			}
			picture.note += ". What single trials are too short for is of all trials' messages together, without an interval."
			list = append(list, apart(picture, together)...)
		}
	}
	if len(list) == 0 {
		if d.Metric != "" {
			return nil, noData("no trial has a value of " + d.Metric)
		}
		return nil, noData("no trial has a figure: is the run empty, or was nothing answered?")
	}
	return list, nil
}

// barsThatFit tells how many panels a picture has room for, and how many cells in each.
func (d drawing) barsThatFit(panels, cells int) (together, most int) {
	most = min(mostCells, cells)
	if d.Size.Height == 0 {
		return panels, most
	}
	const around, axis, thinnest = 22, 12, 2.6
	fit := func(panels int) int {
		return int(((d.Size.Height-around)/float64(panels) - axis) / thinnest / float64(len(d.sides())+1))
	}
	if fit(panels) >= most {
		return panels, most
	}
	return 1, min(max(fit(1), 1), most)
}

// apart makes a picture for each panel where they have no room in one.
func apart(p Picture, together int) (list []Picture) {
	if together >= len(p.panels) {
		return []Picture{p}
	}
	for i, one := range p.panels {
		next := p
		next.Name += fmt.Sprintf("-%c", 'a'+i)
		next.panels = []panel{one}
		list = append(list, next)
	}
	return list
}

// barOf is the figure of the tables where they have it, and else the median of a column.
func barOf(s side, cell results.Cell, metric string, rows []results.Summary) (b bar, has bool) {
	b.look = s.look
	trials := trialsOf(s, func(t results.Trial) bool { return t.Cell == cell })
	if len(trials) == 0 {
		return b, false
	}
	for _, row := range rows {
		if row.Cell == cell && row.Metric == metric {
			of := row.TCP
			if s.proto == "udp" {
				of = row.UDP
			}
			b.value, b.low, b.high = of.Value, of.Low, of.High
			return b, true
		}
	}
	b.value, b.low, b.high = median(numbers(trials, metric))
	return b, true
}

// median is that of a sample with its interval, empty where there are too few for one.
func median(sample []float64) (value, low, high results.Value) {
	description, ok := stats.Describe(sample)
	if !ok {
		return value, low, high
	}
	if i, ok := stats.MedianInterval(sample); ok {
		low, high = results.Known(i.Low), results.Known(i.High)
	}
	return results.Known(description.Median), low, high
}

func trialsOf(s side, keep func(results.Trial) bool) (list []results.Trial) {
	for _, t := range s.run.Set.Trials {
		if t.Proto == s.proto && keep(t) {
			list = append(list, t)
		}
	}
	return list
}

// barPanel draws groups of lying bars, the first at the top.
func barPanel(workload, metric string, groups []group) *plot.Plot {
	unit := unitOf(metric)
	largest, smallest := 0.0, 0.0
	for _, g := range groups {
		for _, b := range g.bars {
			for _, v := range []results.Value{b.value, b.high, b.low} {
				n, _ := v.Get()
				largest, smallest = max(largest, n), min(smallest, n)
			}
		}
	}
	factor, symbol := report.Scale(unit, max(largest, -smallest))
	if unit == "" {
		factor, symbol = 1, ""
	}
	p := newPanel()
	addGrid(p, true, false)
	drawn := &barPlotter{groups: groups, factor: factor, unit: unit}
	var ticks plot.ConstantTicks
	y := 0.0
	for i := len(groups) - 1; i >= 0; i-- {
		n := float64(len(groups[i].bars))
		ticks = append(ticks, plot.Tick{Value: y + n/2, Label: groups[i].name})
		y += n + 0.7
	}
	p.Add(drawn)
	p.Y.Min, p.Y.Max = -0.4, y-0.3
	p.Y.Tick.Marker = ticks
	p.Y.Tick.Length = 0
	p.X.Min, p.X.Max = smallest*factor*1.2, largest*factor*1.2 // with room for the figures
	if largest == 0 && smallest == 0 {
		p.X.Max = 1
	}
	p.X.Tick.Marker = evenTicks(p.X.Min, p.X.Max)
	p.X.Label.Text = axisLabel(columnName(workload, metric), symbol)
	return p
}

// barPlotter draws bars from the bottom up, the last group first.
type barPlotter struct {
	groups []group
	factor float64
	unit   string
}

// Plot implements plot.Plotter.
func (b *barPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	line := draw.LineStyle{Color: ink, Width: 0.9}
	y := 0.0
	for i := len(b.groups) - 1; i >= 0; i-- {
		bars := b.groups[i].bars
		for j := len(bars) - 1; j >= 0; j-- {
			bottom, top := toY(y+0.08), toY(y+0.92)
			middle := (bottom + top) / 2
			y++
			value, known := bars[j].value.Get()
			label, right := "not measured", toX(0)
			if known {
				x0, x1 := toX(0), toX(value*b.factor)
				bars[j].look.fill(&c, vg.Rectangle{Min: vg.Point{X: min(x0, x1), Y: bottom}, Max: vg.Point{X: max(x0, x1), Y: top}})
				label, right = report.Digits(value*b.factor), max(x0, x1)
			}
			low, has := bars[j].low.Get()
			if high, _ := bars[j].high.Get(); has {
				from, to := toX(low*b.factor), toX(high*b.factor)
				cap := min((top-bottom)/4, 4)
				c.StrokeLines(line, []vg.Point{{X: from, Y: middle}, {X: to, Y: middle}},
					[]vg.Point{{X: from, Y: middle - cap}, {X: from, Y: middle + cap}}, []vg.Point{{X: to, Y: middle - cap}, {X: to, Y: middle + cap}})
				right = max(right, to)
			}
			style := valueStyle
			style.YAlign = draw.YCenter
			c.FillText(style, vg.Point{X: right + 4, Y: middle + 1}, label)
		}
		y += 0.7
	}
}

// numbers are the values of a column, of those trials that have one.
func numbers(trials []results.Trial, column string) (list []float64) {
	for _, row := range rowsOf(trials) {
		if n, ok := row.number(column); ok && !math.IsNaN(n) {
			list = append(list, n)
		}
	}
	return list
}

package plot

import (
	"cmp"
	"image/color"

	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// seriesColumns are the columns of intervals.csv that can be drawn.
var seriesColumns = []string{"goodput_bps", "received_messages", "latency_mean_us", "latency_max_us"}

func seriesValue(i results.Interval, column string) (float64, bool) {
	switch column {
	case "received_messages":
		return float64(i.Messages), true
	case "latency_mean_us":
		return i.LatencyMeanUs.Get()
	case "latency_max_us":
		return i.LatencyMaxUs.Get()
	}
	return i.GoodputBps, true
}

// series draws a picture for each workload, a panel for each cell: goodput where that is what is measured, latency elsewhere.
func (d drawing) series() (list []Picture, err error) {
	name := report.CellNames(d.sets()...)
	for _, workload := range d.workloads() {
		column := d.Metric
		if column == "" {
			column = "goodput_bps"
			if slices.Contains([]string{"latency", "paced", "connect"}, workload) {
				column = "latency_mean_us"
			}
		}
		var panels []panel
		var keys []key
		for _, cell := range d.cells() {
			if cell.Workload != workload {
				continue
			}
			if p, some := d.seriesPanel(cell, column); p != nil {
				panels = append(panels, panel{p, name(cell), cell.SizeBytes})
				for _, k := range some {
					if !slices.Contains(keys, k) {
						keys = append(keys, k)
					}
				}
			}
		}
		picture := Picture{
			Kind: Series, Name: fileName("series", workload), keys: keys, rowHeight: 60, title: report.WorkloadTitle(workload) + ". In the course of a trial",
			note: d.source(workload) + " Lines are medians over trials of what the receiver counted in each interval, bands their intervals of 95 % confidence, or of fewer than six trials from the smallest to the largest.",
		}
		if d.Metric != "" {
			picture.Name = fileName("series", workload, column)
		}
		list = append(list, d.pages(picture, panels)...)
	}
	if len(list) == 0 {
		return nil, noData("intervals.csv has no trial of two intervals or more with this figure")
	}
	return list, nil
}

// moment is the median of all trials at one time of a trial.
type moment struct{ ms, value, low, high float64 }

func (d drawing) seriesPanel(cell results.Cell, column string) (*plot.Plot, []key) {
	lines := map[look][]moment{}
	var keys []key
	largest, end := 0.0, 0.0
	for _, s := range d.sides() {
		list := moments(s, cell, column)
		if len(list) < 2 {
			continue
		}
		lines[s.look] = list
		keys = append(keys, key{look: s.look, name: d.name(s), line: true})
		for _, m := range list {
			largest, end = max(largest, m.high), max(end, m.ms)
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	unit := unitOf(column)
	factor, symbol := report.Scale(unit, largest)
	timeFactor, timeSymbol := report.Scale("ms", end)
	p := newPanel()
	addGrid(p, true, true)
	for _, k := range keys { // bands first, so that they hide no line
		var upper, lower plotter.XYs
		for _, m := range lines[k.look] {
			upper = append(upper, plotter.XY{X: m.ms * timeFactor, Y: m.high * factor})
			lower = append(lower, plotter.XY{X: m.ms * timeFactor, Y: m.low * factor})
		}
		slices.Reverse(lower)
		r, g, b, _ := k.look.color().RGBA()
		band := &plotter.Polygon{XYs: []plotter.XYs{append(upper, lower...)}, Color: color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 0x30}, LineStyle: draw.LineStyle{}}
		p.Add(band)
	}
	for _, k := range keys {
		var points plotter.XYs
		for _, m := range lines[k.look] {
			points = append(points, plotter.XY{X: m.ms * timeFactor, Y: m.value * factor})
		}
		p.Add(&plotter.Line{XYs: points, LineStyle: k.look.line()})
	}
	p.X.Min, p.X.Max = 0, end*timeFactor
	p.X.Tick.Marker = evenTicks(0, p.X.Max)
	p.X.Label.Text = axisLabel("time since the measurement began", timeSymbol)
	p.Y.Min, p.Y.Max = 0, largest*factor*1.05
	if largest == 0 {
		p.Y.Max = 1
	}
	p.Y.Tick.Marker = evenTicks(0, p.Y.Max)
	p.Y.Label.Text = axisLabel(columnName("", column), symbol)
	return p, keys
}

// moments are those of a side in a cell. What came after the sending was over is left out: it is the end of the line, and no rate.
func moments(s side, cell results.Cell, column string) (list []moment) {
	duration := map[int]float64{}
	for _, t := range s.run.Set.Trials {
		duration[t.Number] = t.DurationMs
	}
	type span struct{ from, length float64 }
	values := map[span][]float64{}
	var spans []span
	for _, i := range s.run.Set.Intervals {
		if i.Proto != s.proto || i.Cell != cell || i.StartMs+i.LengthMs > duration[i.Trial]*1.001 {
			continue
		}
		v, known := seriesValue(i, column)
		if !known {
			continue
		}
		at := span{i.StartMs, i.LengthMs}
		if values[at] == nil {
			spans = append(spans, at)
		}
		values[at] = append(values[at], v)
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for _, at := range spans {
		sample := values[at]
		value, low, high := median(sample)
		m := moment{ms: at.from + at.length/2}
		m.value, _ = value.Get()
		var has bool
		if m.low, has = low.Get(); !has {
			m.low = slices.Min(sample)
		}
		if m.high, has = high.Get(); !has {
			m.high = slices.Max(sample)
		}
		list = append(list, m)
	}
	return list
}

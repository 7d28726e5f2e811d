package plot

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// lines draws the metric against a column. What else tells the trials apart has a panel of its own, and both transports always a line: a
// median is never of what can't be compared.
func (d drawing) lines() (list []Picture, err error) {
	var all []row
	bySide := map[look][]row{}
	for _, s := range d.sides() {
		bySide[s.look] = rowsOf(trialsOf(s, func(results.Trial) bool { return true }))
		all = append(all, bySide[s.look]...)
	}
	metric, x, by := d.Metric, d.X, d.By
	if metric == "" {
		metric = firstThat(all, []string{"goodput_bps", "rtt_p50_us", "connect_p50_us", "max_rate_bps"}, 1)
	}
	if x == "" {
		x = firstThat(all, []string{"size_bytes", "link", "flows", "rate_asked_msg_per_s"}, 2)
	}
	all = slices.DeleteFunc(all, func(r row) bool { _, ok := r.number(metric); return !ok || r.text(x) == "" })
	if len(all) == 0 {
		return nil, noData(fmt.Sprintf("no trial has a value of both %s and %s", metric, x))
	}
	axis, err := newXAxis(x, all)
	if err != nil {
		return nil, err
	}
	values := []string{""}
	if by != "" && by != "proto" {
		if values = distinct(all, by); len(values)*len(d.sides()) > 2*len(palette) {
			return nil, wrong("--by %s has %d values, for %d lines in one picture: choose some by --where", by, len(values), len(values)*len(d.sides()))
		}
	}
	told := []string{x, by}
	if slices.Contains(told, "workload") {
		told = append(told, ofWorkload(all)...)
	}
	grouped := func(c results.Cell) results.Cell {
		for _, column := range told {
			c = without(c, column)
		}
		return c
	}
	groupOf := func(r row) results.Cell { return grouped(r.trial.Cell) }
	var groups []results.Cell
	for _, cell := range d.cells() {
		group := grouped(cell)
		if !slices.Contains(groups, group) && slices.ContainsFunc(all, func(r row) bool { return groupOf(r) == group }) {
			groups = append(groups, group)
		}
	}
	var panels []panel
	var keys []key
	for _, group := range groups {
		var drawn []points
		for _, s := range d.sides() {
			for i, value := range values {
				var some []row
				for _, r := range bySide[s.look] {
					if groupOf(r) == group && (len(values) == 1 && value == "" || r.text(by) == value) {
						some = append(some, r)
					}
				}
				run := int(s.look) / 2
				l := look(2*(run*len(values)+i) + int(s.look)%2)
				if p := axis.points(some, metric, l); len(p.at) > 0 {
					drawn = append(drawn, p)
					name := d.name(s)
					if value != "" || len(values) > 1 {
						name += ", " + valueName(by, value)
					}
					if k := (key{look: l, name: name, line: p.joined, point: true}); !slices.ContainsFunc(keys, func(o key) bool { return o.look == l }) {
						keys = append(keys, k)
					}
				}
			}
		}
		if len(drawn) > 0 {
			panels = append(panels, panel{axis.panel(cmp.Or(group.Workload, all[0].trial.Workload), metric, drawn), groupName(group, groups), group.SizeBytes})
		}
	}
	words := []string{"lines", metric, "by", x}
	title := fmt.Sprintf("%s by %s", metricTitle(all, metric), columnName("", x))
	if by != "" && by != "proto" {
		words, title = append(words, by), title+" and "+columnName("", by)
	}
	if len(groups) == 1 {
		if words := shared(groups[0]); words != "" {
			title += ": " + words
		}
	}
	return d.pages(Picture{Kind: Lines, Name: fileName(words...), keys: keys, rowHeight: 75, title: title,
		note: d.source("") + " Medians over trials, with their intervals of 95 % confidence where there are six trials or more."}, panels), nil
}

// ofWorkload are the parameters, other than the workload, that each workload has one value of: who is told the workload knows them.
func ofWorkload(rows []row) (list []string) {
	for _, parameter := range []string{"direction", "rate_asked_msg_per_s", "batch", "loss_goal_ratio"} {
		value := map[string]string{}
		if !slices.ContainsFunc(rows, func(r row) bool {
			first, seen := value[r.trial.Workload]
			value[r.trial.Workload] = r.text(parameter)
			return seen && first != r.text(parameter)
		}) {
			list = append(list, parameter)
		}
	}
	return list
}

// metricTitle begins the title of a picture with the name of a metric.
func metricTitle(rows []row, metric string) string {
	name := columnName(rows[0].trial.Workload, metric)
	return strings.ToUpper(name[:1]) + name[1:]
}

// shared says in a title what all trials of a picture have in common.
func shared(c results.Cell) string {
	text := c.Workload
	if c.SizeBytes > 0 {
		text += ", " + report.SizeName(c.SizeBytes)
	}
	for _, parameter := range []string{"batch", "rate_asked_msg_per_s", "link"} {
		if value := parameterOf(c, parameter); value != "" && (parameter != "batch" || c.Workload == "throughput") {
			text += ", " + valueName(parameter, value)
		}
	}
	return strings.TrimPrefix(text, ", ")
}

func parameterOf(c results.Cell, parameter string) string {
	return rowsOf([]results.Trial{{Cell: c}})[0].text(parameter)
}

// groupName says in what a group differs from the others.
func groupName(c results.Cell, others []results.Cell) string {
	var words []string
	for _, parameter := range parameters {
		if slices.ContainsFunc(others, func(o results.Cell) bool {
			return without(o, parameter) != without(c, parameter) || parameterOf(o, parameter) != parameterOf(c, parameter)
		}) {
			value := parameterOf(c, parameter)
			differs := slices.ContainsFunc(others, func(o results.Cell) bool { return parameterOf(o, parameter) != value })
			if differs && value != "" && (parameter != "direction" || value != "echo" && value != "up") {
				words = append(words, valueName(parameter, value))
			}
		}
	}
	return strings.Join(words, ", ")
}

// valueName is the value of a column in words.
func valueName(column, value string) string {
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case value == "":
		return map[string]string{"link": "no link"}[column] + map[bool]string{true: columnName("", column) + " not known"}[column != "link"]
	case column == "size_bytes" && err == nil:
		return report.SizeName(int(n))
	case column == "link":
		return strings.ReplaceAll(value, ";", ", ")
	case column == "batch":
		return cmp.Or(map[string]string{"1": "one by one", "auto": "batches"}[value], value+" at once")
	case column == "workload" || column == "direction" || column == "congestion_control_asked" || err != nil:
		return value
	case column == "flows" && n == 1:
		return "1 flow"
	case column == "flows":
		return value + " flows"
	case column == "rate_asked_msg_per_s":
		return value + "/s"
	}
	return columnName("", column) + " " + strings.TrimSpace(quantity(unitOf(column), n))
}

// firstThat is the first column with so many values or more, or the first of all.
func firstThat(rows []row, list []string, atLeast int) string {
	for _, column := range list {
		some := slices.DeleteFunc(distinct(rows, column), func(s string) bool { return s == "" })
		if len(some) >= atLeast {
			return column
		}
	}
	return list[0]
}

// distinct are the values of a column in their order: links by their settings, numbers by size, and before words.
func distinct(rows []row, column string) (list []string) {
	seen := map[string]bool{}
	for _, r := range rows {
		if text := r.text(column); !seen[text] {
			seen[text] = true
			list = append(list, text)
		}
	}
	order := report.LinkOrder(list)
	slices.SortFunc(list, func(a, b string) int {
		if column == "link" {
			return cmp.Compare(order[a], order[b])
		}
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		switch {
		case errX == nil && errY == nil:
			return cmp.Compare(x, y)
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		}
		return cmp.Compare(a, b)
	})
	return list
}

// xAxis places the values of a column.
type xAxis struct {
	column string
	// words are its values where they are no numbers, in their order.
	words     []string
	low, high float64
	log       bool
	values    []string
	// joined tells that trials were told their values, so that a line between two says something.
	joined bool
}

// mostWords is how many words fit below an axis.
const mostWords = 12

func newXAxis(column string, rows []row) (*xAxis, error) {
	a := &xAxis{column: column, values: distinct(rows, column), low: math.Inf(1), high: math.Inf(-1)}
	a.joined = slices.Contains(parameters, column)
	for _, value := range a.values {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			a.words = a.values
			break
		}
		a.low, a.high = min(a.low, n), max(a.high, n)
	}
	if len(a.words) > mostWords {
		return nil, wrong("--x %s has %d different values that are no numbers: choose some by --where", column, len(a.words))
	}
	wide := 1000.0
	if a.joined {
		wide = 20
	}
	a.log = a.words == nil && a.low > 0 && a.high/a.low >= wide
	return a, nil
}

// place is where a row stands.
func (a *xAxis) place(r row) float64 {
	if a.words != nil {
		return float64(slices.Index(a.words, r.text(a.column)))
	}
	n, _ := r.number(a.column)
	return n
}

// points are those of one line.
type points struct {
	look   look
	at     []point
	joined bool
}

type point struct {
	x, y, low, high float64
	interval        bool
}

func (a *xAxis) points(rows []row, metric string, l look) (p points) {
	p.look, p.joined = l, a.joined
	samples := map[float64][]float64{}
	for _, r := range rows {
		if y, ok := r.number(metric); ok && r.text(a.column) != "" {
			x := a.place(r)
			samples[x] = append(samples[x], y)
		}
	}
	for x, sample := range samples {
		value, low, high := median(sample)
		one := point{x: x}
		one.y, _ = value.Get()
		one.low, one.high = one.y, one.y
		if n, ok := low.Get(); ok {
			one.low, one.interval = n, true
			one.high, _ = high.Get()
		}
		p.at = append(p.at, one)
	}
	slices.SortFunc(p.at, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	return p
}

// panel draws lines over the axis.
func (a *xAxis) panel(workload, metric string, lines []points) *plot.Plot {
	low, high := math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for _, at := range l.at {
			low, high = min(low, at.low), max(high, at.high)
		}
	}
	p := newPanel()
	addGrid(p, true, true)
	unit := unitOf(metric)
	factor, symbol := report.Scale(unit, max(high, -low))
	logY := low > 0 && high/low >= 30
	if logY {
		factor, symbol = 1, "logarithmic"
		low, high = roundedOut(low, high)
		logAxis(&p.Y, unit, low, high, gapUp)
	} else {
		p.Y.Min, p.Y.Max = min(low*factor*1.05, 0), max(high*factor*1.05, 0)
		if p.Y.Max == p.Y.Min {
			p.Y.Max = 1
		}
		p.Y.Tick.Marker = evenTicks(p.Y.Min, p.Y.Max)
	}
	p.Y.Label.Text = axisLabel(columnName(workload, metric), symbol)
	toX := a.dress(p)
	toY := scaled(factor)
	if logY {
		toY = math.Log10
	}
	for i, l := range lines {
		aside := vg.Length(0)
		if l.joined { // beside each other, so that no interval hides another
			aside = 2.5 * (vg.Length(i) - vg.Length(len(lines)-1)/2)
		}
		p.Add(&linePlotter{points: l, x: toX, y: toY, aside: aside})
	}
	return p
}

func scaled(factor float64) func(float64) float64 {
	return func(n float64) float64 { return n * factor }
}

// dress sets the axis up and returns how values are placed on it.
func (a *xAxis) dress(p *plot.Plot) func(float64) float64 {
	name := columnName("", a.column)
	var ticks plot.ConstantTicks
	if a.words != nil {
		for i, word := range a.words {
			label := word
			if a.column == "link" {
				label = strings.ReplaceAll(cmp.Or(word, "none"), ";", "\n")
			}
			ticks = append(ticks, plot.Tick{Value: float64(i), Label: label})
		}
		p.X.Min, p.X.Max, p.X.Tick.Marker, p.X.Label.Text = -0.5, float64(len(a.words))-0.5, ticks, name
		return scaled(1)
	}
	unit := unitOf(a.column)
	if a.log {
		a0, a1 := a.low/math.Pow(a.high/a.low, 0.06), a.high*math.Pow(a.high/a.low, 0.06)
		logAxis(&p.X, unit, a0, a1, gapAcross)
		if a.joined {
			p.X.Tick.Marker = a.ownTicks(unit)
		}
		p.X.Label.Text = name + " (logarithmic)"
		return math.Log10
	}
	factor, symbol := report.Scale(unit, max(a.high, -a.low))
	pad := (a.high - a.low) * 0.06
	if pad == 0 {
		pad = max(math.Abs(a.high)*0.5, 0.5)
	}
	p.X.Min, p.X.Max = (a.low-pad)*factor, (a.high+pad)*factor
	p.X.Tick.Marker = evenTicks(p.X.Min, p.X.Max)
	p.X.Label.Text = axisLabel(name, symbol)
	return scaled(factor)
}

// ownTicks stand at the values themselves, with names as far as those have room.
func (a *xAxis) ownTicks(unit string) (ticks plot.ConstantTicks) {
	last := math.Inf(-1)
	for _, value := range a.values {
		n, _ := strconv.ParseFloat(value, 64)
		tick := plot.Tick{Value: math.Log10(n)}
		if at := math.Log(n) / math.Log(a.high/a.low); at-last > gapAcross {
			tick.Label, last = quantity(unit, n), at
			if a.column == "size_bytes" {
				tick.Label = report.SizeName(int(n))
			}
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// linePlotter draws a line with its points and their intervals.
type linePlotter struct {
	points points
	x, y   func(float64) float64
	aside  vg.Length
}

// Plot implements plot.Plotter.
func (l *linePlotter) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	style := l.points.look.line()
	var path []vg.Point
	for _, at := range l.points.at {
		x := toX(l.x(at.x)) + l.aside
		path = append(path, vg.Point{X: x, Y: toY(l.y(at.y))})
		if at.interval {
			low, high := toY(l.y(at.low)), toY(l.y(at.high))
			bar := draw.LineStyle{Color: style.Color, Width: 0.9}
			c.StrokeLines(bar, []vg.Point{{X: x, Y: low}, {X: x, Y: high}}, []vg.Point{{X: x - 2.5, Y: low}, {X: x + 2.5, Y: low}}, []vg.Point{{X: x - 2.5, Y: high}, {X: x + 2.5, Y: high}})
		}
	}
	if l.points.joined {
		c.StrokeLines(style, path)
	}
	for _, at := range path {
		c.DrawGlyphNoClip(l.points.look.glyph(), at)
	}
}

var _ plot.Plotter = (*linePlotter)(nil)

package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// chart is one drawing. Everything in it is a path or a text, and its classes give it its colours.
type chart struct {
	ID string
	// Title is read out by screen readers, and stands above the drawing; Desc says how to read it.
	Title, Desc   string
	Width, Height float64
	Shapes        []shape
	Marks         []mark
	Texts         []label
	// Figures are what is drawn, for those who do not see it.
	Figures table
}

// shape is what is drawn and has no value of its own: a grid, a line, a band.
type shape struct{ Class, Path string }

// mark is a point that tells its value. Marks of one series are in order from left to right.
type mark struct {
	Series, Class, Path, Tip string
}

// label is a text in a drawing; its anchor is start, middle or end.
type label struct {
	Class, Anchor string
	X, Y          string
	Text          string
}

// The size of a plot. It is small so that its letters are still readable on a phone, where it is as wide as the screen.
const (
	width, height = 440, 290
	left, right   = 80, 12
	top, bottom   = 34, 44
)

// plot is a chart with two axes.
type plot struct {
	chart
	x, y axis
}

// axis maps values to places.
type axis struct {
	name      string
	low, high float64
	log       bool
	// tick names a value, and fixed are the values to be named where the axis can't tell what is round.
	tick     func(float64) string
	fixed    []float64
	from, to float64
}

func (a axis) at(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	if high == low {
		return (a.from + a.to) / 2
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// span makes an axis for values: from 0 on, or logarithmic, with some air. Values that a logarithm can't take are left out.
func span(name string, tick func(float64) string, values []float64, log bool) axis {
	a := axis{name: name, tick: tick, log: log}
	some := false
	for _, v := range values {
		if log && v <= 0 {
			continue
		}
		if !some {
			a.low, a.high, some = v, v, true
		}
		a.low, a.high = min(a.low, v), max(a.high, v)
	}
	switch {
	case !some:
		a.low, a.high = 1, 10
	case log:
		a.low, a.high = a.low/1.12, a.high*1.12
	default:
		a.low, a.high = 0, a.high*1.06
		if a.high == 0 {
			a.high = 1
		}
	}
	return a
}

// narrow is the ratio of its ends up to which a logarithmic axis has the ticks of a linear one: there would be too few of its own.
const narrow = 8

// ticks are the round values along an axis.
func (a axis) ticks() (list []float64) {
	if len(a.fixed) > 0 {
		return a.fixed
	}
	if !a.log || a.high/a.low < narrow {
		step := math.Pow(10, math.Floor(math.Log10((a.high-a.low)/4)))
		for _, by := range []float64{1, 2, 2.5, 5, 10} {
			if (a.high-a.low)/(step*by) <= 5 {
				step *= by
				break
			}
		}
		for n := math.Ceil(a.low/step - 1e-9); n*step <= a.high*(1+1e-12); n++ {
			list = append(list, n*step+0) // no -0
		}
		return list
	}
	factors := []float64{1, 2, 5}
	if math.Log10(a.high/a.low) > 2 {
		factors = []float64{1}
	}
	for power := math.Floor(math.Log10(a.low)); power <= math.Log10(a.high); power++ {
		for _, factor := range factors {
			if v := factor * math.Pow(10, power); v >= a.low && v <= a.high {
				list = append(list, v)
			}
		}
	}
	return list
}

// newPlot draws the axes and their grid.
func newPlot(title, desc string, x, y axis) *plot {
	x.from, x.to = left, width-right
	y.from, y.to = height-bottom, top
	p := &plot{chart{Title: title, Desc: desc, Width: width, Height: height}, x, y}
	for _, v := range x.ticks() {
		p.shape("grid", down(x.at(v), top, height-bottom))
		p.text("tick", "middle", x.at(v), height-bottom+16, x.tick(v))
	}
	for _, v := range y.ticks() {
		p.shape("grid", across(left, y.at(v), width-right))
		p.text("tick", "end", left-5, y.at(v)+4, y.tick(v))
	}
	p.text("name", "middle", (left+width-right)/2, height-8, x.name)
	p.text("name", "start", 4, top-12, y.name)
	return p
}

// legend names the series at the top, from the right.
func (c *chart) legend(entries ...shape) {
	x := c.Width - right
	for i := len(entries) - 1; i >= 0; i-- {
		name := entries[i].Path
		c.text("key", "end", x, top-12, name)
		x -= 7.2*float64(len([]rune(name))) + 12
		c.shape("sample "+entries[i].Class, outline(entries[i].Class, x, top-16))
		x -= 16
	}
}

// measured are the legend's entries of those transports that a run has.
func measured(s *results.Set) (keys []shape) {
	for _, proto := range report.Transports(s) {
		keys = append(keys, shape{proto, strings.ToUpper(proto)})
	}
	return keys
}

// outline is the shape of a class's marks.
func outline(class string, x, y float64) string {
	switch {
	case strings.Contains(class, "udp"):
		return triangle(x, y, 5)
	case strings.Contains(class, "tcp"):
		return circle(x, y, 4)
	}
	return square(x, y, 4)
}

// point marks a value of a transport: a circle for TCP and a triangle for UDP, so that nobody has to tell them by their colour.
func (c *chart) point(proto, series, extra string, x, y float64, tip string) {
	class := strings.TrimSpace(proto + " " + extra)
	c.Marks = append(c.Marks, mark{Series: series, Class: class, Path: outline(class, x, y), Tip: tip})
}

func (c *chart) shape(class, path string) { c.Shapes = append(c.Shapes, shape{class, path}) }

// letter is about how wide a letter is.
const letter = 7

// text writes a text within the drawing: what is too long is cut off, and what would reach over an edge is moved.
func (c *chart) text(class, anchor string, x, y float64, text string) {
	room := map[string]float64{"start": c.Width - x, "end": x, "middle": c.Width}[anchor]
	if r := []rune(text); float64(len(r))*letter > room {
		text = string(r[:max(int(room/letter)-1, 0)]) + "…"
	}
	if half := letter * float64(len([]rune(text))) / 2; anchor == "middle" {
		x = max(min(x, c.Width-half-2), half+2)
	}
	c.Texts = append(c.Texts, label{Class: class, Anchor: anchor, X: place(x), Y: place(y), Text: text})
}

// across and down are straight lines.
func across(from, y, to float64) string { return "M" + place(from) + " " + place(y) + "H" + place(to) }

func down(x, from, to float64) string { return "M" + place(x) + " " + place(from) + "V" + place(to) }

// The outlines of marks about a point.
func circle(x, y, r float64) string {
	return fmt.Sprintf("M%s %sa%s %s 0 1 0 %s 0a%s %s 0 1 0 %s 0Z", place(x-r), place(y), place(r), place(r), place(2*r), place(r), place(r), place(-2*r))
}

func triangle(x, y, r float64) string {
	return fmt.Sprintf("M%s %sl%s %sh%sZ", place(x), place(y-r), place(r), place(1.8*r), place(-2*r))
}

func square(x, y, r float64) string { return box(x-r, y-r, 2*r, 2*r) }

func diamond(x, y, r float64) string {
	return fmt.Sprintf("M%s %sl%s %sl%s %sl%s %sZ", place(x), place(y-r), place(r), place(r), place(-r), place(r), place(-r), place(-r))
}

func cross(x, y, r float64) string {
	return fmt.Sprintf("M%s %sl%s %sm0 %sl%s %s", place(x-r), place(y-r), place(2*r), place(2*r), place(-2*r), place(-2*r), place(2*r))
}

func bars(x, y, r float64) string {
	return box(x-r, y-r, 0.7*r, 2*r) + box(x+0.3*r, y-r, 0.7*r, 2*r)
}

func box(x, y, w, h float64) string {
	return fmt.Sprintf("M%s %sh%sv%sh%sZ", place(x), place(y), place(w), place(h), place(-w))
}

// polyline joins points.
func polyline(points [][2]float64) string {
	var b strings.Builder
	for i, p := range points {
		b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0])
		b.WriteString(place(p[0]) + " " + place(p[1]))
	}
	return b.String()
}

// place writes a place to a tenth of a pixel.
func place(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func itoa(n int) string { return strconv.Itoa(n) }

// show is a figure with its unit; round is one without the zeros that say how exact it is, for ticks.
func show(unit string, v float64) string { return report.Show(unit, results.Known(v)) }

func round(unit string) func(float64) string {
	return func(v float64) string {
		if v == 0 {
			return "0"
		}
		number, symbol, _ := strings.Cut(show(unit, v), " ")
		if strings.Contains(number, ".") {
			number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
		}
		return number + " " + symbol
	}
}

// percent shows a share from 0 to 1.
func percent(v float64) string { return strconv.FormatFloat(100*v, 'g', 3, 64) + " %" }

// place2 writes a percentile without the noise of its binary digits.
func place2(v float64) string { return strconv.FormatFloat(v, 'g', 8, 64) }

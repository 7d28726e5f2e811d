package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// deadlines draws a picture for each run, rate and size, a panel for each transport.
func (d drawing) deadlines() (list []Picture, err error) {
	for _, run := range d.runs {
		type of struct {
			rate results.Value
			size int
		}
		maps := map[of][]report.MapRow{}
		var order []of
		for _, r := range report.Map(run.Set) {
			at := of{r.Rate, r.SizeBytes}
			_, tcp := r.TCP.Get()
			_, udp := r.UDP.Get()
			if !tcp && !udp {
				continue
			}
			if maps[at] == nil {
				order = append(order, at)
			}
			maps[at] = append(maps[at], r)
		}
		for _, at := range order {
			rows := maps[at]
			if len(rows) < 2 {
				continue
			}
			picture := mapPicture(rows)
			picture.Name = "map"
			if len(d.runs) > 1 {
				picture.Name = fileName(picture.Name, run.Name)
				picture.title += ", " + run.Name
			}
			if len(order) > 1 {
				picture.Name = fileName(picture.Name, fmt.Sprint(at.size), at.rate.String())
			}
			picture.note = drawing{runs: []Run{run}, Options: d.Options}.source("") + " A message that is lost and one that comes too late both miss. A frame: this transport is shown to miss less (as \"bench report\" tests it; of fewer than six trials, in every pair)."
			list = append(list, picture)
		}
	}
	if len(list) == 0 {
		return nil, noData("the run has no paced trials over links of several delays or losses: \"bench map\" measures them")
	}
	return list, nil
}

func mapPicture(rows []report.MapRow) Picture {
	var delays, losses []string
	largest := 0.0
	for _, r := range rows {
		if !slices.Contains(delays, r.Delay) {
			delays = append(delays, r.Delay)
		}
		if !slices.Contains(losses, r.Loss) {
			losses = append(losses, r.Loss)
		}
		for _, v := range []results.Value{r.TCP, r.UDP} {
			n, _ := v.Get()
			largest = max(largest, n)
		}
	}
	if largest == 0 {
		largest = 0.01
	}
	rate, _ := rows[0].Rate.Get()
	picture := Picture{
		Kind: Map, columns: 2, rowHeight: 46 + 9*float64(len(delays)), shades: &shades{largest},
		title: fmt.Sprintf("Messages that missed the deadline of %s ms: %s, %s/s", rows[0].Deadline, report.SizeName(rows[0].SizeBytes), short(rate)),
	}
	for _, proto := range protos {
		boxes := &boxPlotter{shades: shades{largest}}
		for _, r := range rows {
			v := r.TCP
			if proto == "udp" {
				v = r.UDP
			}
			boxes.list = append(boxes.list, box{slices.Index(losses, r.Loss), len(delays) - 1 - slices.Index(delays, r.Delay), v, r.Better == proto})
		}
		if !slices.ContainsFunc(boxes.list, func(b box) bool { _, known := b.share.Get(); return known }) {
			continue
		}
		p := newPanel()
		p.Add(boxes)
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(len(losses))-0.5, -0.5, float64(len(delays))-0.5
		var x, y plot.ConstantTicks
		for i, loss := range losses {
			x = append(x, plot.Tick{Value: float64(i), Label: spaced(loss, "%")})
		}
		for i, delay := range delays {
			y = append(y, plot.Tick{Value: float64(len(delays) - 1 - i), Label: spaced(delay, "ms")})
		}
		p.X.Tick.Marker, p.Y.Tick.Marker = x, y
		p.X.Tick.Length, p.Y.Tick.Length = 0, 0
		p.X.Label.Text, p.Y.Label.Text = "packets that the link loses", "delay one way"
		picture.panels = append(picture.panels, panel{p, strings.ToUpper(proto), rows[0].SizeBytes})
	}
	picture.columns = len(picture.panels)
	return picture
}

// spaced puts a blank before a unit; a bare 0 gets it.
func spaced(text, unit string) string {
	if text == "0" {
		return "0 " + unit
	}
	if number, found := strings.CutSuffix(text, unit); found && strings.Trim(number, "0123456789.") == "" {
		return number + " " + unit
	}
	return text
}

// shades are the colours of shares up to the largest: the lighter, the less. They differ in lightness, which everybody sees.
type shades struct{ largest float64 }

// place of a share among the shades: by its square root, since small shares are those that differ.
func (s shades) place(share float64) float64 { return math.Sqrt(min(share/s.largest, 1)) }

func (s shades) color(place float64) color.Color {
	mix := func(light, dark float64) uint8 { return uint8(light + (dark-light)*place) }
	return color.RGBA{mix(0xf7, 0x08), mix(0xfb, 0x40), mix(0xff, 0x81), 0xff}
}

// draw puts the legend at the bottom and moves the canvas above it.
func (s shades) draw(c *draw.Canvas) {
	const steps, width, height = 60, vg.Length(180), vg.Length(8)
	left, bottom := c.Min.X, c.Min.Y+11
	for i := range steps {
		x := left + width*vg.Length(i)/steps
		c.FillPolygon(s.color((float64(i)+0.5)/steps), []vg.Point{{X: x, Y: bottom}, {X: x + width/steps + 0.3, Y: bottom}, {X: x + width/steps + 0.3, Y: bottom + height}, {X: x, Y: bottom + height}})
	}
	style := valueStyle
	for _, place := range []float64{0, 0.5, 1} {
		style.XAlign = text.XAlignment(-place) // so that all stay within the width
		c.FillText(style, vg.Point{X: left + width*vg.Length(place), Y: bottom - 9}, short(roundTo(place*place*s.largest*100, 3))+" %")
	}
	c.FillText(keyStyle, vg.Point{X: left + width + 8, Y: bottom + 1}, "missed the deadline")
	c.Min.Y = bottom + height + 6
}

// box is a point of a map.
type box struct {
	x, y   int
	share  results.Value
	better bool
}

type boxPlotter struct {
	list []box
	shades
}

// Plot implements plot.Plotter.
func (b *boxPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	for _, one := range b.list {
		x, y := float64(one.x), float64(one.y)
		corners := []vg.Point{{X: toX(x - 0.49), Y: toY(y - 0.48)}, {X: toX(x + 0.49), Y: toY(y - 0.48)}, {X: toX(x + 0.49), Y: toY(y + 0.48)}, {X: toX(x - 0.49), Y: toY(y + 0.48)}}
		style := centred(valueStyle)
		share, known := one.share.Get()
		label := "–"
		if known {
			place := b.place(share)
			c.FillPolygon(b.color(place), corners)
			label = short(roundTo(share*100, 3))
			if place > 0.55 {
				style.Color = color.White
			}
			label += " %"
		}
		if one.better {
			c.StrokeLines(draw.LineStyle{Color: ink, Width: 1.8}, append(slices.Clone(corners), corners[0]))
		}
		if style.Width(label) > corners[1].X-corners[0].X-2 {
			label = strings.TrimSuffix(label, " %")
		}
		c.FillText(style, vg.Point{X: toX(x), Y: toY(y)}, label)
	}
}

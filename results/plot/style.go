package plot

import (
	"image/color"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours that the colour-blind tell apart (Okabe and Ito), in pairs of TCP and UDP for each run. What differs in colour differs in dash,
// shape or hatching too.
var palette = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, // blue, vermillion
	color.RGBA{0x00, 0x9e, 0x73, 0xff}, color.RGBA{0xe6, 0x9f, 0x00, 0xff}, // green, orange
	color.RGBA{0x56, 0xb4, 0xe9, 0xff}, color.RGBA{0xcc, 0x79, 0xa7, 0xff}, // sky blue, purple
	color.Black,
}

var dashes = [][]vg.Length{nil, {5, 2.5}, {1.2, 1.8}, {7, 2, 1.2, 2}, {10, 3}, {4, 1.5, 1.2, 1.5, 1.2, 1.5}}

var shapes = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{},
}

var (
	ink   = color.Gray{0x22}
	faint = color.Gray{0x55}
	grid  = color.Gray{0xe0}
)

// look is how one of several lines, bars or points is drawn.
type look int

func (l look) color() color.Color { return palette[int(l)%len(palette)] }

func (l look) line() draw.LineStyle {
	return draw.LineStyle{Color: l.color(), Width: 1.4, Dashes: dashes[int(l)%len(dashes)]}
}

func (l look) glyph() draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color(), Radius: 2.4, Shape: shapes[int(l)%len(shapes)]}
}

// fill fills a rectangle; every second look is hatched, and none is as dark as the writing.
func (l look) fill(c *draw.Canvas, r vg.Rectangle) {
	corners := []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
	red, green, blue, _ := l.color().RGBA()
	light := func(part uint32) uint8 { return uint8((part>>8 + 0xff*2) / 3) }
	if l%2 == 0 {
		light = func(part uint32) uint8 { return uint8((part>>8*3 + 0xff) / 4) }
	}
	c.FillPolygon(color.RGBA{light(red), light(green), light(blue), 0xff}, corners)
	if l%2 == 1 {
		inside := *c
		inside.Rectangle = r
		height := r.Max.Y - r.Min.Y
		for x := r.Min.X - height; x < r.Max.X; x += 3.5 {
			c.StrokeLines(draw.LineStyle{Color: l.color(), Width: 0.7}, inside.ClipLinesXY([]vg.Point{{X: x, Y: r.Min.Y}, {X: x + height, Y: r.Max.Y}})...)
		}
	}
	c.StrokeLines(draw.LineStyle{Color: l.color(), Width: 0.7}, append(corners, corners[0]))
}

// writing is the style of text of a size in points.
func writing(size vg.Length, c color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: c, Font: f, Handler: plot.DefaultTextHandler}
}

var (
	titleStyle = writing(11, ink, true)
	panelStyle = writing(9, ink, true)
	noteStyle  = writing(7.5, faint, false)
	axisStyle  = writing(8.5, ink, false)
	tickStyle  = writing(8, ink, false)
	keyStyle   = writing(8.5, ink, false)
	valueStyle = writing(7.5, ink, false)
)

// newPanel returns an empty plot in the style of all.
func newPanel() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the picture's own
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		rotation, x, y := axis.Label.TextStyle.Rotation, axis.Label.TextStyle.XAlign, axis.Label.TextStyle.YAlign
		axis.Label.TextStyle = axisStyle
		axis.Label.TextStyle.Rotation, axis.Label.TextStyle.XAlign, axis.Label.TextStyle.YAlign = rotation, x, y
		axis.Label.Padding = 3
		x, y = axis.Tick.Label.XAlign, axis.Tick.Label.YAlign
		axis.Tick.Label = tickStyle
		axis.Tick.Label.XAlign, axis.Tick.Label.YAlign = x, y
		axis.Tick.Length = 3
		axis.LineStyle = draw.LineStyle{Color: faint, Width: 0.6}
		axis.Tick.LineStyle = axis.LineStyle
		axis.Padding = 0
	}
	return p
}

func addGrid(p *plot.Plot, vertical, horizontal bool) {
	g := plotter.NewGrid()
	g.Vertical, g.Horizontal = draw.LineStyle{}, draw.LineStyle{}
	if vertical {
		g.Vertical = draw.LineStyle{Color: grid, Width: 0.5}
	}
	if horizontal {
		g.Horizontal = draw.LineStyle{Color: grid, Width: 0.5}
	}
	p.Add(g)
}

func centred(s text.Style) text.Style {
	s.XAlign, s.YAlign = draw.XCenter, draw.YCenter
	return s
}

// key is an entry of the legend.
type key struct {
	look look
	name string
	// how the look is shown
	filled, line, point bool
}

const keyWidth, keyGap = vg.Length(22), vg.Length(4)

func (k key) draw(c *draw.Canvas, at vg.Point) {
	middle := at.Y + 3
	if k.filled {
		k.look.fill(c, vg.Rectangle{Min: vg.Point{X: at.X, Y: middle - 4}, Max: vg.Point{X: at.X + keyWidth, Y: middle + 4}})
	}
	if k.line {
		c.StrokeLines(k.look.line(), []vg.Point{{X: at.X, Y: middle}, {X: at.X + keyWidth, Y: middle}})
	}
	if k.point {
		c.DrawGlyphNoClip(k.look.glyph(), vg.Point{X: at.X + keyWidth/2, Y: middle})
	}
	c.FillText(keyStyle, vg.Point{X: at.X + keyWidth + keyGap, Y: at.Y}, k.name)
}

func (k key) width() vg.Length { return keyWidth + keyGap + keyStyle.Width(k.name) }

// flow puts keys into rows of a width.
func flow(keys []key, width vg.Length) (rows [][]key) {
	var used vg.Length
	for _, k := range keys {
		w := k.width() + 14
		if len(rows) == 0 || used+w > width {
			rows, used = append(rows, nil), 0
		}
		last := len(rows) - 1
		rows[last] = append(rows[last], k)
		used += w
	}
	return rows
}

// wrap breaks a line of text where it would be wider than width.
func wrap(line string, style text.Style, width vg.Length) (lines []string) {
	for word := range strings.FieldsSeq(line) {
		if n := len(lines); n > 0 && style.Width(lines[n-1]+" "+word) <= width {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

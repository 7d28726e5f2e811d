package plot

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// size is that of the picture in mm.
func (p *Picture) size() Size {
	s := p.wanted
	if s.Width == 0 {
		s.Width = usualWidth
	}
	if s.Height == 0 {
		rows := (len(p.panels) + p.columns - 1) / p.columns
		s.Height = min((float64(rows)*p.rowHeight+22)*max(s.Width/usualWidth, 0.6), largest)
	}
	return s
}

// Write writes the picture.
func (p *Picture) Write(w io.Writer, f Format) error {
	s := p.size()
	width, height := vg.Length(s.Width)*vg.Millimeter, vg.Length(s.Height)*vg.Millimeter
	if f == PNG {
		c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))}
		p.draw(draw.New(c))
		_, err := c.WriteTo(w)
		return err
	}
	c := vgsvg.New(width, height)
	p.draw(draw.New(c))
	var text bytes.Buffer
	if _, err := c.WriteTo(&text); err != nil {
		return err
	}
	// Who has not got the font gets one as wide.
	_, err := w.Write(bytes.ReplaceAll(text.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")))
	return err
}

// draw lays out the title, the panels, and below them, out of the data, the legend.
func (p *Picture) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	const margin = 3 * vg.Millimeter
	c = draw.Crop(c, margin, -margin, margin, -margin)
	width := c.Max.X - c.Min.X
	for _, line := range wrap(p.title, titleStyle, width) {
		c.Max.Y -= 12
		c.FillText(titleStyle, vg.Point{X: c.Min.X, Y: c.Max.Y}, line)
		c.Max.Y -= 3
	}
	c.Max.Y -= 5
	notes := wrap(p.note, noteStyle, width)
	slices.Reverse(notes)
	for _, line := range notes {
		c.FillText(noteStyle, vg.Point{X: c.Min.X, Y: c.Min.Y + 1}, line)
		c.Min.Y += 10
	}
	c.Min.Y += 5
	if p.shades != nil {
		p.shades.draw(&c)
	}
	rows := flow(p.keys, width)
	slices.Reverse(rows)
	for _, row := range rows {
		x := c.Min.X
		for _, k := range row {
			k.draw(&c, vg.Point{X: x, Y: c.Min.Y})
			x += k.width() + 14
		}
		c.Min.Y += 13
	}
	c.Min.Y += 4
	p.drawPanels(c)
}

// insets are how much room of a panel lies outside of its data.
type insets struct{ left, right, bottom, top vg.Length }

// drawPanels draws the panels in rows, in such a way that their data stand in line.
func (p *Picture) drawPanels(c draw.Canvas) {
	tiles := draw.Tiles{Rows: (len(p.panels) + p.columns - 1) / p.columns, Cols: p.columns, PadX: 14, PadY: 10, PadRight: 4}
	const titleHeight = 15
	titled := slices.ContainsFunc(p.panels, func(p panel) bool { return p.title != "" })
	columns, rows := make([]insets, tiles.Cols), make([]insets, tiles.Rows)
	own := make([]insets, len(p.panels))
	place := func(i int) (draw.Canvas, *insets, *insets) {
		tile := tiles.At(c, i%p.columns, i/p.columns)
		if titled {
			tile.Max.Y -= titleHeight
		}
		return tile, &columns[i%p.columns], &rows[i/p.columns]
	}
	for i, panel := range p.panels {
		tile, column, row := place(i)
		data := panel.DataCanvas(tile)
		own[i] = insets{data.Min.X - tile.Min.X, tile.Max.X - data.Max.X, data.Min.Y - tile.Min.Y, tile.Max.Y - data.Max.Y}
		column.left, column.right = max(column.left, own[i].left), max(column.right, own[i].right)
		row.bottom, row.top = max(row.bottom, own[i].bottom), max(row.top, own[i].top)
	}
	for i, panel := range p.panels {
		tile, column, row := place(i)
		style := centred(panelStyle)
		c.FillText(style, vg.Point{X: (tile.Min.X + column.left + tile.Max.X - column.right) / 2, Y: tile.Max.Y + titleHeight/2 + 1}, panel.title)
		panel.Draw(draw.Crop(tile, column.left-own[i].left, own[i].right-column.right, row.bottom-own[i].bottom, own[i].top-row.top))
	}
}

// panel is a plot with its title, and the message size, which decides on its picture.
type panel struct {
	*plot.Plot
	title string
	size  int
}

// The least that a panel needs to stay readable, in mm, what title, legend and note take, and the rows of a picture that may be as high as
// it needs to be.
const (
	panelWidth, panelHeight = 75, 50
	surroundings            = 27
	mostRows                = 3
)

// room is how many columns and rows of panels a picture has room for.
func (s Size) room() (columns, rows int) {
	columns, rows = 2, mostRows
	if s.Width > 0 {
		columns = min(max(int(s.Width)/panelWidth, 1), 4)
	}
	if s.Height > 0 {
		rows = max(int(s.Height-surroundings)/panelHeight, 1)
	}
	return columns, rows
}

// pages makes pictures like p of panels: one where they fit in, else one for each message size, or several.
func (d drawing) pages(p Picture, panels []panel) (list []Picture) {
	columns, rows := d.Size.room()
	fit := columns * rows
	page := func(name string, some []panel) {
		for i := 0; i < len(some); i += fit {
			next := p
			next.Name = name
			if len(some) > fit {
				next.Name += "-" + strconv.Itoa(i/fit+1)
			}
			next.panels = append(next.panels, some[i:min(i+fit, len(some))]...)
			next.columns = min(columns, len(next.panels))
			list = append(list, next)
		}
	}
	if len(panels) <= fit {
		if len(panels) > 0 {
			page(p.Name, panels)
		}
		return list
	}
	var sizes []int
	for _, one := range panels {
		if !slices.Contains(sizes, one.size) {
			sizes = append(sizes, one.size)
		}
	}
	for _, size := range sizes {
		var some []panel
		for _, one := range panels {
			if one.size == size {
				some = append(some, one)
			}
		}
		if len(sizes) == 1 {
			page(p.Name, some)
			break
		}
		page(fmt.Sprintf("%s-%d", p.Name, size), some)
	}
	return list
}

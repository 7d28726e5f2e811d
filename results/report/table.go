package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// Table is a table for people. The first Text columns are words and stand on the left, as does the last one if Words is set; the others are
// figures and stand on the right.
type Table struct {
	Title  string
	Header []string
	Text   int
	Words  bool
	Rows   [][]string
}

// Render writes the table to w, as text or as Markdown. All rows must have as many cells as the header.
func (t Table) Render(w io.Writer, markdown bool) error {
	align := make([]tw.Align, len(t.Header))
	for i := range align {
		align[i] = tw.AlignRight
		if i < t.Text || t.Words && i == len(align)-1 {
			align[i] = tw.AlignLeft
		}
	}
	// It is rendered to memory first: the library does not tell of a writer that failed.
	var text bytes.Buffer
	title := t.Title
	how := renderer.NewBlueprint(tw.Rendition{
		Borders:  tw.Border{Left: tw.Off, Right: tw.Off, Top: tw.Off, Bottom: tw.Off},
		Settings: tw.Settings{Separators: tw.Separators{BetweenColumns: tw.Off}, Lines: tw.Lines{ShowHeaderLine: tw.On}},
		Symbols:  tw.NewSymbols(tw.StyleLight),
	})
	option := tablewriter.WithRenderer(how)
	if markdown {
		title = "### " + title + "\n"
		option = tablewriter.WithRenderer(renderer.NewMarkdown())
	}
	table := tablewriter.NewTable(&text, option,
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
	)
	table.Header(t.Header)
	for _, row := range t.Rows {
		if len(row) != len(t.Header) {
			return fmt.Errorf("table %q: a row of %d cells under %d columns", t.Title, len(row), len(t.Header))
		}
		if markdown {
			row = slices.Clone(row)
			for i, cell := range row {
				row[i] = strings.ReplaceAll(cell, "|", `\|`) // the library does not
			}
		}
		if err := table.Append(row); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	if t.Title != "" {
		if _, err := fmt.Fprintln(w, title); err != nil {
			return err
		}
	}
	_, err := w.Write(trimLines(text.Bytes()))
	return err
}

// trimLines takes the blanks off the end of every line.
func trimLines(text []byte) []byte {
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimRight(line, " ")
	}
	return bytes.Join(lines, []byte("\n"))
}

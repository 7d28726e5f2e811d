package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"tcpvsudp/results"
)

// A Comparison sets two results against each other, of one run or several each. Nothing paired their trials, so what is
// shown is less than by pairs of one run, and whatever changed between them is in the difference.
type Comparison struct {
	Old, New []*results.Set
	Rows     []results.Change
	// Hidden are the differences between the two that no row names: of hosts, settings and what was granted.
	Hidden []string
	// Alone are the cells that only one of the two has, in words.
	Alone []string
	alone []candidate
}

// Compare compares what both results have in common: cells, transports and metrics.
func Compare(old, new []*results.Set) Comparison {
	c := Comparison{Old: old, New: new, Hidden: hiddenDifferences(old, new)}
	a, b := joined(old), joined(new)
	both := &results.Set{Trials: slices.Concat(a.Trials, b.Trials)}
	floor := func(cell results.Cell, metric string) (largest float64) {
		for _, s := range slices.Concat(old, new) {
			largest = max(largest, s.Run.NoiseFloor.For(cell, metric))
		}
		return largest
	}
	var contests []*contest
	name := cellNames(both.Trials)
	for _, cell := range cells(both) {
		for _, proto := range protos(both) {
			before, after := side(a, cell, proto), side(b, cell, proto)
			if len(before.trials) == 0 || len(after.trials) == 0 {
				if len(before.trials)+len(after.trials) > 0 {
					one := strings.ToUpper(proto) + " " + name(cell)
					c.Alone = append(c.Alone, one)
					c.alone = append(c.alone, candidate{row: one, cell: cell, proto: proto})
				}
				continue
			}
			for _, m := range metrics {
				row := results.Change{Schema: results.Schema, Proto: proto, Cell: cell}
				q := m.contest(cell, before, after, &row.Figure, &row.Old, &row.New)
				if q == nil {
					continue
				}
				q.proto, q.names, q.floor = proto, versions, floor(cell, m.name)
				q.base, q.other = m.figures(before), m.figures(after)
				c.Rows, contests = append(c.Rows, row), append(contests, q)
			}
		}
	}
	for i, q := range contests {
		q.judgement = &c.Rows[i].Judgement
		q.start()
	}
	judge(contests)
	return c
}

// joined puts the records of several runs together.
func joined(sets []*results.Set) *results.Set {
	all := &results.Set{}
	for _, s := range sets {
		all.Trials = append(all.Trials, s.Trials...)
		all.Buckets = append(all.Buckets, s.Buckets...)
	}
	return all
}

// Write writes the comparison in format f, tables of text for a terminal of so many columns.
func (c Comparison) Write(w io.Writer, f Format, width int) error {
	return document[results.Change]{
		rows: c.Rows,
		json: struct {
			Old     []results.Run    `json:"old"`
			New     []results.Run    `json:"new"`
			Changes []results.Change `json:"changes"`
			Hidden  []string         `json:"hidden_differences"`
			Alone   []string         `json:"only_in_one"`
		}{runs(c.Old), runs(c.New), orEmpty(c.Rows), orEmpty(c.Hidden), orEmpty(c.Alone)},
		text: func(w *bytes.Buffer, markdown bool) error {
			return c.writeTables(w, markdown, markdown || width >= WideEnough)
		},
	}.write(w, f)
}

func runs(sets []*results.Set) (list []results.Run) {
	for _, s := range sets {
		list = append(list, s.Run)
	}
	return list
}

func (c Comparison) writeTables(w *bytes.Buffer, markdown, wide bool) error {
	heads, tables, notes := c.Parts(wide)
	for _, line := range heads {
		writeParagraph(w, line, markdown)
	}
	for _, table := range tables {
		fmt.Fprintln(w)
		if err := table.Render(w, markdown); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	for _, note := range notes {
		writeItem(w, note, markdown)
	}
	return nil
}

// Parts are what a comparison is shown by: paragraphs that say what is compared, tables, and notes to them.
func (c Comparison) Parts(wide bool) (heads []string, tables []Table, notes []string) {
	for _, side := range []struct {
		word string
		sets []*results.Set
	}{{"Old", c.Old}, {"New", c.New}} {
		for _, s := range side.sets {
			for i, line := range heading(s) {
				if i == 0 {
					line = side.word + ": " + line
				}
				heads = append(heads, line)
			}
		}
	}
	for _, name := range all {
		var lines []line
		for _, row := range c.Rows {
			if tableFor(row.Workload) != name {
				continue
			}
			lines = append(lines, line{
				group:  strings.ToUpper(row.Proto) + ", " + cellLabel(row.Cell, c.compared()) + linkLabel(row.Link, c.varied()),
				metric: metricOf(row.Workload, row.Metric), merged: row.Over == overMessages,
				sides: []results.Side{row.Old, row.New}, judgement: row.Judgement,
			})
		}
		if len(lines) > 0 {
			tables = append(tables, setOut(capital(name)+": "+about[name], []string{"old", "new"}, "new/old", lines, wide))
		}
	}
	return heads, tables, c.notes(wide)
}

// compared tells whether there are several algorithms of congestion control, varied in which settings links differ.
func (c Comparison) compared() bool {
	return slices.ContainsFunc(c.Rows, func(r results.Change) bool { return r.CongestionAsked != c.Rows[0].CongestionAsked })
}

func (c Comparison) varied() []string {
	return varied(slices.Concat(joined(c.Old).Trials, joined(c.New).Trials))
}

func (c Comparison) notes(wide bool) (notes []string) {
	if len(c.Rows) == 0 {
		notes = append(notes, "The two results have no cell of one transport in common: nothing can be compared.")
	}
	for _, difference := range c.Hidden {
		if len(c.Rows) > 0 {
			notes = append(notes, "Hidden difference: "+difference+".")
		}
	}
	if len(c.Alone) > 0 {
		notes = append(notes, "Only in one of the two: "+strings.Join(c.Alone, "; ")+".")
	}
	if len(c.Rows) == 0 {
		return notes
	}
	for _, side := range []struct {
		word string
		sets []*results.Set
	}{{"Old: ", c.Old}, {"New: ", c.New}} {
		for _, s := range side.sets {
			for _, note := range slices.Concat(incomplete(s), busyHost(s), linkNotes(s.Trials), notGranted(s.Trials), irregular(s.Trials)) {
				notes = append(notes, side.word+note)
			}
		}
	}
	notes = append(notes, "Figures are medians over trials; shares are of all trials' messages, maxima are the largest of all.")
	var list []results.Judgement
	few := false
	for _, row := range c.Rows {
		list = append(list, row.Judgement)
		few = few || row.Over == overTrials && min(row.Old.Trials, row.New.Trials) < 4
	}
	for _, row := range c.Rows {
		for _, side := range []struct {
			who string
			results.Side
		}{{"old " + strings.ToUpper(row.Proto), row.Old}, {"new " + strings.ToUpper(row.Proto), row.New}} {
			change, p, shown := drift(side.Side)
			if shown && slices.Contains(headline, row.Metric) && p < drifted {
				notes = append(notes, driftNote(side.who, row.Cell, row.Metric, change))
			}
		}
	}
	notes = append(notes, judgementNotes(list, "new/old", "trials of both", "the Mann-Whitney test", wide)...)
	for _, s := range slices.Concat(c.Old, c.New) {
		if s.Run.NoiseFloor != nil {
			notes = append(notes, floorNotes(s)...)
			break
		}
	}
	if few {
		notes = append(notes, "Fewer than 4 trials on one side: too few to tell a difference from chance.")
	}
	return notes
}

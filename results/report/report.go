// Package report renders the results of a run for people and for machines, from the records alone: it opens
// no socket and needs nothing that is not in the run's files.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"tcpvsudp/results"
)

// Format is a way of writing a report.
type Format string

// The formats.
const (
	Text     Format = "table"
	Markdown Format = "markdown"
	CSV      Format = "csv"
	JSON     Format = "json"
)

// Formats are all formats, the default first.
var Formats = []Format{Text, Markdown, CSV, JSON}

// ParseFormat returns the format named s.
func ParseFormat(s string) (Format, error) {
	if f := Format(s); slices.Contains(Formats, f) {
		return f, nil
	}
	return "", fmt.Errorf("unknown format %q: use one of %s", s, strings.Trim(fmt.Sprint(Formats), "[]"))
}

// Write writes the report of a run in format f.
func Write(w io.Writer, s *results.Set, f Format) error {
	rows := Summarize(s)
	switch f {
	case CSV:
		text, err := results.EncodeCSV(rows, true)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	case JSON:
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Run     results.Run       `json:"run"`
			Summary []results.Summary `json:"summary"`
		}{s.Run, orEmpty(rows)})
	}
	var text bytes.Buffer
	if err := writeTables(&text, s, rows, f == Markdown); err != nil {
		return err
	}
	_, err := w.Write(text.Bytes())
	return err
}

// orEmpty makes a list that is empty an empty list in JSON too.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func writeTables(w *bytes.Buffer, s *results.Set, rows []results.Summary, markdown bool) error {
	for _, line := range heading(s) {
		fmt.Fprintln(w, line)
		if markdown {
			fmt.Fprintln(w)
		}
	}
	for _, workload := range all {
		table := tableOf(workload, s, rows)
		if len(table.Rows) == 0 {
			continue
		}
		fmt.Fprintln(w)
		if err := table.Render(w, markdown); err != nil {
			return err
		}
	}
	if notes := footnotes(s, rows); len(notes) > 0 {
		fmt.Fprintln(w)
		for _, note := range notes {
			if markdown {
				note = "- " + note
			}
			fmt.Fprintln(w, note)
		}
	}
	return nil
}

// heading says which run this is, where it was made and whether it is whole.
func heading(s *results.Set) []string {
	r := s.Run
	lines := []string{fmt.Sprintf("Run %s on %s: %s %s, %d cores, %s", r.ID, orUnknown(r.Client.Name),
		r.Client.OS, r.Client.Kernel, r.Client.Cores, r.Client.Go)}
	switch r.Status {
	case results.Finished:
		lines = append(lines, fmt.Sprintf("%d trials.", len(s.Trials)))
	case results.Running:
		lines = append(lines, fmt.Sprintf("Not finished, or cut off: %d of %d trials so far.", len(s.Trials), r.Planned))
	case results.Interrupted:
		lines = append(lines, fmt.Sprintf("Interrupted after %d of %d trials.", len(s.Trials), r.Planned))
	default:
		lines = append(lines, fmt.Sprintf("Failed after %d of %d trials: %s", len(s.Trials), r.Planned, r.Error))
	}
	return lines
}

func orUnknown(s string) string {
	if s == "" {
		return "an unknown host"
	}
	return s
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// about says in a title what a workload does.
var about = map[string]string{
	"latency":    "closed loop, one message in flight",
	"paced":      "open loop, timed from the intended send",
	"throughput": "as fast as it goes, one way, counted by the receiver",
	"connect":    "from nothing to the first echoed reply",
}

// tableOf sets the transports side by side for one workload.
func tableOf(workload string, s *results.Set, rows []results.Summary) Table {
	t := Table{Header: []string{"messages", "", "TCP", "UDP", "UDP/TCP"}, Text: 2}
	var waits []string
	for _, trial := range s.Trials {
		if trial.Workload == workload && !slices.Contains(waits, trial.Wait) {
			waits = append(waits, trial.Wait)
		}
	}
	slices.Sort(waits)
	t.Title = fmt.Sprintf("%s: %s (wait: %s)", capital(workload), about[workload], strings.Join(waits, ", "))
	var previous results.Cell
	for _, row := range rows {
		if row.Workload != workload {
			continue
		}
		cell := ""
		if row.Cell != previous {
			cell, previous = cellLabel(row.Cell), row.Cell
		}
		t.Rows = append(t.Rows, tableRow(cell, row))
	}
	return t
}

func cellLabel(c results.Cell) string {
	label := showSize(c.SizeBytes)
	if c.Flows > 1 {
		label += fmt.Sprintf(", %d flows", c.Flows)
	}
	if rate, asked := c.RateAsked.Get(); asked {
		label += fmt.Sprintf(", %s/s", digits(rate))
	}
	return label
}

func tableRow(cell string, row results.Summary) []string {
	m := metricOf(row)
	scale := scaleFor(m.unit, row.TCP.Value, row.UDP.Value)
	show := func(side results.Side) string {
		if side.Trials == 0 {
			return notMeasured
		}
		if m.unit == shareOf {
			return showShare(side)
		}
		return scale.show(side.Value)
	}
	label := m.label
	if row.Over == overMessages && m.percentile != 0 {
		label += " ¹"
	}
	ratio := ""
	if v, known := row.Ratio.Get(); known {
		ratio = showRatio(v) + " ×"
	}
	return []string{cell, label + ", " + scale.symbol, show(row.TCP), show(row.UDP), ratio}
}

// metricOf finds the metric that made the row.
func metricOf(row results.Summary) metric {
	for _, m := range metrics {
		if m.name == row.Metric && slices.Contains(m.workloads, row.Workload) {
			return m
		}
	}
	return metric{name: row.Metric, label: row.Metric, unit: unit(row.Unit)}
}

// Package report renders the results of a run for people and for machines, from the records alone: it opens
// no socket and needs nothing that is not in the run's files.
package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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

// WideEnough is the width in columns from which on tables say everything; narrower ones leave out the medians' intervals, and shorten
// verdicts.
const WideEnough = 124

// Write writes the report of a run in format f, tables of text for a terminal of so many columns.
func Write(w io.Writer, s *results.Set, f Format, width int) error {
	rows := Summarize(s)
	return document[results.Summary]{
		rows: rows,
		json: struct {
			Run      results.Run       `json:"run"`
			Summary  []results.Summary `json:"summary"`
			Findings []Finding         `json:"findings"`
		}{s.Run, orEmpty(rows), orEmpty(Findings(s, rows))},
		text: func(w *bytes.Buffer, markdown bool) error {
			return writeTables(w, s, rows, markdown, markdown || width >= WideEnough)
		},
	}.write(w, f)
}

// orEmpty makes a list that is empty an empty list in JSON too.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func writeTables(w *bytes.Buffer, s *results.Set, rows []results.Summary, markdown, wide bool) error {
	for _, line := range heading(s) {
		writeParagraph(w, line, markdown)
	}
	for _, name := range all {
		table := tableOf(name, s, rows, wide)
		if len(table.Rows) == 0 {
			continue
		}
		fmt.Fprintln(w)
		if err := table.Render(w, markdown); err != nil {
			return err
		}
		writeSparklines(w, sparklines(name, s), markdown)
	}
	if list := Findings(s, rows); len(list) > 0 {
		fmt.Fprintln(w)
		for _, finding := range list {
			text := finding.String()
			writeItem(w, text, markdown)
		}
	}
	if notes := footnotes(s, rows, wide); len(notes) > 0 {
		fmt.Fprintln(w)
		for _, note := range notes {
			writeItem(w, note, markdown)
		}
	}
	return nil
}

// writeSparklines writes lines as they are, which in Markdown takes a fence.
func writeSparklines(w *bytes.Buffer, lines []string, markdown bool) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintln(w)
	if markdown {
		fmt.Fprintln(w, "```text")
	}
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	if markdown {
		fmt.Fprintln(w, "```")
	}
}

// textWidth is that of a terminal as people have it.
const textWidth = 79

// writeParagraph writes text in lines of a terminal's width, and sets it apart in Markdown.
func writeParagraph(w *bytes.Buffer, text string, markdown bool) {
	wrap(w, text, markdown)
	if markdown {
		fmt.Fprintln(w)
	}
}

// writeItem writes one of several remarks, in Markdown as the item of a list.
func writeItem(w *bytes.Buffer, text string, markdown bool) {
	if markdown {
		text = "- " + text
	}
	wrap(w, text, markdown)
}

// wrap writes text in lines of a terminal's width.
func wrap(w *bytes.Buffer, text string, markdown bool) {
	width := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width+1+n > textWidth:
			fmt.Fprint(w, "\n")
			width = 0
		default:
			fmt.Fprint(w, " ")
			width++
		}
		fmt.Fprint(w, harmless(word, markdown))
		width += n
	}
	fmt.Fprintln(w)
}

// harmless takes out of a word of a run what a terminal would obey, and what Markdown would pass on as HTML.
func harmless(word string, markdown bool) string {
	word = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, word)
	if markdown {
		word = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(word)
	}
	return word
}

// heading says which run this is, where and how it was made and whether it is whole.
func heading(s *results.Set) []string {
	r := s.Run
	lines := []string{fmt.Sprintf("Run %s on %s: %s %s, %d cores, %s", r.ID, orUnknown(r.Client.Name),
		r.Client.OS, r.Client.Kernel, r.Client.Cores, r.Client.Go)}
	if r.Server.Name != r.Client.Name && r.Server.OS != "" {
		lines = append(lines, fmt.Sprintf("Server on %s: %s %s, %d cores, %s", orUnknown(r.Server.Name),
			r.Server.OS, r.Server.Kernel, r.Server.Cores, r.Server.Go))
	}
	n := len(s.Trials)
	switch r.Status {
	case results.Finished:
		if n < r.Kept {
			lines = append(lines, fmt.Sprintf("Damaged: %d of %s are left%s", n, Count(r.Kept, "trial"), how(s.Trials)))
			break
		}
		lines = append(lines, Count(n, "trial")+how(s.Trials))
	case results.Running:
		lines = append(lines, fmt.Sprintf("Not finished, or cut off: %d of %s so far%s", n, Count(r.Planned, "trial"), how(s.Trials)))
	case results.Interrupted:
		lines = append(lines, fmt.Sprintf("Interrupted after %d of %s%s", n, Count(r.Planned, "trial"), how(s.Trials)))
	default:
		lines = append(lines, fmt.Sprintf("Failed after %d of %s%s Cause: %s", n, Count(r.Planned, "trial"), how(s.Trials), r.Error))
	}
	return lines
}

// how says what all trials have in common, and ends the sentence.
func how(trials []results.Trial) string {
	if len(trials) == 0 {
		return "."
	}
	first := trials[max(slices.IndexFunc(trials, func(t results.Trial) bool { return t.MaxRate.End == "" }), 0)] // a search is no trial of one length
	text := fmt.Sprintf(" of %v ms after %v ms of warm-up", first.DurationMs, first.WarmupMs)
	var controls, client, server []string
	portable := false
	for _, t := range trials {
		controls = add(controls, t.CongestionControl)
		if t.Workload != "paced" { // its receivers run beside its sender
			client, server = add(client, t.ClientPinned), add(server, t.ServerPinned)
		}
		portable = portable || t.Portable
	}
	if links := linksOf(trials); len(links) == 1 {
		text += ", across an emulated link of " + readable(links[0])
	}
	if len(controls) > 0 {
		text += ", TCP's congestion control " + strings.Join(controls, ", ")
	}
	if len(client) > 0 && len(server) > 0 {
		text += fmt.Sprintf(", the client on processor %s and the server on %s", strings.Join(client, ", "), strings.Join(server, ", "))
	}
	if portable {
		text += ", by the sockets that every system has (--portable)"
	}
	return text + "."
}

func linksOf(trials []results.Trial) (links []string) {
	for _, t := range trials {
		links = add(links, t.Link)
	}
	return links
}

// add adds word to a list that does not have it yet.
func add(list []string, word string) []string {
	if word == "" || slices.Contains(list, word) {
		return list
	}
	return append(list, word)
}

// Count says how many things there are.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
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

// protos are the transports that a run has trials of, in the order of the columns.
func protos(s *results.Set) (list []string) {
	for _, proto := range []string{"tcp", "udp"} {
		if slices.ContainsFunc(s.Trials, func(t results.Trial) bool { return t.Proto == proto }) {
			list = append(list, proto)
		}
	}
	return list
}

// tableOf sets the transports side by side for the workloads of one table; a run of one transport has one column.
func tableOf(name string, s *results.Set, rows []results.Summary, wide bool) Table {
	columns := protos(s)
	var waits []string
	for _, trial := range s.Trials {
		if tableFor(trial.Workload) == name && !slices.Contains(waits, trial.Wait) {
			waits = append(waits, trial.Wait)
		}
	}
	slices.Sort(waits)
	title := fmt.Sprintf("%s: %s (wait: %s)", capital(name), about[name], strings.Join(waits, ", "))
	compared := slices.ContainsFunc(rows, func(r results.Summary) bool { return r.CongestionAsked != rows[0].CongestionAsked })
	link := varied(s.Trials)
	var lines []line
	for _, row := range rows {
		if tableFor(row.Workload) != name {
			continue
		}
		l := line{group: cellLabel(row.Cell, compared) + linkLabel(row.Link, link), metric: metricOf(row.Workload, row.Metric), merged: row.Over == overMessages, judgement: row.Judgement}
		for _, proto := range columns {
			l.sides = append(l.sides, sideOf(row, proto))
		}
		lines = append(lines, l)
	}
	heads := make([]string, len(columns))
	for i, proto := range columns {
		heads[i] = strings.ToUpper(proto)
	}
	return setOut(title, heads, "UDP/TCP", lines, wide)
}

// linkLabel names the settings of a link in which those of the run differ.
func linkLabel(link string, varied []string) (label string) {
	_, values := settings(link)
	for _, key := range varied {
		if key == presetKey {
			label += ", " + cmp.Or(values[key], "no link")
			continue
		}
		label += ", " + key + " " + cmp.Or(values[key], "none")
	}
	return label
}

// cellLabel names a cell; compared tells whether there are several algorithms of congestion control.
func cellLabel(c results.Cell, compared bool) string {
	label := showSize(c.SizeBytes)
	if c.Flows > 1 {
		label += fmt.Sprintf(", %d flows", c.Flows)
	}
	if c.Direction == "down" || c.Direction == "both" {
		label += ", " + c.Direction
	}
	if rate, asked := c.RateAsked.Get(); asked {
		label += fmt.Sprintf(", %s/s", digits(rate))
	}
	switch {
	case tableFor(c.Workload) != "throughput" || c.Batch == "":
	case c.Batch == "1":
		label += ", one by one"
	case c.Batch == "auto":
		label += ", batches"
	default:
		label += fmt.Sprintf(", %s at once", c.Batch)
	}
	label += goalLabel(c)
	if compared {
		label += ", " + cmp.Or(c.CongestionAsked, "default")
	}
	return label
}

func sideOf(row results.Summary, proto string) results.Side {
	if proto == "udp" {
		return row.UDP
	}
	return row.TCP
}

// metricOf finds the metric of that name in a workload's table.
func metricOf(workload, name string) metric {
	for _, m := range metrics {
		if m.name == name && slices.Contains(m.workloads, workload) {
			return m
		}
	}
	return metric{name: name, label: name}
}

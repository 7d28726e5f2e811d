package page

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// table is a table of the page. The cells of its first Text columns are words, as are those of its last where Words is set.
type table struct {
	Title  string
	Header []cell
	Rows   []row
}

// row is a line of a table; one that names a group has a single cell.
type row struct {
	Group bool
	Cells []cell
}

// cell is a figure unless it is words.
type cell struct {
	Text  string
	Words bool
}

// words and figures make the cells of a row.
func words(list ...string) (cells []cell) {
	for _, text := range list {
		cells = append(cells, cell{Text: text, Words: true})
	}
	return cells
}

func figures(list ...string) (cells []cell) {
	for _, text := range list {
		cells = append(cells, cell{Text: text})
	}
	return cells
}

// comparison is a table of the report.
func comparison(t report.Table) table {
	cellsOf := func(texts []string) (cells []cell) {
		for i, text := range texts {
			cells = append(cells, cell{Text: strings.TrimSpace(text), Words: i < t.Text || t.Words && i == len(texts)-1})
		}
		return cells
	}
	out := table{Title: t.Title, Header: cellsOf(t.Header)}
	for _, texts := range t.Rows {
		if !slices.ContainsFunc(texts[1:], func(text string) bool { return text != "" }) {
			out.Rows = append(out.Rows, row{Group: true, Cells: cellsOf(texts[:1])})
			continue
		}
		out.Rows = append(out.Rows, row{Cells: cellsOf(texts)})
	}
	return out
}

// knob is what was asked of the kernel and of the program, and what was granted, in the columns of trials.csv.
type knob struct {
	WaitAsked string `csv:"wait_asked"`
	Wait      string `csv:"wait"`
	results.Asked
	CongestionAsked string `csv:"congestion_control_asked"`
	results.Granted
	Block int `csv:"messages_per_block"`
}

// mostValues is how many values of a knob are listed one by one.
const mostValues = 4

// knobs is a table of every knob: for each transport its values, and in how many trials it had each.
func knobs(s *results.Set) (table, error) {
	protos := report.Transports(s)
	t := table{Title: "Every knob, asked and granted", Header: words("column of trials.csv")}
	var columns [][][]string // by transport, the encoded trials
	for _, proto := range protos {
		t.Header = append(t.Header, words(strings.ToUpper(proto))...)
		var list []knob
		for _, trial := range s.Trials {
			if trial.Proto == proto {
				list = append(list, knob{trial.WaitAsked, trial.Wait, trial.Asked, trial.CongestionAsked, trial.Granted, trial.MessagesPerBlock})
			}
		}
		text, err := results.EncodeCSV(list, true)
		if err != nil {
			return table{}, err
		}
		encoded, err := results.Table(text)
		if err != nil {
			return table{}, err
		}
		columns = append(columns, encoded)
	}
	if len(columns) == 0 {
		return t, nil
	}
	for i, name := range columns[0][0] {
		cells := words(name)
		for _, encoded := range columns {
			var values []string
			for _, line := range encoded[1:] {
				values = append(values, line[i])
			}
			cells = append(cells, words(tally(values))...)
		}
		t.Rows = append(t.Rows, row{Cells: cells})
	}
	return t, nil
}

// tally lists values with how often they occur; of many numbers it tells the range.
func tally(values []string) string {
	counts := map[string]int{}
	var order []string
	smallest, largest, numbers := 0.0, 0.0, 0
	for _, v := range values {
		if counts[v]++; counts[v] == 1 {
			order = append(order, v)
		}
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			if numbers == 0 {
				smallest, largest = n, n
			}
			smallest, largest, numbers = min(smallest, n), max(largest, n), numbers+1
		}
	}
	if len(order) > mostValues && numbers > 0 {
		return fmt.Sprintf("%d values from %.0f to %.0f", len(order), smallest, largest)
	}
	var parts []string
	for _, v := range order {
		text := v
		if v == "" {
			text = "–"
		}
		if len(order) > 1 {
			text += fmt.Sprintf(" (%s)", report.Count(counts[v], "trial"))
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

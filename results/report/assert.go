package report

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jszwec/csvutil"

	"tcpvsudp/results"
	"tcpvsudp/results/stats"
)

// An Assertion is a threshold that figures are held against: "tcp.rtt_p99_us<500" every row of the metric, for one transport or, without
// its name, for both; "ratio.rtt_p50_us<1.1" the ratio of the two halves; "rtt_p50_us regress<5%" by how much the new of two results is worse than the old.
// A filter names the cells: "udp.loss_ratio[workload=paced,size_bytes=64]<0.1%".
type Assertion struct {
	text, proto, metric string
	filter              map[string]string
	regress             bool
	operator            string
	limit               float64
	percent             bool
}

var assertion = regexp.MustCompile(`^\s*(?:([a-z]+)\.)?([a-z0-9_]+)\s*(?:\[([^\]]*)\])?\s*(regress)?\s*(<=|>=|<|>)\s*([0-9.eE+-]+)\s*(%)?\s*$`)

// ratioOf stands in the place of a transport for the ratio of the two halves.
const ratioOf = "ratio"

// ParseAssertion reads an assertion; compares says that it is about two results.
func ParseAssertion(text string, compares bool) (Assertion, error) {
	m := assertion.FindStringSubmatch(text)
	if m == nil {
		return Assertion{}, fmt.Errorf("assertion %q: use METRIC<LIMIT, like udp.loss_ratio<0.1%%, tcp.rtt_p99_us<500, goodput_bps>1e9", text)
	}
	a := Assertion{text: strings.TrimSpace(text), proto: m[1], metric: m[2], regress: m[4] != "", operator: m[5], percent: m[7] != ""}
	var err error
	if a.limit, err = strconv.ParseFloat(m[6], 64); err != nil || math.IsInf(a.limit, 0) {
		return a, fmt.Errorf("assertion %q: %q is no number", text, m[6])
	}
	if a.percent {
		a.limit /= 100
	}
	switch {
	case a.proto != "" && a.proto != ratioOf && !slices.Contains(transports[:], a.proto):
		return a, fmt.Errorf("assertion %q: %q is no transport: use tcp, udp, or %s for the one by the other", text, a.proto, ratioOf)
	case !isMetric(a.metric) && !slices.Contains(trialColumns(), a.metric):
		return a, fmt.Errorf("assertion %q: nothing is called %q: use a metric of summary.csv, like rtt_p50_us, goodput_bps, loss_ratio, or a column of trials.csv", text, a.metric)
	case a.regress && !compares:
		return a, fmt.Errorf("assertion %q: a regress is from an old result to a new one: use it with \"bench compare\"", text)
	case a.regress && (a.proto == ratioOf || betterOf(a.metric) == ""):
		return a, fmt.Errorf("assertion %q: a regress is of a metric that can be worse, of tcp, udp or both", text)
	case a.regress && a.operator[0] != '<':
		return a, fmt.Errorf("assertion %q: a regress has a most, like regress<5%%", text)
	case a.proto == ratioOf && !isMetric(a.metric):
		return a, fmt.Errorf("assertion %q: only metrics of summary.csv have a ratio", text)
	}
	a.filter = map[string]string{}
	for word := range strings.SplitSeq(m[3], ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		key, value, ok := strings.Cut(word, "=")
		if !ok || !slices.Contains(cellColumns(), key) {
			return a, fmt.Errorf("assertion %q: filter %q: use COLUMN=VALUE, with one of the columns %s", text, word, strings.Join(cellColumns(), ", "))
		}
		a.filter[key] = value
	}
	return a, nil
}

func isMetric(name string) bool { return betterOf(name) != "" || name == "offered_bps" }

func betterOf(name string) string {
	for _, m := range metrics {
		if m.name == name {
			return m.better
		}
	}
	return ""
}

func trialColumns() []string {
	header, _ := csvutil.Header(results.Trial{}, "csv") // of a struct it does not fail
	return header
}

func cellColumns() []string {
	header, _ := csvutil.Header(results.Cell{}, "csv")
	return header
}

// An Outcome is what an assertion found in one row.
type Outcome struct {
	Assertion string        `json:"assertion"`
	Row       string        `json:"row"`
	Value     results.Value `json:"value"`
	Met       bool          `json:"met"`
	// Text says it in words: by how much it was missed.
	Text string `json:"text"`
}

// candidate is a figure that an assertion may be about.
type candidate struct {
	row   string
	cell  results.Cell
	proto string
	value results.Value
	unit  string
}

// CheckRun holds the assertion against a run.
func (a Assertion) CheckRun(s *results.Set) []Outcome {
	var list []candidate
	compared := severalAlgorithms(s.Trials)
	name := func(proto string, cell results.Cell) string {
		return strings.ToUpper(proto) + " " + cell.Workload + " of " + cellLabel(cell, compared) + linkLabel(cell.Link, varied(s.Trials))
	}
	if !isMetric(a.metric) {
		return a.judge(a.columns(s, name))
	}
	for _, row := range Summarize(s) {
		if row.Metric != a.metric {
			continue
		}
		if a.proto == ratioOf {
			list = append(list, candidate{name("UDP/TCP", row.Cell), row.Cell, ratioOf, row.Ratio, "×"})
			continue
		}
		for _, proto := range transports {
			if side := sideOf(row, proto); side.Trials > 0 || a.proto == proto {
				list = append(list, candidate{name(proto, row.Cell), row.Cell, proto, side.Value, row.Unit})
			}
		}
	}
	return a.judge(list)
}

// columns are the medians over trials of a column of trials.csv.
func (a Assertion) columns(s *results.Set, name func(string, results.Cell) string) (list []candidate) {
	for _, cell := range cells(s) {
		for _, proto := range transports {
			var sample []float64
			for _, t := range side(s, cell, proto).trials {
				if v, known := columnOf(t, a.metric).Get(); known {
					sample = append(sample, v)
				}
			}
			if d, ok := stats.Describe(sample); ok {
				list = append(list, candidate{name(proto, cell), cell, proto, results.Known(d.Median), ""})
			}
		}
	}
	return list
}

// columnOf is what a trial has in a column of trials.csv; not known where that is no number.
func columnOf(t results.Trial, column string) (v results.Value) {
	text, err := results.EncodeCSV([]results.Trial{t}, true)
	if err != nil {
		return v
	}
	rows, err := results.Table(text)
	if err != nil {
		return v
	}
	if v.UnmarshalText([]byte(rows[1][slices.Index(rows[0], column)])) != nil {
		return results.Value{}
	}
	return v
}

// CheckComparison holds the assertion against two results: a regress against the change, all others against the new one.
func (a Assertion) CheckComparison(c Comparison) []Outcome {
	var list []candidate
	for _, row := range c.Rows {
		if row.Metric != a.metric {
			continue
		}
		value, unit := row.New.Value, row.Unit
		switch {
		case a.proto == ratioOf:
			value, unit = row.Ratio, "×"
		case a.regress:
			value, unit = worse(row), "ratio"
		}
		list = append(list, candidate{
			row:  strings.ToUpper(row.Proto) + " " + row.Workload + " of " + cellLabel(row.Cell, c.compared()) + linkLabel(row.Cell.Link, c.varied()),
			cell: row.Cell, proto: row.Proto, value: value, unit: unit,
		})
	}
	return a.judge(list)
}

// worse is by how much the new half is worse, as a share of the old; below 0 it is better. What was nothing and is something has no share: it is worse
// without bounds.
func worse(row results.Change) results.Value {
	ratio, known := row.Ratio.Get()
	old, a := row.Old.Value.Get()
	new, b := row.New.Value.Get()
	switch {
	case known && row.Better == "higher":
		return results.Known(1 - ratio)
	case known:
		return results.Known(ratio - 1)
	case a && b && old == new:
		return results.Known(0)
	case a && b && row.Better == "lower":
		return results.Known(math.MaxFloat64)
	}
	return results.Value{}
}

func severalAlgorithms(trials []results.Trial) bool {
	return slices.ContainsFunc(trials, func(t results.Trial) bool { return t.CongestionAsked != trials[0].CongestionAsked })
}

// judge holds the assertion against the candidates that it is about. With none it is missed: what was not measured proves nothing.
func (a Assertion) judge(list []candidate) (outcomes []Outcome) {
	for _, c := range list {
		if a.proto != "" && a.proto != ratioOf && a.proto != c.proto || !a.selects(c.cell) {
			continue
		}
		outcomes = append(outcomes, a.outcome(c))
	}
	if len(outcomes) == 0 {
		outcomes = append(outcomes, Outcome{Assertion: a.text, Text: fmt.Sprintf("%s: missed: not measured in any row", a.text)})
	}
	return outcomes
}

func (a Assertion) selects(cell results.Cell) bool {
	text, err := results.EncodeCSV([]results.Cell{cell}, true)
	if err != nil {
		return false
	}
	rows, err := results.Table(text)
	if err != nil {
		return false
	}
	for key, want := range a.filter {
		if rows[1][slices.Index(rows[0], key)] != want {
			return false
		}
	}
	return true
}

func (a Assertion) outcome(c candidate) Outcome {
	o := Outcome{Assertion: a.text, Row: c.row, Value: c.value}
	v, known := c.value.Get()
	if !known {
		o.Text = fmt.Sprintf("%s: missed: not measured in %s", a.text, c.row)
		return o
	}
	order := cmp.Compare(v, a.limit)
	switch a.operator {
	case "<":
		o.Met = order < 0
	case "<=":
		o.Met = order <= 0
	case ">":
		o.Met = order > 0
	case ">=":
		o.Met = order >= 0
	}
	show := func(n float64) string {
		if a.percent {
			return short(100*n) + " %"
		}
		return short(n)
	}
	if o.Met {
		o.Text = fmt.Sprintf("%s: met: %s has %s", a.text, c.row, show(v))
		return o
	}
	o.Text = fmt.Sprintf("%s: missed: %s has %s, which is %s too %s", a.text, c.row, show(v), show(math.Abs(v-a.limit)), map[bool]string{true: "much", false: "little"}[a.operator[0] == '<'])
	if v == math.MaxFloat64 {
		o.Text = fmt.Sprintf("%s: missed: %s had none and has some", a.text, c.row)
	} else if a.limit != 0 && !a.regress {
		o.Text += fmt.Sprintf(" (%+.3g %%)", 100*(v/a.limit-1))
	}
	return o
}

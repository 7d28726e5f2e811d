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
	case a.regress && (a.operator[0] != '<' || !a.percent):
		return a, fmt.Errorf("assertion %q: a regress has a most, in per cent, like regress<5%%", text)
	case a.percent && !a.regress && a.proto != ratioOf && !isShare(a.metric):
		return a, fmt.Errorf("assertion %q: %s is no share, which per cent are of: leave the %% out", text, a.metric)
	case a.proto == ratioOf && !isMetric(a.metric):
		return a, fmt.Errorf("assertion %q: only metrics of summary.csv have a ratio", text)
	}
	a.filter = map[string]string{}
	last := ""
	for word := range strings.SplitSeq(m[3], ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(word), "=")
		switch {
		case word == "" && m[3] == "":
		case ok && slices.Contains(cellColumns(), key):
			a.filter[key], last = value, key
		case last == "link": // whose name has such signs of its own
			a.filter[last] += ";" + strings.TrimSpace(word)
		default:
			return a, fmt.Errorf("assertion %q: filter %q: use COLUMN=VALUE, with one of the columns %s", text, word, strings.Join(cellColumns(), ", "))
		}
	}
	return a, nil
}

// isShare tells whether a metric or column is a share from 0 to 1.
func isShare(name string) bool { return strings.HasSuffix(name, "_ratio") }

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

// candidate is a figure that an assertion may be about: of a cell, and of a transport or the ratio of both.
type candidate struct {
	row   string
	cell  results.Cell
	proto string
	value results.Value
	// missing is how many of its trials have no figure.
	missing, trials int
}

// CheckRun holds the assertion against a run. A run that is not whole misses it.
func (a Assertion) CheckRun(s *results.Set) []Outcome {
	if why := notWhole(s); why != "" {
		return []Outcome{a.missed("", why)}
	}
	name := cellNames(s.Trials)
	rows := Summarize(s)
	var list []candidate
	for _, cell := range cells(s) {
		m := metricOf(cell.Workload, a.metric)
		if isMetric(a.metric) && !slices.Contains(m.workloads, cell.Workload) {
			continue
		}
		var row results.Summary // empty where the tables leave it out
		if i := slices.IndexFunc(rows, func(r results.Summary) bool { return r.Cell == cell && r.Metric == a.metric }); i >= 0 {
			row = rows[i]
		}
		if a.proto == ratioOf {
			list = append(list, candidate{row: "UDP/TCP " + name(cell), cell: cell, proto: ratioOf, value: row.Ratio})
			continue
		}
		for _, proto := range transports {
			h := side(s, cell, proto)
			if len(h.trials) == 0 && a.proto != proto {
				continue
			}
			c := candidate{row: strings.ToUpper(proto) + " " + name(cell), cell: cell, proto: proto, value: sideOf(row, proto).Value, trials: len(h.trials)}
			switch {
			case !isMetric(a.metric):
				c.value, c.missing = a.column(h)
			case row.Over == overTrials:
				c.missing = c.trials - sideOf(row, proto).Trials
			}
			list = append(list, c)
		}
	}
	return a.judge(list)
}

// notWhole says what a run lacks, "" for nothing.
func notWhole(s *results.Set) string {
	if s.Run.Status != results.Finished {
		return fmt.Sprintf("the run is not whole: %s, %d of %s", s.Run.Status, len(s.Trials), Count(s.Run.Planned, "trial"))
	}
	return damaged(s)
}

// damaged says how many of a run's trials are gone, "" for none.
func damaged(s *results.Set) string {
	if len(s.Trials) >= s.Run.Kept {
		return ""
	}
	return fmt.Sprintf("the run is damaged: %s has %d of %s", results.TrialsFile, len(s.Trials), Count(s.Run.Kept, "trial"))
}

// column is the median over trials of a column of trials.csv, and how many of them have nothing there.
func (a Assertion) column(h half) (median results.Value, missing int) {
	var sample []float64
	for _, t := range h.trials {
		if v, known := columnOf(t, a.metric).Get(); known {
			sample = append(sample, v)
		}
	}
	if d, ok := stats.Describe(sample); ok {
		median = results.Known(d.Median)
	}
	return median, len(h.trials) - len(sample)
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

// CheckComparison holds the assertion against two results: a regress against the change, all others against the new one. Results that are
// not whole miss it, and so does what is in one of them alone.
func (a Assertion) CheckComparison(c Comparison) []Outcome {
	for _, s := range slices.Concat(c.Old, c.New) {
		if why := notWhole(s); why != "" {
			return []Outcome{a.missed("", why+" (run "+s.Run.ID+")")}
		}
	}
	var list []candidate
	name := cellNames(slices.Concat(joined(c.Old).Trials, joined(c.New).Trials))
	for _, row := range c.Rows {
		if row.Metric != a.metric {
			continue
		}
		one := candidate{row: strings.ToUpper(row.Proto) + " " + name(row.Cell), cell: row.Cell, proto: row.Proto, value: row.New.Value}
		switch {
		case a.proto == ratioOf:
			one.value = row.Ratio
		case a.regress:
			one.value = worse(row)
		}
		list = append(list, one)
	}
	for _, one := range c.alone {
		if slices.Contains(metricOf(one.cell.Workload, a.metric).workloads, one.cell.Workload) {
			list = append(list, one)
		}
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
	case !known && a && b && old == new:
		return results.Known(0)
	case !known && a && b && old == 0 && row.Better == "lower":
		return results.Known(math.MaxFloat64)
	case !known && a && b && old == 0:
		return results.Known(-math.MaxFloat64)
	case !known && a && b:
		ratio = new / old
	case !known:
		return results.Value{}
	}
	if row.Better == "higher" {
		return results.Known(1 - ratio)
	}
	return results.Known(ratio - 1)
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
		outcomes = append(outcomes, a.missed("", "not measured in any row"))
	}
	return outcomes
}

// missed is the outcome of an assertion that can't be held against a figure.
func (a Assertion) missed(row, why string) Outcome {
	return Outcome{Assertion: a.text, Row: row, Text: fmt.Sprintf("%s: missed: %s", a.text, why)}
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
	switch {
	case !known:
		return a.missed(c.row, "not measured in "+c.row)
	case c.missing > 0:
		return a.missed(c.row, fmt.Sprintf("not measured in %d of %s of %s", c.missing, Count(c.trials, "trial"), c.row))
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
	} else if a.limit > 0 && !a.regress {
		o.Text += fmt.Sprintf(" (%+.3g %%)", 100*(v/a.limit-1))
	}
	return o
}

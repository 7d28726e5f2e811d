package plot

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tcpvsudp/results"
)

// columns are the names of the columns of trials.csv.
var columns = func() []string {
	text, err := results.EncodeCSV[results.Trial](nil, true)
	if err != nil {
		panic(err) // results' own tests write one
	}
	return strings.Split(strings.TrimSpace(string(text)), ",")
}()

// row is a trial as a row of trials.csv.
type row struct {
	trial results.Trial
	cells []string
}

func rowsOf(trials []results.Trial) []row {
	text, err := results.EncodeCSV(trials, true)
	if err != nil {
		panic(err) // a trial that was read can be written
	}
	table, err := results.Table(text)
	if err != nil {
		panic(err)
	}
	list := make([]row, len(trials))
	for i := range trials {
		list[i] = row{trials[i], table[i+1]}
	}
	return list
}

// text is the value of a column, empty where it was not measured.
func (r row) text(column string) string {
	if i := slices.Index(columns, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

func (r row) number(column string) (float64, bool) {
	n, err := strconv.ParseFloat(r.text(column), 64)
	return n, err == nil
}

// knownColumn returns an error that names the nearest where trials.csv has no column of that name.
func knownColumn(_ []Run, column string) error {
	if column == "" || slices.Contains(columns, column) {
		return nil
	}
	return wrong("trials.csv has no column %q: %s", column, suggestion(column, columns))
}

// numericColumn returns an error where a column is none, or holds words.
func numericColumn(runs []Run, column string) error {
	if err := knownColumn(runs, column); err != nil {
		return err
	}
	for _, run := range runs {
		for _, r := range rowsOf(run.Set.Trials) {
			if _, ok := r.number(column); !ok && r.text(column) != "" {
				return wrong("column %s has no numbers, but %q: a metric is a number, like rtt_p50_us or goodput_bps", column, r.text(column))
			}
		}
	}
	return nil
}

// suggestion names the words of a list that are nearest to one.
func suggestion(word string, list []string) string {
	near := slices.Clone(list)
	slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(distance(word, a), distance(word, b)) })
	const most = 5
	var found []string
	if distance(word, near[0]) <= max(len(word)/3, 1) {
		found = near[:1]
	}
	for _, like := range []func(string) bool{
		func(candidate string) bool { return strings.Contains(candidate, word) },
		func(candidate string) bool { return len(word) > 3 && strings.HasPrefix(candidate, word[:4]) },
	} {
		for _, candidate := range near {
			if like(candidate) && !slices.Contains(found, candidate) && len(found) < most {
				found = append(slices.Clone(found), candidate)
			}
		}
		if len(found) > 0 {
			return "do you mean " + strings.Join(found, " or ") + "?"
		}
	}
	return "its first line names all, such as rtt_p50_us, connect_p50_us, goodput_bps, loss_ratio, cpu_us_per_message, size_bytes, flows, batch and link"
}

// distance is how many letters have to be put in, taken out or changed (Levenshtein).
func distance(a, b string) int {
	before := make([]int, len(b)+1)
	for j := range before {
		before[j] = j
	}
	for i := range len(a) {
		now := []int{i + 1}
		for j := range len(b) {
			change := before[j]
			if a[i] != b[j] {
				change++
			}
			now = append(now, min(change, now[j]+1, before[j+1]+1))
		}
		before = now
	}
	return before[len(b)]
}

// A Condition keeps trials whose column has one of the values.
type Condition struct {
	Column string
	Values []string
}

// ParseConditions reads conditions like workload=latency; those of one column are alternatives.
func ParseConditions(words []string) (list []Condition, err error) {
	for _, word := range words {
		column, value, found := strings.Cut(word, "=")
		if !found {
			return nil, fmt.Errorf("condition %q: write COLUMN=VALUE, like workload=latency", word)
		}
		if err := knownColumn(nil, column); err != nil || column == "" {
			return nil, errors.Join(err, emptyName(column))
		}
		if i := slices.IndexFunc(list, func(c Condition) bool { return c.Column == column }); i >= 0 {
			list[i].Values = append(list[i].Values, value)
			continue
		}
		list = append(list, Condition{column, []string{value}})
	}
	return list, nil
}

func emptyName(column string) error {
	if column == "" {
		return errors.New("a condition needs the name of a column")
	}
	return nil
}

func (c Condition) holds(r row) bool {
	for _, value := range c.Values {
		if r.text(c.Column) == value {
			return true
		}
		n, ok := r.number(c.Column)
		if want, err := strconv.ParseFloat(value, 64); ok && err == nil && n == want {
			return true
		}
	}
	return false
}

// filtered are the runs with those trials alone for which all conditions hold.
func filtered(runs []Run, conditions []Condition) ([]Run, error) {
	if len(conditions) == 0 {
		return runs, nil
	}
	var list []Run
	total := 0
	for _, run := range runs {
		set := *run.Set
		set.Trials, set.Buckets, set.Intervals, set.Steps = nil, nil, nil, nil
		kept := map[int]bool{}
		for _, r := range rowsOf(run.Set.Trials) {
			if !slices.ContainsFunc(conditions, func(c Condition) bool { return !c.holds(r) }) {
				set.Trials = append(set.Trials, r.trial)
				kept[r.trial.Number] = true
			}
		}
		for _, b := range run.Set.Buckets {
			if kept[b.Trial] {
				set.Buckets = append(set.Buckets, b)
			}
		}
		for _, i := range run.Set.Intervals {
			if kept[i.Trial] {
				set.Intervals = append(set.Intervals, i)
			}
		}
		total += len(set.Trials)
		list = append(list, Run{run.Name, &set})
	}
	if total == 0 {
		return nil, errors.New("no trial meets all conditions of --where")
	}
	return list, nil
}

// without is a cell that tells nothing of a column.
func without(c results.Cell, column string) results.Cell {
	switch column {
	case "workload":
		c.Workload = ""
	case "size_bytes":
		c.SizeBytes = 0
	case "flows":
		c.Flows = 0
	case "direction":
		c.Direction = ""
	case "batch":
		c.Batch = ""
	case "congestion_control_asked":
		c.CongestionAsked = ""
	case "link":
		c.Link = ""
	case "rate_asked_msg_per_s":
		c.RateAsked = results.Value{}
	case "loss_goal_ratio":
		c.LossGoal = results.Value{}
	}
	return c
}

// parameters are the columns of a cell.
var parameters = []string{"workload", "size_bytes", "flows", "direction", "rate_asked_msg_per_s", "batch", "congestion_control_asked", "link", "loss_goal_ratio"}

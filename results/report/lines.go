package report

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"tcpvsudp/results"
)

// line is a row of a table as people see it: one metric of a group of rows that have the same parameters.
type line struct {
	group     string
	metric    metric
	merged    bool
	sides     []results.Side
	judgement results.Judgement
}

// setOut makes the table: each group has a line of its own, and its metrics below it. With two halves their ratio, its interval and
// the verdict follow.
func setOut(title string, heads []string, ratio string, lines []line, wide bool) Table {
	t := Table{Title: title, Header: append([]string{"messages"}, heads...), Text: 1}
	if len(heads) == 2 {
		t.Words = true
		t.Header = append(t.Header, ratio, "verdict")
	}
	group := ""
	for _, l := range lines {
		if l.group != group {
			group = l.group
			for _, part := range folded(group, wide) {
				row := make([]string, len(t.Header))
				row[0] = part
				t.Rows = append(t.Rows, row)
			}
		}
		t.Rows = append(t.Rows, l.cells(wide))
	}
	return t
}

// groupWidth is how wide the name of a group may be in a narrow table: as wide as the names of metrics.
const groupWidth = 21

// folded is the name of a group in lines that a narrow table has room for.
func folded(group string, wide bool) []string {
	if wide {
		return []string{group}
	}
	parts := strings.SplitAfter(group, ", ")
	lines := parts[:1]
	for _, part := range parts[1:] {
		if last := &lines[len(lines)-1]; utf8.RuneCountInString(*last+part) <= groupWidth {
			*last += part
		} else {
			lines = append(lines, part)
		}
	}
	return lines
}

// cells are the cells of the line's row.
func (l line) cells(wide bool) []string {
	var values []results.Value
	for _, side := range l.sides {
		values = append(values, side.Value)
	}
	scale := scaleFor(l.metric.unit, values...)
	cells := []string{" " + l.label(scale)}
	for _, side := range l.sides {
		switch {
		case side.Trials == 0:
			cells = append(cells, notMeasured)
		case l.metric.unit == shareOf:
			cells = append(cells, showShare(side))
		default:
			cells = append(cells, scale.show(side.Value)+spread(side, wide))
		}
	}
	if len(l.sides) == 2 {
		cells = append(cells, showJudged(l.judgement), showVerdict(l.judgement, wide))
	}
	return cells
}

func (l line) label(scale scale) string {
	label := l.metric.label
	if l.pooled() {
		label += " ¹"
	}
	if scale.symbol != "" {
		label += ", " + scale.symbol
	}
	return label
}

// pooled tells whether the line holds a percentile of all trials' messages together.
func (l line) pooled() bool {
	if !l.merged || l.metric.percentile == 0 {
		return false
	}
	for _, side := range l.sides {
		if _, known := side.Value.Get(); known {
			return true
		}
	}
	return false
}

// spread is how far the interval of a median reaches to its farther side, in per cent of it.
func spread(side results.Side, wide bool) string {
	v, _ := side.Value.Get()
	low, known := side.Low.Get()
	high, _ := side.High.Get()
	if !wide || !known || v <= 0 {
		return ""
	}
	return fmt.Sprintf(" ±%s %%", short2(100*math.Max(high-v, v-low)/v))
}

// showJudged is the ratio with its interval.
func showJudged(j results.Judgement) string {
	ratio, known := j.Ratio.Get()
	if !known {
		return ""
	}
	low, bounded := j.Low.Get()
	high, _ := j.High.Get()
	if !bounded {
		return showRatio(ratio)
	}
	return fmt.Sprintf("%s (%s–%s)", showRatio(ratio), showRatio(low), showRatio(high))
}

// showVerdict is the verdict, in a narrow table in short.
func showVerdict(j results.Judgement, wide bool) string {
	if wide || !strings.HasPrefix(j.Verdict, noneShown) {
		return j.Verdict
	}
	if n, known := j.Needed.Get(); known {
		return fmt.Sprintf("not shown (%.0f)", n)
	}
	return "not shown"
}

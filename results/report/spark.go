package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tcpvsudp/results"
)

// sparkColumns is how many columns a distribution has, sparkMarks what they are made of: no message, and up to as many as in the column with
// the most.
const (
	sparkColumns = 48
	sparkMarks   = " ▁▂▃▄▅▆▇█"
)

// sparklines draw how the latencies of a table's cells are spread: all trials' messages, on a scale that a cell's transports share.
func sparklines(table string, s *results.Set) (lines []string) {
	histogram, label := "rtt", "RTT"
	if table == "connect" {
		histogram, label = "connect", "time to the reply"
	} else if !slices.Contains(loops, table) {
		return nil
	}
	buckets := map[results.Cell]map[string][]results.Bucket{}
	var trials []results.Trial
	for _, t := range s.Trials {
		if t.Workload == table {
			trials = append(trials, t)
		}
	}
	for _, b := range s.Buckets {
		if b.Workload != table || b.Metric != histogram || b.Count <= 0 {
			continue
		}
		if buckets[b.Cell] == nil {
			buckets[b.Cell] = map[string][]results.Bucket{}
		}
		buckets[b.Cell][b.Proto] = append(buckets[b.Cell][b.Proto], b)
	}
	compared, link := severalAlgorithms(s.Trials), varied(s.Trials)
	for _, cell := range cells(&results.Set{Trials: trials}) {
		sides := buckets[cell]
		low, high := extent(sides)
		if high == 0 {
			continue
		}
		if lines == nil {
			lines = append(lines, fmt.Sprintf("How the %s is spread, on a logarithmic scale:", label))
		}
		name, values := " "+plain(cellLabel(cell, compared)+linkLabel(cell.Link, link))+":", between(low, high)
		if utf8.RuneCountInString(name+" "+values) > textWidth {
			lines, name = append(lines, name), " "
		}
		lines = append(lines, name+" "+values)
		for _, proto := range protos(s) {
			if len(sides[proto]) > 0 {
				lines = append(lines, strings.TrimRight("  "+strings.ToUpper(proto)+" "+sparkline(sides[proto], low, high, sparkColumns), " "))
			}
		}
	}
	return lines
}

// plain is a name without what would end a line, or the fence around it in Markdown.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '`' || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
}

// extent is the smallest and the largest latency of a cell, in ns; 0 where it has none.
func extent(sides map[string][]results.Bucket) (low, high int64) {
	for _, list := range sides {
		for _, b := range list {
			if low == 0 || middle(b) < low {
				low = middle(b)
			}
			high = max(high, middle(b))
		}
	}
	return low, high
}

// middle is where the values of a bucket are drawn; a logarithm knows no less than 1.
func middle(b results.Bucket) int64 { return max(b.FromNs/2+b.ToNs/2+(b.FromNs%2+b.ToNs%2)/2, 1) }

func between(low, high int64) string {
	show := func(ns int64) string {
		v := results.Known(float64(ns) / 1000)
		scale := scaleFor(microseconds, v)
		return scale.show(v) + " " + scale.symbol
	}
	if show(low) == show(high) {
		return show(low)
	}
	return show(low) + " … " + show(high)
}

// sparkline draws buckets in columns from low to high, each as wide as the others on a logarithmic scale. A column in which there is anything has a mark:
// the few messages of a tail are to be seen.
func sparkline(buckets []results.Bucket, low, high int64, columns int) string {
	counts := make([]float64, columns)
	span := math.Log(float64(high) / float64(low))
	most := 0.0
	for _, b := range buckets {
		at := 0
		if span > 0 {
			at = int(math.Log(float64(middle(b))/float64(low)) / span * float64(columns))
		}
		at = min(max(at, 0), columns-1)
		counts[at] += float64(max(b.Count, 0))
		most = max(most, counts[at])
	}
	marks := []rune(sparkMarks)
	line := make([]rune, columns)
	for i, n := range counts {
		level := 0
		if n > 0 {
			level = max(int(math.Round(n/most*float64(len(marks)-1))), 1)
		}
		line[i] = marks[level]
	}
	return strings.TrimRight(string(line), " ")
}

package report

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tcpvsudp/results"
)

func TestSparkline(t *testing.T) {
	at := func(ns, count int64) results.Bucket { return results.Bucket{FromNs: ns, ToNs: ns, Count: count} }
	for _, c := range []struct {
		name      string
		buckets   []results.Bucket
		low, high int64
		want      string
	}{
		{"nothing", nil, 1, 1000, ""},
		{"one value", []results.Bucket{at(500, 7)}, 500, 500, "█"},
		{"a decade has as many columns as the next", []results.Bucket{at(10, 8), at(100, 8), at(1000, 8), at(10_000, 8)}, 10, 10_000, "█  █  █ █"},
		{"one message of a million is seen", []results.Bucket{at(10, 1_000_000), at(10_000, 1)}, 10, 10_000, "█       ▁"},
		{"heights are shares of the highest", []results.Bucket{at(10, 80), at(100, 40), at(1000, 10)}, 10, 10_000, "█  ▄  ▁"},
		{"buckets of one column add up", []results.Bucket{at(10, 1), at(11, 1), at(1000, 1)}, 10, 1000, "█       ▄"},
		{"no time at all", []results.Bucket{at(0, 1)}, 1, 1, "█"},
	} {
		columns := 9
		if got := sparkline(c.buckets, c.low, c.high, columns); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSparklines(t *testing.T) {
	s := example()
	got := sparklines("latency", s)
	want := []string{
		"How the RTT is spread, on a logarithmic scale:",
		" 64 B: 1.000 µs … 9.000 µs",
		"  TCP █" + strings.Repeat(" ", 46) + "▁",
		"  UDP █" + strings.Repeat(" ", 46) + "▁",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, line := range got {
		if utf8.RuneCountInString(line) > textWidth {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
	}
	for i := range s.Trials {
		s.Trials[i].Link = strings.Repeat("delay=20ms;", i%4*3) + "loss=```\n"
	}
	for i := range s.Buckets {
		s.Buckets[i].Link = s.Trials[i].Link
	}
	for _, line := range sparklines("latency", s) {
		if strings.ContainsAny(line, "`\n") || utf8.RuneCountInString(line) > textWidth {
			t.Errorf("a name of a link breaks out: %q", line)
		}
	}
	s = example()
	for _, table := range []string{"throughput", "connect", "paced"} { // of which the example has no histogram
		if got := sparklines(table, s); got != nil {
			t.Errorf("%s: %q", table, got)
		}
	}
	for i := range s.Buckets {
		s.Buckets[i].Count, s.Buckets[i].FromNs = -1, -5
	}
	if got := sparklines("latency", s); got != nil {
		t.Errorf("of counts that can't be: %q", got)
	}
}

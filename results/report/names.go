package report

import (
	"cmp"
	"slices"

	"tcpvsudp/results"
)

// What else shows the figures of a run, pictures for one, calls them by the names of the tables.

// Cells returns the cells of the run's trials in the order of the tables.
func Cells(s *results.Set) []results.Cell { return cells(s) }

// CellNames returns how the tables call the cells of runs that are shown together: by size, flows, direction, rate and batch, and
// by congestion control and link as far as the runs' cells differ in them.
func CellNames(sets ...*results.Set) func(results.Cell) string {
	var trials []results.Trial
	for _, s := range sets {
		trials = append(trials, s.Trials...)
	}
	compared, link := severalAlgorithms(trials), varied(trials)
	return func(c results.Cell) string { return cellLabel(c, compared) + linkLabel(c.Link, link) }
}

// LinkOrder numbers links, for their order, by the figures in their settings.
func LinkOrder(links []string) map[string]int { return linkOrder(links) }

// WorkloadTitle says what a workload does.
func WorkloadTitle(workload string) string {
	if slices.Contains(searches, workload) {
		return "Max rate: the highest with no more loss than the goal"
	}
	return capital(workload) + ": " + cmp.Or(about[workload], "trials")
}

// MetricName is what the table of a workload calls a metric of summary.csv; empty where it has none of that name.
func MetricName(workload, metric string) string {
	m := metricOf(workload, metric)
	if len(m.workloads) == 0 {
		return ""
	}
	return m.label
}

// Scale chooses how figures are shown of which the largest is given, in a unit of summary.csv: a figure times factor is in symbol.
func Scale(u string, largest float64) (factor float64, symbol string) {
	s := scaleFor(unit(u), results.Known(largest))
	return s.factor, s.symbol
}

// SizeName is a message size as people write it.
func SizeName(bytes int) string { return showSize(bytes) }

// Digits returns n to four significant digits, never in exponents.
func Digits(n float64) string { return digits(n) }

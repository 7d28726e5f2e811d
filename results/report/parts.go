package report

import "tcpvsudp/results"

// What Write prints is made of parts. They are here for those who set them out in another way, as a page does.

// Heading says which run this is, where and how it was made and whether it is whole, a sentence each.
func Heading(s *results.Set) []string { return heading(s) }

// Tables set the transports side by side, a table for each workload that was measured. A row that has nothing but its first cell names
// the group of rows below it.
func Tables(s *results.Set, rows []results.Summary, wide bool) (tables []Table) {
	for _, name := range all {
		if table := tableOf(name, s, rows, wide); len(table.Rows) > 0 {
			tables = append(tables, table)
		}
	}
	return tables
}

// Footnotes are what a reader must know beside the figures, a paragraph each.
func Footnotes(s *results.Set, rows []results.Summary) []string { return footnotes(s, rows, true) }

// MapFindings say for each delay from which loss on which transport meets the deadline better.
func MapFindings(rows []MapRow) []string { return mapFindings(rows) }

// Transports are those that a run has trials of, in the order of the columns.
func Transports(s *results.Set) []string { return protos(s) }

// Show returns a figure with its unit, one of those of summary.csv, in the scale that suits it.
func Show(unitName string, v results.Value) string {
	scale := scaleFor(unit(unitName), v)
	if _, known := v.Get(); !known {
		return notMeasured
	}
	return scale.show(v) + " " + scale.symbol
}

// EnoughTrials is the number of trials from which on a difference can be told from chance.
const EnoughTrials = enoughTrials

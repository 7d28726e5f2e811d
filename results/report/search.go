package report

import (
	"fmt"
	"slices"
	"strconv"

	"tcpvsudp/results"
)

// tableFor is the workload in whose table a workload's cells stand: what a search found belongs beside what goes as fast as it goes.
func tableFor(workload string) string {
	if slices.Contains(searches, workload) {
		return "throughput"
	}
	return workload
}

// place sorts workloads, those of one table together.
func place(workload string) int {
	at := 2 * slices.Index(all, tableFor(workload))
	if slices.Contains(searches, workload) {
		at++
	}
	return at
}

// goalLabel ends the name of a search's cell.
func goalLabel(c results.Cell) string {
	goal, asked := c.LossGoal.Get()
	if !asked {
		return ""
	}
	return ", loss ≤ " + strconv.FormatFloat(goal*100, 'g', 6, 64) + " %"
}

// searchNotes say how to read a search, and how many of each transport's ended without two bounds.
func searchNotes(trials []results.Trial) (notes []string) {
	type key struct{ proto, end string }
	counts, total := map[key]int{}, map[string]int{}
	for _, t := range trials {
		if t.MaxRate.End != "" {
			counts[key{t.Proto, t.MaxRate.End}]++
			total[t.Proto]++
		}
	}
	if len(total) == 0 {
		return nil
	}
	notes = append(notes, "Max rate: the highest rate that a search found with no more loss than the goal (RFC 9971), as the receiver counted it.")
	for _, proto := range []string{"tcp", "udp"} {
		for _, end := range []struct{ word, text string }{
			{results.MaxLoad, "met the goal with all that the sender could send: its rate is what is told"},
			{results.MinLoad, "found no rate: the goal was missed at the smallest load too, and the figures leave them out"},
		} {
			if n := counts[key{proto, end.word}]; n > 0 {
				notes = append(notes, fmt.Sprintf("%s: %d of %s %s.", proto, n, searchCount(total[proto]), end.text))
			}
		}
	}
	return notes
}

func searchCount(n int) string {
	if n == 1 {
		return "1 search"
	}
	return fmt.Sprintf("%d searches", n)
}

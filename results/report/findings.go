package report

import (
	"fmt"
	"strings"

	"tcpvsudp/results"
)

// findings say in a sentence what an emulated link showed of each paced cell: who lost what, who was late, and who missed the
// deadline.
func findings(s *results.Set, rows []results.Summary) (list []string) {
	if len(protos(s)) < 2 {
		return nil
	}
	for i, row := range rows {
		if row.Workload != "paced" || row.Link == "" || i > 0 && rows[i-1].Cell == row.Cell {
			continue
		}
		f := figures{}
		for _, r := range rows[i:] {
			if r.Cell == row.Cell {
				f[r.Metric] = r
			}
		}
		if text := f.sentence(row.Cell, s.Trials); text != "" {
			list = append(list, text)
		}
	}
	return list
}

// figures are the rows of a cell by metric.
type figures map[string]results.Summary

func (f figures) value(metric, proto string) (v float64, known bool) {
	row, has := f[metric]
	if !has {
		return 0, false
	}
	return sideOf(row, proto).Value.Get()
}

func (f figures) sentence(cell results.Cell, trials []results.Trial) string {
	deadline := ""
	for _, t := range trials {
		if t.Cell == cell {
			deadline = t.DeadlineMs.String()
		}
	}
	half := func(proto string) (text string, misses float64, ok bool) {
		tail, word := "owd_up_p99_us", "at p99"
		if _, told := f.value(tail, proto); !told {
			tail, word = "owd_up_max_us", "at most"
		}
		slow, a := f.value(tail, proto)
		stall, b := f.value("longest_stall_ms", proto)
		misses, c := f.value("deadline_miss_ratio", proto)
		held, d := f.value("held_up_ratio", proto)
		if !a || !b || !c || !d {
			return "", 0, false
		}
		return fmt.Sprintf("%s took %s ms %s, stood still for %s ms at most, held %s %% of its messages up and missed the deadline for %s %%",
			strings.ToUpper(proto), short(slow/1000), word, short(stall), short(held*100), short(misses*100)), misses, true
	}
	tcp, tcpMisses, ok1 := half("tcp")
	udp, udpMisses, ok2 := half("udp")
	if !ok1 || !ok2 {
		return ""
	}
	verdict := "They missed it equally often."
	switch {
	case udpMisses < tcpMisses:
		verdict = "UDP met it more often: what it loses is less than what TCP makes wait."
	case udpMisses > tcpMisses:
		verdict = "TCP met it more often: it sends again what was lost, and still in time."
	}
	return fmt.Sprintf("%s over %s, one way, deadline %s ms: %s; %s. %s", cellLabel(cell, false), readable(cell.Link), deadline, tcp, udp, verdict)
}

// short returns n to three significant digits.
func short(n float64) string {
	text := fmt.Sprintf("%.3g", n)
	if strings.Contains(text, "e") {
		return digits(n)
	}
	return text
}

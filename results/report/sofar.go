package report

import (
	"slices"

	"tcpvsudp/results"
	"tcpvsudp/results/stats"
)

// soFar are the metrics that tell, while a run goes on, how it goes: a few for each workload, in the order of the rows.
var soFar = []string{"rtt_p50_us", "rtt_p99_us", "connect_p50_us", "connect_p99_us", "goodput_bps", "max_rate_bps", "max_rate_msg_per_s", "messages_per_s", "loss_ratio"}

// A Figure is what the trials of one cell have told so far: its name with the unit, and what each transport has.
type Figure struct{ Label, TCP, UDP string }

// SoFar sums up the trials that a cell has so far, in the words of the tables and without verdicts: those take all trials.
func SoFar(workload string, tcp, udp []results.Trial) (figures []Figure) {
	for _, m := range metrics {
		if !slices.Contains(soFar, m.name) || !slices.Contains(m.workloads, workload) {
			continue
		}
		a, b := m.soFar(half{trials: tcp}), m.soFar(half{trials: udp})
		scale := scaleFor(m.unit, a.Value, b.Value)
		show := func(s results.Side) string {
			if m.unit == shareOf {
				return showShare(s)
			}
			return scale.show(s.Value)
		}
		figures = append(figures, Figure{Label: line{metric: m}.label(scale), TCP: show(a), UDP: show(b)})
	}
	return figures
}

// soFar is merged, or the median alone, without what takes longer to find.
func (m metric) soFar(h half) results.Side {
	if m.value == nil {
		return m.merged(h)
	}
	d, _ := stats.Describe(m.figures(h))
	if d.N == 0 {
		return results.Side{}
	}
	return results.Side{Value: results.Known(d.Median), Trials: d.N}
}

// CellName names a cell as the tables do, its workload first; compared tells whether there are several algorithms of congestion control.
func CellName(c results.Cell, compared bool) string {
	name := c.Workload + ", " + cellLabel(c, compared)
	if c.Link != "" {
		name += ", " + readable(c.Link)
	}
	return name
}

package report

import (
	"fmt"
	"slices"

	"tcpvsudp/results"
)

// enoughPairs is the number of trials from which a median has an interval of 95 % confidence: with five, the
// smallest and the largest still leave 1 in 16 outside.
const enoughPairs = 6

// footnotes are what a reader must know beside the figures, in lines of less than 80 columns.
func footnotes(s *results.Set, rows []results.Summary) []string {
	if len(rows) == 0 {
		return nil
	}
	notes := []string{
		"Figures are medians over trials; shares are of all trials' messages, maxima",
		"are the largest of all. UDP/TCP is the median over pairs of trials.",
	}
	var merged, missing, none, few bool
	for _, row := range rows {
		m := metricOf(row)
		isPercentile := row.Over == overMessages && m.percentile != 0
		few = few || row.Over == overTrials && row.Pairs > 0 && row.Pairs < enoughPairs
		for _, side := range []results.Side{row.TCP, row.UDP} {
			v, known := side.Value.Get()
			merged = merged || isPercentile && known
			missing = missing || isPercentile && !known && side.Trials > 0
			none = none || m.unit == shareOf && known && v == 0
		}
	}
	if merged {
		notes = append(notes, "¹ All trials' messages together: one trial has too few for this percentile.")
	}
	if missing {
		notes = append(notes, "– Not measured: too few messages for this percentile, so see the maximum.")
	}
	if none {
		notes = append(notes, "0 (<x): none of n seen, so with 95 % confidence less than 3/n.")
	}
	if few {
		notes = append(notes, fmt.Sprintf("Fewer than %d trials a row: too few to tell a difference from chance.", enoughPairs))
	}
	return append(notes, notGranted(s.Trials)...)
}

// notGranted says what was asked of the kernel and not given, each once.
func notGranted(trials []results.Trial) (notes []string) {
	note := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(notes, text) {
			notes = append(notes, text)
		}
	}
	for _, t := range trials {
		if t.Wait != t.WaitAsked {
			note("%s: asked to wait by %s, granted %s.", t.Proto, t.WaitAsked, t.Wait)
		}
		for _, buffer := range []struct {
			name         string
			asked, given results.Value
		}{
			{"client's send", t.ClientSendBufferAsked, t.ClientSendBuffer},
			{"client's receive", t.ClientRecvBufferAsked, t.ClientRecvBuffer},
			{"server's send", t.ServerSendBufferAsked, t.ServerSendBuffer},
			{"server's receive", t.ServerRecvBufferAsked, t.ServerRecvBuffer},
		} {
			asked, _ := buffer.asked.Get()
			given, known := buffer.given.Get()
			if known && given < asked {
				note("%s: %.0f bytes asked for the %s buffer, %.0f granted.", t.Proto, asked, buffer.name, given)
			}
		}
	}
	return notes
}

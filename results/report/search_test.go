package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"tcpvsudp/results"
)

// What a search found stands in the table of throughput, below what goes as fast as it goes, and the notes say in words where it ended
// without two bounds.
func TestSearchesStandBesideThroughput(t *testing.T) {
	s := &results.Set{Run: results.Run{Status: results.Finished}}
	add := func(pair int, proto, workload string, goal results.Value, goodput float64, max results.MaxRate) {
		var trial results.Trial
		trial.Number, trial.Pair, trial.Proto, trial.Wait, trial.WaitAsked = len(s.Trials)+1, pair, proto, "block", "block"
		trial.Cell = results.Cell{Workload: workload, SizeBytes: 64, Flows: 1, Direction: "up", Batch: "1", LossGoal: goal}
		trial.GoodputBps, trial.MaxRate, trial.Sent, trial.Unique = known(goodput), max, 100, 100
		trial.DurationMs = 1000
		if workload == "throughput" {
			trial.DurationMs = 250
		}
		s.Trials = append(s.Trials, trial)
	}
	found := func(end string, bps float64) results.MaxRate {
		m := results.MaxRate{End: end, Steps: known(5)}
		if bps > 0 {
			m.Bps, m.MessagesPerS = known(bps), known(bps/512)
		}
		return m
	}
	goal, zero := known(0.001), known(0)
	for pair, end := range []string{results.Bounded, results.MinLoad, results.MaxLoad} {
		bps := []float64{2e6, 0, 4e6}[pair]
		add(3*pair+1, "tcp", "maxrate", goal, 8e6, found(results.MaxLoad, 8e6))
		add(3*pair+1, "udp", "maxrate", goal, 1e6, found(end, bps))
		add(3*pair+2, "udp", "maxrate", zero, 1e6, found(results.MinLoad, 0))
		add(3*pair+3, "udp", "throughput", results.Value{}, 5e6, results.MaxRate{})
	}
	rows := Summarize(s)
	if got := find(t, rows, "maxrate", "max_rate_bps"); got.UDP.Trials != 3 || got.LossGoal != zero || got.UDP.Value != (results.Value{}) {
		t.Errorf("no rate was found, and the figure is %+v", got)
	}
	var out bytes.Buffer
	if err := Write(&out, s, Text, 80); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`\s+`).ReplaceAllString(out.String(), " ")
	at := 0
	for _, want := range []string{
		"12 trials of 250 ms", "Throughput: as fast as it goes", "64 B, one by one goodput, Mbit/s – 5.000",
		"64 B, one by one, loss ≤ 0 % max rate, bit/s – – messages, /s – –",
		"64 B, one by one, loss ≤ 0.1 % max rate, Mbit/s 8.000 3.000 0.35 not shown",
		"Max rate: the highest rate that a search found with no more loss than the goal (RFC 9971)",
		"tcp: 3 of 3 searches met the goal with all that the sender could send",
		"udp: 1 of 6 searches met the goal with all",
		"udp: 4 of 6 searches found no rate",
	} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing, or out of order, in\n%s", want, out.String())
		}
		at += i
	}
	if strings.Contains(text, "Maxrate") || strings.Count(text, "Throughput:") != 1 {
		t.Errorf("searches have a table of their own:\n%s", out.String())
	}
}

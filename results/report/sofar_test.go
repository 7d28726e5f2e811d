package report

import (
	"reflect"
	"testing"

	"tcpvsudp/results"
)

func TestSoFar(t *testing.T) {
	var latency, throughput []results.Trial
	for _, trial := range example().Trials {
		switch trial.Workload {
		case "latency":
			latency = append(latency, trial)
		case "throughput":
			throughput = append(throughput, trial)
		}
	}
	for _, c := range []struct {
		name, workload string
		trials         []results.Trial
		want           []Figure
	}{
		{"nothing yet", "latency", nil, []Figure{{"RTT p50, µs", "–", "–"}, {"RTT p99, µs", "–", "–"}, {"messages, /s", "–", "–"}, {"lost, %", "–", "–"}}},
		{"one transport alone", "latency", latency[:1], []Figure{{"RTT p50, µs", "10.00", "–"}, {"RTT p99, µs", "–", "–"}, {"messages, k/s", "100.0", "–"}, {"lost, %", "<0.30", "–"}}},
		{"medians", "latency", latency, []Figure{{"RTT p50, µs", "20.00", "12.00"}, {"RTT p99, µs", "–", "–"}, {"messages, k/s", "50.00", "83.33"}, {"lost, %", "<0.10", "0.1000"}}},
		{"one way", "throughput", throughput, []Figure{{"goodput, Gbit/s", "8.000", "4.000"}, {"messages, /s", "–", "–"}, {"lost, %", "50.00", "50.00"}}},
		{"a workload that is not known", "dancing", latency, nil},
	} {
		sides := map[string][]results.Trial{}
		for _, trial := range c.trials {
			sides[trial.Proto] = append(sides[trial.Proto], trial)
		}
		if got := SoFar(c.workload, sides["tcp"], sides["udp"]); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %v\nwant %v", c.name, got, c.want)
		}
	}
}

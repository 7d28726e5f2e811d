package bench

import (
	"fmt"
	"strings"
)

// A workload is what the flows of a trial do. None knows which transport it runs on.
type workload struct {
	name string
	// mode is what the server does with the requests.
	mode Mode
	// run sends, receives and counts until everything is either here or given up. It ends with the first
	// error of any flow.
	run func(*trial) error
	// opensFlows is set where opening a flow is part of what is measured.
	opensFlows bool
	// unpaced is set where nothing keeps the sender from outrunning the receiver.
	unpaced bool
	// paced is set where the plan's rate counts.
	paced bool
	// searches is set where a trial is a search, made of many measurements whose rates it chooses itself.
	searches bool
}

// rated tells whether the workload is meant to have the plan's rate, and no other.
func (w workload) rated() bool { return w.paced && !w.searches }

// workloads is in the order of the tables.
var workloads = []workload{
	{name: "latency", mode: Echo, run: runLatency},
	{name: "paced", mode: Echo, run: runPaced, paced: true},
	{name: "throughput", mode: Sink, run: runThroughput, unpaced: true},
	{name: "maxrate", mode: Sink, run: runThroughput, unpaced: true, searches: true},
	{name: "connect", mode: Echo, run: runConnect, opensFlows: true},
}

// WorkloadNames returns the names of all workloads, in the order of the tables.
func WorkloadNames() []string {
	names := make([]string, len(workloads))
	for i, w := range workloads {
		names[i] = w.name
	}
	return names
}

func workloadNamed(name string) (workload, error) {
	for _, w := range workloads {
		if w.name == name {
			return w, nil
		}
	}
	return workload{}, fmt.Errorf("unknown workload %q: use one or more of %s", name, strings.Join(WorkloadNames(), ","))
}

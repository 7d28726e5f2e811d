package bench

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpvsudp/results"
)

// named is a Transport that opens nothing.
type named string

func (n named) Name() string { return string(n) }
func (n named) MaxMessage() int {
	if n == "udp" {
		return 65507
	}
	return MaxSize
}
func (n named) Lossy() bool                                         { return n == "udp" }
func (n named) Dial(context.Context, string, Options) (Flow, error) { panic("opens nothing") }

var both = []Transport{named("tcp"), named("udp")}

func TestDefaultPlansAreValid(t *testing.T) {
	for name, p := range map[string]Plan{"default": DefaultPlan(), "quick": DefaultPlan().Quick()} {
		if err := p.Validate(both); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d := DefaultPlan().Estimate(both); d < 45*time.Second || d > 2*time.Minute {
		t.Errorf("the default plan takes %v, want less than two minutes", d)
	}
	if d := DefaultPlan().Quick().Estimate(both); d < 5*time.Second || d > 15*time.Second {
		t.Errorf("the quick plan takes %v, want about ten seconds", d)
	}
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		change func(*Plan)
		want   string
	}{
		{func(p *Plan) { p.Protos = []string{"sctp"} }, `unknown protocol "sctp": use one or more of tcp,udp`},
		{func(p *Plan) { p.Protos = nil }, "no protocol is given"},
		{func(p *Plan) { p.Protos = []string{"tcp", "tcp"} }, "tcp is given twice"},
		{func(p *Plan) { p.Workloads = []string{"speed"} }, `unknown workload "speed": use one or more of latency,paced,throughput,maxrate,connect`},
		{func(p *Plan) { p.Sizes = []int{31} }, "message size 31 is too small"},
		{func(p *Plan) { p.Sizes = []int{65508} }, "message size 65508 is too large for udp, which carries 65507 bytes"},
		{func(p *Plan) { p.Sizes = []int{MaxSize + 1} }, "too large for tcp"},
		{func(p *Plan) { p.Sizes = []int{64, 64} }, "64 is given twice"},
		{func(p *Plan) { p.Flows = []int{0} }, "0 flows can't be run"},
		{func(p *Plan) { p.Trials = 0 }, "0 trials can't be run"},
		{func(p *Plan) { p.Duration = 0 }, "a duration of 0s"},
		{func(p *Plan) { p.Duration = 2 * time.Hour }, "a duration of 2h0m0s"},
		{func(p *Plan) { p.Duration, p.Warmup = math.MaxInt64, math.MaxInt64 }, "a duration of 2562047h47m16.854775807s"},
		{func(p *Plan) { p.Drain = time.Microsecond }, "a drain of 1µs"},
		{func(p *Plan) { p.Warmup = -1 }, "a warm-up of -1ns"},
		{func(p *Plan) { p.Drain = time.Hour }, "a drain of 1h0m0s"},
		{func(p *Plan) { p.Rate = 0 }, "a rate of 0 messages/s"},
		{func(p *Plan) { p.Rate = math.NaN() }, "a rate of NaN messages/s"},
		{func(p *Plan) { p.LossGoals = []float64{1} }, "a loss goal of 1 can't be searched for"},
		{func(p *Plan) { p.LossGoals = []float64{math.NaN()} }, "a loss goal of NaN"},
		{func(p *Plan) { p.LossGoals = []float64{0.1, 0, 0.1} }, "loss goal 0.1 is given twice"},
		{func(p *Plan) { p.Workloads, p.LossGoals = []string{"maxrate"}, nil }, "no loss goal is given"},
		{func(p *Plan) { p.Workloads, p.Directions = []string{"maxrate"}, []string{"down"} }, "maxrate searches for the highest rate to the server alone"},
		{func(p *Plan) { p.Workloads, p.Duration = []string{"maxrate"}, 20*time.Minute }, "a duration of 20m0s can't be searched with"},
	} {
		p := DefaultPlan()
		test.change(&p)
		if err := p.Validate(both); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want …%s…", err, test.want)
		}
	}
	p := DefaultPlan()
	p.Protos, p.Sizes = []string{"tcp"}, []int{1 << 20}
	if err := p.Validate(both); err != nil {
		t.Errorf("TCP alone carries a MiB: %v", err)
	}
}

// A search is no part of the default plan, and each of its goals is a cell of its own, up alone.
func TestSearchesAreCellsOfTheirGoals(t *testing.T) {
	if p := DefaultPlan(); slices.Contains(p.Workloads, "maxrate") || !slices.Contains(WorkloadNames(), "maxrate") {
		t.Errorf("workloads %v, of %v", p.Workloads, WorkloadNames())
	}
	p := DefaultPlan()
	p.Workloads, p.Sizes, p.Directions, p.Batches = []string{"maxrate"}, []int{100}, []string{"down", "up"}, []int{0}
	want := []PlannedCell{
		{"maxrate", 100, 1, "up", "auto", "cubic", "", results.Known(0), 20},
		{"maxrate", 100, 1, "up", "auto", "cubic", "", results.Known(0.001), 20},
	}
	if err := p.Validate(both); err != nil || !slices.Equal(p.Cells(), want) {
		t.Errorf("%v, want %v; %v", p.Cells(), want, err)
	}
	limits := DefaultLimits()
	limits.Duration = time.Second // the last measurements take that long, and there is the warm-up
	if err := p.Check(limits); err == nil || !strings.Contains(err.Error(), "a duration of 1.05s") {
		t.Errorf("a server that allows %v: %v", limits.Duration, err)
	}
	// 20 searches of each transport: some 3 s where nothing can be lost, some 15 s else.
	if d := p.Estimate(both); d < 5*time.Minute || d > 8*time.Minute {
		t.Errorf("it takes %v", d)
	}
}

func TestScheduleIsMadeOfPairs(t *testing.T) {
	p := DefaultPlan()
	p.Seed = 42
	all := p.schedule(both)
	if len(all) != p.TrialCount() || len(all) != 200 {
		t.Fatalf("%d trials, want 200", len(all))
	}
	firsts := map[string]int{}
	perCell := map[string]int{}
	for i := 0; i < len(all); i += 2 {
		a, b := all[i], all[i+1]
		if a.pair != b.pair || a.pair != i/2+1 || a.workload.name != b.workload.name || a.size != b.size ||
			a.flows != b.flows || a.transport == b.transport {
			t.Fatalf("trials %d and %d are no pair: %v, %v", i, i+1, a, b)
		}
		firsts[a.transport.Name()]++
		perCell[strings.TrimPrefix(a.String(), a.transport.Name())]++
	}
	if firsts["tcp"] < 20 || firsts["udp"] < 20 {
		t.Errorf("the order in a pair is not drawn: %v begin it", firsts)
	}
	if len(perCell) != 10 {
		t.Errorf("cells %v, want 10", perCell)
	}
	for cell, n := range perCell {
		if n != 10 {
			t.Errorf("%s has %d pairs, want 10", cell, n)
		}
	}
	// Every round holds every cell once.
	for round := range 10 {
		seen := map[string]bool{}
		for _, s := range all[round*20 : round*20+20] {
			seen[s.String()] = true
		}
		if len(seen) != 20 {
			t.Errorf("round %d holds %d different trials, want 20", round, len(seen))
		}
	}
}

func TestScheduleIsDecidedByTheSeed(t *testing.T) {
	order := func(seed uint64) (names []string) {
		p := DefaultPlan()
		p.Seed = seed
		for _, s := range p.schedule(both) {
			names = append(names, s.String())
		}
		return names
	}
	if !slices.Equal(order(1), order(1)) {
		t.Error("the same seed gives different orders")
	}
	if slices.Equal(order(1), order(2)) {
		t.Error("different seeds give the same order")
	}
}

func TestCellsAreInTheOrderOfTheTables(t *testing.T) {
	p := DefaultPlan()
	p.Workloads, p.Sizes, p.Flows, p.Trials = []string{"connect", "throughput"}, []int{100, 200}, []int{1, 3}, 5
	p.Directions, p.Batches, p.Congestion = []string{"up", "both"}, []int{1, 0}, []string{"cubic", "reno"}
	var want []PlannedCell
	for _, size := range []int{100, 200} {
		for _, flows := range []int{1, 3} {
			for _, congestion := range []string{"cubic", "reno"} {
				want = append(want, PlannedCell{"connect", size, flows, "echo", "1", congestion, "", results.Value{}, 10})
			}
		}
	}
	for _, size := range []int{100, 200} {
		for _, flows := range []int{1, 3} {
			for _, direction := range []string{"up", "both"} {
				for _, batch := range []string{"1", "auto"} {
					for _, congestion := range []string{"cubic", "reno"} {
						want = append(want, PlannedCell{"throughput", size, flows, direction, batch, congestion, "", results.Value{}, 10})
					}
				}
			}
		}
	}
	if got := p.Cells(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

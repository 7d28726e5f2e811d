package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Plan is all that a run is going to do. It is complete: nothing is looked up or chosen later but what
// Seed decides.
type Plan struct {
	Protos    []string `json:"protos"`
	Workloads []string `json:"workloads"`
	Sizes     []int    `json:"sizes_bytes"`
	Flows     []int    `json:"flows"`
	// Directions are those of the workloads that go one way: up to the server, down from it, or both at once on flows of
	// their own.
	Directions []string      `json:"directions"`
	Trials     int           `json:"trials"`
	Warmup     time.Duration `json:"warmup_ns"`
	Duration   time.Duration `json:"duration_ns"`
	// Drain is how long a message is waited for after the last send (Tmax of RFC 7680), and by a closed
	// loop after each. 0 stands for the larger of 1 s and 4 times the worst round trip seen.
	Drain time.Duration `json:"drain_ns"`
	// Rate is that of the paced workload, in messages/s, all flows together.
	Rate float64 `json:"rate_msg_per_s"`
	// LossGoals are the shares of messages that may be lost at the rates which maxrate searches for.
	LossGoals []float64 `json:"loss_goals"`
	Wait      Wait      `json:"wait"`
	// Deadline is how long a message may take one way before it is too late.
	Deadline time.Duration `json:"deadline_ns"`
	Verify   bool          `json:"verify"`
	// Batches are the numbers of messages that throughput gives to the kernel at once, 0 for as many as serve best; every
	// other workload sends one by one.
	Batches []int `json:"batches"`
	// Congestion names the algorithms of congestion control that TCP is measured with; an empty name leaves it to the system.
	Congestion []string `json:"congestion_control"`
	// NoOffload and Portable are those of Fast.
	NoOffload bool `json:"no_offload"`
	Portable  bool `json:"portable"`
	// StampEach reads the clock for every message that throughput sends, and not for every block.
	StampEach bool `json:"stamp_each"`
	// Pin says which processors the two ends run on.
	Pin Pin `json:"pin"`
	// Links are emulated between client and server, each with trials of its own; none leaves them to the network that there is.
	Links []PlannedLink `json:"links,omitempty"`
	// DontFragment forbids that what the client sends is cut into several packets on the way.
	DontFragment bool `json:"dont_fragment"`
	// SameTwice measures every transport against itself: each pair of trials is of one transport.
	SameTwice bool `json:"same_twice,omitempty"`
	// Seed decides the order of the trials.
	Seed uint64 `json:"seed"`
}

// DefaultPlan takes about a minute. It leaves out the searches: each takes some ten seconds and more.
func DefaultPlan() Plan {
	names := slices.DeleteFunc(WorkloadNames(), func(name string) bool {
		w, err := workloadNamed(name)
		return err == nil && w.searches
	})
	return Plan{
		Protos:     []string{"tcp", "udp"},
		Workloads:  names,
		Sizes:      []int{64, 1400},
		Flows:      []int{1},
		Directions: []string{"up"},
		Trials:     10,
		Warmup:     50 * time.Millisecond,
		Duration:   250 * time.Millisecond,
		Rate:       2000,
		LossGoals:  []float64{0, 0.001},
		Deadline:   100 * time.Millisecond,
		Batches:    []int{1, 0},
		Congestion: []string{"cubic"},
		Pin:        PinApart,
	}
}

// Quick returns p cut down to a look of ten seconds.
func (p Plan) Quick() Plan {
	p.Trials, p.Warmup, p.Duration, p.Drain = 3, 30*time.Millisecond, 100*time.Millisecond, 250*time.Millisecond
	return p
}

// Validate returns an error for every part of the plan that can't be carried out by transports, joined; each
// says what to do. It looks at nothing but the plan.
func (p Plan) Validate(transports []Transport) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	known := map[string]Transport{}
	var names []string
	for _, t := range transports {
		known[t.Name()] = t
		names = append(names, t.Name())
	}
	for _, list := range []struct {
		what string
		n    int
	}{{"protocol", len(p.Protos)}, {"workload", len(p.Workloads)}, {"message size", len(p.Sizes)}, {"number of flows", len(p.Flows)}, {"direction", len(p.Directions)},
		{"batch", len(p.Batches)}, {"congestion control", len(p.Congestion)}} {
		if list.n == 0 {
			bad("no %s is given", list.what)
		}
	}
	for _, name := range p.Protos {
		if known[name] == nil {
			bad("unknown protocol %q: use one or more of %s", name, strings.Join(names, ","))
		}
	}
	for _, name := range p.Workloads {
		if _, err := workloadNamed(name); err != nil {
			errs = append(errs, err)
		}
	}
	for _, size := range p.Sizes {
		if size < HeaderSize {
			bad("message size %d is too small: every message starts with a header of %d bytes, so use %d or more", size, HeaderSize, HeaderSize)
		}
		for _, name := range p.Protos {
			if t := known[name]; t != nil && size > t.MaxMessage() {
				bad("message size %d is too large for %s, which carries %d bytes in one message: use a smaller size, or leave %s out",
					size, name, t.MaxMessage(), name)
			}
		}
	}
	for _, n := range p.Flows {
		if n < 1 || n > MaxFlows {
			bad("%d flows can't be run: use from 1 to %d", n, MaxFlows)
		}
	}
	for _, g := range p.LossGoals {
		if !(g >= 0 && g < 1) { // a NaN is refused too
			bad("a loss goal of %v can't be searched for: use a share from 0 on that is less than 1, like 0.001 or 0.1%%", g)
		}
	}
	if p.searches() {
		if len(p.LossGoals) == 0 {
			bad("no loss goal is given")
		}
		if !slices.Contains(p.Directions, searched) {
			bad("maxrate searches for the highest rate to the server alone: add the direction %s, or leave maxrate out", searched)
		}
	}
	for _, direction := range p.Directions {
		if directions[direction] == "" {
			bad("unknown direction %q: use one or more of up,down,both", direction)
		}
	}
	for _, n := range p.Batches {
		if n < 0 || n > MaxBatch {
			bad("%d messages can't be given to the kernel at once: use from 1 to %d, or auto", n, MaxBatch)
			continue
		}
		for _, size := range p.Sizes {
			if n > 1 && int64(n)*int64(size) > MaxSize {
				bad("%d messages of %d bytes can't be given to the kernel at once: there must be no more than %d bytes", n, size, MaxSize)
			}
		}
	}
	for _, name := range p.Congestion {
		if len(name) > 15 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			bad("congestion control %q: a name has no more than 15 letters, like cubic, bbr, reno", name)
		}
	}
	if err := p.Pin.Validate(p.Wait); err != nil {
		errs = append(errs, err)
	}
	if p.DontFragment && slices.ContainsFunc(p.cells(), func(c cell) bool { return c.mode() != Sink && c.mode() != Echo }) {
		bad("what the server sends can't be kept from being fragmented: leave the directions down and both out, or --df")
	}
	if p.Trials < 1 || p.Trials > 100_000 {
		bad("%d trials can't be run: use from 1 to 100000", p.Trials)
	}
	if p.Duration < time.Millisecond || p.Duration > MaxDuration || p.Warmup > MaxDuration-p.Duration {
		bad("a duration of %v can't be measured: with the warm-up it must be from 1ms to %v", p.Duration, MaxDuration)
	}
	if p.searches() && p.Duration <= MaxDuration && p.Duration > (MaxDuration-p.Warmup)/finalLength {
		bad("a duration of %v can't be searched with: maxrate measures for up to %d times as long, which with the warm-up must be no more than %v", p.Duration, finalLength, MaxDuration)
	}
	if p.Warmup < 0 {
		bad("a warm-up of %v makes no sense: use 0 or more", p.Warmup)
	}
	if p.Drain != 0 && p.Drain < time.Millisecond || p.Drain > time.Minute {
		bad("a drain of %v can't be waited for: use 0 (automatic), or from 1ms to 1m", p.Drain)
	}
	if p.Deadline <= 0 || p.Deadline > time.Hour {
		bad("a deadline of %v can't be met: use more than 0, up to 1h", p.Deadline)
	}
	if !(p.Rate >= 0.001 && p.Rate <= 1e9) { // a NaN is refused too
		bad("a rate of %v messages/s can't be paced: use from 0.001 to 1e9", p.Rate)
	}
	for _, dup := range []string{duplicate(p.Protos), duplicate(p.Workloads), duplicate(p.Sizes), duplicate(p.Flows), duplicate(p.Directions), duplicateBatch(p.Batches), duplicateGoal(p.LossGoals), duplicate(p.Congestion), duplicateLink(p.Links)} {
		if dup != "" {
			bad("%s is given twice: give it once", dup)
		}
	}
	return errors.Join(errs...)
}

func duplicateBatch(list []int) string {
	dup := duplicate(list)
	if dup == "0" {
		return "batch auto"
	}
	return dup
}

func duplicateGoal(list []float64) string {
	if dup := duplicate(list); dup != "" {
		return "loss goal " + dup
	}
	return ""
}

func duplicateLink(links []PlannedLink) string {
	var names []string
	for _, l := range links {
		names = append(names, l.Name)
	}
	if dup := duplicate(names); dup != "" {
		return "link " + dup
	}
	return ""
}

func duplicate[T comparable](list []T) string {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return fmt.Sprint(v)
		}
	}
	return ""
}

// Check returns an error when the plan holds a trial that a server with such limits does not allow.
func (p Plan) Check(limits Limits) error {
	for _, c := range p.cells() {
		for _, proto := range p.Protos {
			longest := p
			if c.workload.searches {
				longest.Duration *= finalLength
			}
			if err := limits.Check(longest.spec(c, proto, limits)); err != nil {
				return fmt.Errorf("%s of %d B: %w", c.workload.name, c.size, err)
			}
		}
	}
	return nil
}

// spec is what a trial asks of a server with such limits.
func (p Plan) spec(c cell, proto string, limits Limits) Spec {
	s := Spec{
		Proto:    proto,
		Mode:     c.mode(),
		Size:     c.size,
		Flows:    c.flows,
		Wait:     p.Wait,
		Warmup:   p.Warmup,
		Duration: p.Warmup + p.Duration,
		RateBps:  limits.RateBps,
		Verify:   p.Verify,

		StampEach: p.StampEach,
		Pin:       p.Pin,
		Fast:      Fast{Batch: c.batch, NoOffload: p.NoOffload, Portable: p.Portable, Congestion: c.congestion},
	}
	if c.workload.rated() {
		s.RateBps = p.Rate * float64(c.size) * 8
	}
	// The time series has intervals of a tenth of the trial, from 10 ms to a second; longer only where so many flows would
	// have more than a server makes.
	s.Interval = min(max(p.Duration/10, 10*time.Millisecond), time.Second)
	s.Interval = max(s.Interval, s.Duration*time.Duration(s.FlowCount())/(MaxBuckets/2))
	return s
}

// searches tells whether the plan has searches.
func (p Plan) searches() bool {
	return slices.ContainsFunc(p.Workloads, func(name string) bool {
		w, err := workloadNamed(name)
		return err == nil && w.searches
	})
}

// TrialCount is the number of trials of the plan.
func (p Plan) TrialCount() int { return len(p.cells()) * len(p.Protos) * p.Trials * p.halves() }

// halves is how many trials of one transport a round has in every cell.
func (p Plan) halves() int {
	if p.SameTwice {
		return 2
	}
	return 1
}

// overhead is what a trial takes beside sending: to agree, open, drain where nothing is missing, settle.
const overhead = 15 * time.Millisecond

// Estimate is how long the plan takes with transports when nothing is lost but by a transport that may lose,
// in a workload that sends without a pace: there the receiver's buffer overflows, and the drain is waited for.
func (p Plan) Estimate(transports []Transport) time.Duration {
	var sum time.Duration
	for _, t := range p.schedule(transports) {
		sum += t.estimate(p)
	}
	return sum
}

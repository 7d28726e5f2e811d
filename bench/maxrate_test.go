package bench_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/bench/benchtest"
	"tcpvsudp/internal/clock"
	"tcpvsudp/results"
)

// bottleneck is a network whose way up carries so many messages/s, behind a queue with room for so many, and whose client needs
// 50 µs a message.
func bottleneck(limit float64, room int) *benchtest.Network {
	var mu sync.Mutex
	gap := time.Duration(float64(time.Second) / limit)
	free := time.Now() // when the queue will be empty
	return &benchtest.Network{
		Fate: func(up bool, _ int) []time.Duration {
			if !up {
				return delay(time.Millisecond)
			}
			mu.Lock()
			defer mu.Unlock()
			now := time.Now()
			if free.Before(now) {
				free = now
			}
			if free.Sub(now) > time.Duration(room)*gap {
				return nil
			}
			free = free.Add(gap)
			return delay(free.Sub(now))
		},
		SendError: func(int) error {
			time.Sleep(50 * time.Microsecond)
			return nil
		},
	}
}

// searchPlan is a plan of one search, whose measurements take from 100 to 400 ms.
func searchPlan(goal float64) bench.Plan {
	p := fakePlan("maxrate")
	p.LossGoals, p.Warmup, p.Duration, p.Drain = []float64{goal}, 20*time.Millisecond, 100*time.Millisecond, 50*time.Millisecond
	return p
}

// A search finds what the bottleneck carries, whether its queue is short, or so long that a measurement fills it without a loss.
func TestSearchFindsTheBottleneck(t *testing.T) {
	for _, test := range []struct {
		goal  float64
		flows int
		batch int
		room  int
	}{{0, 1, 1, 20}, {0.001, 1, 0, 20}, {0, 3, 0, 20}, {0, 1, 1, 500}} {
		synctest.Test(t, func(t *testing.T) {
			const limit = 4000.0
			plan := searchPlan(test.goal)
			plan.Flows, plan.Batches = []int{test.flows}, []int{test.batch}
			got := oneTrial(t, bottleneck(limit, test.room), plan)
			rate, _ := got.MaxRate.MessagesPerS.Get()
			lower, _ := got.MaxRate.Lower.Get()
			upper, _ := got.MaxRate.Upper.Get()
			if got.MaxRate.End != results.Bounded || rate < 0.985*limit || rate > 1.001*limit || upper <= lower || upper > 1.011*lower || lower < 0.985*limit || lower > 1.03*limit {
				t.Errorf("%+v: %+v", test, got.MaxRate)
			}
			wantValue(t, "the rate in bit/s", got.MaxRate.Bps, rate*64*8)
			wantValue(t, "the goodput", got.GoodputBps, rate*64*8)
			wantValue(t, "the goal", results.Known(1+value(got.LossGoal)), 1+test.goal)
			if got.Workload != "maxrate" || got.Direction != "up" || got.DurationMs != 400 || got.Attempts != 1 || (got.RateAsked != results.Value{}) {
				t.Errorf("%+v", got.Trial)
			}
			wantSteps(t, got)
		})
	}
}

func value(v results.Value) float64 {
	n, _ := v.Get()
	return n
}

// wantSteps checks that the rows of a search agree with each other.
func wantSteps(t *testing.T, got kept) {
	t.Helper()
	if n := value(got.MaxRate.Steps); len(got.steps) == 0 || float64(len(got.steps)) != n || value(got.MaxRate.Seconds) < 0.1*n {
		t.Errorf("%d rows of %v steps in %v s", len(got.steps), n, got.MaxRate.Seconds)
	}
	for i, s := range got.steps {
		intended := value(s.Load) * s.DurationMs / 1000
		ratio := float64(s.Lost+s.Unsent) / float64(s.Sent+s.Unsent)
		if s.Step != i+1 || s.Cell != got.Cell || s.Sent == 0 || math.Abs(value(s.LossRatio)-ratio) > 1e-9 ||
			s.Met && ratio > value(got.LossGoal) || (s.Load == results.Value{}) != (i == 0 || intended == 0) {
			t.Errorf("step %+v", s)
		}
		// A block more at most: what is sent at once takes a millisecond.
		if sent := float64(s.Sent + s.Unsent); intended > 0 && (sent < intended-1 || sent > intended+1+0.001*value(s.Load)) {
			t.Errorf("%v messages sent of %v that were meant to be: %+v", sent, intended, s)
		}
	}
}

// What loses nothing at full load has found its rate.
func TestSearchEndsAtFullLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := oneTrial(t, bottleneck(1e6, 1000), searchPlan(0))
		if got.MaxRate.End != results.MaxLoad || len(got.steps) != 4 || got.Lost != 0 {
			t.Errorf("%+v after %d steps, %d lost", got.MaxRate, len(got.steps), got.Lost)
		}
		wantValue(t, "the rate", got.MaxRate.MessagesPerS, 20_000)
		for name, v := range map[string]results.Value{"lower": got.MaxRate.Lower, "upper": got.MaxRate.Upper} {
			if n, known := v.Get(); known {
				t.Errorf("%s bound %v", name, n)
			}
		}
		wantSteps(t, got)
	})
}

// A path that loses more than the goal at any load has no rate, and the row is that of the smallest load.
func TestSearchFindsNoRateOnALossyPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := bottleneck(1e6, 1000)
		carry := n.Fate
		n.Fate = func(up bool, i int) []time.Duration {
			if up && i%50 == 7 {
				return nil
			}
			return carry(up, i)
		}
		got := oneTrial(t, n, searchPlan(0.001))
		if got.MaxRate.End != results.MinLoad || (got.MaxRate.Bps != results.Value{}) || (got.MaxRate.Lower != results.Value{}) || got.Lost == 0 {
			t.Errorf("%+v", got.MaxRate)
		}
		wantSteps(t, got)
	})
}

// An interrupt keeps the searches that are finished.
func TestInterruptKeepsFinishedSearches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("enough")
		plan := searchPlan(0)
		plan.Trials = 3
		time.AfterFunc(2*time.Second, func() { cancel(stop) })
		all, err := runFake(ctx, bottleneck(1e6, 1000), plan) // 1.2 s each
		if !errors.Is(err, stop) || len(all) != 1 {
			t.Errorf("%d searches kept, %v", len(all), err)
		}
	})
}

// A measurement that failed because the server was started anew is made again; the others of its search stand.
func TestMeasurementOfASearchIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := bottleneck(1e6, 1000)
		n.Sessions = bench.NewTable(bench.DefaultLimits())
		time.AfterFunc(600*time.Millisecond, func() { // in the middle of the third
			for _, id := range n.Sessions.IDs() {
				if err := n.Sessions.End(id); err != nil {
					t.Error(err)
				}
			}
		})
		var got results.Record
		err := bench.Run(t.Context(), bench.Config{
			Plan: searchPlan(0), Transports: []bench.Transport{n}, Control: benchtest.Control{Sessions: n.Sessions}, Repeats: 2,
			NewWaiter: func() clock.Waiter { return clock.Sleeper{} },
			Keep:      func(r results.Record) error { got = r; return nil },
		})
		if err != nil || got.Trial.Attempts != 2 || len(got.Steps) != 4 {
			t.Errorf("%d attempts, %d steps, %v", got.Trial.Attempts, len(got.Steps), err)
		}
	})
}

// A server's limit is full load, and no load is above it.
func TestSearchKeepsToTheServersLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := bench.DefaultLimits()
		limits.RateBps = 1000 * 64 * 8
		n := bottleneck(700, 20)
		n.Sessions = bench.NewTable(limits)
		var got results.Record
		err := bench.Run(t.Context(), bench.Config{
			Plan: searchPlan(0), Transports: []bench.Transport{n}, Control: benchtest.Control{Sessions: n.Sessions}, Limits: limits,
			NewWaiter: func() clock.Waiter { return clock.Sleeper{} },
			Keep:      func(r results.Record) error { got = r; return nil },
		})
		rate := value(got.Trial.MaxRate.MessagesPerS)
		if err != nil || got.Trial.MaxRate.End != results.Bounded || rate < 680 || rate > 701 {
			t.Errorf("%+v, %v", got.Trial.MaxRate, err)
		}
		wantValue(t, "the limit", got.Trial.RateLimitBps, limits.RateBps)
		for _, s := range got.Steps {
			if value(s.Load) > 1000 {
				t.Errorf("a load of %v", s.Load)
			}
		}
	})
}

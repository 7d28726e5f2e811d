package bench_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/bench/benchtest"
	"tcpvsudp/internal/clock"
	"tcpvsudp/results"
)

// A source sends a message a millisecond; every fourth is dropped on the way down.
func TestDownIsTheClientsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("throughput")
		plan.Sizes, plan.Flows, plan.Drain, plan.Directions, plan.Verify = []int{1000}, []int{3}, 50*time.Millisecond, []string{"down"}, true
		got := oneTrial(t, &benchtest.Network{Fate: func(up bool, n int) []time.Duration {
			if !up && n%4 == 0 {
				return nil
			}
			return delay(5 * time.Millisecond)
		}}, plan)
		if got.Direction != "down" || got.Sent < 2990 || got.Sent > 3010 || got.Lost != (got.Sent+3)/4 || got.Unique != got.Sent-got.Lost || got.Duplicated+got.Reordered+got.Foreign != 0 {
			t.Errorf("sent %d lost %d unique %d", got.Sent, got.Lost, got.Unique)
		}
		wantValue(t, "corrupt", got.Corrupt, 0)
		offered, _ := got.OfferedBps.Get()
		goodput, _ := got.GoodputBps.Get()
		if math.Abs(goodput-18e6) > 0.2e6 || math.Abs(offered-24e6) > 0.2e6 {
			t.Errorf("goodput %v of %v offered, want about 18 of 24 Mbit/s", goodput, offered)
		}
		wantValue(t, "down", got.DownBps, goodput)
		if v, known := got.UpBps.Get(); known {
			t.Errorf("up %v", v)
		}
		var counted uint64
		for _, i := range got.intervals {
			counted += i.Messages
		}
		if counted != got.Unique {
			t.Errorf("the intervals hold %d of %d messages", counted, got.Unique)
		}
	})
}

// Both ways at once: what is lost in one direction is lost in the sum.
func TestBothWaysAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("throughput")
		plan.Sizes, plan.Drain, plan.Directions = []int{1000}, 50*time.Millisecond, []string{"both"}
		got := oneTrial(t, &benchtest.Network{
			Fate: func(up bool, n int) []time.Duration {
				if up && n%2 == 0 {
					return nil
				}
				return delay(time.Millisecond)
			},
			SendError: func(int) error {
				time.Sleep(500 * time.Microsecond)
				return nil
			},
		}, plan)
		up, _ := got.UpBps.Get()
		down, _ := got.DownBps.Get()
		if math.Abs(up-8e6) > 0.1e6 || math.Abs(down-8e6) > 0.1e6 {
			t.Errorf("up %v, down %v, want 8 Mbit/s each", up, down)
		}
		wantValue(t, "goodput", got.GoodputBps, up+down)
		wantValue(t, "offered", got.OfferedBps, 24e6)
		if got.Flows != 1 || got.Lost < 990 || got.Lost > 1010 || got.Unique < 1990 || got.Unique > 2010 {
			t.Errorf("%d flows, sent %d lost %d unique %d", got.Flows, got.Sent, got.Lost, got.Unique)
		}
	})
}

// The request to begin may be lost, and is made again.
func TestSourceIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("throughput")
		plan.Directions = []string{"down"}
		dropped := 0
		got := oneTrial(t, &benchtest.Network{Lose: func(up bool, h bench.Header) bool {
			if up && h.Kind == bench.Request && dropped < 3 {
				dropped++
				return true
			}
			return false
		}}, plan)
		if dropped != 3 || got.Sent < 300 || got.Sent > 500 || got.Lost != 0 {
			t.Errorf("%d requests dropped, sent %d lost %d", dropped, got.Sent, got.Lost)
		}
	})
}

// With the server's clock 1000 s ahead, 3 ms up and 5 ms down: an exchange of 8 ms can't tell their share, and says so.
func TestOneWayDelay(t *testing.T) {
	fate := func(up, down time.Duration) func(bool, int) []time.Duration {
		return func(isUp bool, _ int) []time.Duration {
			if isUp {
				return delay(up)
			}
			return delay(down)
		}
	}
	run := func(t *testing.T, n *benchtest.Network, workload string, oneClock bool) kept {
		plan := fakePlan(workload)
		plan.Rate = 500
		n.Sessions = bench.NewTable(bench.DefaultLimits())
		var got kept
		err := bench.Run(t.Context(), bench.Config{
			Plan: plan, Transports: []bench.Transport{n}, Control: benchtest.Control{Sessions: n.Sessions}, OneClock: oneClock,
			NewWaiter: func() clock.Waiter { return clock.Sleeper{} },
			Keep: func(r results.Record) error {
				got = kept{Trial: r.Trial, buckets: r.Buckets}
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, workload := range []string{"latency", "paced"} {
		synctest.Test(t, func(t *testing.T) {
			// What is not measured takes 1 ms each way, so the clocks are read within 1 ms, and exactly.
			got := run(t, &benchtest.Network{ServerAhead: 1000 * time.Second, Fate: fate(3*time.Millisecond, 5*time.Millisecond)}, workload, false)
			wantValue(t, "offset", got.ClockOffsetUs, 1e9)
			wantValue(t, "error", got.ClockErrorUs, 1000)
			wantValue(t, "up", got.OneWayUp.P50Us, 3000)
			wantValue(t, "down", got.OneWayDown.P50Us, 5000)
			wantValue(t, "down max", got.OneWayDown.MaxUs, 5000)
			wantValue(t, "up PDV", got.VariationUp.PDVP50Us, 0)
			wantValue(t, "down IPDV", got.VariationDown.IPDVMaxUs, 0)
		})
		synctest.Test(t, func(t *testing.T) {
			// A delay that is smaller than the error is withheld.
			got := run(t, &benchtest.Network{ServerAhead: -time.Hour, Fate: fate(500*time.Microsecond, 5*time.Millisecond)}, workload, false)
			if v, known := got.OneWayUp.P50Us.Get(); known {
				t.Errorf("up %v, and the clocks are known to 1000 µs", v)
			}
			// How it varies needs no offset, and is told.
			wantValue(t, "up jitter", got.VariationUp.JitterUs, 0)
			wantValue(t, "up PDV", got.VariationUp.PDVP50Us, 0)
			wantValue(t, "down", got.OneWayDown.P50Us, 5000)
		})
		synctest.Test(t, func(t *testing.T) {
			// One clock needs no estimate: there is no error, and every delay is told.
			got := run(t, &benchtest.Network{Fate: fate(500*time.Microsecond, 5*time.Millisecond)}, workload, true)
			wantValue(t, "error", got.ClockErrorUs, 0)
			wantValue(t, "up", got.OneWayUp.P50Us, 500)
		})
		synctest.Test(t, func(t *testing.T) {
			// Clocks that are said to be one, and are not.
			got := run(t, &benchtest.Network{ServerAhead: time.Second, Fate: fate(3*time.Millisecond, 5*time.Millisecond)}, workload, true)
			wantValue(t, "error", got.ClockErrorUs, 1000)
			wantValue(t, "up", got.OneWayUp.P50Us, 3000)
		})
		synctest.Test(t, func(t *testing.T) {
			// A server's clock that runs fast by 1 ms a second is taken out.
			start := time.Now()
			got := run(t, &benchtest.Network{Ahead: func() time.Duration { return time.Since(start) / 1000 }, Fate: fate(3*time.Millisecond, 5*time.Millisecond)}, workload, false)
			wantValue(t, "up min", got.OneWayUp.MinUs, 3000)
			wantValue(t, "up max", got.OneWayUp.MaxUs, 3000)
		})
	}
}

// Every fourth request takes 2 ms longer up, and every fourth of the others' replies is lost: the way down varies by nothing.
func TestDelayVariation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("paced")
		plan.Rate = 200
		got := oneTrial(t, &benchtest.Network{ServerAhead: time.Hour, Fate: func(up bool, n int) []time.Duration {
			switch {
			case up && n%4 == 1:
				return delay(4 * time.Millisecond)
			case !up && n%4 == 3:
				return nil
			}
			return delay(2 * time.Millisecond)
		}}, plan)
		lost, _ := got.LostReplies.Get()
		pairs := float64(got.Sent) - 2*lost // each loss takes two, the last message's one; the first begins one
		wantValue(t, "count", got.VariationUp.IPDVCount, pairs)
		if got.VariationUp.IPDVMinUs != results.Known(-2000) {
			t.Errorf("least %v", got.VariationUp.IPDVMinUs)
		}
		wantValue(t, "most", got.VariationUp.IPDVMaxUs, 2000)
		wantValue(t, "p50", got.VariationUp.IPDVAbsP50Us, 2000)
		wantValue(t, "PDV p50", got.VariationUp.PDVP50Us, 0)
		wantValue(t, "down count", got.VariationDown.IPDVCount, pairs)
		wantValue(t, "down", got.VariationDown.IPDVMaxUs, 0)
		wantValue(t, "down jitter", got.VariationDown.JitterUs, 0)
	})
}

// A trial that failed because the server was started anew is measured again, and says so.
func TestTrialIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &benchtest.Network{Sessions: bench.NewTable(bench.DefaultLimits()), Fate: func(bool, int) []time.Duration { return delay(time.Millisecond) }}
		plan := fakePlan("latency")
		plan.Trials = 3
		time.AfterFunc(1500*time.Millisecond, func() { // in the middle of the second trial
			for _, id := range n.Sessions.IDs() {
				if err := n.Sessions.End(id); err != nil {
					t.Error(err)
				}
			}
		})
		var attempts []int
		config := bench.Config{
			Plan: plan, Transports: []bench.Transport{n}, Control: benchtest.Control{Sessions: n.Sessions}, Repeats: 2,
			Keep: func(r results.Record) error {
				attempts = append(attempts, r.Trial.Attempts)
				return nil
			},
		}
		if err := bench.Run(t.Context(), config); err != nil || len(attempts) != 3 || attempts[0] != 1 || attempts[1] != 2 || attempts[2] != 1 {
			t.Errorf("attempts %v, %v", attempts, err)
		}
	})
}

// failing is a Control whose settlements fail.
type failing struct {
	benchtest.Control
	err   error
	calls *int
}

func (f failing) Settle(ctx context.Context, session uint64, end bench.Settlement) (bench.Account, error) {
	*f.calls++
	_, _ = f.Control.Settle(ctx, session, end)
	return bench.Account{}, f.err
}

// A trial is not measured for ever, and not again when there is no use in it.
func TestTrialIsNotRepeatedForEver(t *testing.T) {
	for _, test := range []struct {
		err   error
		calls int
	}{{errors.New("out of luck"), 3}, {bench.ErrServerLost, 1}, {bench.ErrTooLong, 1}} {
		synctest.Test(t, func(t *testing.T) {
			n := &benchtest.Network{Sessions: bench.NewTable(bench.DefaultLimits()), Fate: func(bool, int) []time.Duration { return delay(time.Millisecond) }}
			calls := 0
			err := bench.Run(t.Context(), bench.Config{
				Plan: fakePlan("latency"), Transports: []bench.Transport{n}, Repeats: 2,
				Control: failing{benchtest.Control{Sessions: n.Sessions}, test.err, &calls},
				Keep:    func(results.Record) error { return nil },
			})
			if !errors.Is(err, test.err) || calls != test.calls {
				t.Errorf("%v after %d attempts, want %d", err, calls, test.calls)
			}
		})
	}
}

// A trial that the server's limits exclude is told before the run begins.
func TestPlanBeyondLimits(t *testing.T) {
	n := &benchtest.Network{Sessions: bench.NewTable(bench.DefaultLimits())}
	limits := bench.DefaultLimits()
	limits.Size = 63
	err := bench.Run(t.Context(), bench.Config{Plan: fakePlan("latency"), Transports: []bench.Transport{n}, Limits: limits, Control: benchtest.Control{Sessions: n.Sessions}})
	if !errors.Is(err, bench.ErrBeyondLimits) || !strings.Contains(err.Error(), "latency of 64 B") {
		t.Errorf("error %v", err)
	}
}

// Under a limit everything but a paced workload, which has a rate of its own, keeps to it, in both directions.
func TestRateLimitIsKept(t *testing.T) {
	for _, test := range []struct{ workload, direction string }{{"latency", "up"}, {"connect", "up"}, {"throughput", "up"}, {"throughput", "down"}} {
		synctest.Test(t, func(t *testing.T) {
			limits := bench.DefaultLimits()
			limits.RateBps = 100 * 64 * 8 // 100 messages a second
			n := &benchtest.Network{Sessions: bench.NewTable(limits), Fate: func(bool, int) []time.Duration { return delay(100 * time.Microsecond) }}
			plan := fakePlan(test.workload)
			plan.Directions = []string{test.direction}
			var mu sync.Mutex
			sent := uint64(0)
			err := bench.Run(t.Context(), bench.Config{
				Plan: plan, Transports: []bench.Transport{n}, Limits: limits, Control: benchtest.Control{Sessions: n.Sessions},
				Keep: func(r results.Record) error {
					mu.Lock()
					defer mu.Unlock()
					sent = r.Trial.Sent
					return nil
				},
			})
			if err != nil || sent < 95 || sent > 105 {
				t.Errorf("%s %s: %d messages in a second, %v", test.workload, test.direction, sent, err)
			}
		})
	}
}

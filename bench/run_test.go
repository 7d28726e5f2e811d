package bench_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/bench/benchtest"
	"tcpvsudp/internal/clock"
	"tcpvsudp/results"
)

// fakePlan is a plan of one trial on a fake network.
func fakePlan(workload string) bench.Plan {
	p := bench.DefaultPlan()
	p.Protos, p.Workloads, p.Sizes, p.Trials, p.Seed = []string{"fake"}, []string{workload}, []int{64}, 1, 1
	p.Warmup, p.Duration = 100*time.Millisecond, time.Second
	p.Batches = []int{0}
	return p
}

// kept is what Run handed on of one trial.
type kept struct {
	results.Trial
	buckets   []results.Bucket
	intervals []results.Interval
	steps     []results.Step
}

// runFake carries out a plan on n, in the time of a synctest bubble.
func runFake(ctx context.Context, n *benchtest.Network, plan bench.Plan) (all []kept, err error) {
	n.Sessions = bench.NewTable(bench.DefaultLimits())
	err = bench.Run(ctx, bench.Config{
		Plan:       plan,
		Transports: []bench.Transport{n},
		Control:    benchtest.Control{Sessions: n.Sessions},
		Addr:       "nowhere:0",
		NewWaiter:  func() clock.Waiter { return clock.Sleeper{} },
		Keep: func(r results.Record) error {
			all = append(all, kept{r.Trial, r.Buckets, r.Intervals, r.Steps})
			return nil
		},
	})
	if ids := n.Sessions.IDs(); len(ids) > 0 {
		err = errors.Join(err, fmt.Errorf("sessions left over: %x", ids))
	}
	return all, err
}

// oneTrial is runFake for a plan of one trial that must succeed.
func oneTrial(t *testing.T, n *benchtest.Network, plan bench.Plan) kept {
	t.Helper()
	all, err := runFake(t.Context(), n, plan)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d trials, %v", len(all), err)
	}
	return all[0]
}

func delay(d ...time.Duration) []time.Duration { return d }

func wantValue(t *testing.T, what string, got results.Value, want float64) {
	t.Helper()
	if v, known := got.Get(); !known || v < want*0.999 || v > want*1.001 {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// With 2 ms there and 3 ms back a closed loop makes exactly 200 round trips a second.
func TestLatencyIsTheRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := oneTrial(t, &benchtest.Network{Fate: func(up bool, _ int) []time.Duration {
			if up {
				return delay(2 * time.Millisecond)
			}
			return delay(3 * time.Millisecond)
		}}, fakePlan("latency"))
		if got.Sent != 200 || got.Unique != 200 || got.Lost != 0 || got.TimedOut != 0 {
			t.Errorf("sent %d unique %d lost %d timed out %d", got.Sent, got.Unique, got.Lost, got.TimedOut)
		}
		wantValue(t, "p50", got.RTT.P50Us, 5000)
		wantValue(t, "min", got.RTT.MinUs, 5000)
		wantValue(t, "max", got.RTT.MaxUs, 5000)
		wantValue(t, "messages/s", got.MessagesPerS, 200)
		if v, known := got.RTT.P999Us.Get(); known {
			t.Errorf("p99.9 of 200 messages is %v, and should not be told", v)
		}
	})
}

// A lost message costs a closed loop Tmax, is counted as lost and never as a latency.
func TestLostMessageDoesNotStallTheClosedLoop(t *testing.T) {
	for _, up := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			plan := fakePlan("latency")
			plan.Drain = 100 * time.Millisecond
			got := oneTrial(t, &benchtest.Network{Fate: func(isUp bool, n int) []time.Duration {
				if isUp == up && n == 7 {
					return nil
				}
				return delay(time.Millisecond)
			}}, plan)
			// 450 ms of round trips of 2 ms, and 100 ms for the lost one.
			if got.Sent != 451 || got.Lost != 1 || got.TimedOut != 1 || got.Unique != 450 {
				t.Errorf("sent %d lost %d timed out %d unique %d", got.Sent, got.Lost, got.TimedOut, got.Unique)
			}
			wantValue(t, "max", got.RTT.MaxUs, 2000)
			requests, _ := got.LostRequests.Get()
			if replies, _ := got.LostReplies.Get(); requests+replies != 1 || (requests == 1) != up {
				t.Errorf("lost %v requests and %v replies", requests, replies)
			}
		})
	}
}

// A reply that comes after it was given up is not lost, and its latency is its own.
func TestLateReplyIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("latency")
		plan.Drain = 100 * time.Millisecond
		got := oneTrial(t, &benchtest.Network{Fate: func(up bool, n int) []time.Duration {
			if !up && n == 7 {
				return delay(150 * time.Millisecond)
			}
			return delay(time.Millisecond)
		}}, plan)
		if got.Lost != 0 || got.TimedOut != 1 || got.Reordered != 1 || got.Duplicated != 0 {
			t.Errorf("lost %d timed out %d reordered %d duplicated %d", got.Lost, got.TimedOut, got.Reordered, got.Duplicated)
		}
		wantValue(t, "max", got.RTT.MaxUs, 151_000)
	})
}

// The known answer of a relay that drops 75 of 1500 and sends 150 others twice.
func TestDropsAndDuplicatesAreExact(t *testing.T) {
	for _, workload := range []string{"latency", "paced"} {
		for _, up := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				plan := fakePlan(workload)
				plan.Rate, plan.Duration, plan.Warmup, plan.Drain = 1000, 1500*time.Millisecond, 0, 50*time.Millisecond
				if workload == "latency" {
					plan.Duration = 1425*2*time.Millisecond + 75*plan.Drain
				}
				got := oneTrial(t, &benchtest.Network{Fate: func(isUp bool, n int) []time.Duration {
					switch {
					case isUp != up:
					case n%20 == 19:
						return nil
					case n%10 == 1:
						return delay(time.Millisecond, 1100*time.Microsecond)
					}
					return delay(time.Millisecond)
				}}, plan)
				// A request that came twice is answered twice.
				if got.Sent != 1500 || got.Lost != 75 || got.Duplicated != 150 || got.Reordered != 0 || got.Unique != 1425 {
					t.Errorf("%s, up %v: sent %d lost %d duplicated %d reordered %d unique %d", workload, up,
						got.Sent, got.Lost, got.Duplicated, got.Reordered, got.Unique)
				}
			})
		}
	}
}

// An open loop's latency begins when a message was meant to leave: a sender that stands still for 50 ms makes
// the messages of that time late, and says so in the send lag.
func TestPacedCountsTheSendersStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("paced")
		plan.Rate, plan.Warmup = 1000, 0
		got := oneTrial(t, &benchtest.Network{
			Fate: func(bool, int) []time.Duration { return delay(time.Millisecond) },
			SendError: func(n int) error {
				if n == 509 { // the hello, 8 looks at the clock and 500 messages are out
					time.Sleep(50 * time.Millisecond)
				}
				return nil
			},
		}, plan)
		if got.Sent != 1000 || got.Lost != 0 {
			t.Errorf("sent %d lost %d", got.Sent, got.Lost)
		}
		wantValue(t, "RTT p50", got.RTT.P50Us, 2000)
		wantValue(t, "RTT max", got.RTT.MaxUs, 52_000)
		wantValue(t, "send lag max", got.SendLag.MaxUs, 49_000)
		wantValue(t, "achieved rate", got.MessagesPerS, 1000)
		late := int64(0)
		for _, b := range got.buckets {
			if b.Metric == "rtt" && b.FromNs > 2_500_000 {
				late += b.Count
			}
		}
		if late != 50 {
			t.Errorf("%d messages were late, want the 50 of the stall", late)
		}
	})
}

// A full send queue has lost the message before it left; the workload goes on.
func TestFullSendQueueIsALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("paced")
		plan.Rate, plan.Warmup, plan.Drain = 100, 0, 50*time.Millisecond
		got := oneTrial(t, &benchtest.Network{SendError: func(n int) error {
			if n == 10 {
				return fmt.Errorf("send: %w", bench.ErrSendQueueFull)
			}
			return nil
		}}, plan)
		if got.Sent != 100 || got.Lost != 1 || got.SendErrors != 1 {
			t.Errorf("sent %d lost %d, send queue full %d", got.Sent, got.Lost, got.SendErrors)
		}
	})
}

// What is late for one trial is not there for the next.
func TestLateMessagesDoNotCountInTheNextTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("paced")
		plan.Rate, plan.Warmup, plan.Drain, plan.Trials = 100, 0, 20*time.Millisecond, 5
		all, err := runFake(t.Context(), &benchtest.Network{Fate: func(up bool, n int) []time.Duration {
			if n%100 >= 90 {
				return delay(500 * time.Millisecond) // comes in the middle of the next trial
			}
			return delay(time.Millisecond)
		}}, plan)
		if err != nil || len(all) != 5 {
			t.Fatalf("%d trials, %v", len(all), err)
		}
		for _, got := range all {
			if got.Sent != 100 || got.Lost < 5 || got.Lost+got.Unique != 100 || got.Duplicated != 0 || got.Foreign != 0 {
				t.Errorf("trial %d: sent %d lost %d unique %d duplicated %d foreign %d",
					got.Number, got.Sent, got.Lost, got.Unique, got.Duplicated, got.Foreign)
			}
		}
	})
}

func TestThroughputIsTheReceiversCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("throughput")
		plan.Sizes, plan.Flows, plan.Drain = []int{1000}, []int{3}, 50*time.Millisecond
		n := &benchtest.Network{
			Fate: func(up bool, n int) []time.Duration {
				if n%4 == 0 {
					return nil
				}
				return delay(0)
			},
			SendError: func(int) error { // one message a millisecond and flow
				time.Sleep(time.Millisecond)
				return nil
			},
		}
		got := oneTrial(t, n, plan)
		if got.Sent != 3000 || got.Lost != 750 || got.Unique != 2250 {
			t.Errorf("sent %d lost %d unique %d", got.Sent, got.Lost, got.Unique)
		}
		offered, _ := got.OfferedBps.Get()
		if goodput, _ := got.GoodputBps.Get(); goodput < 17.9e6 || goodput > 18.1e6 || offered < 23.9e6 || offered > 24.1e6 {
			t.Errorf("goodput %v of %v offered, want about 18 of 24 Mbit/s", goodput, offered)
		}
		var counted uint64
		for _, i := range got.intervals {
			counted += i.Messages
		}
		if counted != 2250 {
			t.Errorf("the intervals hold %d messages", counted)
		}
	})
}

func TestConnectCountsFromNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := fakePlan("connect")
		plan.Drain = 100 * time.Millisecond
		got := oneTrial(t, &benchtest.Network{Fate: func(up bool, n int) []time.Duration {
			if up && n == 3 {
				return nil
			}
			return delay(2 * time.Millisecond)
		}}, plan)
		// 900 ms of 4 ms each, and 100 ms for the lost one.
		if got.Sent != 226 || got.Unique != 225 || got.Lost != 1 || got.TimedOut != 1 {
			t.Errorf("sent %d unique %d lost %d timed out %d", got.Sent, got.Unique, got.Lost, got.TimedOut)
		}
		wantValue(t, "p50", got.Connect.P50Us, 4000)
		if v, known := got.RTT.P50Us.Get(); known {
			t.Errorf("connect has a round trip of %v", v)
		}
	})
}

// A server that is not there is told, with what to do, and leaves nothing behind.
func TestNobodyAnswersHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &benchtest.Network{}
		n.Sessions = bench.NewTable(bench.DefaultLimits())
		elsewhere := bench.NewTable(bench.DefaultLimits()) // agrees sessions that n does not know
		err := bench.Run(t.Context(), bench.Config{
			Plan: fakePlan("latency"), Transports: []bench.Transport{n}, Addr: "nowhere:0",
			Control: benchtest.Control{Sessions: elsewhere},
			Keep: func(results.Record) error {
				t.Error("a trial was kept")
				return nil
			},
		})
		want := `trial 1 of 1, fake latency 64 B: fake nowhere:0: no answer to 5 hellos in 5s; is "bench server" running there and is the port open for fake?`
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if ids := elsewhere.IDs(); len(ids) > 0 {
			t.Errorf("sessions left over: %x", ids)
		}
	})
}

// An interrupt ends the trial in hand at once, keeps those before it, and leaves no session.
func TestInterruptKeepsFinishedTrials(t *testing.T) {
	for _, workload := range bench.DefaultPlan().Workloads {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			stop := errors.New("enough")
			plan := fakePlan(workload)
			plan.Trials, plan.Drain, plan.Rate = 3, 10*time.Second, 500
			time.AfterFunc(1700*time.Millisecond, func() { cancel(stop) })
			start := time.Now()
			all, err := runFake(ctx, &benchtest.Network{
				Fate:      func(bool, int) []time.Duration { return delay(time.Millisecond) },
				SendError: func(int) error { time.Sleep(time.Millisecond); return nil },
			}, plan)
			if !errors.Is(err, stop) || len(all) != 1 {
				t.Errorf("%s: %d trials kept, %v", workload, len(all), err)
			}
			if took := time.Since(start); took > 1750*time.Millisecond {
				t.Errorf("%s: it took %v to stop", workload, took)
			}
		})
	}
}

// The disk may fill up: the run ends with the error of whoever keeps the trials.
func TestKeepFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &benchtest.Network{Sessions: bench.NewTable(bench.DefaultLimits()), Fate: func(bool, int) []time.Duration { return delay(time.Millisecond) }}
		full := errors.New("no space left")
		plan := fakePlan("latency")
		plan.Trials = 3
		calls := 0
		err := bench.Run(t.Context(), bench.Config{
			Plan: plan, Transports: []bench.Transport{n}, Control: benchtest.Control{Sessions: n.Sessions},
			Keep: func(results.Record) error { calls++; return full },
		})
		if !errors.Is(err, full) || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}

func TestProgressCountsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &benchtest.Network{Sessions: bench.NewTable(bench.DefaultLimits()), Fate: func(bool, int) []time.Duration { return delay(time.Millisecond) }}
		plan := fakePlan("latency")
		plan.Trials = 3
		var seen []bench.Progress
		err := bench.Run(t.Context(), bench.Config{
			Plan: plan, Transports: []bench.Transport{n}, Control: benchtest.Control{Sessions: n.Sessions},
			Keep:     func(results.Record) error { return nil },
			Progress: func(p bench.Progress) { seen = append(seen, p) },
		})
		if err != nil || len(seen) != 4 {
			t.Fatalf("%d reports, %v", len(seen), err)
		}
		for i, p := range seen {
			if p.Done != i || p.Trials != 3 || (p.Left == 0) != (i == 3) || (p.What == "") != (i == 3) || i < 3 && (p.Proto == "" || p.Cell.Workload != "latency") {
				t.Errorf("report %d: %+v", i, p)
			}
		}
	})
}

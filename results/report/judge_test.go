package report

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpvsudp/results"
)

// trialsOf are trials of one cell in pairs: of set fills in the figures of each half, of which there are n.
func trialsOf(workload string, n int, fill func(t *results.Trial, proto string, i int)) *results.Set {
	s := &results.Set{Run: results.Run{Status: results.Finished, Planned: 2 * n}}
	for i := range n {
		for _, proto := range transports {
			t := results.Trial{Number: len(s.Trials) + 1, Pair: i + 1, Proto: proto, Wait: "block", WaitAsked: "block"}
			t.Schema = results.Schema
			t.Cell = results.Cell{Workload: workload, SizeBytes: 64, Flows: 1, Direction: "up", Batch: "1"}
			t.Sent, t.Unique, t.Received = 1000, 1000, 1000
			fill(&t, proto, i)
			s.Trials = append(s.Trials, t)
		}
	}
	return s
}

// noise is within 1 % of 1, and no two are the same.
func noise(i int) float64 { return 1 + 0.01*math.Sin(float64(7*i+1)) }

func TestVerdicts(t *testing.T) {
	rtt := func(tcp, udp float64) func(*results.Trial, string, int) {
		return func(t *results.Trial, proto string, i int) {
			t.RTT.P50Us = known(tcp * noise(i))
			if proto == "udp" {
				t.RTT.P50Us = known(udp * noise(i+50))
			}
		}
	}
	lost := func(tcp, udp int) func(*results.Trial, string, int) {
		return func(t *results.Trial, proto string, i int) {
			n := tcp
			if proto == "udp" {
				n = udp
			}
			if n > 0 {
				t.Lost = uint64(n + i)
				t.Unique -= t.Lost
			}
		}
	}
	floor := &results.NoiseFloor{Floors: []results.Floor{{Workload: "latency", Metric: "rtt_p50_us", Ratio: 0.1}}}
	for name, test := range map[string]struct {
		workload, metric string
		n                int
		fill             func(*results.Trial, string, int)
		floor            *results.NoiseFloor
		winner, verdict  string
	}{
		"a multiple": {"latency", "rtt_p50_us", 10, rtt(165, 100), nil, "udp", "UDP 1.65 × faster"},
		"per cent":   {"latency", "rtt_p50_us", 10, rtt(100, 125), nil, "tcp", "TCP 20 % faster"},
		"too few":    {"latency", "rtt_p50_us", 5, rtt(100, 125), nil, "", "no difference shown (needs about 6 trials)"},
		"none":       {"latency", "rtt_p50_us", 10, rtt(100, 100), nil, "", "equal within 2 %"},
		"too small": {"latency", "rtt_p50_us", 10, func(t *results.Trial, proto string, i int) {
			t.RTT.P50Us = known(100)
			if proto == "udp" {
				t.RTT.P50Us = known(100.5 + 0.22*float64(i))
			}
		}, nil, "", "no difference shown (1.49 %, below 2 %)"},
		"below the floor": {"latency", "rtt_p50_us", 10, rtt(100, 107), floor, "", "equal within 10 %"},
		"above the floor": {"latency", "rtt_p50_us", 10, rtt(100, 120), floor, "tcp", "TCP 17 % faster"},
		"a price": {"latency", "cpu_us_per_message", 10, func(t *results.Trial, proto string, i int) {
			t.CPUPerMessageUs = known(map[string]float64{"tcp": 88, "udp": 100}[proto] * noise(i))
		}, nil, "tcp", "TCP 12 % cheaper"},
		"a rate": {"throughput", "goodput_bps", 10, func(t *results.Trial, proto string, i int) {
			t.GoodputBps = known(map[string]float64{"tcp": 1e9, "udp": 1.2e9}[proto] * noise(i))
		}, nil, "udp", "UDP 20 % faster"},
		"a twin": {"throughput", "messages_per_s", 10, func(t *results.Trial, proto string, i int) {
			t.GoodputBps = known(map[string]float64{"tcp": 1e9, "udp": 4e9}[proto] * noise(i))
			v, _ := t.GoodputBps.Get()
			t.MessagesPerS = known(v / 512)
		}, nil, "udp", "UDP 4.00 × faster"},
		"nothing lost": {"latency", "loss_ratio", 10, lost(0, 0), nil, "", "none in either"},
		"lost by one":  {"latency", "loss_ratio", 10, lost(0, 5), nil, "tcp", "TCP loses less"},
		"lost alike":   {"latency", "loss_ratio", 10, lost(5, 5), nil, "", "equal"},
		"one lost by one": {"latency", "loss_ratio", 10, func(t *results.Trial, proto string, i int) {
			if proto == "udp" && i == 3 {
				t.Lost, t.Unique = 1, 999
			}
		}, nil, "", "no difference shown"},
		"an extreme":        {"latency", "rtt_max_us", 10, func(t *results.Trial, proto string, i int) { t.RTT.MaxUs = known(float64(len(proto) * i)) }, nil, "", "not tested"},
		"not measured":      {"latency", "cpu_us_per_message", 10, func(*results.Trial, string, int) {}, nil, "", ""},
		"neither is better": {"throughput", "offered_bps", 10, func(t *results.Trial, proto string, i int) { t.OfferedBps = known(float64(1 + i)) }, nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := trialsOf(test.workload, test.n, test.fill)
			s.Run.NoiseFloor = test.floor
			got := find(t, Summarize(s), test.workload, test.metric)
			if got.Winner != test.winner || got.Verdict != test.verdict {
				t.Errorf("%q %q, want %q %q: %+v", got.Winner, got.Verdict, test.winner, test.verdict, got.Judgement)
			}
		})
	}
}

// With ten pairs the smallest P is 2/1024: Holm lets it stand for a difference among 25 rows, and not among 26.
func TestHolmOverATable(t *testing.T) {
	for rows, shown := range map[int]bool{25: true, 26: false} {
		s := &results.Set{}
		for size := range rows {
			one := trialsOf("latency", 10, func(t *results.Trial, proto string, i int) {
				t.SizeBytes, t.Pair = 64+size, t.Pair+100*size
				t.RTT.P50Us = known(map[string]float64{"tcp": 100, "udp": 50}[proto] * noise(i))
			})
			s.Trials = append(s.Trials, one.Trials...)
		}
		n := 0
		for _, row := range Summarize(s) {
			if row.Winner == "udp" {
				n++
			}
		}
		if shown && n != rows || !shown && n != 0 {
			t.Errorf("%d of %d rows name a winner", n, rows)
		}
		notes := strings.Join(tooMany(Summarize(s)), "\n")
		if want := "latency: 26 rows are tested at once with 10 pairs, of which none can be shown: use --trials 11 or more, or ask less at once."; shown && notes != "" || !shown && notes != want {
			t.Errorf("%q", notes)
		}
	}
}

// Rows of two tables are not adjusted for each other.
func TestTablesAreJudgedApart(t *testing.T) {
	fill := func(t *results.Trial, proto string, i int) {
		t.RTT.P50Us = known(map[string]float64{"tcp": 100, "udp": 50}[proto] * noise(i))
	}
	s := trialsOf("latency", 8, fill)
	s.Trials = append(s.Trials, trialsOf("paced", 8, fill).Trials...)
	for _, workload := range []string{"latency", "paced"} {
		if row := find(t, Summarize(s), workload, "rtt_p50_us"); row.P != row.PHolm {
			t.Errorf("%s: p %v became %v", workload, row.P, row.PHolm)
		}
	}
}

// What a verdict rests on is in trials.csv: without the histograms, percentiles of merged messages are gone, and nothing else.
func TestVerdictsComeFromTrialsAlone(t *testing.T) {
	s := example()
	whole := Summarize(s)
	s.Buckets, s.Intervals = nil, nil
	tested := 0
	for i, row := range Summarize(s) {
		if _, p := row.P.Get(); p {
			tested++
			if row != whole[i] {
				t.Errorf("%+v became %+v", whole[i], row)
			}
		}
	}
	if tested < 4 {
		t.Errorf("%d rows were tested", tested)
	}
}

// The run that README shows: its summary comes out of its trials again, to the last digit, histograms or none.
func TestReferenceRun(t *testing.T) {
	dir := filepath.Join("..", "reference", "run")
	s, err := results.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, results.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	got, err := results.EncodeCSV(Summarize(s), true)
	if err != nil || string(got) != string(want) && runtime.GOARCH == "amd64" { // others fuse multiplication and addition, and round once
		t.Errorf("%v: the summary has become\n%s", err, got)
	}
	if len(s.Trials) != 200 || len(s.Buckets) == 0 {
		t.Errorf("%d trials, %d buckets", len(s.Trials), len(s.Buckets))
	}
}

func TestFloorNotes(t *testing.T) {
	s := example()
	s.Run.NoiseFloor = &results.NoiseFloor{File: "results/calibration.json", Made: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Pairs: 10, DurationMs: 250, Wait: "block",
		Floors: []results.Floor{{Workload: "latency", Metric: "rtt_p50_us", Ratio: 0.034}, {Workload: "latency", Metric: "rtt_p99_us", Ratio: 0.1}, {Workload: "connect", Metric: "connect_p50_us", Ratio: 0.01}}}
	want := []string{"Noise floor of this host from results/calibration.json, made on 2 Jan 2026 with 10 pairs of 250 ms (wait: block): latency rtt_p50_us 3.4 %, throughput goodput_bps none, connect connect_p50_us 1 %."}
	if got := floorNotes(s); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	s.Run.NoiseFloor.DurationMs = 1000
	s.Run.NoiseFloor.Floors = nil
	want = []string{"Noise floor of this host from results/calibration.json, made on 2 Jan 2026 with 10 pairs of 1000 ms (wait: block): latency rtt_p50_us none, throughput goodput_bps none, connect connect_p50_us none.", "Its trials took 1000 ms, and these 250 ms: shorter ones differ more."}
	if got := floorNotes(s); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestSummarizeIsTheSameEveryTime(t *testing.T) {
	first := Summarize(example())
	for range 5 {
		if again := Summarize(example()); !slices.Equal(first, again) {
			t.Fatalf("%+v\n%+v", first, again)
		}
	}
}

// Of a transport against itself, a table names a difference in 5 of 100 cases at most; of a transport with a tail of rare bad trials too.
func TestFalseVerdicts(t *testing.T) {
	state := uint64(1)
	random := func() float64 { // a congruential generator: the same everywhere
		state = state*6364136223846793005 + 1442695040888963407
		return float64(state>>11) / (1 << 53)
	}
	s := &results.Set{Run: results.Run{SameTwice: true}}
	for _, proto := range transports {
		for pair := range 20 {
			for range 2 {
				one := results.Trial{Proto: proto, Pair: pair + 1, WaitAsked: "block", DurationMs: 250}
				one.Cell = results.Cell{Workload: "latency", SizeBytes: 64, Flows: 1}
				drift := 1 + float64(pair)/10
				slow := 1.0
				if random() < 0.1 {
					slow = 3
				}
				one.RTT.P50Us = known(30 * drift * slow * (1 + 0.2*random()))
				one.RTT.P90Us = known(50 * drift * (1 + 0.3*random()))
				one.RTT.P99Us = known(80 * drift * (1 + random()))
				one.CPUPerMessageUs = known(20 * (1 + 0.1*random()))
				one.Sent, one.Unique = 1000, 1000
				s.Trials = append(s.Trials, one)
			}
		}
	}
	floor := NoiseFloor(s, 1)
	if wrong, tables := FalseVerdicts(s, floor, 1); tables != 200 || wrong > 10 {
		t.Errorf("%d of %d", wrong, tables)
	}
	if again := NoiseFloor(s, 1); fmt.Sprint(again) != fmt.Sprint(floor) {
		t.Errorf("%v\n%v", again, floor)
	}
	cell := results.Cell{Workload: "latency"}
	if p50, cpu := floor.For(cell, "rtt_p50_us"), floor.For(cell, "cpu_us_per_message"); p50 < 0.03 || p50 > 1 || cpu < 0.005 || cpu > 0.1 || cpu > p50 {
		t.Errorf("floors %v and %v", p50, cpu)
	}
	if floor.Pairs != 20 || floor.DurationMs != 250 || floor.Wait != "block" {
		t.Errorf("%+v", floor)
	}
	// A real difference is still found.
	for i := range s.Trials {
		if v, _ := s.Trials[i].RTT.P50Us.Get(); s.Trials[i].Proto == "udp" {
			s.Trials[i].RTT.P50Us = known(v * 10)
		}
	}
	s.Run.SameTwice, s.Run.NoiseFloor = false, floor
	for i := range s.Trials { // a pair of both
		s.Trials[i].Pair = i%40 + 1
	}
	if row := find(t, Summarize(s), "latency", "rtt_p50_us"); row.Winner != "tcp" {
		t.Errorf("%+v", row)
	}
}

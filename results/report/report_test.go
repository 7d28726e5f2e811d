package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tcpvsudp/internal/host"
	"tcpvsudp/results"
)

var update = flag.Bool("update", false, "write the golden files anew")

var known = results.Known

// example is a run whose figures are simple enough to check by hand: 3 pairs of latency, 7 of throughput, one of
// connect by UDP alone.
func example() *results.Set {
	s := &results.Set{Run: results.Run{
		Schema: results.Schema, ID: "20260102-030405", Status: results.Finished, Planned: 21,
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Client:  host.Facts{Name: "here", OS: "linux", Kernel: "6.1", Cores: 2, Go: "go1.26"},
	}}
	add := func(t results.Trial) {
		t.DurationMs, t.WarmupMs, t.CongestionControl = 250, 50, "cubic"
		t.Schema, t.Number, t.Wait, t.WaitAsked = results.Schema, len(s.Trials)+1, "block", "block"
		s.Trials = append(s.Trials, t)
	}
	latency := results.Cell{Workload: "latency", SizeBytes: 64, Flows: 1, Direction: "echo"}
	for i, p50 := range [][2]float64{{10, 5}, {20, 30}, {40, 12}} {
		for j, proto := range []string{"tcp", "udp"} {
			var t results.Trial
			t.Cell, t.Pair, t.Proto = latency, i+1, proto
			t.RTT.P50Us, t.RTT.MaxUs = known(p50[j]), known(p50[j]*100)
			t.MessagesPerS = known(1e6 / p50[j])
			t.Sent, t.Unique, t.Received = 1000, 1000, 1000
			if proto == "udp" {
				t.Lost, t.Unique = uint64(i), 1000-uint64(i)
			}
			add(t)
			// 2,000 values a trial: enough for p99.9 of three trials, not of one.
			for _, b := range []results.Bucket{{FromNs: 1000, ToNs: 1000, Count: 1990}, {FromNs: 9000, ToNs: 9000, Count: 10}} {
				b.Schema, b.Trial, b.Proto, b.Cell, b.Metric = results.Schema, len(s.Trials), proto, latency, "rtt"
				s.Buckets = append(s.Buckets, b)
			}
		}
	}
	throughput := results.Cell{Workload: "throughput", SizeBytes: 64 << 10, Flows: 4, Direction: "up"}
	for i := range 7 {
		for j, proto := range []string{"udp", "tcp"} {
			var t results.Trial
			t.Cell, t.Pair, t.Proto = throughput, 10+i, proto
			t.GoodputBps = known(float64(1+j) * 1e9 * float64(1+i))
			t.Sent, t.Unique, t.Received, t.Duplicated, t.Reordered = 100, 50, 60, 10, 5
			t.Lost = 50
			t.ServerRecvBufferAsked, t.ServerRecvBuffer = known(4194304), known(425984)
			add(t)
		}
	}
	var t results.Trial
	t.Cell, t.Pair, t.Proto = results.Cell{Workload: "connect", SizeBytes: 64, Flows: 1, Direction: "echo"}, 20, "udp"
	t.Connect.P50Us, t.Sent = known(0.5), 0
	t.Corrupt, t.Truncated = known(3), 2
	add(t)
	s.Trials[len(s.Trials)-1].WaitAsked = "spin"
	return s
}

// twoHosts is a run between two hosts: each has a clock of its own, messages went both ways, the server was lost for
// a while and used by others.
func twoHosts() *results.Set {
	s := example()
	s.Trials, s.Buckets, s.Run.Planned = nil, nil, 6
	add := func(t results.Trial) {
		t.DurationMs, t.WarmupMs, t.CongestionControl, t.Attempts, t.Received = 250, 50, "cubic", 1, 1
		t.Schema, t.Number, t.Pair, t.Wait, t.WaitAsked = results.Schema, len(s.Trials)+1, len(s.Trials)/2+1, "block", "block"
		t.ClientCPUs, t.ServerCPUs = known(1), known(1)
		t.Proto = []string{"tcp", "udp"}[len(s.Trials)%2]
		s.Trials = append(s.Trials, t)
	}
	for i := range 4 {
		var t results.Trial
		t.Cell = results.Cell{Workload: "latency", SizeBytes: 64 << (i / 2 * 4), Flows: 1, Direction: "echo"}
		t.RTT.P50Us, t.ClockErrorUs, t.ClockOffsetUs = known(100), known(20+float64(i)), known(-5e6)
		if i != 3 {
			t.OneWayUp.P50Us = known(60)
			t.OneWayDown.P50Us = known(40)
		}
		add(t)
	}
	for range 2 {
		var t results.Trial
		t.Cell = results.Cell{Workload: "throughput", SizeBytes: 1400, Flows: 1, Direction: "both", Batch: "auto", CongestionAsked: "bbr"}
		t.MessagesPerBlock, t.ClientOffload, t.ServerOffload, t.Stamp, t.Pin, t.ClientPath = 46, "refused", "on", "message", "apart", "own"
		t.GoodputBps, t.UpBps, t.DownBps, t.RateLimitBps = known(3e9), known(1e9), known(2e9), known(2e9)
		add(t)
	}
	s.Trials[5].Attempts = 2
	s.Trials[4].ServerCPUs = results.Value{}
	return s
}

// linked is a run across emulated links of three losses and two delays: TCP is late where a packet was lost, and UDP loses it.
func linked() *results.Set {
	s := example()
	s.Trials, s.Buckets = nil, nil
	for pair := range 2 {
		for _, link := range []string{"delay=100ms;loss=1%", "delay=20ms;loss=5%", "delay=20ms;loss=0", "delay=20ms;loss=1%", "delay=100ms;loss=0", "delay=100ms;loss=5%"} {
			for i, proto := range []string{"tcp", "udp"} {
				var t results.Trial
				t.Schema, t.Number, t.Pair, t.Proto, t.Wait, t.Attempts = results.Schema, len(s.Trials)+1, len(s.Trials)/2+1, proto, "block", 1
				t.DurationMs, t.WarmupMs, t.Sent, t.Unique, t.Received = 2000, 100, 1000, 1000, 1000
				t.Cell = results.Cell{Workload: "paced", SizeBytes: 200, Flows: 1, Direction: "echo", Batch: "1", Link: link, RateAsked: known(500)}
				loss := map[string]float64{"0": 0, "1%": 10, "5%": 50}[link[strings.LastIndex(link, "=")+1:]]
				far := strings.Contains(link, "100ms")
				t.OneWayUp.Count, t.OneWayUp.P50Us, t.OneWayUp.P99Us, t.OneWayUp.MaxUs = known(1000), known(20_000), known(20_900), known(21_000)
				t.DeadlineMs, t.Judged, t.Missed, t.HeldUp, t.LongestStallMs = known(100), known(1000), known(loss), known(0), known(4)
				if proto == "tcp" {
					t.OneWayUp.P99Us, t.OneWayUp.MaxUs, t.Missed, t.HeldUp, t.LongestStallMs = known(68_000), known(80_000), known(0), known(3*loss), known(56)
					if far {
						t.Missed = known(4 * loss)
					}
					t.Retransmissions.Client = known(loss)
				} else if t.Lost = uint64(loss); pair == 1 && far && loss == 10 {
					t.Missed = known(41) // this pair does not agree with the other
				}
				misses, _ := t.Missed.Get()
				t.MissRatio = known(misses / 1000)
				t.LinkAccount.Up.Packets, t.LinkAccount.Down.Packets, t.LinkAccount.Behind, t.LinkAccount.Missed = known(1100), known(1100), known(0), known(0)
				if i == 0 && loss == 50 {
					t.LinkAccount.Behind, t.LinkAccount.Missed = known(300), known(2)
				}
				s.Trials = append(s.Trials, t)
			}
		}
	}
	return s
}

func find(t *testing.T, rows []results.Summary, workload, metric string) results.Summary {
	t.Helper()
	i := slices.IndexFunc(rows, func(r results.Summary) bool { return r.Workload == workload && r.Metric == metric })
	if i < 0 {
		t.Fatalf("no row %s %s", workload, metric)
	}
	return rows[i]
}

// near tells whether two figures are the same but for rounding.
func near(a, b results.Value) bool {
	x, knownX := a.Get()
	y, knownY := b.Get()
	return knownX == knownY && math.Abs(x-y) <= 1e-12*math.Abs(y)
}

func TestSummarizeKnownAnswers(t *testing.T) {
	rows := Summarize(example())
	latency := results.Cell{Workload: "latency", SizeBytes: 64, Flows: 1, Direction: "echo"}
	figure := func(metric, unit, over string) results.Figure {
		return results.Figure{Metric: metric, Unit: unit, Better: "lower", Over: over}
	}
	for _, want := range []results.Summary{
		// The pairs' ratios are 0.5, 1.5 and 0.3. Of the geometric means of every two of them, and of each with itself, the middle ones are
		// 0.5 and the root of 0.3 x 1.5. Of the eight ways in which three signs may fall, six are as extreme.
		{Figure: figure("rtt_p50_us", "us", "median"),
			TCP: results.Side{Value: known(20), Min: known(10), Max: known(40), Trials: 3},
			UDP: results.Side{Value: known(12), Min: known(5), Max: known(30), Trials: 3},
			Judgement: results.Judgement{Ratio: known(math.Sqrt(0.5 * math.Sqrt(0.3*1.5))), Pairs: 3, Family: 3, P: known(0.5), PHolm: known(1),
				Threshold: known(0.02), Verdict: noneShown}},
		{Figure: figure("rtt_p999_us", "us", "merged"),
			TCP: results.Side{Value: known(9), Trials: 3, Of: known(6000)}, UDP: results.Side{Value: known(9), Trials: 3, Of: known(6000)},
			Judgement: results.Judgement{Ratio: known(1), Verdict: notTested}},
		{Figure: figure("rtt_max_us", "us", "merged"),
			TCP: results.Side{Value: known(4000), Trials: 3}, UDP: results.Side{Value: known(3000), Trials: 3},
			Judgement: results.Judgement{Ratio: known(0.75), Verdict: notTested}},
		{Figure: figure("loss_ratio", "ratio", "merged"),
			TCP: results.Side{Value: known(0), Trials: 3, Of: known(3000)}, UDP: results.Side{Value: known(0.001), Trials: 3, Of: known(3000)},
			Judgement: results.Judgement{Pairs: 3, Family: 3, P: known(0.5), PHolm: known(1), Threshold: known(0.02), Verdict: noneShown}},
		{Figure: figure("cpu_us_per_message", "us", "median"), TCP: results.Side{Trials: 3}, UDP: results.Side{Trials: 3}},
	} {
		want.Schema, want.Cell = results.Schema, latency
		got := find(t, rows, "latency", want.Metric)
		if needed, known := got.Needed.Get(); known { // told of elsewhere
			if needed < enoughTrials || !strings.Contains(got.Verdict, "needs about") {
				t.Errorf("%s: %+v", want.Metric, got)
			}
			got.Needed, got.Verdict = results.Value{}, noneShown
		}
		if !near(got.Ratio, want.Ratio) {
			t.Errorf("%s: ratio %v, want %v", want.Metric, got.Ratio, want.Ratio)
		}
		got.Ratio = want.Ratio
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", want.Metric, got, want)
		}
	}
	if got := find(t, rows, "throughput", "goodput_bps"); !near(got.Ratio, known(0.5)) || got.Pairs != 7 || got.TCP.Value != known(8e9) {
		t.Errorf("goodput: %+v", got)
	}
	if got := find(t, rows, "throughput", "duplication_ratio"); got.UDP.Value != known(0.2) || got.UDP.Of != known(350) {
		t.Errorf("duplication: %+v", got)
	}
	// A transport that was not measured is empty, not 0.
	if got := find(t, rows, "connect", "connect_p50_us"); got.TCP != (results.Side{}) || got.UDP.Value != known(0.5) || got.Ratio != (results.Value{}) {
		t.Errorf("connect: %+v", got)
	}
}

func render(t *testing.T, s *results.Set, f Format) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, s, f, 80); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("%s holds %s:\n%s", f, bad, out.String())
		}
	}
	return out.String()
}

func TestGolden(t *testing.T) {
	interrupted := example()
	interrupted.Run.Status, interrupted.Run.Error = results.Interrupted, "interrupted"
	interrupted.Trials = interrupted.Trials[:3]
	hostile := example()
	hostile.Run.Client.Name, hostile.Run.Client.Kernel = "<script>|x", "\x1b[31m6.1"
	alone := example()
	alone.Trials = slices.DeleteFunc(alone.Trials, func(t results.Trial) bool { return t.Proto != "udp" })
	for name, test := range map[string]struct {
		set    *results.Set
		format Format
	}{
		"full.txt":        {example(), Text},
		"full.md":         {example(), Markdown},
		"full.csv":        {example(), CSV},
		"full.json":       {example(), JSON},
		"interrupted.txt": {interrupted, Text},
		"empty.txt":       {&results.Set{Run: results.Run{Status: results.Running, Planned: 3}}, Text},
		"empty.json":      {&results.Set{Run: results.Run{Status: results.Running, Planned: 3}}, JSON},
		"hostile.md":      {hostile, Markdown},
		"udp-alone.txt":   {alone, Text},
		"two-hosts.txt":   {twoHosts(), Text},
		"linked.txt":      {linked(), Text},
	} {
		t.Run(name, func(t *testing.T) {
			got := render(t, test.set, test.format)
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestMap(t *testing.T) {
	for name, format := range map[string]Format{"map.txt": Text, "map.md": Markdown, "map.csv": CSV, "map.json": JSON} {
		var out bytes.Buffer
		if err := WriteMap(&out, linked(), format); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || out.String() != string(want) {
			t.Errorf("%s, %v: got\n%s\nwant\n%s", name, err, out.String(), want)
		}
	}
	var better []string
	for _, r := range Map(linked()) {
		better = append(better, r.Better)
	}
	if !slices.Equal(better, []string{"equal", "tcp", "tcp", "equal", "open", "udp"}) {
		t.Errorf("%v", better)
	}
}

// From six pairs on, points of a map are tested.
func TestMapIsTested(t *testing.T) {
	for _, test := range []struct {
		trials int
		want   string
	}{{5, "udp"}, {6, "udp"}} {
		s := &results.Set{}
		for i := range test.trials {
			for _, proto := range transports {
				one := results.Trial{Pair: i + 1, Proto: proto}
				one.Cell = results.Cell{Workload: "paced", SizeBytes: 64, Flows: 1, Link: "delay=1ms;loss=1%"}
				one.Judged, one.Missed, one.MissRatio = known(1000), known(float64(100+i)), known(float64(100+i)/1000)
				if proto == "udp" {
					one.Missed, one.MissRatio = known(float64(i)), known(float64(i)/1000)
				}
				s.Trials = append(s.Trials, one)
			}
		}
		row := Map(s)[0]
		if _, tested := row.PHolm.Get(); row.Better != test.want || tested != (test.trials >= 6) {
			t.Errorf("%d trials: %+v", test.trials, row)
		}
		for i := range s.Trials { // one pair does not agree
			if s.Trials[i].Pair == 1 && s.Trials[i].Proto == "udp" {
				s.Trials[i].Missed, s.Trials[i].MissRatio = known(900), known(0.9)
			}
		}
		if row := Map(s)[0]; row.Better != "open" {
			t.Errorf("%d trials: %+v", test.trials, row)
		}
	}
}

func TestTextFitsATerminal(t *testing.T) {
	for line := range strings.Lines(render(t, example(), Text)) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestJSONIsWhole(t *testing.T) {
	var back struct {
		Run     results.Run
		Summary []results.Summary
	}
	if err := json.Unmarshal([]byte(render(t, example(), JSON)), &back); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(back.Summary, Summarize(example())) || back.Run.ID != "20260102-030405" {
		t.Errorf("%+v", back)
	}
}

// failing is a writer that takes n bytes.
type failing struct{ n int }

var errFull = errors.New("full")

func (f *failing) Write(p []byte) (int, error) {
	if len(p) > f.n {
		return f.n, errFull
	}
	f.n -= len(p)
	return len(p), nil
}

func TestWriterThatFails(t *testing.T) {
	for _, f := range Formats {
		if err := Write(&failing{10}, example(), f, 80); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestTableRefusesRaggedRows(t *testing.T) {
	err := Table{Title: "T", Header: []string{"a", "b"}, Rows: [][]string{{"1"}}}.Render(&bytes.Buffer{}, false)
	if err == nil || !strings.Contains(err.Error(), "a row of 1 cells under 2 columns") {
		t.Errorf("%v", err)
	}
}

func TestMarkdownEscapesBars(t *testing.T) {
	var out bytes.Buffer
	if err := (Table{Header: []string{"a"}, Text: 1, Rows: [][]string{{"x|y"}}}).Render(&out, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `x\|y`) {
		t.Errorf("%s", out.String())
	}
}

func TestDigits(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0", 1: "1.000", 12.3456: "12.35", 999.96: "1000", 1234.5: "1234", 123456: "123456",
		0.001234: "0.001234", 1e-12: "0.000000000", -5.5: "-5.500",
	} {
		if got := digits(n); got != want {
			t.Errorf("digits(%v) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0.00", 1.234: "1.23", 12: "12.0", 123.4: "123", 0.123: "0.12", 0.0567: "0.057", 0.00012: "0.00012"} {
		if got := showRatio(n); got != want {
			t.Errorf("showRatio(%v) = %s, want %s", n, got, want)
		}
	}
}

// The rule of three's bound is never told smaller than it is.
func TestNoneOfN(t *testing.T) {
	for of, want := range map[float64]string{1000: "<0.30", 3000: "<0.10", 7: "<43", 1: "<100", 35000: "<0.0086", 4e8: "<7.5e-7", 3e8: "<1.0e-6", 0: notMeasured} {
		value := known(0)
		if of == 0 {
			value = results.Ratio(0, 0)
		}
		if got := showShare(results.Side{Value: value, Of: known(of)}); got != want {
			t.Errorf("none of %v: %s, want %s", of, got, want)
		}
	}
	for n := 0.0001; n < 200; n *= 1.37 {
		got := roundUp(n)
		var v float64
		if _, err := fmt.Sscan(got, &v); err != nil || v < n*(1-1e-9) || v > n*1.1 {
			t.Errorf("roundUp(%v) = %s", n, got)
		}
	}
}

func TestScales(t *testing.T) {
	for _, test := range []struct {
		unit    unit
		figures []float64
		want    string
	}{
		{microseconds, []float64{5}, "µs"}, {microseconds, []float64{5, 1500}, "ms"}, {microseconds, []float64{2.5e6}, "s"},
		{microseconds, []float64{0.25}, "ns"}, {microseconds, nil, "µs"}, {microseconds, []float64{0}, "µs"},
		{bitsPerSecond, []float64{999e6}, "Mbit/s"}, {bitsPerSecond, []float64{1e9, 5}, "Gbit/s"}, {bitsPerSecond, []float64{12}, "bit/s"},
		{perSecond, []float64{12345}, "k/s"}, {perSecond, []float64{2e6}, "M/s"}, {shareOf, []float64{0.5}, "%"}, {seconds, []float64{0.05}, "ms"},
	} {
		var values []results.Value
		for _, f := range test.figures {
			values = append(values, known(f))
		}
		if got := scaleFor(test.unit, append(values, results.Known(math.NaN()))...); got.symbol != test.want {
			t.Errorf("%s %v is shown in %s, want %s", test.unit, test.figures, got.symbol, test.want)
		}
	}
}

func TestParseFormat(t *testing.T) {
	for _, f := range Formats {
		if got, err := ParseFormat(string(f)); got != f || err != nil {
			t.Errorf("%s: %v, %v", f, got, err)
		}
	}
	if _, err := ParseFormat("pdf"); err == nil || err.Error() != `unknown format "pdf": use one of table markdown csv json` {
		t.Errorf("%v", err)
	}
}

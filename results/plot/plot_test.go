package plot

import (
	"bytes"
	"errors"
	"flag"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tcpvsudp/results"
)

var update = flag.Bool("update", false, "write the golden files anew")

func known(v float64) results.Value { return results.Known(v) }

// cell is one of the fixtures'.
func cell(workload string, size int) results.Cell {
	c := results.Cell{Workload: workload, SizeBytes: size, Flows: 1, Direction: "echo", Batch: "1", CongestionAsked: "cubic"}
	switch workload {
	case "throughput":
		c.Direction = "up"
	case "paced":
		c.RateAsked = known(500)
	}
	return c
}

// linked is a paced cell across a link.
func linked(link string) results.Cell {
	c := cell("paced", 200)
	c.Link = link
	return c
}

// measured makes a run of so many pairs of trials in each cell. UDP's figures are 0.8 times those of TCP, and each trial's a little larger than
// those of the one before.
func measured(pairs int, protos []string, cells ...results.Cell) *results.Set {
	s := &results.Set{Dir: "testdata", Run: results.Run{ID: "20260102-030405", Status: results.Finished}}
	s.Run.Client.Name = "host"
	for i, c := range cells {
		for pair := range pairs {
			for _, proto := range protos {
				n := len(s.Trials) + 1
				size := (1 + 0.02*float64(pair)) * (1 + float64(i))
				if proto == "udp" {
					size *= 0.8
				}
				t := results.Trial{Schema: results.Schema, Number: n, Pair: i*pairs + pair + 1, Proto: proto, Cell: c, DurationMs: 100}
				t.Sent, t.Received, t.Unique = 2000, 2000, 2000
				t.StealRatio = known(0.001 * float64(n))
				t.CPUPerMessageUs = known(10 * size)
				h := results.NewHistogram()
				for k := range 2000 {
					h.Record(int64(50000 * size * (1 + 0.2*math.Log(2000/float64(2000-k)))))
				}
				row := results.Bucket{Schema: results.Schema, Trial: n, Proto: proto, Cell: c, Metric: "rtt"}
				latency := results.Known(50 * size)
				switch c.Workload {
				case "connect":
					row.Metric, t.Connect = "connect", h.Latency()
				case "throughput":
					t.GoodputBps, h, latency = known(3e9*size), nil, results.Value{}
				default:
					t.RTT = h.Latency()
				}
				if h != nil {
					s.Buckets = append(s.Buckets, h.Buckets(row)...)
				}
				if c.Link != "" {
					missed := 10 * size
					t.DeadlineMs, t.Judged, t.Missed, t.MissRatio = known(100), known(2000), known(missed), known(missed/2000)
				}
				for at := range 5 {
					s.Intervals = append(s.Intervals, results.Interval{Schema: results.Schema, Trial: n, Proto: proto, Cell: c, StartMs: float64(20 * at), LengthMs: 20,
						Messages: 400, GoodputBps: 3e9 * size * (1 + 0.05*float64(at%2)), LatencyMeanUs: latency, LatencyMaxUs: latency})
				}
				s.Trials = append(s.Trials, t)
			}
		}
	}
	return s
}

var both = []string{"tcp", "udp"}

func sweep() *results.Set {
	return measured(3, both, linked("delay=10ms;loss=0"), linked("delay=10ms;loss=1%"), linked("delay=50ms;loss=0"), linked("delay=50ms;loss=1%"))
}

func whole() *results.Set {
	return measured(6, both, cell("latency", 64), cell("latency", 1400), cell("paced", 64), cell("throughput", 64), cell("throughput", 1400), cell("connect", 64))
}

func TestGolden(t *testing.T) {
	second := measured(6, both, cell("latency", 64))
	second.Run.ID = "20260102-040506"
	for _, test := range []struct {
		name string
		runs []Run
		o    Options
	}{
		{"cdf", []Run{{"a", whole()}}, Options{Kinds: []Kind{CDF}, Where: []Condition{{"workload", []string{"latency"}}}}},
		{"cdf-runs", []Run{{"old", measured(6, both, cell("latency", 64))}, {"new", second}}, Options{Kinds: []Kind{CDF}}},
		{"bars", []Run{{"a", whole()}}, Options{Kinds: []Kind{Bars}, Where: []Condition{{"workload", []string{"throughput"}}}}},
		{"series", []Run{{"a", whole()}}, Options{Kinds: []Kind{Series}, Where: []Condition{{"workload", []string{"throughput"}}}}},
		{"map", []Run{{"a", sweep()}}, Options{Kinds: []Kind{Map}}},
		{"lines", []Run{{"a", whole()}}, Options{Metric: "rtt_p50_us", X: "size_bytes", By: "workload"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pictures, missing, err := Draw(test.runs, test.o)
			if err != nil || len(missing) > 0 || len(pictures) != 1 {
				t.Fatalf("%d pictures, missing %v, %v", len(pictures), missing, err)
			}
			var got, again bytes.Buffer
			if err := pictures[0].Write(&got, SVG); err != nil {
				t.Fatal(err)
			}
			pictures, _, _ = Draw(test.runs, test.o)
			if err := pictures[0].Write(&again, SVG); err != nil || !bytes.Equal(got.Bytes(), again.Bytes()) {
				t.Fatalf("the same picture is not the same twice (%v)", err)
			}
			golden := filepath.Join("testdata", test.name+".svg")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))) {
				t.Errorf("not like %s; go test -update writes it anew, look at it then", golden)
			}
		})
	}
}

// What a picture has to say stands in it as text.
func TestWords(t *testing.T) {
	text := func(o Options, runs ...Run) string {
		pictures, _, err := Draw(runs, o)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		for _, p := range pictures {
			if err := p.Write(&b, SVG); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	for _, test := range []struct {
		o     Options
		words []string
	}{
		{Options{Kinds: []Kind{CDF}}, []string{"Latency: closed loop", "Connect: from nothing", ">64 B<", ">1400 B<", ">99.9 %<", ">100 µs<", ">TCP<", ">UDP<", "Run 20260102-030405 on host", "stroke-dasharray"}},
		{Options{Kinds: []Kind{Bars}}, []string{"goodput, Gbit/s", "RTT p50, µs", "64 B, one by one", "95 %"}},
		{Options{Kinds: []Kind{Series}}, []string{"time since the measurement began, ms", "goodput, Gbit/s", "mean latency, µs"}},
		{Options{X: "size_bytes", Metric: "goodput_bps"}, []string{"Goodput by message size", "message size (logarithmic)", ">1400 B<"}},
		{Options{X: "steal_ratio", Metric: "cpu_us_per_message"}, []string{"steal, %", "CPU per message, µs"}},
	} {
		got := text(test.o, Run{"a", whole()})
		for _, word := range test.words {
			if !strings.Contains(got, word) {
				t.Errorf("%v: %q is not in the picture", test.o, word)
			}
		}
	}
	if got := text(Options{Kinds: []Kind{Bars}, Where: []Condition{{"size_bytes", []string{"64"}}}}, Run{"a", whole()}); !strings.Contains(got, "Only trials with size_bytes=64.") {
		t.Error("the picture does not tell that trials are left out")
	}
	if got := text(Options{Kinds: []Kind{Bars}}, Run{"old", whole()}, Run{"new", whole()}); !strings.Contains(got, "TCP, old") || !strings.Contains(got, "UDP, new") {
		t.Error("two runs are not told apart")
	}
}

func TestPNG(t *testing.T) {
	pictures, _, err := Draw([]Run{{"a", whole()}}, Options{Kinds: []Kind{Bars}, Size: Size{100, 80}})
	if err != nil || len(pictures) == 0 {
		t.Fatal(pictures, err)
	}
	var b bytes.Buffer
	if err := pictures[0].Write(&b, PNG); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size.X != 1181 || size.Y != 945 { // 100 and 80 mm at 300 to the inch
		t.Errorf("%v pixels", size)
	}
}

// Whatever a run has or lacks, each kind draws it or says why not.
func TestEveryRun(t *testing.T) {
	lost := measured(3, both, cell("latency", 64), cell("throughput", 64))
	lost.Buckets, lost.Intervals = nil, nil
	for i := range lost.Trials {
		t := &lost.Trials[i]
		*t = results.Trial{Schema: t.Schema, Number: t.Number, Pair: t.Pair, Proto: t.Proto, Cell: t.Cell, DurationMs: t.DurationMs}
		t.Sent, t.Lost, t.LossRatio = 2000, 2000, known(1)
	}
	interrupted := measured(1, []string{"udp"}, cell("latency", 64))
	interrupted.Run.Status = results.Interrupted
	empty := measured(0, both)
	for _, test := range []struct {
		name  string
		set   *results.Set
		kinds []Kind
	}{
		{"full", whole(), []Kind{CDF, Bars, Series, Lines}},
		{"one trial", measured(1, []string{"tcp"}, cell("latency", 64)), []Kind{CDF, Bars, Series, Lines}},
		{"UDP only", measured(6, []string{"udp"}, cell("throughput", 64)), []Kind{Bars, Series, Lines}},
		{"all lost", lost, nil},
		{"sweep", sweep(), Kinds},
		{"interrupted", interrupted, []Kind{CDF, Bars, Series, Lines}},
		{"empty", empty, nil},
		{"many sizes", measured(2, both, cell("latency", 64), cell("latency", 100), cell("latency", 200), cell("latency", 400), cell("latency", 800), cell("latency", 1400), cell("latency", 9000)), []Kind{CDF, Bars, Series, Lines}},
	} {
		for _, size := range []Size{{}, {60, 60}, {60, 0}, {1000, 1000}} {
			pictures, missing, err := Draw([]Run{{"a", test.set}, {"b", test.set}}, Options{Kinds: Kinds, Size: size})
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			names := map[string]bool{}
			for _, kind := range Kinds {
				has := slices.ContainsFunc(pictures, func(p Picture) bool { return p.Kind == kind })
				why := slices.ContainsFunc(missing, func(m Missing) bool { return m.Kind == kind && m.Why != "" })
				if has != slices.Contains(test.kinds, kind) || has == why {
					t.Errorf("%s: %s is drawn: %v, is missing: %v", test.name, kind, has, why)
				}
			}
			for _, p := range pictures {
				if names[p.Name] {
					t.Errorf("%s, %v: two pictures are called %s", test.name, size, p.Name)
				}
				names[p.Name] = true
				if err := p.Write(&bytes.Buffer{}, SVG); err != nil {
					t.Errorf("%s: %s: %v", test.name, p.Name, err)
				}
			}
		}
	}
}

func TestColumns(t *testing.T) {
	for _, test := range []struct {
		name string
		o    Options
		want string // of the only picture, or part of an error
	}{
		{"x and metric", Options{Metric: "rtt_p99_us", X: "size_bytes"}, "lines-rtt_p99_us-by-size_bytes"},
		{"by", Options{Metric: "rtt_p99_us", X: "workload", By: "size_bytes"}, "lines-rtt_p99_us-by-workload-size_bytes"},
		{"by alone", Options{By: "batch", Where: []Condition{{"workload", []string{"throughput"}}}}, "lines-goodput_bps-by-size_bytes-batch"},
		{"the transport as x", Options{Metric: "rtt_p50_us", X: "proto"}, "lines-rtt_p50_us-by-proto"},
		{"a measured column as x", Options{Metric: "rtt_p50_us", X: "steal_ratio"}, "lines-rtt_p50_us-by-steal_ratio"},
		{"metric alone", Options{Metric: "steal_ratio", Where: []Condition{{"workload", []string{"connect"}}}}, "bars-connect-steal_ratio"},
		{"a distribution", Options{Metric: "connect"}, "cdf-connect-connect"},
		{"two values of a condition", Options{Metric: "connect", Where: []Condition{{"size_bytes", []string{"64", "1400"}}}}, "cdf-connect-connect"},
		{"a misspelt metric", Options{Metric: "rtt_p5_us", X: "size_bytes"}, `no column "rtt_p5_us": do you mean rtt_p50_us`},
		{"a part of a name", Options{Metric: "rtt_p50_us", X: "size"}, "do you mean size_bytes"},
		{"nothing like a column", Options{Metric: "rtt_p50_us", By: "xyzzyxyzzyxyzzyxyzzy"}, "its first line names all, such as rtt_p50_us"},
		{"a metric of words", Options{Metric: "wait", X: "size_bytes", Where: nil}, "column wait has no numbers"},
		{"nearly a part of a name", Options{Metric: "rtt_p50_us", X: "sizes"}, "do you mean size_bytes"},
		{"too many lines", Options{Metric: "rtt_p50_us", X: "size_bytes", By: "trial"}, "choose some by --where"},
		{"x for bars", Options{Kinds: []Kind{Bars}, X: "size_bytes"}, "--kind leaves out"},
		{"no distribution", Options{Kinds: []Kind{CDF}, Metric: "rtt_p50_us"}, "use one of rtt, connect"},
		{"no series", Options{Kinds: []Kind{Series}, Metric: "rtt_p50_us"}, "use one of goodput_bps"},
		{"no map", Options{Kinds: []Kind{Map}, Metric: "rtt_p50_us"}, "use one of deadline_miss_ratio"},
	} {
		set := whole()
		for i := range set.Trials {
			set.Trials[i].Wait = "block"
		}
		pictures, missing, err := Draw([]Run{{"a", set}}, test.o)
		if err != nil {
			var wrong OptionError
			if !strings.Contains(err.Error(), test.want) || !errors.As(err, &wrong) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if len(pictures) != 1 || pictures[0].Name != test.want {
			t.Errorf("%s: %d pictures, missing %v, want %s", test.name, len(pictures), missing, test.want)
		}
		for _, p := range pictures {
			if err := p.Write(&bytes.Buffer{}, SVG); err != nil {
				t.Error(err)
			}
		}
	}
	if _, _, err := Draw([]Run{{"a", whole()}}, Options{Where: []Condition{{"size_bytes", []string{"9"}}}}); err == nil || !strings.Contains(err.Error(), "no trial") {
		t.Errorf("%v", err)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]Size{"": {}, "160": {160, 0}, "160x90": {160, 90}, "160mm": {160, 0}, "120.5x80mm": {120.5, 80}, "160mmx90mm": {160, 90}} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "160x", "x90", "10", "160x90x3", "5000", "NaN", "-100", "160xfoo"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	if _, err := ParseKinds([]string{"pie"}); err == nil || !strings.Contains(err.Error(), "cdf, bars, series, map or lines") {
		t.Error(err)
	}
	if list, err := ParseKinds([]string{"map", "cdf", "map"}); err != nil || !slices.Equal(list, []Kind{Map, CDF}) {
		t.Error(list, err)
	}
	if _, err := ParseFormats([]string{"pdf"}); err == nil {
		t.Error("pdf is a file type")
	}
	for _, text := range []string{"workload", "=x", "worklod=latency"} {
		if _, err := ParseConditions([]string{text}); err == nil {
			t.Errorf("%q is a condition", text)
		}
	}
}

func TestScales(t *testing.T) {
	labels := func(unit string, low, high, gap float64) (list []string) {
		for _, tick := range logTicks(unit, low, high, gap) {
			if tick.Label != "" {
				list = append(list, tick.Label)
			}
		}
		return list
	}
	for _, test := range []struct {
		low, high float64
		want      string
	}{
		{10, 100000, "10 µs|100 µs|1 ms|10 ms|100 ms"},
		{20, 200, "20 µs|30 µs|50 µs|100 µs|200 µs"},
		{40000, 50000, "40 ms|50 ms"},
	} {
		if got := strings.Join(labels("us", test.low, test.high, gapAcross), "|"); got != test.want {
			t.Errorf("from %v to %v: %s", test.low, test.high, got)
		}
	}
	if got := nines(0.999); math.Abs(got-3) > 1e-9 {
		t.Errorf("99.9 %% is at %v", got)
	}
	ticks := ninesTicks(4.2)
	if last := ticks[len(ticks)-1]; last.Label != "99.99 %" || last.Value != 4 {
		t.Errorf("the last tick is %v", last)
	}
	for _, tick := range evenTicks(-0.001, 1) {
		if tick.Label == "-0" {
			t.Error("0 has no sign")
		}
	}
	if n := len(evenTicks(0, 120)); n < 4 || n > 8 {
		t.Errorf("%d ticks", n)
	}
	for column, want := range map[string]string{"rtt_p50_us": "us", "goodput_bps": "bps", "messages_per_s": "per_s", "cpu_us_per_message": "us", "flows": "", "link_up_lost_packets": "packets", "longest_stall_ms": "ms"} {
		if got := unitOf(column); got != want {
			t.Errorf("%s is in %q", column, got)
		}
	}
}

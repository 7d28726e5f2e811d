package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"

	"tcpvsudp/results"
)

// versionsOf are two results of ten pairs: the new one's round trips are slower by a fifth, its CPU time is the same.
func versionsOf() (old, new *results.Set) {
	make := func(factor float64, seed int) *results.Set {
		s := trialsOf("latency", 10, func(t *results.Trial, proto string, i int) {
			t.RTT.P50Us = known(100 * factor * noise(i+seed))
			t.RTT.P99Us = known(200 * noise(i+2*seed))
			t.CPUPerMessageUs = known(10 * noise(i+3*seed))
			t.ClientPath, t.ServerPath = "own", "own"
		})
		s.Run.ID, s.Run.Plan = "20260101-000000", json.RawMessage(`{"duration_ns":250000000,"seed":1,"wait":"block"}`)
		s.Run.Client.Name, s.Run.Client.Kernel, s.Run.Client.OS, s.Run.Client.Go = "here", "6.1", "linux", "go1.26"
		return s
	}
	return make(1, 100), make(1.2, 200)
}

func TestCompare(t *testing.T) {
	old, new := versionsOf()
	c := Compare([]*results.Set{old}, []*results.Set{new})
	verdicts := map[string]string{}
	for _, row := range c.Rows {
		if row.Verdict != "" {
			verdicts[row.Proto+" "+row.Metric] = row.Verdict
		}
	}
	for row, want := range map[string]string{
		"tcp rtt_p50_us": "new 20 % slower", "udp rtt_p50_us": "new 20 % slower", "tcp rtt_p99_us": "equal within 2 %",
		"tcp cpu_us_per_message": "equal within 2 %", "udp loss_ratio": "none in either", "tcp rtt_p999_us": "",
	} {
		if verdicts[row] != want {
			t.Errorf("%s: %q, want %q", row, verdicts[row], want)
		}
	}
	if len(c.Hidden)+len(c.Alone) > 0 {
		t.Errorf("%v, %v", c.Hidden, c.Alone)
	}
	// The other way round it is faster.
	for _, row := range Compare([]*results.Set{new}, []*results.Set{old}).Rows {
		if row.Metric == "rtt_p50_us" && row.Verdict != "new 17 % faster" {
			t.Errorf("%+v", row)
		}
	}
	// Several runs a side count as one.
	twice := Compare([]*results.Set{old, old}, []*results.Set{new})
	if row := twice.Rows[0]; row.Old.Trials != 20 || row.New.Trials != 10 || row.Pairs != 10 {
		t.Errorf("%+v", row)
	}
}

func TestHiddenDifferences(t *testing.T) {
	old, new := versionsOf()
	new.Run.Client.Kernel = "6.18"
	new.Run.Client.LoopbackOffloads = []string{"tx-udp-segmentation"}
	new.Run.Client.Sysctls = map[string]string{"net.core.rmem_max": "212992"}
	new.Run.Plan = json.RawMessage(`{"duration_ns":1000000000,"seed":2,"wait":"block"}`)
	for i := range new.Trials {
		if new.Trials[i].Proto == "udp" {
			new.Trials[i].ClientPath = "portable"
			new.Trials[i].ServerRecvBuffer = known(4096)
		}
	}
	extra := new.Trials[0]
	extra.SizeBytes = 1400
	new.Trials = append(new.Trials, extra)
	c := Compare([]*results.Set{old}, []*results.Set{new})
	want := []string{
		"UDP's path in latency: own to own → portable to own",
		"UDP's server's buffers in latency: send  B, receive  B → send  B, receive 4096 B",
		"client's kernel: 6.1 → 6.18",
		"client's loopback offloads: none → tx-udp-segmentation",
		"client's net.core.rmem_max: none → 212992",
		"plan's duration_ns: 250000000 → 1000000000",
	}
	if !slices.Equal(c.Hidden, want) {
		t.Errorf("%q", c.Hidden)
	}
	if !slices.Equal(c.Alone, []string{"TCP latency of 1400 B"}) {
		t.Errorf("%q", c.Alone)
	}
	var out bytes.Buffer
	if err := c.Write(&out, Text, 80); err != nil || !strings.Contains(out.String(), "Hidden difference: client's kernel: 6.1 → 6.18.") {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestCompareGolden(t *testing.T) {
	old, new := versionsOf()
	new.Run.Client.Kernel = "6.18"
	c := Compare([]*results.Set{old}, []*results.Set{new})
	for name, format := range map[string]Format{"compare.txt": Text, "compare.md": Markdown, "compare.csv": CSV, "compare.json": JSON} {
		var out bytes.Buffer
		if err := c.Write(&out, format, 80); err != nil {
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
}

func TestNothingInCommon(t *testing.T) {
	old, new := versionsOf()
	for i := range new.Trials {
		new.Trials[i].SizeBytes = 1400
	}
	c := Compare([]*results.Set{old}, []*results.Set{new})
	var out bytes.Buffer
	if err := c.Write(&out, Text, 80); err != nil || len(c.Rows) != 0 || !strings.Contains(out.String(), "nothing can be") {
		t.Errorf("%v, %v, %s", err, c.Rows, out.String())
	}
}

// readBenchfmt is what benchstat would read: for each unit the values of the trials whose name ends with suffix.
func readBenchfmt(t *testing.T, s *results.Set, suffix string) map[string][]float64 {
	t.Helper()
	var out bytes.Buffer
	if err := WriteBenchfmt(&out, s); err != nil {
		t.Fatal(err)
	}
	values := map[string][]float64{}
	for r := benchfmt.NewReader(&out, "run"); r.Scan(); {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Fatal(rec)
		case *benchfmt.Result:
			if strings.HasSuffix(string(rec.Name), suffix) {
				for _, v := range rec.Values {
					values[v.Unit] = append(values[v.Unit], v.Value)
				}
			}
		}
	}
	return values
}

// What benchstat computes from our Go benchmark format is what we say: medians, their intervals, and P between two results.
func TestBenchstatAgrees(t *testing.T) {
	old, new := versionsOf()
	c := Compare([]*results.Set{old}, []*results.Set{new})
	checked := 0
	for _, row := range c.Rows {
		if row.Over != overTrials || row.Old.Value == (results.Value{}) {
			continue
		}
		a := readBenchfmt(t, old, "/proto="+row.Proto)[row.Metric]
		b := readBenchfmt(t, new, "/proto="+row.Proto)[row.Metric]
		before, after := benchmath.NewSample(a, &benchmath.DefaultThresholds), benchmath.NewSample(b, &benchmath.DefaultThresholds)
		for _, side := range []struct {
			sample *benchmath.Sample
			ours   results.Side
		}{{before, row.Old}, {after, row.New}} {
			theirs := benchmath.AssumeNothing.Summary(side.sample, 0.95)
			if side.ours.Value != known(theirs.Center) || side.ours.Low != known(theirs.Lo) || side.ours.High != known(theirs.Hi) {
				t.Errorf("%s %s: %+v, and benchstat %+v", row.Proto, row.Metric, side.ours, theirs)
			}
		}
		p, _ := row.P.Get()
		if theirs := benchmath.AssumeNothing.Compare(before, after).P; math.Abs(theirs-p) > 1e-12 {
			t.Errorf("%s %s: p %v, and benchstat %v", row.Proto, row.Metric, p, theirs)
		}
		checked++
	}
	if checked != 6 {
		t.Errorf("%d rows were checked", checked)
	}
}

// The program benchstat itself, of the version in go.mod, prints our medians and our P.
func TestBenchstatPrintsTheSame(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to build benchstat")
	}
	old, new := versionsOf()
	dir := t.TempDir()
	args := []string{"run", "golang.org/x/perf/cmd/benchstat", "-format", "csv"}
	for name, s := range map[string]*results.Set{"new.txt": new, "old.txt": old} {
		var out bytes.Buffer
		if err := WriteBenchfmt(&out, s); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", append(args, filepath.Join(dir, "old.txt"), filepath.Join(dir, "new.txt"))...)
	cmd.Stderr = t.Output()
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range Compare([]*results.Set{old}, []*results.Set{new}).Rows {
		if row.Metric != "rtt_p50_us" && row.Metric != "rtt_p99_us" {
			continue
		}
		p, _ := row.P.Get()
		// Of the tables, which are told apart by their units: the benchmark, the two medians with their spreads, the change and P.
		table := string(text)[strings.Index(string(text), ","+row.Metric+","):]
		line := table[strings.Index(table, "/proto="+row.Proto+","):]
		cells := strings.Split(line[:strings.Index(line, "\n")], ",")
		if want := fmt.Sprintf("p=%0.3f n=10", p); cells[1] != row.Old.Value.String() || cells[3] != row.New.Value.String() || cells[6] != want {
			t.Errorf("%s %s: benchstat has %q, and we %v, %v and %s", row.Proto, row.Metric, cells, row.Old.Value, row.New.Value, want)
		}
	}
}

// With some numbers of trials benchstat's interval leaves out one value more, on one side alone: ours reaches as far on both.
func TestIntervalsHoldBenchstats(t *testing.T) {
	same := 0
	for n := 6; n <= 40; n++ {
		s := trialsOf("latency", n, func(t *results.Trial, proto string, i int) { t.RTT.P50Us = known(float64(1 + i*i)) })
		values := readBenchfmt(t, s, "/proto=udp")["rtt_p50_us"]
		theirs := benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), 0.95)
		ours := find(t, Summarize(s), "latency", "rtt_p50_us").UDP
		low, _ := ours.Low.Get()
		high, _ := ours.High.Get()
		if low > theirs.Lo || high < theirs.Hi || len(values) != n {
			t.Errorf("%d trials: %v to %v, and benchstat %v to %v", n, low, high, theirs.Lo, theirs.Hi)
		}
		if low == theirs.Lo && high == theirs.Hi {
			same++
		}
	}
	if same < 18 {
		t.Errorf("only %d of 35 are the same", same)
	}
}

func TestBenchfmtNames(t *testing.T) {
	s := linked()
	s.Run.Client.CPU = "a\nb"
	var out bytes.Buffer
	if err := WriteBenchfmt(&out, s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Unit rtt_p50_us better=lower\n", "\ncpu: a b\n", "\nBenchmarkPaced/size=", "/link=delay=20ms;loss=5%/", "/proto=udp "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

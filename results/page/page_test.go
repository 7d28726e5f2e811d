package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

func render(t *testing.T, s *results.Set) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, s, ""); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var drawing = regexp.MustCompile(`(?s)<svg .*?</svg>`)

func TestPages(t *testing.T) {
	for name, s := range runs() {
		t.Run(name, func(t *testing.T) {
			text := render(t, s)
			if bad := regexp.MustCompile(`.*(\bNaN\b|\bInf\b|%!|ZgotmplZ).*`).FindString(text); bad != "" {
				t.Errorf("the page holds %.300s", bad)
			}
			charts := drawing.FindAllString(text, -1)
			for _, svg := range charts {
				wellFormed(t, svg)
				if !strings.Contains(svg, `class="mark`) {
					t.Errorf("a drawing without marks: %.300s", svg)
				}
				for _, needed := range []string{`role="img"`, "<title id=", "<desc id=", `tabindex="0"`} {
					if !strings.Contains(svg, needed) {
						t.Errorf("a drawing without %s: %.300s", needed, svg)
					}
				}
			}
			if len(charts) == 0 && len(s.Trials) > 0 {
				t.Error("no drawings")
			}
			if strings.Count(text, "<details>") < len(charts) {
				t.Error("a drawing without its figures")
			}
		})
	}
}

func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%v in %.300s", err, svg)
			return
		}
	}
}

// Nothing on a page leads out of it.
func TestNothingIsLoaded(t *testing.T) {
	for name, s := range runs() {
		text := render(t, s)
		if !strings.Contains(text, `content="default-src &#39;none&#39;;`) {
			t.Errorf("%s: no policy", name)
		}
		if name == "hostile" {
			continue // which may say anything, as text
		}
		for _, bad := range []string{"http://", "https://", " src=", " href=", "url(", "@import", "fetch(", "XMLHttpRequest", " style="} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: the page holds %s", name, bad)
			}
		}
	}
}

func TestHostileNamesAreText(t *testing.T) {
	text := render(t, hostile())
	for _, tag := range []string{"<script", "</script", "<style", "</style", "</title"} {
		if got, want := strings.Count(text, tag), strings.Count(render(t, sweep()), tag); tag != "</title" && got != want {
			t.Errorf("%d times %s, want %d", got, tag, want)
		}
	}
	if strings.Contains(text, "<img") {
		t.Error("a tag came in by a name")
	}
	if strings.Count(text, "<svg ") != strings.Count(text, "</svg>") {
		t.Error("a name ended a drawing")
	}
	// Names have no place where they would be an attribute of their own.
	for _, tag := range regexp.MustCompile(`<[a-z][^>]*>`).FindAllString(text, -1) {
		if unquoted := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag, ""); strings.Contains(unquoted, "onerror") {
			t.Errorf("%s", tag)
		}
	}
}

// A run as bench makes by default: 200 trials, whose histograms have some thousand buckets each.
func TestSize(t *testing.T) {
	s := full(20, 4000)
	if n := len(s.Trials); n != 200 {
		t.Fatalf("%d trials", n)
	}
	text := render(t, s)
	t.Logf("%d trials with %d buckets: %d bytes", len(s.Trials), len(s.Buckets), len(text))
	if len(text) >= 1_000_000 {
		t.Errorf("%d bytes", len(text))
	}
}

func TestGoldenDrawing(t *testing.T) {
	c := drawCDF("latency, 64 B", "round trip", map[string]curve{
		"tcp": {us: []float64{10, 20, 100}, least: []float64{1, 0.5, 0.01}, count: 1000},
		"udp": {us: []float64{8, 16, 400}, least: []float64{1, 0.5, 0.001}, count: 1000},
	})
	c.ID = "cdf-1"
	var out bytes.Buffer
	if err := page.ExecuteTemplate(&out, "chart", c); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "cdf.svg")
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestQuantiles(t *testing.T) {
	s := newSet()
	c := results.Cell{Workload: "latency"}
	for _, b := range []results.Bucket{{ToNs: 3000, Count: 9}, {ToNs: 1000, Count: 90}, {ToNs: 9000, Count: 1}} {
		b.Cell, b.Proto, b.Metric = c, "tcp", "rtt"
		s.Buckets = append(s.Buckets, b)
	}
	of := curveOf(s, c, "tcp", "rtt")
	for p, want := range map[float64]float64{0.01: 1, 0.5: 1, 0.9: 1, 0.901: 3, 0.985: 3, 0.991: 9, 0.9999: 9} {
		if got := of.quantile(p); got != want {
			t.Errorf("quantile %v is %v µs, want %v", p, got, want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		a    axis
		want string
	}{
		{axis{low: 0, high: 10}, "[0 2 4 6 8 10]"},
		{axis{low: 0, high: 0.0612}, "[0 0.02 0.04 0.06]"},
		{axis{low: 45, high: 80, log: true}, "[50 60 70 80]"},
		{axis{low: 4, high: 90, log: true}, "[5 10 20 50]"},
		{axis{low: 4, high: 9e4, log: true}, "[10 100 1000 10000]"},
		{axis{low: 0.5, high: 0.5000001}, ""},
	} {
		got := test.a.ticks()
		if fmt.Sprint(got) != test.want && test.want != "" || len(got) > 12 {
			t.Errorf("%+v: %v, want %s", test.a, got, test.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	few := full(3, 100)
	two := full(10, 500)
	two.Run.Server.Name = "there"
	all := runs()
	for _, test := range []struct {
		name string
		set  *results.Set
		want string
	}{
		{"full", all["full"], "On this machine UDP connected 20 % faster; TCP moved messages 3.00 × faster in both settings; UDP answered 20 % faster; UDP at a steady rate answered 20 % faster; TCP lost less in 1 of 5 settings (throughput, 1400 B, batches). TCP lost none and UDP lost up to 0.05 % of its messages (throughput, 1400 B, batches)."},
		{"few pairs", few, "There is no verdict: with fewer than 6 pairs of trials, no difference between TCP and UDP can be told from chance. TCP lost none and UDP lost up to 1 % of its messages (throughput, 1400 B, batches)."},
		{"one transport", all["udp-alone"], "Only UDP was measured: there is nothing to compare it with, and no verdict. UDP lost up to 0.2 % of its messages (throughput, 1400 B, batches)."},
		{"nothing", all["empty"], "This run is not whole (running, 0 of 3 trials): what follows is of those it has. Nothing was measured: there is no verdict."},
		{"interrupted", all["interrupted"], "This run is not whole (interrupted, 3 of 20 trials): what follows is of those it has. There is no verdict: with fewer than 6 pairs of trials, no difference between TCP and UDP can be told from chance. TCP lost none and UDP lost none."},
		{"itself", all["same-twice"], "Each transport was compared with itself, to see how much what is the same differs: there is no verdict."},
		{"all lost", allLost(), "There is no verdict: with fewer than 6 pairs of trials, no difference between TCP and UDP can be told from chance. TCP lost up to 100 % of its messages (latency, 64 B) and UDP lost up to 100 % of its messages (latency, 64 B)."},
	} {
		if got := strings.Join(verdict(test.set, report.Summarize(test.set)), " "); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
	if got := verdict(two, report.Summarize(two))[0]; !strings.HasPrefix(got, "Between here and there ") {
		t.Errorf("%s", got)
	}
}

// A verdict names a transport where the rows do, and nowhere else.
func TestVerdictOfRows(t *testing.T) {
	s := full(6, 100)
	cell := func(size int) results.Cell { return results.Cell{Workload: "connect", SizeBytes: size} }
	row := func(size int, winner, words string, ratio float64) results.Summary {
		return results.Summary{Cell: cell(size), Figure: results.Figure{Metric: "connect_p50_us"}, Judgement: results.Judgement{Pairs: 10, Winner: winner, Verdict: words, Ratio: known(ratio)}}
	}
	for _, test := range []struct {
		rows []results.Summary
		want string
	}{
		{[]results.Summary{row(64, "", "no difference shown", 0.9)}, "On this machine neither TCP nor UDP is shown to be faster in general, or to lose less."},
		{[]results.Summary{row(64, "udp", "UDP 1.99 × faster", 0.5), row(1400, "udp", "UDP 25 % faster", 0.8)}, "On this machine UDP connected 25 % to 1.99 × faster in both settings."},
		{[]results.Summary{row(64, "udp", "UDP 1.99 × faster", 0.5), row(1400, "", "equal within 2 %", 1)}, "On this machine UDP connected 1.99 × faster in 1 of 2 settings (64 B)."},
		{[]results.Summary{row(64, "udp", "UDP 1.99 × faster", 0.5), row(1400, "tcp", "TCP 25 % faster", 1.25)},
			"On this machine TCP connected 25 % faster in 1 of 2 settings (1400 B), and UDP connected 1.99 × faster in 1 of 2 settings (64 B)."},
	} {
		if got := verdict(s, test.rows)[0]; got != test.want {
			t.Errorf("got %s\nwant %s", got, test.want)
		}
	}
}

// failing is a writer that takes nothing.
type failing struct{}

var errFull = errors.New("full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestWriterThatFails(t *testing.T) {
	if err := Write(failing{}, full(1, 10), ""); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}

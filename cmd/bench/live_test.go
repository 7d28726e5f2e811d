package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tcpvsudp/bench"
	"tcpvsudp/results"
)

var liveCell = results.Cell{Workload: "latency", SizeBytes: 64, Flows: 1, Direction: "echo", CongestionAsked: "cubic"}

// liveTrial is one of liveCell with a round trip of so many µs.
func liveTrial(proto string, p50 float64) results.Trial {
	t := results.Trial{Proto: proto, Cell: liveCell}
	t.RTT.P50Us, t.RTT.P99Us, t.MessagesPerS = results.Known(p50), results.Known(2*p50), results.Known(1e6/p50)
	t.Sent, t.Unique, t.Lost = 1000, 1000, 0
	return t
}

func liveExample() liveState {
	return liveState{
		Progress: bench.Progress{Done: 57, Trials: 200, Left: 43 * time.Second, What: "udp latency 64 B", Proto: "udp", Cell: liveCell},
		total:    time.Minute,
		at:       time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		tcp:      []results.Trial{liveTrial("tcp", 50), liveTrial("tcp", 60), liveTrial("tcp", 70)},
		udp:      []results.Trial{liveTrial("udp", 40)},
	}
}

func TestLiveLines(t *testing.T) {
	linked := liveExample()
	linked.Cell.Link = "trace=/tmp/\x1b[31mred;" + strings.Repeat("delay=20ms;", 20)
	again := liveExample()
	again.What += ", again (attempt 2)"
	fresh := liveExample()
	fresh.Done, fresh.tcp, fresh.udp, fresh.Left = 0, nil, nil, 50*time.Hour
	for _, c := range []struct {
		name          string
		state         liveState
		width, height int
		want          []string
	}{
		{"as people have it", liveExample(), 80, 24, []string{
			"trial 58/200, 43s left, until 03:04:48  ████████░░░░░░░░░░░░░░░░░░░░░░",
			"now UDP: latency, 64 B",
			" medians so far                TCP        UDP",
			" trials                          3          1",
			" RTT p50, µs                 60.00      40.00",
			" RTT p99, µs                 120.0      80.00",
			" messages, k/s               16.67      25.00",
			" lost, %                     <0.10      <0.30",
		}},
		{"the first trial of a long run", fresh, 48, 24, []string{
			"trial 1/200, 50h0m0s left, until Jan 4 05:04",
			"now UDP: latency, 64 B",
			" medians so far                TCP        UDP",
			" trials                          0          0",
			" RTT p50, µs                     –          –",
			" RTT p99, µs                     –          –",
			" messages, /s                    –          –",
			" lost, %                         –          –",
		}},
		{"after a failure", again, 80, 24, slices.Replace(liveLines(liveExample(), 80, 24), 1, 2, "now UDP: again (attempt 2), latency, 64 B")},
		{"too narrow", liveExample(), 30, 24, []string{"trial 58/200, 43s left, unti…"}},
		{"too low", liveExample(), 80, 9, []string{"trial 58/200, 43s left, until 03:04:48  ████████░░░░░░░░░░░░░░░░░░░░░░"}},
		{"a name that is long, and means harm", linked, 48, 24, append([]string{
			"trial 58/200, 43s left, until 03:04:48",
			"now UDP: latency, 64 B, trace=/tmp/?[31mred,de…",
		}, liveLines(liveExample(), 48, 24)[2:]...)},
	} {
		got := liveLines(c.state, c.width, c.height)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// Whatever the terminal's size, no line is as wide as it, and there is a row to spare.
func TestLiveFits(t *testing.T) {
	for width := range 160 {
		for height := range 30 {
			lines := liveLines(liveExample(), width, height)
			if len(lines) > max(height-1, 1) {
				t.Errorf("%d lines for a height of %d", len(lines), height)
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n >= max(width, 2) {
					t.Errorf("%d columns for a width of %d: %q", n, width, line)
				}
			}
		}
	}
}

func TestLiveRedraws(t *testing.T) {
	var out bytes.Buffer
	width := 80
	l := &live{w: &out, size: func() (int, int) { return width, 24 }, trials: map[liveKey][]results.Trial{}, controls: map[string]bool{}}
	state := liveExample()
	draw := func() string {
		out.Reset()
		l.draw(state.Progress, state.total, state.at)
		return out.String()
	}
	if first := draw(); strings.Contains(first, "\x1b") || strings.HasSuffix(first, "\n") {
		t.Errorf("the first drawing moves the cursor, or leaves the block: %q", first)
	}
	for _, trial := range slices.Concat(state.tcp, state.udp) {
		l.kept(trial)
	}
	up := func(rows int) string { return fmt.Sprintf("\x1b[%dA", rows) }
	const rest = "\x1b[K" // of the line is taken away
	// Without colour there is nothing but the cursor's way back.
	want := "\r" + up(7) + strings.Join(liveLines(state, 80, 24), rest+"\n") + rest
	if got := draw(); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	// A terminal of half the width has folded the first line, of 69 columns, and six of 45.
	width = 40
	want = "\r" + up(7+1+6) + liveLines(state, 40, 24)[0] + rest + strings.Repeat("\n"+rest, 14) + up(14) + "\r"
	if got := draw(); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	width = 80
	if got, want := draw(), "\r"+liveLines(state, 80, 24)[0]+rest+"\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want it to begin with %q", got, want)
	}
	out.Reset()
	l.clear()
	l.clear()
	if got, want := out.String(), "\r"+up(7)+rest+strings.Repeat("\n"+rest, 7)+up(7)+"\r"; got != want {
		t.Errorf("clear: %q, want %q", got, want)
	}
	l.colour = true
	if got := draw(); !strings.Contains(got, "\x1b[36mTCP\x1b[0m") || !strings.Contains(got, "\x1b[33mUDP\x1b[0m") {
		t.Errorf("no colours: %q", got)
	}
}

// What is no terminal gets lines, as it always did.
func TestProgressOfAPipe(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, false, time.Minute)
	state := liveExample()
	for range 3 {
		p.tell(state.Progress)
		p.kept(liveTrial("tcp", 50))
	}
	p.waits("our turn")
	p.waits("")
	p.end()
	if got, want := out.String(), "trial 58/200 udp latency 64 B, 43s left\nwaiting: our turn\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	out.Reset()
	p = newProgress(&out, true, time.Minute)
	p.tell(state.Progress)
	p.waits("our turn")
	p.end()
	if out.Len() > 0 {
		t.Errorf("--quiet: %q", out.String())
	}
}

// BenchmarkLiveDraw is what a drawing takes of the time between two trials, without the terminal's part.
func BenchmarkLiveDraw(b *testing.B) {
	l := &live{w: io.Discard, size: func() (int, int) { return 80, 24 }, trials: map[liveKey][]results.Trial{}, controls: map[string]bool{}}
	state := liveExample()
	for range 10 {
		l.kept(liveTrial("tcp", 50))
		l.kept(liveTrial("udp", 50))
	}
	b.ReportAllocs()
	for b.Loop() {
		l.draw(state.Progress, state.total, state.at)
	}
}

package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSoak has several clients measure against one server without end, kills some of them in the middle, and looks that
// the server does not grow and that no count is wrong. It runs for as long as SOAK says; scripts/soak.sh sets it.
func TestSoak(t *testing.T) {
	total, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("SOAK does not say for how long, see scripts/soak.sh")
	}
	const rounds, clients = 4, 4
	s := soak{t: t, addr: serveHere(t, "--idle", "2s", "--log", "off")}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var first quiet
	for round := range rounds {
		until := time.Now().Add(total / rounds)
		var all sync.WaitGroup
		for client := range clients {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(seed, uint64(round*clients+client)))
				for time.Now().Before(until) && !t.Failed() {
					s.client(rng)
				}
			})
		}
		all.Wait()
		now := s.quiet()
		t.Logf("round %d: %d runs to their end, %d cut off, %d trials; the server has %v", round+1, s.whole.Load(), s.cut.Load(), s.trials.Load(), now)
		if round == 0 {
			first = now
		}
		if now.goroutines > first.goroutines+3 || now.files > first.files+3 || now.heap > first.heap+4<<20 || now.resident > first.resident*3/2+64<<20 {
			t.Errorf("the server has grown from %v to %v", first, now)
		}
	}
	if strays := s.strays.Load(); strays > 1+s.trials.Load()/100 {
		t.Errorf("%d of %d trials heard messages of others", strays, s.trials.Load())
	}
	if s.whole.Load() == 0 || s.cut.Load() == 0 {
		t.Errorf("%d runs came to their end, and %d were cut off", s.whole.Load(), s.cut.Load())
	}
}

type soak struct {
	t                  *testing.T
	addr               string
	whole, cut, trials atomic.Int64
	strays             atomic.Int64 // trials that heard messages of others
}

// quiet is what a server takes that has nothing to do.
type quiet struct{ goroutines, files, heap, resident float64 }

func (q quiet) String() string {
	return fmt.Sprintf("%.0f goroutines, %.0f files, %.1f MB of heap, %.1f MB resident", q.goroutines, q.files, q.heap/1e6, q.resident/1e6)
}

// quiet waits until the server has nothing to do any more, and tells what it takes.
func (s *soak) quiet() quiet {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		open, strays := metricHere(s.t, s.addr, "bench_sessions_open"), metricHere(s.t, s.addr, "bench_connections_without_session")
		if open == 0 && strays <= 1 && metricHere(s.t, s.addr, "bench_sessions_memory_bytes") == 0 {
			break
		}
		if time.Now().After(end) {
			s.t.Errorf("%v sessions and %v connections are left", open, strays)
			break
		}
	}
	// What it takes is told by what is left after a garbage collection: asking makes one come.
	const collections = "go_gc_duration_seconds_count"
	before := metricHere(s.t, s.addr, collections)
	for range 10_000 {
		if metricHere(s.t, s.addr, collections) >= before+2 {
			break
		}
	}
	return quiet{metricHere(s.t, s.addr, "go_goroutines"), metricHere(s.t, s.addr, "process_open_fds"),
		metricHere(s.t, s.addr, "go_memstats_heap_inuse_bytes"), metricHere(s.t, s.addr, "process_resident_memory_bytes")}
}

// client carries out one run with settings that are drawn, or kills it on its way.
func (s *soak) client(rng *rand.Rand) {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		s.t.Error(err)
		return
	}
	defer os.RemoveAll(dir)
	path, err := exec.LookPath("bench")
	if err != nil {
		s.t.Error(err)
		return
	}
	cmd := exec.Command(path, "run", "--server", s.addr, "--quiet", "--verify", "--trials", "2", "--warmup", "20ms",
		"--proto", pick("tcp,udp", "tcp", "udp"), "--workload", pick("latency", "paced", "throughput", "connect", "latency,throughput"),
		"--direction", pick("up", "down", "both"), "--size", pick("32", "64", "1400", "9000", "60000"), "--flows", pick("1", "3", "20"),
		"--duration", strconv.Itoa(30+rng.IntN(300))+"ms", "--rate", "500", "--wait", pick("block", "block", "block", "spin"))
	cmd.Dir = dir
	var out syncBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.t.Error(err)
		return
	}
	cutOff := rng.IntN(3) == 0
	if cutOff {
		how := []os.Signal{os.Kill, os.Interrupt}[rng.IntN(2)]
		timer := time.AfterFunc(time.Duration(rng.IntN(1500))*time.Millisecond, func() { _ = cmd.Process.Signal(how) })
		defer timer.Stop()
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		s.whole.Add(1)
	case cutOff && errors.As(err, &exit) && (exit.ExitCode() == -1 || exit.ExitCode() == exitInterrupted):
		s.cut.Add(1)
	default:
		s.t.Errorf("%v: %v\n%s", cmd.Args, err, out.String())
	}
	s.counts(filepath.Join(dir, "results", "latest", "trials.csv"), cmd.Args)
}

// counts checks the trials of a run, whole or not.
func (s *soak) counts(file string, args []string) {
	f, err := os.Open(file)
	if err != nil {
		return // killed before it had one
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil && len(rows) == 0 {
		return
	}
	for _, row := range rows[1:] {
		if len(row) < len(rows[0]) {
			continue // the one that was being written
		}
		s.trials.Add(1)
		cell := map[string]string{}
		for i, name := range rows[0] {
			cell[name] = row[i]
		}
		n := func(name string) int {
			v, err := strconv.Atoi(cell[name])
			if err != nil {
				s.t.Errorf("column %s: %v", name, err)
			}
			return v
		}
		if n("foreign_messages")+n("truncated_datagrams")+n("malformed_datagrams") != 0 {
			// A server sends on for a moment to the port of a client that was killed, which may be this one's by now: it is
			// told apart, and counts as nothing else.
			if s.strays.Add(1); cell["proto"] == "tcp" {
				s.t.Errorf("%v: %v", args, strings.Join(row, ","))
			}
		}
		if n("sent_messages") != n("unique_messages")+n("lost_messages") || n("duplicated_messages") != 0 ||
			cell["corrupt_messages"] != "0" || cell["proto"] == "tcp" && n("lost_messages")+n("reordered_messages") != 0 || cell["attempts"] != "1" {
			s.t.Errorf("%v: %v", args, strings.Join(row, ","))
		}
	}
}

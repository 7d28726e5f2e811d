package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tcpvsudp/internal/socket"
)

// syncBuffer is a bytes.Buffer that a process writes to while a test reads.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// serveHere starts a server on a free port of this host, and returns its address.
func serveHere(t *testing.T, args ...string) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	addr := net.JoinHostPort("127.0.0.1", port)
	path, err := exec.LookPath("bench")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"server", "--listen", addr}, args...)...)
	var out syncBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.Process.Signal(os.Interrupt) != nil { // Windows has no way to
			_ = cmd.Process.Kill()
		}
		err := cmd.Wait()
		if err != nil || t.Failed() {
			t.Logf("server: %v\n%.5000s", err, out.String())
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return addr
		}
		if time.Now().After(end) {
			t.Fatal("the server does not listen")
		}
	}
}

// metricHere asks the server at addr for a metric, summed over its labels.
func metricHere(t *testing.T, addr, name string) (sum float64) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	resp, err := client.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err = sumOf(name, text); err != nil {
		t.Fatal(err)
	}
	return sum
}

// sumOf reads a metric from what /metrics answers, summed over its labels.
func sumOf(name string, text []byte) (sum float64, err error) {
	found := regexp.MustCompile(`(?m)^`+name+`(?:\{[^}]*\})? (\S+)$`).FindAllSubmatch(text, -1)
	if found == nil {
		return 0, fmt.Errorf("no metric %s in\n%s", name, text)
	}
	for _, m := range found {
		v, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}

// runHere carries out a run against addr in a folder of its own, and returns what it printed, and a column of its trials.
func runHere(t *testing.T, addr, column string, args ...string) (out string, cells []string) {
	t.Helper()
	path, err := exec.LookPath("bench")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"run", "--server", addr, "--warmup", "10ms"}, args...)...)
	cmd.Dir = t.TempDir()
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, text)
		return string(text), nil
	}
	file, err := os.Open(filepath.Join(cmd.Dir, "results", "latest", "trials.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.Index(rows[0], column)
	for _, row := range rows[1:] {
		cells = append(cells, row[i])
	}
	return string(text), cells
}

// Ten thousand connections that say nothing, half of something, or nonsense keep nobody out and take a bounded amount of
// memory; they are all gone when the idle time is over.
func TestTenThousandConnections(t *testing.T) {
	const conns = 10_000
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere a server does not tell the memory that it takes")
	}
	if limit := socket.FileLimit(); limit < conns*4/3+500 {
		t.Skipf("a process may have no more than %d files open here", limit)
	}
	addr := serveHere(t, "--idle", "3s", "--log", "off")
	says := []string{
		"",
		"POST /v1/sessions HTTP/1.1\r\nHost: here\r\nContent-Le",
		"POST /v1/sessions HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{\"proto\":",
		"POST /v1/sessions/0000000000000001/renew HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n",
		"\xb5\x7c\x01\x01 half a message",
		"\x16\x03\x01\x02\x00\x01 half of a handshake",
		"\x00\x01\x02 neither this nor that\r\n\r\n",
		"\xb5\x7c\x01\x01" + strings.Repeat("\xff", 28), // a message of no session
	}
	open := make([]net.Conn, 0, conns)
	defer func() {
		for _, conn := range open {
			conn.Close()
		}
	}()
	for i := range conns {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		open = append(open, conn)
		if text := says[i%len(says)]; text != "" {
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
		}
	}
	const idle = 3 * time.Second
	start := time.Now()
	strays, memory := metricHere(t, addr, "bench_connections_without_session"), metricHere(t, addr, "process_resident_memory_bytes")
	t.Logf("%.0f connections are open, the server takes %.0f MB", strays, memory/1e6)
	if strays < conns/4 || memory > raceFactor*250e6 {
		t.Errorf("%v connections are open, the server takes %v bytes", strays, memory)
	}
	if _, lost := runHere(t, addr, "lost_messages", "--workload", "latency", "--size", "64", "--trials", "1", "--duration", "50ms"); len(lost) != 2 || lost[0] != "0" {
		t.Errorf("beside them: lost %v", lost)
	}
	for metricHere(t, addr, "bench_connections_without_session") > 1 { // the one that asks
		if time.Since(start) > 4*idle {
			t.Fatalf("%v connections are left", metricHere(t, addr, "bench_connections_without_session"))
		}
		time.Sleep(100 * time.Millisecond)
	}
	if goroutines := metricHere(t, addr, "go_goroutines"); goroutines > 100 {
		t.Errorf("%v goroutines are left", goroutines)
	}
}

// Two clients at the same time both come to their end: side by side, where none is told a CPU time that the other had a
// share in, or one trial at a time.
func TestTwoClientsAtOnce(t *testing.T) {
	for _, exclusive := range []bool{false, true} {
		addr := serveHere(t, "--log", "off", "--exclusive="+strconv.FormatBool(exclusive))
		var clients sync.WaitGroup
		var mu sync.Mutex
		told, untold := 0, 0
		for range 2 {
			clients.Go(func() {
				_, cpu := runHere(t, addr, "server_cpu_s", "--workload", "latency,throughput", "--size", "64", "--trials", "5", "--duration", "50ms")
				mu.Lock()
				defer mu.Unlock()
				if len(cpu) != 30 {
					t.Errorf("exclusive %v: %d trials", exclusive, len(cpu))
				}
				for _, c := range cpu {
					if c == "" {
						untold++
					} else {
						told++
					}
				}
			})
		}
		clients.Wait()
		if exclusive && untold > 0 || !exclusive && untold == 0 {
			t.Errorf("exclusive %v: the server's CPU time is told of %d trials, and of %d not", exclusive, told, untold)
		}
	}
}

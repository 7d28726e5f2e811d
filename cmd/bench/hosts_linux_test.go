package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tcpvsudp/internal/netns"
)

// What the tests in network_linux_test.go have: they run bench on hosts of their own: network namespaces that are joined by virtual cables, in
// a process that has a user namespace to itself, so that no rights are needed and nothing is left behind.

// insideKey is set in the environment of a test that runs in its own namespaces.
const insideKey = "BENCH_TEST_INSIDE"

// inNetworks tells whether the test runs in namespaces of its own. Otherwise it has it run there, by another process of
// this binary, and reports how it went.
func inNetworks(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideKey) != "" {
		if err := os.Unsetenv(insideKey); err != nil { // bench takes what begins like this for its own
			t.Fatal(err)
		}
		return true
	}
	t.Parallel() // it waits, most of the time
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=3m")
	cmd.Env = append(os.Environ(), insideKey+"=1")
	netns.Enter(cmd)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
			t.Skipf("namespaces are not permitted here: %v", err)
		}
		t.Fatal(err)
	}
	err := cmd.Wait()
	switch {
	case err != nil:
		t.Errorf("%v\n%s", err, out.String())
	case strings.Contains(out.String(), "--- SKIP"):
		t.Skip(out.String())
	case !strings.Contains(out.String(), "--- PASS"):
		t.Errorf("it did not run:\n%s", out.String())
	default:
		t.Log(out.String())
	}
	return false
}

// network is what a test of several hosts has.
type network struct {
	t       *testing.T
	dir     string
	client  *netns.Namespace
	server  *netns.Namespace
	at      string // the server's address, with a port
	cable   netns.End
	logFile *syncBuffer // of the server
}

const serverIP, serverPort = "192.0.2.1", "2121"

// newHost makes a namespace that is let go of with the test.
func newHost(t *testing.T) *netns.Namespace {
	t.Helper()
	n, err := netns.New()
	if err != nil {
		t.Skipf("no network namespace can be made: %v", err)
	}
	t.Cleanup(n.Close)
	return n
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// twoHosts are a client and a server on one cable.
//
//	client 192.0.2.2 ──── 192.0.2.1 server
func twoHosts(t *testing.T) *network {
	n := &network{t: t, dir: t.TempDir(), client: newHost(t), server: newHost(t), at: net.JoinHostPort(serverIP, serverPort), logFile: &syncBuffer{}}
	n.cable = netns.End{In: n.server, Name: "toclient", Address: serverIP + "/24"}
	check(t, netns.Cable(netns.End{In: n.client, Name: "toserver", Address: "192.0.2.2/24"}, n.cable))
	return n
}

// threeHosts have a router between client and server.
//
//	client 198.51.100.2 ──── 198.51.100.1 router 192.0.2.254 ──── 192.0.2.1 server
func threeHosts(t *testing.T) (n *network, router *netns.Namespace, toServer netns.End) {
	n = &network{t: t, dir: t.TempDir(), client: newHost(t), server: newHost(t), at: net.JoinHostPort(serverIP, serverPort), logFile: &syncBuffer{}}
	router = newHost(t)
	n.cable = netns.End{In: n.server, Name: "toclient", Address: serverIP + "/24"}
	toServer = netns.End{In: router, Name: "toserver", Address: "192.0.2.254/24"}
	check(t,
		netns.Cable(netns.End{In: n.client, Name: "torouter", Address: "198.51.100.2/24"}, netns.End{In: router, Name: "toclient", Address: "198.51.100.1/24"}),
		netns.Cable(toServer, n.cable),
		n.client.Route("0.0.0.0/0", "198.51.100.1"),
		router.Set("ipv4/ip_forward", "1"))
	return n, router, toServer
}

// process is a bench that was started on a host.
type process struct {
	*exec.Cmd
	out   *syncBuffer
	ended chan error
}

// start starts bench on a host.
func (n *network) start(on *netns.Namespace, out *syncBuffer, args ...string) *process {
	n.t.Helper()
	path, err := exec.LookPath("bench")
	check(n.t, err)
	p := &process{Cmd: exec.Command(path, args...), out: out, ended: make(chan error, 1)}
	p.Dir, p.Stdout, p.Stderr = n.dir, p.out, p.out
	check(n.t, on.Start(p.Cmd))
	go func() { p.ended <- p.Wait() }()
	n.t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// serve starts a server and waits until it answers.
func (n *network) serve(args ...string) *process {
	n.t.Helper()
	p := n.start(n.server, n.logFile, append([]string{"server", "--listen", n.at}, args...)...)
	n.until("the server listens", func() bool { return strings.Contains(p.out.String(), "msg=listening") })
	return p
}

// run starts a run against the server.
func (n *network) run(args ...string) *process {
	n.t.Helper()
	return n.start(n.client, &syncBuffer{}, append([]string{"run", "--server", n.at, "--warmup", "20ms"}, args...)...)
}

// wants waits for a process to end with an exit code.
func (n *network) wants(p *process, code int) string {
	n.t.Helper()
	select {
	case err := <-p.ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) || p.ProcessState.ExitCode() != code {
			n.t.Fatalf("%v: %v, want exit code %d\n%s\nserver:\n%s", p.Args, err, code, p.out, n.logFile)
		}
	case <-time.After(100 * time.Second):
		n.t.Fatalf("%v does not end:\n%s\nserver:\n%s", p.Args, p.out, n.logFile)
	}
	return p.out.String()
}

// until waits for something to be so.
func (n *network) until(what string, so func() bool) {
	n.t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatalf("it takes too long until %s\nserver:\n%s", what, n.logFile)
		}
	}
}

// metric asks the server for a metric, summed over its labels.
func (n *network) metric(name string) (sum float64) {
	n.t.Helper()
	sum, err := metric(n.server, n.at, name)
	check(n.t, err)
	return sum
}

func metric(host *netns.Namespace, addr, name string) (sum float64, err error) {
	var conn net.Conn
	if err := host.Do(func() (err error) { conn, err = net.Dial("tcp", addr); return err }); err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.0\r\n\r\n"); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return sumOf(name, text)
}

// trials reads the trials.csv of the one run that there is, as maps from column to cell.
func (n *network) trials() (rows []map[string]string) {
	n.t.Helper()
	text, err := os.ReadFile(filepath.Join(n.dir, "results", "latest", "trials.csv"))
	check(n.t, err)
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	check(n.t, err)
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// kept is how many trials the run has kept so far.
func (n *network) kept() int {
	text, _ := os.ReadFile(filepath.Join(n.dir, "results", "latest", "trials.csv"))
	return max(bytes.Count(text, []byte("\n"))-1, 0)
}

func number(t *testing.T, row map[string]string, column string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(row[column], 64)
	if err != nil {
		t.Errorf("%s %s: column %s is %q", row["proto"], row["workload"], column, row[column])
	}
	return v
}

// wantSane checks what must hold in every trial: TCP loses nothing, and nobody counts what was not there.
func (n *network) wantSane(rows []map[string]string) {
	n.t.Helper()
	for _, row := range rows {
		if row["proto"] == "tcp" && row["lost_messages"] != "0" || row["duplicated_messages"] != "0" || row["foreign_messages"] != "0" ||
			row["truncated_datagrams"] != "0" || row["malformed_datagrams"] != "0" || strings.Trim(row["corrupt_messages"], "0") != "" || number(n.t, row, "received_messages") == 0 {
			n.t.Errorf("trial %s, %s %s %s: lost %s, duplicated %s, foreign %s, truncated %s, malformed %s, corrupt %s, received %s", row["trial"], row["proto"], row["workload"], row["direction"],
				row["lost_messages"], row["duplicated_messages"], row["foreign_messages"], row["truncated_datagrams"], row["malformed_datagrams"], row["corrupt_messages"], row["received_messages"])
		}
	}
}

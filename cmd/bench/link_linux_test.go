package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tcpvsudp/link"
	"tcpvsudp/results"
)

// benchCmd is a bench that is to be started, in a folder of its own.
func benchCmd(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("bench")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = t.TempDir()
	return cmd
}

// output runs cmd, wants it to end with an exit code, and returns all that it printed. Where links can't be emulated the test is skipped.
func output(t testing.TB, cmd *exec.Cmd, code int) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if cmd.ProcessState.ExitCode() != code {
		if strings.Contains(string(out), "bench: emulate a link:") {
			t.Skipf("%s", out)
		}
		t.Fatalf("%v: exit code %d, want %d\n%s", cmd.Args, cmd.ProcessState.ExitCode(), code, out)
	}
	return string(out)
}

// asNobody is benchCmd for a user who is nobody; nil where this one can't become it.
func asNobody(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	setpriv, err := exec.LookPath("setpriv")
	if err != nil || os.Getuid() != 0 {
		t.Log("it takes root and setpriv to become an ordinary user")
		return nil
	}
	// What is made by root is not for others: they get a copy.
	dir, err := os.MkdirTemp("/tmp", "bench-nobody")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path, err := exec.LookPath("bench")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check(t, os.WriteFile(filepath.Join(dir, "bench"), program, 0o755), os.Chmod(dir, 0o777))
	cmd := exec.Command(setpriv, append([]string{"--reuid", "65534", "--regid", "65534", "--clear-groups", filepath.Join(dir, "bench")}, args...)...)
	cmd.Dir = dir
	return cmd
}

// What is counted is what the link did, by either way of taking packets, and for an ordinary user as well.
func TestSelftest(t *testing.T) {
	for _, ordinary := range []bool{false, true} {
		t.Run(map[bool]string{false: "here", true: "nobody, without TUN"}[ordinary], func(t *testing.T) {
			t.Parallel()
			args := []string{"selftest", "--quick", "--format", "csv"}
			cmd := benchCmd(t, args...)
			if ordinary {
				if other := asNobody(t, args...); other != nil {
					cmd = other
				}
				cmd.Env = append(os.Environ(), withoutTUNEnv+"=1")
			}
			var stdout bytes.Buffer
			var stderr syncBuffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				if strings.Contains(stderr.String(), "bench: emulate a link:") {
					t.Skip(stderr.String())
				}
				t.Fatalf("%v\n%s\n%s", err, stdout.String(), stderr.String())
			}
			var lost, duplicated, reordered, again, n uint64
			err := results.DecodeCSV(&stdout, "selftest", func(v verification) error {
				n++
				lost, duplicated, reordered = lost+v.LostMeasured, duplicated+v.DuplicatedMeasured, reordered+v.ReorderedMeasured
				if v.Verdict != agrees {
					t.Errorf("%+v", v)
				}
				if v.Transport == "tcp" {
					m, _ := strconv.ParseUint(v.SentAgain, 10, 64)
					again += m
				}
				return nil
			})
			if err != nil || n != uint64(2*len(battery)) || lost == 0 || duplicated == 0 || reordered == 0 || again == 0 {
				t.Errorf("%d verifications: %d lost, %d duplicated, %d reordered, %d sent again; %v", n, lost, duplicated, reordered, again, err)
			}
		})
	}
}

// The verdict of the self-test depends on every count.
func TestVerifyNoticesAnyDifference(t *testing.T) {
	entry := func(kind uint8, seq uint64, fate string) link.Entry {
		return link.Entry{Fate: fate, Transport: "udp", Bytes: 228, Kind: &kind, Seq: &seq}
	}
	const request, reply = 1, 2
	l := &loggedLink{log: []link.Entry{
		entry(request, 0, link.Released), entry(request, 1, link.Lost), entry(request, 2, link.Released), entry(request, 3, link.Released), entry(request, 4, link.Released),
		entry(reply, 0, link.Released), entry(reply, 3, link.Released), entry(reply, 2, link.Released), entry(reply, 2, link.Released), entry(reply, 4, link.Corrupted),
	}}
	right := results.Trial{Proto: "udp"}
	right.Sent, right.Unique, right.Lost, right.Duplicated, right.Reordered, right.LostRequests = 5, 3, 2, 1, 1, results.Known(1)
	if v := l.verify(right); v.Verdict != agrees || v.LostDone != 2 || v.DuplicatedDone != 1 || v.ReorderedDone != 1 {
		t.Errorf("%+v", v)
	}
	for name, change := range map[string]func(*results.Trial){
		"lost":          func(r *results.Trial) { r.Lost, r.Unique = 1, 4 },
		"duplicated":    func(r *results.Trial) { r.Duplicated = 0 },
		"reordered":     func(r *results.Trial) { r.Reordered = 2 },
		"lost requests": func(r *results.Trial) { r.LostRequests = results.Known(0) },
		"contradiction": func(r *results.Trial) { r.Unique = 4 },
		"nothing sent":  func(r *results.Trial) { *r = results.Trial{Proto: "udp"} },
	} {
		wrong := right
		if change(&wrong); l.verify(wrong).Verdict == agrees {
			t.Errorf("%s: %+v", name, l.verify(wrong))
		}
	}
	tcp := results.Trial{Proto: "tcp"}
	tcp.Sent, tcp.Unique, tcp.Retransmissions.Client = 5, 5, results.Known(0)
	l.log = []link.Entry{{Fate: link.Lost, Transport: "tcp", Bytes: 252}}
	if v := l.verify(tcp); v.Verdict == agrees {
		t.Errorf("%+v", v)
	}
	tcp.Retransmissions.Client = results.Known(1)
	if v := l.verify(tcp); v.Verdict != agrees {
		t.Errorf("%+v", v)
	}
	l.missing = 1
	if v := l.verify(tcp); v.Verdict == agrees {
		t.Errorf("%+v", v)
	}
}

// A sweep has a link a cell, the same seed gives UDP the same losses, and what the links do is in the results.
func TestRunAcrossLinks(t *testing.T) {
	t.Parallel()
	run := func(seed, protos string, want int) (lost map[string]string, out string) {
		cmd := benchCmd(t, "run", "--link", "delay=5ms,loss=0,5%", "--workload", "paced", "--rate", "400", "--size", "200", "--trials", "2", "--duration", "300ms",
			"--warmup", "0s", "--drain", "1s", "--seed", seed, "--proto", protos)
		out = output(t, cmd, 0)
		lost = map[string]string{}
		for _, row := range csvRows(t, filepath.Join(cmd.Dir, "results", "latest", "trials.csv")) {
			key := row["link"] + row["proto"] + row["pair"]
			lost[key] = row["lost_request_messages"] + "+" + row["lost_reply_messages"]
			n, lossy := number(t, row, "lost_messages"), strings.HasSuffix(row["link"], "5%")
			if dropped := number(t, row, "link_up_lost_packets") + number(t, row, "link_down_lost_packets"); lossy != (dropped > 0) || row["proto"] == "tcp" && n != 0 || !lossy && n != 0 {
				t.Errorf("%v", row)
			}
			if number(t, row, "rtt_min_us") < 10_000 || number(t, row, "owd_up_min_us") < 5000 || row["deadline_ms"] != "100" {
				t.Errorf("%v", row)
			}
		}
		if len(lost) != want {
			t.Errorf("%d trials", len(lost))
		}
		return lost, out
	}
	_, out := run("6", "tcp,udp", 8)
	for _, want := range []string{"200 B, 400.0/s, loss 5%", "deadline missed, %", "held up, %", "longest stall", "over delay=5ms,loss=5%, one way, deadline 100 ms: TCP took"} {
		if !strings.Contains(out, want) && !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	first, _ := run("7", "udp", 4)
	again, _ := run("7", "udp", 4)
	other, _ := run("8", "udp", 4)
	same, different := 0, 0
	for key, n := range first {
		if strings.Contains(key, "5%udp") {
			// Packets that are not messages, a greeting sent again, may shift the losses: on a busy machine it is sent again.
			if again[key] == n {
				same++
			}
			if other[key] != n {
				different++
			}
		}
	}
	if same == 0 || different == 0 {
		t.Errorf("with the same seed UDP lost %v and %v, with another %v", first, again, other)
	}
}

// csvRows are the rows of a file by column.
func csvRows(t testing.TB, path string) (rows []map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// Ten links at once do not disturb each other, and other programs find their way by name.
func TestTenLinksAtOnce(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	outs := make([]string, 10)
	for i := range outs {
		cmd := benchCmd(t, "link", "--link", fmt.Sprintf("delay=%dms", 2*i), "--serve", "bench server --listen 0.0.0.0:2121 --log off", "--",
			"bench", "run", "--server", "server", "--workload", "latency", "--proto", "udp", "--size", "64", "--trials", "1", "--warmup", "0s", "--duration", "1s", "--quiet", "--format", "csv")
		all.Go(func() {
			out, err := cmd.CombinedOutput()
			outs[i] = string(out)
			if err != nil {
				outs[i] = fmt.Sprintf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	for i, out := range outs {
		if strings.Contains(out, "bench: emulate a link:") {
			t.Skip(out)
		}
		rtt, value := -1.0, -1
		for line := range strings.Lines(out) {
			cells := strings.Split(line, ",")
			if j := slices.Index(cells, "udp_value"); j >= 0 {
				value = j
			}
			if strings.Contains(line, ",rtt_p50_us,") && value >= 0 {
				rtt, _ = strconv.ParseFloat(cells[value], 64)
			}
		}
		if least := float64(4 * i * 1000); rtt < least || rtt > least+50_000 {
			t.Errorf("across a link of %d ms there and back the round trip takes %v µs:\n%s", 4*i, rtt, out)
		}
	}
}

// Whoever is killed leaves nothing behind: no process, and with the last one no namespace and no device.
func TestLinkIsGoneWithItsParent(t *testing.T) {
	t.Parallel()
	for name, pick := range map[string]func(tree []int) int{
		"the process that was started": func(tree []int) int { return tree[0] },
		"the one in the namespaces":    func(tree []int) int { return tree[1] },
	} {
		cmd := benchCmd(t, "link", "--link", "delay=1ms", "--serve", "sleep 91; true", "--", "sh", "-c", "sleep 92; true")
		var out syncBuffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var tree []int
		for end := time.Now().Add(10 * time.Second); len(tree) < 7; time.Sleep(20 * time.Millisecond) {
			if strings.Contains(out.String(), "bench: emulate a link:") {
				t.Skip(out.String())
			}
			if tree = descendants(cmd.Process.Pid); time.Now().After(end) {
				t.Fatalf("only these were started: %v\n%s", tree, out.String())
			}
		}
		namespaces := map[string]bool{}
		for _, pid := range tree {
			if ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil {
				namespaces[ns] = true
			}
		}
		if len(namespaces) != 3 { // this one's, the client's and the server's
			t.Errorf("%d namespaces: %v", len(namespaces), namespaces)
		}
		if err := syscall.Kill(pick(tree), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-ended
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			var left []int
			for _, pid := range tree {
				if running(pid) {
					left = append(left, pid)
				}
			}
			if len(left) == 0 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s is killed, and of %v these run on: %v", name, tree, left)
			}
		}
	}
}

// descendants are a process and all that it has started, the first first.
func descendants(pid int) (list []int) {
	list = []int{pid}
	for i := 0; i < len(list); i++ {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", list[i]))
		for _, f := range files {
			text, _ := os.ReadFile(f)
			for _, word := range strings.Fields(string(text)) {
				if n, err := strconv.Atoi(word); err == nil {
					list = append(list, n)
				}
			}
		}
	}
	return list
}

// running tells whether a process has not ended.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ") && !strings.Contains(string(stat), ") X ")
}

// An interrupt keeps what has been measured across a link.
func TestInterruptedAcrossALink(t *testing.T) {
	t.Parallel()
	cmd := benchCmd(t, "run", "--link", "delay=1ms", "--workload", "latency", "--size", "64", "--duration", "300ms", "--trials", "50")
	var out syncBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(filepath.Join(cmd.Dir, "results", "latest", "trials.csv"))
		if bytes.Count(text, []byte("\n")) > 3 {
			break
		}
		if strings.Contains(out.String(), "bench: emulate a link:") {
			t.Skip(out.String())
		}
		if time.Now().After(end) {
			_ = cmd.Process.Kill()
			t.Fatalf("no trials\n%s", out.String())
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(out.String(), "Interrupted after") || !strings.Contains(out.String(), "of 100 trials kept in") {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
}

// The account is told as JSON, the log as CSV, the command's exit code is passed on, and an ordinary user has it all too.
func TestLinkCommand(t *testing.T) {
	t.Parallel()
	send := []string{"sh", "-c", "for i in 1 2 3 4 5; do echo x > /dev/udp/server/9; done; exit 7"}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("it takes bash to send a datagram")
	}
	send[0] = "bash"
	for _, ordinary := range []bool{false, true} {
		args := append([]string{"link", "--link", "up.loss-list=2/4,duplicate=0%", "--format", "json", "--log", "log.csv", "--seed", "3", "--"}, send...)
		cmd := benchCmd(t, args...)
		if ordinary {
			if cmd = asNobody(t, args...); cmd == nil {
				continue
			}
		}
		out := output(t, cmd, 7)
		_, text, found := strings.Cut(out, "\n{")
		var account link.Account
		if !found || json.Unmarshal([]byte("{"+text), &account) != nil {
			t.Fatalf("ordinary %v: %s", ordinary, out)
		}
		// The server answers what nobody listens to by ICMP.
		if up := account.Up; up.Packets != 5 || up.Lost != 2 || up.Released != 3 || account.Down.Lost != 0 || account.Down.Packets != 3 {
			t.Errorf("ordinary %v: %s", ordinary, out)
		}
		var fates []string
		for _, row := range csvRows(t, filepath.Join(cmd.Dir, "log.csv")) {
			if row["direction"] == "up" {
				fates = append(fates, row["packet"]+row["fate"]+row["transport"])
			}
		}
		slices.Sort(fates) // those lost end as they come, the others when they have been handed on
		if got := strings.Join(fates, " "); got != "1releasedudp 2lostudp 3releasedudp 4lostudp 5releasedudp" {
			t.Errorf("ordinary %v: %s", ordinary, got)
		}
	}
}

// Where namespaces are forbidden, the user is told so and what to change.
func TestNamespacesForbidden(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	check(t, os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0o644))
	out := output2(t, benchCmd(t, "run", "--link", "lossy"))
	check(t, os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("10"), 0o644))
	check(t, os.WriteFile("/proc/sys/user/max_net_namespaces", []byte("1"), 0o644)) // this test's own
	if out := output2(t, benchCmd(t, "link", "--", "true")); !strings.Contains(out, "exit code 1") || !strings.Contains(out, "bench: emulate a link: this system allows no more") {
		t.Error(out)
	}
	if !strings.Contains(out, "exit code 1") || !strings.Contains(out, "raise the sysctls user.max_user_namespaces") || !strings.Contains(out, "everything but --link works without") {
		t.Error(out)
	}
}

// A link is ended by a signal to the process that was started, and the program on it with it. What can't be served, or logged, is
// known before that is waited for.
func TestLinkEnds(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		cmd := benchCmd(t, "link", "--", "sh", "-c", "echo begun; exec sleep 60")
		var out syncBuffer
		cmd.Stdout, cmd.Stderr = &out, &out
		check(t, cmd.Start())
		for end := time.Now().Add(10 * time.Second); !strings.Contains(out.String(), "begun") && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		}
		if strings.Contains(out.String(), "bench: emulate a link:") {
			t.Skip(out.String())
		}
		check(t, cmd.Process.Signal(s))
		begun := time.Now()
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || time.Since(begun) > 10*time.Second {
			t.Errorf("%v: exit code %d after %v\n%s", s, code, time.Since(begun), out.String())
		}
	}
	if out := output(t, benchCmd(t, "link", "--serve", "cd /nowhere && true", "--", "echo", "begun"), exitFailed); strings.Contains(out, "begun") || !strings.Contains(out, "--serve") {
		t.Error(out)
	}
	if out := output(t, benchCmd(t, "link", "--log", "no/where", "--", "echo", "begun"), exitFailed); strings.Contains(out, "begun") || !strings.Contains(out, "no such file") {
		t.Error(out)
	}
	cmd := benchCmd(t, "link", "--serve", "cd / && X=served && echo $X; sleep 60", "--account", "account.csv", "--format", "csv", "--", "true")
	if out := output(t, cmd, 0); !strings.Contains(out, "served") {
		t.Error(out)
	}
	if rows := csvRows(t, filepath.Join(cmd.Dir, "account.csv")); len(rows) != 2 || rows[1]["direction"] != "down" || rows[0]["packets"] != "0" {
		t.Errorf("%v", rows)
	}
}

// output2 runs cmd and returns what it printed and its exit code.
func output2(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s\nexit code %d", out, cmd.ProcessState.ExitCode())
}

// BenchmarkLink measures the link itself: how punctual it is, how fast, and what it adds to a round trip.
func BenchmarkLink(b *testing.B) {
	trials := func(b *testing.B, args ...string) []map[string]string {
		b.Helper()
		cmd := benchCmd(b, append([]string{"run", "--quiet", "--trials", "1", "--warmup", "50ms"}, args...)...)
		output(b, cmd, 0)
		return csvRows(b, filepath.Join(cmd.Dir, "results", "latest", "trials.csv"))
	}
	figure := func(row map[string]string, name string) float64 {
		v, err := strconv.ParseFloat(row[name], 64)
		if err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		return v
	}
	b.Run("delay", func(b *testing.B) {
		for b.Loop() {
			row := trials(b, "--link", "delay=10ms", "--proto", "udp", "--workload", "paced", "--rate", "1000", "--size", "200", "--duration", "2s")[0]
			b.ReportMetric(figure(row, "link_late_p50_us"), "µs-late-p50")
			b.ReportMetric(figure(row, "link_late_p99_us"), "µs-late-p99")
		}
	})
	b.Run("rate", func(b *testing.B) {
		for b.Loop() {
			row := trials(b, "--link", "rate=100mbit", "--proto", "udp", "--workload", "throughput", "--size", "1400", "--batch", "1", "--duration", "2s")[0]
			// IP and UDP have headers of 28 B.
			b.ReportMetric(100*(figure(row, "goodput_bps")*1428/1400/100e6-1), "%-off-rate")
		}
	})
	b.Run("roundtrip", func(b *testing.B) {
		for b.Loop() {
			for _, row := range trials(b, "--link", "clean", "--workload", "latency", "--size", "64", "--duration", "1s") {
				b.ReportMetric(figure(row, "rtt_p50_us"), "µs-rtt-"+row["proto"])
			}
		}
	})
	b.Run("throughput", func(b *testing.B) {
		for b.Loop() {
			for _, row := range trials(b, "--link", "clean", "--workload", "throughput", "--size", "1400", "--duration", "1s", "--batch", "1,auto") {
				if row["proto"] == "tcp" && row["batch"] == "auto" {
					b.ReportMetric(figure(row, "goodput_bps")/1e9, "Gbit/s-tcp")
				} else if row["proto"] == "udp" && row["batch"] == "1" {
					b.ReportMetric(figure(row, "messages_per_s"), "packets/s-udp")
				}
			}
		}
	})
}

// A message that does not fit into a packet of the link is cut on the way, and with --df refused.
func TestLinkMTU(t *testing.T) {
	t.Parallel()
	args := []string{"run", "--link", "mtu=600", "--workload", "latency", "--size", "1400", "--trials", "1", "--duration", "100ms", "--quiet"}
	cmd := benchCmd(t, args...)
	output(t, cmd, 0)
	for _, row := range csvRows(t, filepath.Join(cmd.Dir, "results", "latest", "trials.csv")) {
		// Three fragments, or three segments, each way.
		if n, packets := number(t, row, "rtt_count"), number(t, row, "link_up_packets"); n < 10 || packets < 3*n || row["lost_messages"] != "0" {
			t.Errorf("%v messages in %v packets: %v", n, packets, row)
		}
	}
	if out := output(t, benchCmd(t, append(args, "--df", "--proto", "udp")...), 1); !strings.Contains(out, "does not fit into one packet of the path") {
		t.Error(out)
	}
}

// A search finds what the link carries, each time anew.
func TestLinkMaxRate(t *testing.T) {
	t.Parallel()
	// 10 Mbit/s of packets, whose headers of IP and UDP take 28 B.
	const want = 10e6 * 1400 / 1428
	var rates []float64
	for range 3 { // a machine that stands still for a moment may spoil a search, but hardly as many
		cmd := benchCmd(t, "run", "--link", "rate=10mbit,limit=64KiB", "--proto", "udp", "--workload", "maxrate", "--size", "1400", "--batch", "1",
			"--loss-goal", "0", "--trials", "3", "--duration", "50ms", "--warmup", "20ms", "--drain", "100ms", "--quiet")
		output(t, cmd, 0)
		dir := filepath.Join(cmd.Dir, "results", "latest")
		rates = nil
		steps, bounded := 0.0, true
		for _, row := range csvRows(t, filepath.Join(dir, "trials.csv")) {
			steps += number(t, row, "search_steps")
			bounded = bounded && row["max_rate_end"] == results.Bounded
			if row["max_rate_bps"] != "" {
				rates = append(rates, number(t, row, "max_rate_bps"))
			}
		}
		if n := len(csvRows(t, filepath.Join(dir, "search.csv"))); float64(n) != steps {
			t.Errorf("%v steps, and %d rows of them", steps, n)
		}
		slices.Sort(rates)
		if bounded && len(rates) == 3 && rates[2] <= want*1.005 && rates[1] >= want*0.95 && rates[2] <= rates[0]*1.1 {
			return
		}
	}
	t.Errorf("found %v, want %v bit/s", rates, want)
}

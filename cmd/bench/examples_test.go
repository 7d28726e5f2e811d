package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Every command that README, the package documentation and --help show is carried out: with short trials,
// on free ports, and those of other programs where they are installed.

func TestReadmeCommands(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		list = append(list, strings.Split(block[1], "\n")...)
	}
	runCommands(t, list)
}

func TestDocCommands(t *testing.T) {
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		if command, ok := strings.CutPrefix(line, "//\t"); ok {
			list = append(list, command)
		}
	}
	runCommands(t, list)
}

func TestHelpExamples(t *testing.T) {
	var list []string
	root := newRoot(nil, nil, nil)
	for _, cmd := range append(root.Commands(), root) {
		if cmd.Example == "" && cmd.Name() != "help" && !cmd.Hidden {
			t.Errorf("bench %s has no example", cmd.Name())
		}
		list = append(list, strings.Split(cmd.Example, "\n")...)
	}
	runCommands(t, list)
}

// The service and the container start the server with flags that it has.
func TestDeployedFlags(t *testing.T) {
	for _, name := range []string{"bench-server.service", "Dockerfile"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "scripts", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		_, command, _ := strings.Cut(strings.ReplaceAll(string(text), "\\\n", " "), map[string]string{"Dockerfile": "CMD [", "bench-server.service": "ExecStart="}[name])
		command, _, _ = strings.Cut(command, "\n")
		flags := regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(command, -1)
		if len(flags) == 0 || !strings.Contains(command, "server") {
			t.Errorf("%s starts no server: %s", name, command)
		}
		for _, flag := range flags {
			if newServer().Flags().Lookup(flag[1]) == nil {
				t.Errorf("%s: bench server has no flag --%s", name, flag[1])
			}
		}
	}
}

// runCommands carries out shell commands as a script.
func runCommands(t *testing.T, list []string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the commands are those of a Unix shell")
	}
	text := exampleScript(t, list)
	if strings.Count(text, "exec sh") < 3 {
		t.Fatalf("only these commands were found:\n%s", text)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "commands.txtar"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, params(dir))
}

// exampleScript makes a script of commands in their order. A server runs in the background to the end, on a
// free port that those after it are to use.
func exampleScript(t *testing.T, list []string) string {
	var b strings.Builder
	b.WriteString("env BENCH_TRIALS=1\nenv BENCH_DURATION=20ms\nenv BENCH_WARMUP=5ms\nenv BENCH_DRAIN=50ms\n")
	b.WriteString("exec bench run --quiet --workload latency\n") // so that there is something to report on, and to compare
	b.WriteString("exec sh -c 'for name in a b old new old1 old2 new1 new2; do cp -r $(readlink -f results/latest) results/$name; done'\n")
	port := "2121"
	for _, line := range list {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "   ") // the remark beside an example
		line = strings.TrimSpace(strings.ReplaceAll(line, "go run ./cmd/bench", "bench"))
		// What is meant for two hosts is done on one.
		line = strings.ReplaceAll(strings.ReplaceAll(line, "--listen :2121", "--listen localhost:2121"), "server.example.net", "localhost:2121")
		switch {
		case line == "" || strings.HasPrefix(line, "#"), strings.HasPrefix(line, "go "), strings.HasPrefix(line, "git "), strings.HasPrefix(line, "cd "):
			continue // this is a test of a clone already
		case strings.HasPrefix(line, "bench serve ") || line == "bench serve":
			free, err := freePort()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(line, "8787") {
				line += " --addr 127.0.0.1:8787"
			}
			fmt.Fprintf(&b, "exec sh -c %s &\nlistening %s\n", quote("exec "+strings.ReplaceAll(line, "8787", free)), free)
			continue
		case strings.HasPrefix(line, "bench server"), strings.HasPrefix(line, "bench echo"):
			free, err := freePort()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(line, "2121") {
				line += map[bool]string{true: " --listen localhost:2121", false: " --addr localhost:2121"}[strings.HasPrefix(line, "bench server")]
			}
			port = free
			fmt.Fprintf(&b, "exec sh -c %s &\nlistening %s\n", quote("exec "+strings.ReplaceAll(line, "2121", port)), port)
			continue
		}
		if pin := regexp.MustCompile(`sha256:\S+`); pin.MatchString(line) {
			fmt.Fprintf(&b, "pin %s\n", port)
			line = pin.ReplaceAllLiteralString(line, "$PIN")
		}
		if strings.HasPrefix(line, "bench selftest") || strings.HasPrefix(line, "bench link shell") || line == "bench map" {
			continue // TestSelftest is the one, the next would wait for another terminal, and the last takes minutes
		}
		guard := ""
		if strings.Contains(line, "--link") || strings.HasPrefix(line, "bench map") {
			guard = "[link] "
		}
		for _, program := range []string{"gnuplot", "nc", "python3", "openssl", "ping", "iperf3"} {
			if regexp.MustCompile(`(^|\| *|-- )` + program + `\b`).MatchString(line) {
				guard += "[exec:" + program + "] "
			}
		}
		fmt.Fprintf(&b, "%sexec sh -c %s\n", guard, quote(strings.ReplaceAll(line, "2121", port)))
	}
	b.WriteString("-- secret.txt --\n0123456789abcdef0123456789abcdef\n")
	b.WriteString("-- plan.yaml --\nworkload: [latency, throughput]\ntrials: 2\n")
	for _, name := range []string{"plot.gp"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "scripts", name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "-- scripts/%s --\n%s", name, text)
	}
	return b.String()
}

// quote makes s one word of a script.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

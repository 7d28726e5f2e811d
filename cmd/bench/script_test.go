package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tcpvsudp/control"
)

// The test binary is bench too, when a script runs it by that name, or a run starts its server.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bench": main})
}

func params(dir string) testscript.Params {
	return testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			port, err := freePort()
			if err != nil {
				return err
			}
			// The race detector has a process wait for a second before it ends; these are many.
			env.Vars = append(env.Vars, "PORT="+port, "GORACE=atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"await":     await,
			"signal":    signalBackground,
			"childless": childless,
			"killchild": killChild,
			"listening": listening,
			"pin":       pin,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "ipv6":
				l, err := net.Listen("tcp", "[::1]:0")
				if err != nil {
					return false, nil
				}
				return true, l.Close()
			case "link":
				path, err := exec.LookPath("bench")
				return err == nil && exec.Command(path, "link", "--", "true").Run() == nil, nil
			case "userns":
				return exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt").Run() == nil, nil
			}
			return false, errors.New("unknown condition")
		},
		RequireExplicitExec: true,
	}
}

func TestScripts(t *testing.T) { testscript.Run(t, params("testdata/script")) }

// freePort returns a port that nobody uses, for TCP and UDP.
func freePort() (string, error) {
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		defer l.Close()
		if u, err := net.ListenPacket("udp", l.Addr().String()); err == nil {
			u.Close()
			_, port, err := net.SplitHostPort(l.Addr().String())
			return port, err
		}
	}
	return "", errors.New("no port is free for both TCP and UDP")
}

// exits CODE COMMAND ARG... runs a command that must end with that exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// await FILE N waits until FILE, which may be a pattern, has N lines or more.
func await(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		var text []byte
		if err == nil && len(found) == 1 {
			text, err = os.ReadFile(found[0])
		}
		if err == nil && len(found) == 1 && bytes.Count(text, []byte("\n")) >= want {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s has %d lines after 20 s, want %d (%v)", args[0], bytes.Count(text, []byte("\n")), want, err)
		}
	}
}

// listening PORT waits until somebody accepts connections there.
func listening(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		for _, host := range []string{"127.0.0.1", "::1"} {
			if conn, err := net.Dial("tcp", net.JoinHostPort(host, args[0])); err == nil {
				conn.Close()
				return
			}
		}
		if time.Now().After(end) {
			ts.Fatalf("nobody listens on port %s after 10 s", args[0])
		}
	}
}

// pin PORT sets PIN to the fingerprint of the certificate of the server there.
func pin(ts *testscript.TestScript, _ bool, args []string) {
	conn, err := tls.Dial("tcp", net.JoinHostPort("localhost", args[0]), &tls.Config{InsecureSkipVerify: true})
	ts.Check(err)
	defer conn.Close()
	ts.Setenv("PIN", control.Fingerprint(conn.ConnectionState().PeerCertificates[0].Raw))
}

// background is the process of the script's one background command.
func background(ts *testscript.TestScript) *os.Process {
	all := ts.BackgroundCmds()
	if len(all) != 1 {
		ts.Fatalf("%d commands in the background, want 1", len(all))
	}
	return all[0].Process
}

// signal NAME sends INT or KILL to the command in the background.
func signalBackground(ts *testscript.TestScript, _ bool, args []string) {
	s := map[string]os.Signal{"INT": os.Interrupt, "KILL": os.Kill, "TERM": syscall.SIGTERM}[args[0]]
	if s == nil {
		ts.Fatalf("unknown signal %s", args[0])
	}
	ts.Check(background(ts).Signal(s))
}

// children returns the processes on this machine whose command line is that of a server started by a run in
// the script's folder.
func children(ts *testscript.TestScript) (pids []int) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	ts.Check(err)
	for _, file := range files {
		dir := filepath.Dir(file)
		cwd, err := os.Readlink(filepath.Join(dir, "cwd"))
		if err != nil || cwd != ts.MkAbs(".") {
			continue
		}
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), "server\x00--child") {
			pid, err := strconv.Atoi(filepath.Base(dir))
			ts.Check(err)
			pids = append(pids, pid)
		}
	}
	return pids
}

// childless waits until no server that a run of the script started is left.
func childless(ts *testscript.TestScript, _ bool, _ []string) {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left := children(ts)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("servers left over: %v", left)
		}
	}
}

// killchild kills the server of the run in the background.
func killChild(ts *testscript.TestScript, _ bool, _ []string) {
	pids := children(ts)
	if len(pids) != 1 {
		ts.Fatalf("servers %v, want one", pids)
	}
	p, err := os.FindProcess(pids[0])
	ts.Check(err)
	ts.Check(p.Kill())
}

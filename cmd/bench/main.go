// Command bench is the honest referee between TCP and UDP: it measures both by the same workloads in
// interleaved trials and sets them side by side.
//
//	bench run --proto tcp,udp     measure; leaves results/<run>/
//	bench report results/latest   print the tables of a run again
//	bench plot results/latest     draw pictures of it
//	bench compare results/old results/new   what has changed from one result to another
//	bench calibrate               by how much this host differs from itself
//	bench serve                   all runs in a browser
//	bench demo                    why the two differ, in one terminal
//	bench --help                  everything else
//
// Exit codes: 0 done, 1 a run failed, 2 wrong usage, 3 a threshold missed, 130 interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	os.Exit(withSignals(func(ctx context.Context) int {
		return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	}))
}

// The exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// errInterrupted is the cause of a context that a signal has ended.
var errInterrupted = errors.New("interrupted")

// withSignals calls f with a context that the first SIGINT or SIGTERM ends. A later one ends the process at once.
func withSignals(f func(context.Context) int) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		var first time.Time
		for s := range signals {
			switch {
			case s == os.Interrupt && handsOff.Load():
			case first.IsZero():
				first = time.Now()
				cancel(errInterrupted)
			case time.Since(first) > signalEcho:
				os.Exit(exitInterrupted)
			}
		}
	}()
	return f(ctx)
}

// signalEcho is how soon after the first signal another is the same one, come by way of a process that passed it on.
const signalEcho = 200 * time.Millisecond

// handsOff is set while another program has the terminal, and its interrupts are for it alone.
var handsOff atomic.Bool

// run carries out the command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(stdin, stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var exit exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, errInterrupted):
		fmt.Fprintln(stderr, "bench:", err)
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "bench: %v\nSee \"bench %s--help\".\n", err, usage.verb)
		return exitUsage
	}
	fmt.Fprintln(stderr, "bench:", err)
	return exitFailed
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"tcpvsudp/link"
)

// insideEnv is set in the environment of a process that was started to be a client's host of an emulated link, to the number of the
// user who did.
const insideEnv = "_BENCH_INSIDE"

// isInside tells whether this process is such a one.
func isInside() bool { return os.Getenv(insideEnv) != "" }

// exitError is the exit code of a process that has done the work, and has said all there is to say.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// enter starts this program again with the same arguments where it can have an emulated link, and waits for its end. Interrupts reach it
// from here, or from the terminal. It is gone when this process is.
func enter(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return link.ErrUnsupported
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"="+strconv.Itoa(os.Getuid()))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	link.Enter(cmd)
	runtime.LockOSThread() // it is told of the end of the thread that has started it
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return link.Explain(err)
	}
	// The terminal interrupts both processes, and others may interrupt this one alone: the other one takes two for one. It takes an
	// interrupt for the program that it runs, where that has the terminal.
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })()
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exitError(exit.ExitCode())
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // it had not come so far as to listen
	}
	return fmt.Errorf("the process that emulates the link: %w", err)
}

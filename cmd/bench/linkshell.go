package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tcpvsudp/link"
)

// A running link leaves a file by which "bench link shell" finds it.
type runningLink struct {
	PID    int    `json:"pid"`
	Server string `json:"server"` // the network namespace of its server's host
}

// runningDir is where those files are, for each user apart.
func runningDir() (string, error) {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		var err error
		if dir, err = os.UserCacheDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "bench-link"), nil
}

// announce leaves the file of a running link, until leave.
func announce(lab *link.Lab) (leave func(), err error) {
	pid, err := link.PID()
	if err != nil {
		return nil, err
	}
	dir, err := runningDir()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.MkdirAll(dir, 0o700), link.Private(dir)); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, fmt.Sprintf("%d.json", pid))
	text, err := json.Marshal(runningLink{pid, lab.ServerPath()})
	if err != nil {
		return nil, err
	}
	return func() { _ = os.Remove(path) }, os.WriteFile(path, text, 0o600)
}

// findLink is the link that was started last and still runs.
func findLink() (found runningLink, err error) {
	dir, err := runningDir()
	if err != nil {
		return found, err
	}
	// Whoever could write there could have us run programs of his.
	if err := link.Private(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	newest := time.Time{}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.ModTime().Before(newest) {
			continue
		}
		path := filepath.Join(dir, f.Name())
		text, err := os.ReadFile(path)
		var l runningLink
		if err != nil || json.Unmarshal(text, &l) != nil {
			continue
		}
		if _, err := os.Stat(l.Server); err != nil {
			_ = os.Remove(path) // of one that was killed
			continue
		}
		found, newest = l, info.ModTime()
	}
	if found.PID == 0 {
		return found, errors.New(`no link of yours is running: start one with "bench link" in another terminal`)
	}
	return found, nil
}

func newLinkShell() *cobra.Command {
	return &cobra.Command{
		Use:   "shell client|server [-- COMMAND [ARGS]]",
		Short: "Run a shell, or a command, on a host of the link that is running",
		Long: `shell runs a shell on one of the two hosts of the link that "bench link" in another terminal has started last, or
the command after "--". It needs the program nsenter, of util-linux.`,
		Example: `  bench link shell server
  bench link shell server -- iperf3 -s`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			host, command := args[0], args[1:]
			if host != "client" && host != "server" {
				return usage(cmd, fmt.Errorf("there is no host %q: use client or server", host))
			}
			if len(command) == 0 {
				command = []string{shell()}
			}
			l, err := findLink()
			if err != nil {
				return err
			}
			nsenter, err := exec.LookPath("nsenter")
			if err != nil {
				return fmt.Errorf("%w; it is part of the package util-linux", err)
			}
			enter := []string{"--target", fmt.Sprint(l.PID), "--user", "--mount", "--preserve-credentials"}
			if host == "client" {
				enter = append(enter, "--net")
			} else {
				enter = append(enter, "--net="+l.Server)
			}
			handsOff.Store(term.IsTerminal(int(os.Stdin.Fd())))
			c := exec.Command(nsenter, append(append(enter, "--"), command...)...)
			c.Stdin, c.Stdout, c.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := c.Start(); err != nil {
				return err
			}
			ended := make(chan struct{})
			defer context.AfterFunc(cmd.Context(), func() { stop(c, ended) })()
			err = c.Wait()
			close(ended)
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() > 0 {
				return exitError(exit.ExitCode())
			}
			return err
		},
	}
}

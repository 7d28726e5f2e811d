package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tcpvsudp/results"
	"tcpvsudp/results/page"
	"tcpvsudp/results/report"
)

func newReport() *cobra.Command {
	var format, html string
	var asserts assertions
	cmd := &cobra.Command{
		Use:   "report [RUN]",
		Short: "Print the tables of a run from its files",
		Long: `report prints what bench run printed, from the files in the run's folder alone: with no network, on
any machine. RUN is the folder; without it, results/latest.

--format benchfmt prints the trials in the Go benchmark format, for benchstat: "benchstat -col /proto" sets the transports
side by side.

--html writes all of it, drawn, as one page that needs nothing else, not even a network.`,
		Example: `  bench report
  bench report results/latest --format markdown
  bench report results/latest --format csv > summary.csv
  bench report results/latest --format benchfmt > run.txt
  bench report results/latest --html report.html
  bench report results/new --assert 'udp.loss_ratio[size_bytes=64]<1%'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			f := report.Benchfmt
			if format != string(f) {
				f, err = report.ParseFormat(format)
			}
			if err := errors.Join(err, asserts.parse(false)); err != nil {
				return usage(cmd, err)
			}
			dir := filepath.Join(defaultOut, "latest")
			if len(args) == 1 {
				dir = args[0]
			}
			set, err := results.Read(dir)
			if err != nil {
				return err
			}
			if f == report.Benchfmt {
				err = report.WriteBenchfmt(cmd.OutOrStdout(), set)
			} else {
				err = report.Write(cmd.OutOrStdout(), set, f, columns(cmd.OutOrStdout()))
			}
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("html") {
				if err := writePage(html, set); err != nil {
					return fmt.Errorf("write the page: %w", err)
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "The page is", html)
			}
			return asserts.hold(cmd.ErrOrStderr(), func(a report.Assertion) []report.Outcome { return a.CheckRun(set) })
		},
	}
	cmd.Flags().StringVar(&format, "format", string(report.Text), "how to print: table, markdown, csv, json or benchfmt")
	cmd.Flags().StringVar(&html, "html", "", "write a page with tables and drawings to this file, too")
	asserts.flag(cmd.Flags())
	return cmd
}

// writePage writes the page of a run to the file, which it makes or replaces.
func writePage(file string, set *results.Set) error {
	if own, err := os.Stat(file); err == nil {
		entries, err := os.ReadDir(set.Dir)
		if err != nil {
			return err
		}
		for _, entry := range entries { // by whatever name it is called
			if info, err := entry.Info(); err == nil && os.SameFile(own, info) && results.IsFile(entry.Name()) {
				return fmt.Errorf("%s is a file of the run itself: name another for the page", file)
			}
		}
	}
	var text bytes.Buffer
	if err := page.Write(&text, set, ""); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}

// columns is how wide what is written to w may be: the terminal's width, and elsewhere that of a terminal as people have it.
func columns(w io.Writer) int {
	const usual = 80
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return usual
}

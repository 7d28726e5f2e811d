package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

func newCompare() *cobra.Command {
	var format string
	var asserts assertions
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare two results: before and after a change",
		Long: `compare sets what two results have in common side by side, each transport for itself, and says what has changed, and in
what they differ beside that: hosts, kernels, settings. OLD and NEW are the folders of runs; several runs of one side
are separated by commas, and count as one.

Trials of two runs are no pairs: whatever changed from the one to the other is in the difference. Measure old and new
in turn, several runs each.

--assert 'rtt_p50_us regress<5%' fails, with exit code 3, where the new result is worse than the old by 5 % or more; other
assertions, like 'tcp.rtt_p99_us<500', are about the new result.`,
		Example: `  bench compare results/old results/new
  bench compare results/old1,results/old2 results/new1,results/new2
  bench compare results/old results/new --assert 'rtt_p50_us regress<5%' --assert 'tcp.rtt_p50_us<5000'
  bench compare results/old results/new --format markdown`,
		Args: cobra.ExactArgs(2),
	}
	formatFlag(cmd.Flags(), &format)
	asserts.flag(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := report.ParseFormat(format)
		if err != nil {
			return usage(cmd, err)
		}
		if err := asserts.parse(true); err != nil {
			return usage(cmd, err)
		}
		old, err := readAll(args[0])
		if err != nil {
			return err
		}
		new, err := readAll(args[1])
		if err != nil {
			return err
		}
		for _, s := range new {
			if slices.ContainsFunc(old, func(o *results.Set) bool { return o.Dir == s.Dir }) {
				return fmt.Errorf("%s is on both sides: what is the same does not differ", s.Dir)
			}
		}
		c := report.Compare(old, new)
		if err := c.Write(cmd.OutOrStdout(), f, columns(cmd.OutOrStdout())); err != nil {
			return err
		}
		if f == report.CSV { // which has no room for them
			for _, difference := range c.Hidden {
				fmt.Fprintln(cmd.ErrOrStderr(), "hidden difference:", difference)
			}
		}
		if len(c.Rows) == 0 {
			return errors.New("the two results have nothing in common: measure the same workloads, sizes and transports for both")
		}
		return asserts.hold(cmd.ErrOrStderr(), func(a report.Assertion) []report.Outcome { return a.CheckComparison(c) })
	}
	return cmd
}

// readAll reads the runs in folders that are separated by commas.
func readAll(dirs string) (sets []*results.Set, err error) {
	seen := map[string]bool{}
	for dir := range strings.SplitSeq(dirs, ",") {
		set, err := results.Read(dir)
		if err != nil {
			return nil, err
		}
		if seen[set.Dir] {
			return nil, fmt.Errorf("%s is given twice: its trials would count double", dir)
		}
		seen[set.Dir] = true
		sets = append(sets, set)
	}
	return sets, nil
}

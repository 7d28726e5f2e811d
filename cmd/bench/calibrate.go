package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"tcpvsudp/bench"
	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

func newCalibrate() *cobra.Command {
	o := runOptions{plan: bench.DefaultPlan()}
	o.plan.SameTwice = true
	cmd := &cobra.Command{
		Use:   "calibrate",
		Short: "Find by how much this host differs from itself",
		Long: `calibrate measures each transport against itself, in pairs of trials one right after the other, by the same workloads as
run. What differs between two halves that are the same is noise. Its floor, for each workload and metric, goes to
calibration.json below --out, where later runs on the same host find it: they name no difference that is smaller.

Calibrate with the flags that you are going to run with: noise depends on the length of trials, on the way of waiting and on the
link. The machine should be as busy as it is going to be then. Without flags it takes about twice as long as run.`,
		Example: `  bench calibrate
  bench calibrate --quick
  bench calibrate --workload latency --wait spin`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.flags(f)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return calibrate(cmd, &o) }
	return cmd
}

func calibrate(cmd *cobra.Command, o *runOptions) error {
	format, err := o.complete(cmd)
	if err != nil {
		return usage(cmd, err)
	}
	if o.link != "" && !isInside() {
		return enter(cmd.Context())
	}
	set, err := o.measure(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		if set != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), kept(set))
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "The noise floor is as it was: it takes a calibration that was not cut short.")
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), kept(set))
	floor := report.NoiseFloor(set, o.plan.Seed)
	if err := floor.Write(o.out); err != nil {
		return err
	}
	c := report.Calibration{Run: set.Dir, File: filepath.Join(o.out, results.CalibrationFile), Floors: floor.Floors, Pairs: floor.Pairs}
	c.FalseTables, c.Tables = report.FalseVerdicts(set, floor, o.plan.Seed)
	if err := c.Write(cmd.OutOrStdout(), format); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "\nThe noise floor is in %s\n", c.File)
	return nil
}

package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

func newReport() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "report [RUN]",
		Short: "Print the tables of a run from its files",
		Long: `report prints what bench run printed, from the files in the run's folder alone: with no network, on
any machine. RUN is the folder; without it, results/latest.`,
		Example: `  bench report
  bench report results/latest --format markdown
  bench report results/latest --format csv > summary.csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := report.ParseFormat(format)
			if err != nil {
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
			return report.Write(cmd.OutOrStdout(), set, f)
		},
	}
	formatFlag(cmd.Flags(), &format)
	return cmd
}

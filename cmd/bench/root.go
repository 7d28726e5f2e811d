package main

import (
	"io"

	"github.com/spf13/cobra"
)

// usageError is an error of the command line: it is answered with exit code 2.
type usageError struct {
	error
	verb string // the command's words, each followed by a blank
}

func (e usageError) Unwrap() error { return e.error }

// usage marks err as one of the command line of cmd, if it is an error.
func usage(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	verb := ""
	for c := cmd; c.HasParent(); c = c.Parent() {
		verb = c.Name() + " " + verb
	}
	return usageError{err, verb}
}

// newRoot makes the command line.
func newRoot(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "bench",
		Short: "The honest referee between TCP and UDP",
		Long: `bench measures TCP and UDP by the same workloads, in pairs of trials side by side, and says how they
differ: throughput, latency, loss, duplicates and reordering, and what each costs.`,
		Example: `  bench run --proto tcp,udp           measure both on this machine, in a minute and a half
  bench run --quick                   a look in some ten seconds
  bench report results/latest         the tables of the last run, again
  bench plot results/latest           pictures of it
  bench compare results/a results/b   what has changed from one result to another
  bench serve                         all runs in a browser
  bench demo --buffer 1               why a stream of bytes is not a stream of messages`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(newRun(), newReport(), newPlot(), newCompare(), newServe(), newCalibrate(), newServer(), newEcho(), newDemo(), newVersion(), newForward(), newSelftest(), newLink(), newMap())
	root.SetFlagErrorFunc(usage)
	for _, cmd := range append(root.Commands(), root) {
		if check := cmd.Args; check != nil {
			cmd.Args = func(cmd *cobra.Command, args []string) error { return usage(cmd, check(cmd, args)) }
		}
	}
	return root
}

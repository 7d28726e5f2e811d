package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tcpvsudp/bench"
	"tcpvsudp/results/report"
)

// mapOptions are the flags of bench map.
type mapOptions struct {
	runOptions
	delays, losses []string
	more           string
}

// mapFile is what bench map adds to the folder of its run.
const mapFile = "map.csv"

func newMap() *cobra.Command {
	o := mapOptions{runOptions: runOptions{plan: bench.DefaultPlan(), outage: 20 * time.Second, queue: time.Hour}}
	p := &o.plan
	p.Workloads, p.Sizes, p.Rate, p.Trials, p.Duration = []string{"paced"}, []int{200}, 60, 3, 5*time.Second
	cmd := &cobra.Command{
		Use:   "map",
		Short: "Map at which delay and loss which transport meets a deadline better",
		Long: `map sends messages at a fixed rate over emulated links of every delay and loss that is given, by TCP and by UDP, and
prints how many miss the deadline: because they were lost, or because they came too late, as behind a loss they do
where a stream keeps its order. It leaves its results in a folder below --out, map.csv among them. It needs Linux, and
no rights.`,
		Example: `  bench map
  bench map --rate 500 --size 1200 --deadline 50ms --delay 10ms --loss 0,1%,5%
  bench map --delay 20ms --loss 0.5%,2% --more jitter=2ms --trials 2 --duration 2s`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&o.delays, "delay", []string{"10ms", "25ms", "50ms"}, "delays of the link one way")
	f.StringSliceVar(&o.losses, "loss", []string{"0", "0.1%", "0.3%", "1%", "3%", "5%"}, "shares of packets that it loses")
	f.StringVar(&o.more, "more", "", "other settings of all links, see \"bench link --help\"")
	f.Float64Var(&p.Rate, "rate", p.Rate, "messages/s")
	f.Var((*sizes)(&p.Sizes), "size", "message size")
	f.DurationVar(&p.Deadline, "deadline", p.Deadline, "how long a message may take one way")
	f.IntVar(&p.Trials, "trials", p.Trials, "trials for every link and transport")
	f.DurationVar(&p.Duration, "duration", p.Duration, "how long a trial sends, after its warm-up")
	f.DurationVar(&p.Warmup, "warmup", p.Warmup, "how long a trial sends before it counts")
	f.DurationVar(&p.Drain, "drain", p.Drain, "how long a missing message is waited for; 0: the larger of 1s and 4 round trips")
	f.StringSliceVar(&p.Congestion, "cc", p.Congestion, "congestion control of TCP")
	f.Uint64Var(&p.Seed, "seed", p.Seed, "decides the order of trials and what is lost; 0 draws one, which is recorded")
	f.StringVar(&o.out, "out", defaultOut, "folder below which the run's folder is made")
	formatFlag(f, &o.format)
	f.BoolVar(&o.quiet, "quiet", false, "print no progress")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return o.run(cmd) }
	return cmd
}

func (o *mapOptions) run(cmd *cobra.Command) error {
	if err := o.oneOfEach(); err != nil {
		return usage(cmd, err)
	}
	o.link = "delay=" + strings.Join(o.delays, ",") + ",loss=" + strings.Join(o.losses, ",")
	if o.more != "" {
		o.link += "," + o.more
	}
	format, err := o.complete(cmd)
	if err != nil {
		return usage(cmd, err)
	}
	if len(o.specs) != len(o.delays)*len(o.losses) {
		return usage(cmd, fmt.Errorf("--more %q: a map has two dimensions, delay and loss: give one value for each other setting", o.more))
	}
	if !isInside() {
		return enter(cmd.Context())
	}
	set, err := o.measure(cmd.Context(), cmd.ErrOrStderr())
	if set == nil {
		return err
	}
	if len(set.Trials) > 0 {
		if err := report.WriteMap(cmd.OutOrStdout(), set, format); err != nil {
			return err
		}
		f, failed := os.Create(filepath.Join(set.Dir, mapFile))
		if failed == nil {
			failed = errors.Join(report.WriteMap(f, set, report.CSV), f.Close())
		}
		err = errors.Join(err, failed)
	}
	fmt.Fprintln(cmd.ErrOrStderr(), kept(set))
	return err
}

// oneOfEach returns an error where a map would have more than two dimensions.
func (o *mapOptions) oneOfEach() error {
	if len(o.plan.Sizes) != 1 || len(o.plan.Congestion) != 1 {
		return errors.New("a map has two dimensions, delay and loss: give one --size and one --cc")
	}
	if first, _, _ := strings.Cut(o.more, ","); o.more != "" && !strings.Contains(first, "=") {
		return fmt.Errorf("--more %q: give settings, like jitter=2ms,rate=10mbit", o.more)
	}
	if len(o.delays) == 0 || len(o.losses) == 0 {
		return errors.New("give a --delay and a --loss at least")
	}
	return nil
}

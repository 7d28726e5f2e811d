package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tcpvsudp/bench"
	"tcpvsudp/internal/child"
	"tcpvsudp/link"
	"tcpvsudp/results"
)

// planLinks puts the links that were asked for into the plan, and gives its trials time for their round trips where the user has
// not set any.
func (o *runOptions) planLinks(flags *pflag.FlagSet) (err error) {
	if o.server != "" || o.ipv6 {
		return errors.New("--link is about the server that run starts, at an IPv4 address: leave --server and --ipv6 out")
	}
	if o.specs, err = link.Parse(o.link); err != nil {
		return fmt.Errorf("--link: %w", err)
	}
	o.plan.Links = nil
	for _, s := range o.specs {
		planned, err := plannedLink(s)
		if err != nil {
			return err
		}
		o.plan.Links = append(o.plan.Links, planned)
	}
	if !flags.Changed("pin") {
		o.plan.Pin = pinAcross(o.plan.Wait)
	}
	rtt := o.plan.LongestRTT()
	if !flags.Changed("warmup") {
		o.plan.Warmup = max(o.plan.Warmup, min(warmupRTTs*rtt, mostWarmup)).Round(time.Millisecond)
	}
	if !flags.Changed("duration") {
		o.plan.Duration = max(o.plan.Duration, min(durationRTTs*rtt, mostDuration)).Round(time.Millisecond)
	}
	return nil
}

// pinAcross is where the two ends run when a forwarder runs beside them: on two processors they share one, so that it has the
// other to itself.
func pinAcross(wait bench.Wait) bench.Pin {
	switch {
	case runtime.NumCPU() > 2:
		return bench.PinApart
	case wait == bench.Spin:
		return bench.PinNone
	}
	return bench.PinSame
}

func plannedLink(s link.Spec) (bench.PlannedLink, error) {
	text, err := json.Marshal(s)
	return bench.PlannedLink{Name: s.Name, RTT: s.Up.Delay + s.Down.Delay, Loses: s.Up.Loses() || s.Down.Loses(), Spec: text}, err
}

// How many round trips of its link a trial lasts by itself, and how long at most: a stream takes some to find out how fast it may go.
const (
	warmupRTTs, durationRTTs = 5, 30
	mostWarmup, mostDuration = time.Second, 5 * time.Second
)

// openLab makes the two hosts of a link. When it fails later, canceling is told.
func openLab(cancel context.CancelCauseFunc) (*link.Lab, error) {
	lab, err := link.OpenLab(link.LabOptions{WithoutTUN: os.Getenv(withoutTUNEnv) != ""})
	if err != nil {
		return nil, err
	}
	go func() {
		<-lab.Ended()
		cancel(lab.Err())
	}()
	return lab, nil
}

// withoutTUNEnv is set in the environment to have packet sockets used where there are TUN devices too.
const withoutTUNEnv = "_BENCH_WITHOUT_TUN"

// startServerAcross starts a server on the lab's other host. Control reaches it past the link.
func startServerAcross(lab *link.Lab) (p *child.Process, controlAddr, dataAddr string, err error) {
	err = lab.OnServer(func() (err error) {
		p, dataAddr, err = startServer("0.0.0.0:0")
		return err
	})
	if err != nil {
		return nil, "", "", err
	}
	_, port, err := net.SplitHostPort(dataAddr)
	if err != nil {
		p.Stop()
		return nil, "", "", err
	}
	return p, net.JoinHostPort(link.ControlAddr.String(), port), net.JoinHostPort(link.ServerAddr.String(), port), nil
}

// labLink is a lab as a run needs it.
type labLink struct {
	lab   *link.Lab
	specs []link.Spec
}

// spec is the link of that name.
func (l labLink) spec(name string) (link.Spec, error) {
	for _, s := range l.specs {
		if s.Name == name {
			return s, nil
		}
	}
	return link.Spec{}, fmt.Errorf("there is no link %q", name)
}

func (l labLink) Set(ctx context.Context, name string, seed uint64) error {
	spec, err := l.spec(name)
	if err != nil {
		return err
	}
	return l.lab.Set(ctx, spec, seed, 0)
}

func (l labLink) Account(ctx context.Context) (results.Link, error) {
	a, err := l.lab.Account(ctx)
	return a.Record(), err
}

// newForward is the process between the two hosts of a link.
func newForward() *cobra.Command {
	return &cobra.Command{
		Use:    link.Verb + " CONFIG",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return link.Serve(args[0], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

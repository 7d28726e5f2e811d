package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tcpvsudp/bench"
	"tcpvsudp/control"
	"tcpvsudp/internal/child"
	"tcpvsudp/internal/host"
	"tcpvsudp/link"
	"tcpvsudp/results"
	"tcpvsudp/results/report"
	"tcpvsudp/tcp"
	"tcpvsudp/udp"
)

// defaultOut is the folder of all runs, defaultPort the port of a server.
const (
	defaultOut  = "results"
	defaultPort = "2121"
)

// transports is every transport that can be measured.
var transports = []bench.Transport{tcp.Transport{}, udp.Transport{}}

// runOptions are the flags of bench run beside the plan's.
type runOptions struct {
	plan                  bench.Plan
	server, out, config   string
	access                accessOptions
	queue, outage         time.Duration
	format                string
	quiet, quick, planned bool
	ipv6                  bool
	link                  string
	specs                 []link.Spec
	asserts               assertions
}

func newRun() *cobra.Command {
	o := runOptions{plan: bench.DefaultPlan()}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Measure TCP and UDP side by side",
		Long: `run measures the transports by the same workloads, in pairs of trials one right after the other and in random
order, prints tables that set them side by side, and leaves its results in a folder below --out.

Without --server it starts a server of its own on the loopback interface, as a process of its own. With --server
it measures the network to a "bench server" elsewhere: a connection that is lost for a moment is waited for, and a
trial that it has spoilt is measured again.

Workloads:
  latency     one message in flight: the next is sent when the reply has come
  paced       at a fixed rate whether or not replies come, timed from the intended send
  throughput  as fast as it goes, one way, counted by the receiver
  maxrate     a search for the highest rate at which no more than --loss-goal is lost (RFC 9971); only where it is asked for
  connect     from nothing to the first echoed reply

Every flag can be set by the environment too (BENCH_TRIALS=3) or in a plan file (--config plan.yaml with a line
"trials: 3"); the command line counts before the environment, and that before the file.`,
		Example: `  bench run --proto tcp,udp
  bench run --quick
  bench run --workload latency --size 64,1400,16KiB --wait spin
  bench run --workload paced --rate 5000 --size 200 --duration 1s --trials 2
  bench run --workload throughput --size 64KiB --proto tcp --flows 1,4
  bench run --plan --config plan.yaml
  bench run --workload throughput --direction up,down,both
  bench run --workload throughput,maxrate --size 1400 --loss-goal 0.1% --trials 1
  bench run --link 'delay=20ms,loss=1%' --workload paced --rate 500 --size 200
  bench run --link lte
  bench run --workload latency --assert 'tcp.rtt_p50_us<5000' --assert 'udp.loss_ratio<1%'`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.flags(f)
	f.BoolVar(&o.planned, "plan", false, "print what would be run and how long it takes, and stop")
	o.asserts.flag(f)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return o.run(cmd) }
	return cmd
}

// flags are those of whatever measures by a plan.
func (o *runOptions) flags(f *pflag.FlagSet) {
	planFlags(f, &o.plan)
	f.StringVar(&o.server, "server", "", "address of a \"bench server\", HOST or HOST:PORT; without it one is started")
	o.access.flags(f)
	f.DurationVar(&o.queue, "queue", time.Hour, "how long to wait for our turn when the server is taken")
	f.DurationVar(&o.outage, "outage", 20*time.Second, "how long the server may be silent before the run ends")
	f.StringVar(&o.link, "link", "", "emulate a network between client and server: a preset or settings, see \"bench link --help\" (Linux)")
	f.BoolVar(&o.ipv6, "ipv6", false, "have the server that is started listen on [::1], not on 127.0.0.1")
	f.StringVar(&o.out, "out", defaultOut, "folder below which the run's folder is made")
	formatFlag(f, &o.format)
	f.BoolVar(&o.quiet, "quiet", false, "print no progress")
	f.BoolVar(&o.quick, "quick", false, "a look in some ten seconds: 3 short trials each")
	f.StringVar(&o.config, "config", "", "plan file (YAML) with the words of these flags")
}

func formatFlag(f *pflag.FlagSet, format *string) {
	f.StringVar(format, "format", string(report.Text), "how to print the tables: table, markdown, csv or json")
}

func (o *runOptions) run(cmd *cobra.Command) error {
	format, err := o.complete(cmd)
	if err != nil {
		return usage(cmd, err)
	}
	if o.planned {
		return printPlan(cmd.OutOrStdout(), o.plan, format)
	}
	if o.link != "" && !isInside() {
		return enter(cmd.Context())
	}
	set, err := o.measure(cmd.Context(), cmd.ErrOrStderr())
	if set == nil {
		return err
	}
	if len(set.Trials) > 0 {
		if err := report.Write(cmd.OutOrStdout(), set, format, columns(cmd.OutOrStdout())); err != nil {
			return err
		}
	}
	fmt.Fprintln(cmd.ErrOrStderr(), kept(set))
	if err != nil {
		return err
	}
	return o.asserts.hold(cmd.ErrOrStderr(), func(a report.Assertion) []report.Outcome { return a.CheckRun(set) })
}

// complete fills in what the command line left open, and validates all of it.
func (o *runOptions) complete(cmd *cobra.Command) (report.Format, error) {
	flags := cmd.Flags()
	if o.config == "" {
		o.config = os.Getenv(envPrefix + "CONFIG")
	}
	if err := configure(flags, os.Environ(), o.config); err != nil {
		return "", err
	}
	if o.quick {
		o.plan = o.quickPlan(flags)
	}
	if o.plan.Seed == 0 {
		o.plan.Seed = rand.Uint64()
	}
	if flags.Changed("server") {
		if err := validServer(o.server); err != nil {
			return "", err
		}
	}
	if err := o.access.validate(o.server); err != nil {
		return "", err
	}
	if o.outage < time.Second || o.queue < 0 {
		return "", fmt.Errorf("--outage %v, --queue %v: use 1s or more, and 0 or more", o.outage, o.queue)
	}
	if o.server != "" && o.ipv6 {
		return "", errors.New("--ipv6 is about the server that run starts: with --server, name an IPv6 address there")
	}
	if flags.Changed("link") && o.link == "" {
		return "", errors.New("--link is empty: name a link, or leave it out")
	}
	if o.link != "" {
		if err := o.planLinks(flags); err != nil {
			return "", err
		}
	}
	for i, name := range o.plan.Congestion {
		if name = strings.TrimSpace(name); name == "default" {
			name = ""
		}
		o.plan.Congestion[i] = name
		if name != "" && flags.Changed("cc") && !tcp.KnowsCongestionControl(name) {
			return "", fmt.Errorf("--cc: this system has no congestion control %q; /proc/sys/net/ipv4/tcp_available_congestion_control names those it has", name)
		}
	}
	format, err := report.ParseFormat(o.format)
	for _, list := range [][]string{o.plan.Protos, o.plan.Workloads} {
		for i, word := range list {
			list[i] = strings.ToLower(strings.TrimSpace(word))
		}
	}
	return format, errors.Join(err, o.asserts.parse(false), o.plan.Validate(transports))
}

// quickPlan is the plan cut down, but for what the user has set.
func (o *runOptions) quickPlan(flags *pflag.FlagSet) bench.Plan {
	quick, plan := o.plan.Quick(), o.plan
	for name, cut := range map[string]func(){
		"trials":   func() { plan.Trials = quick.Trials },
		"warmup":   func() { plan.Warmup = quick.Warmup },
		"duration": func() { plan.Duration = quick.Duration },
		"drain":    func() { plan.Drain = quick.Drain },
	} {
		if !flags.Changed(name) {
			cut()
		}
	}
	return plan
}

// measure carries out the plan and returns what it left behind, as read back from its files; a run that
// ended early is returned with the error that ended it.
func (o *runOptions) measure(ctx context.Context, stderr io.Writer) (*results.Set, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var addr, name string
	access, err := o.access.read()
	if err != nil {
		return nil, err
	}
	var own *child.Process // nil with --server
	dataAddr := ""         // where it is not that of control
	var across bench.Link
	switch {
	case o.link != "":
		lab, err := openLab(cancel)
		if err != nil {
			return nil, err
		}
		defer lab.Close()
		if own, addr, dataAddr, err = startServerAcross(lab); err != nil {
			return nil, err
		}
		across = labLink{lab, o.specs}
	case o.server != "":
		if addr, name, err = resolve(ctx, o.server); err != nil {
			return nil, err
		}
	default:
		if own, addr, err = startServer(o.loopback()); err != nil {
			return nil, err
		}
	}
	if own != nil {
		defer own.Stop()
		go func() {
			<-own.Ended()
			cancel(serverEnded(own))
		}()
	}
	if access.TLS != nil {
		access.TLS.ServerName = name
	}
	client, err := control.NewClient(addr, access)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	about, err := client.Server(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.plan.Check(about.Limits); err != nil {
		return nil, fmt.Errorf("the server at %s does not take part in this: %w", addr, err)
	}
	here := host.Read()
	w, err := o.create(stderr, here, about)
	if err != nil {
		return nil, err
	}

	show := newProgress(stderr, o.quiet, o.plan.Estimate(transports))
	client.Outage, client.Queue, client.Waiting = o.outage, o.queue, show.waits
	repeats := 0
	if o.server != "" {
		repeats = trialRepeats
	}
	err = bench.Run(ctx, bench.Config{
		Plan: o.plan, Transports: transports, Control: client, Addr: cmp.Or(dataAddr, addr), Link: across,
		Limits: about.Limits, OneClock: here.Clock != "" && here.Clock == about.Host.Clock,
		Interface: host.InterfaceTo(cmp.Or(dataAddr, addr)), Repeats: repeats,
		Keep: func(r results.Record) error {
			show.kept(r.Trial)
			return w.Add(r)
		},
		Progress: show.tell,
	})
	show.end()
	return finish(w, rootCause(ctx, own, err))
}

// trialRepeats is how often a trial is measured again that failed against a server elsewhere: it may have been started
// anew, or the network may have been away.
const trialRepeats = 2

// rootCause is why a run that failed with err did: whatever fails when it is called off, or when its server has
// ended, fails because of that. A run that did not fail has none, whatever has happened since.
func rootCause(ctx context.Context, own *child.Process, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case own != nil && hasEnded(own):
		return serverEnded(own)
	}
	return err
}

// hasEnded tells whether p has ended, or is about to: its sockets close before its end is known.
func hasEnded(p *child.Process) bool {
	select {
	case <-p.Ended():
		return true
	case <-time.After(300 * time.Millisecond):
		return false
	}
}

func serverEnded(p *child.Process) error {
	return fmt.Errorf("the server that was started for this run ended: %w", p.Err())
}

// validServer returns an error when s is no HOST and no HOST:PORT.
func validServer(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil { // a host alone
		host, port = strings.Trim(s, "[]"), defaultPort
	}
	_, notIP := netip.ParseAddr(host)
	if host == "" || strings.Contains(host, "/") || notIP != nil && strings.Contains(host, ":") || validPort(port, 1) != nil {
		return fmt.Errorf("--server %q: use HOST or HOST:PORT, like server.example.net or [2001:db8::1]:2121", s)
	}
	return nil
}

// validPort returns an error when port is no number of a port from least on.
func validPort(port string, least int) error {
	if n, err := strconv.Atoi(port); err != nil || n < least || n > 65535 {
		return fmt.Errorf("%q is no port: use a number from %d to 65535", port, least)
	}
	return nil
}

// resolve returns the address at which the server answers, and the name it was given. A name may stand for several, of which each transport
// might try another, and looking it up is not to be measured.
func resolve(ctx context.Context, server string) (addr, name string, err error) {
	name, _, err = net.SplitHostPort(server)
	if err != nil {
		name = strings.Trim(server, "[]")
		server = net.JoinHostPort(name, defaultPort)
	}
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", server)
	if err != nil {
		return "", "", fmt.Errorf("reach the server: %w; is \"bench server\" running there?", err)
	}
	defer conn.Close()
	return conn.RemoteAddr().String(), name, nil
}

// loopback is where a server that is started listens.
func (o *runOptions) loopback() string {
	if o.ipv6 {
		return "[::1]:0"
	}
	return "127.0.0.1:0"
}

// startServer starts a server as a process of its own and returns its address.
func startServer(listen string) (p *child.Process, addr string, err error) {
	// Nobody else is to be kept from taking too much.
	p, err = child.Start("server", "--child", "--listen", listen, "--max-memory", "1TiB", "--spin")
	if err != nil {
		return nil, "", fmt.Errorf("start the server: %w", err)
	}
	var hello childHello
	if err := json.Unmarshal([]byte(p.First), &hello); err != nil {
		p.Stop()
		return nil, "", fmt.Errorf("start the server: it said %q, not its address: %w", p.First, err)
	}
	return p, hello.Addr, nil
}

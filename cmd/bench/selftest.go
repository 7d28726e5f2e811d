package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tcpvsudp/bench"
	"tcpvsudp/control"
	"tcpvsudp/link"
	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// battery are the links of the self-test: every impairment by itself, in one direction, and all of them at once. Bursts of losses are
// short: a stream that sends a packet again doubles its pause each time, and a channel that is left by packets alone would
// hold it for minutes.
var battery = []string{
	"delay=2ms",
	"delay=2ms,loss=1%",
	"loss=10%",
	"up.loss=5%",
	"down.loss=5%",
	"delay=2ms,gemodel=2%/80%/100%/0.5%",
	"loss-every=7",
	"loss-list=40/41/42/99/160",
	"duplicate=5%",
	"delay=2ms,reorder=3%,distance=1",
	"delay=2ms,reorder=5%,distance=4",
	"corrupt=3%",
	"delay=3ms,jitter=2ms",
	"delay=3ms,jitter=2ms,order=free",
	"rate=2mbit,limit=10p",
	"rate=3mbit,limit=100p,codel=true",
	"delay=2ms,jitter=1ms,order=free,loss=2%,duplicate=2%,reorder=2%,distance=3,corrupt=1%",
}

func newSelftest() *cobra.Command {
	format, quick := "", false
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Check the counts against an emulated link that knows the truth",
		Long: `selftest sends messages across emulated links that lose, duplicate, reorder, corrupt, delay and queue packets, and
sets what was counted beside what the link logged that it did to each packet. Of UDP, the messages lost, duplicated
and reordered must be exactly those of the log. Of TCP, every message must arrive once and in order, and where
packets with data were lost, segments must have been sent again.

It needs Linux, and no rights. It ends with exit code 1 when something differs.`,
		Example: `  bench selftest
  bench selftest --quick --format markdown`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.BoolVar(&quick, "quick", false, "fewer messages: half a minute, not a whole one")
	formatFlag(f, &format)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		as, err := report.ParseFormat(format)
		if err != nil {
			return usage(cmd, err)
		}
		if !isInside() {
			return enter(cmd.Context())
		}
		duration := 1500 * time.Millisecond
		if quick {
			duration = 300 * time.Millisecond
		}
		checks, err := selftest(cmd.Context(), cmd.ErrOrStderr(), duration)
		if err := errors.Join(writeChecks(cmd.OutOrStdout(), checks, as), err); err != nil {
			return err
		}
		for _, c := range checks {
			if c.Verdict != agrees {
				return errors.New("what was counted is not what the link did")
			}
		}
		return nil
	}
	return cmd
}

// A verification is one trial of the self-test: what was counted, and what the link logged.
type verification struct {
	Link      string `csv:"link" json:"link"`
	Transport string `csv:"transport" json:"transport"`
	Sent      uint64 `csv:"sent_messages" json:"sent_messages"`
	// The link's are of messages for UDP. For TCP, PacketsLost are segments with data.
	PacketsLost        uint64 `csv:"link_lost_packets" json:"link_lost_packets"`
	LostDone           uint64 `csv:"link_lost_messages" json:"link_lost_messages"`
	LostMeasured       uint64 `csv:"lost_messages" json:"lost_messages"`
	DuplicatedDone     uint64 `csv:"link_duplicated_messages" json:"link_duplicated_messages"`
	DuplicatedMeasured uint64 `csv:"duplicated_messages" json:"duplicated_messages"`
	ReorderedDone      uint64 `csv:"link_reordered_messages" json:"link_reordered_messages"`
	ReorderedMeasured  uint64 `csv:"reordered_messages" json:"reordered_messages"`
	SentAgain          string `csv:"retransmitted_segments" json:"retransmitted_segments"`
	Verdict            string `csv:"verdict" json:"verdict"`
}

// agrees is the verdict of a verification that holds.
const agrees = "exact"

// loggedLink is a lab whose links keep a log of each trial.
type loggedLink struct {
	labLink
	dir     string
	log     []link.Entry // of the last trial
	missing uint64
	account link.Account
}

// logSize is how many packets of a trial are logged at most.
const logSize = 1 << 18

func (l *loggedLink) Set(ctx context.Context, name string, seed uint64) error {
	spec, err := l.spec(name)
	if err != nil {
		return err
	}
	return l.lab.Set(ctx, spec, seed, logSize)
}

func (l *loggedLink) Account(ctx context.Context) (r results.Link, err error) {
	if l.account, err = l.lab.Account(ctx); err != nil {
		return r, err
	}
	path := filepath.Join(l.dir, "log.csv")
	if l.missing, err = l.lab.WriteLog(ctx, path); err != nil {
		return r, err
	}
	l.log, err = link.ReadLog(path)
	return l.account.Record(), err
}

// selftest carries out the battery.
func selftest(ctx context.Context, stderr io.Writer, duration time.Duration) (checks []verification, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lab, err := openLab(cancel)
	if err != nil {
		return nil, err
	}
	defer lab.Close()
	own, controlAddr, dataAddr, err := startServerAcross(lab)
	if err != nil {
		return nil, err
	}
	defer own.Stop()
	client, err := control.NewClient(controlAddr, control.Access{})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	about, err := client.Server(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-selftest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	across := &loggedLink{labLink: labLink{lab: lab}, dir: dir}
	plan := bench.DefaultPlan()
	plan.Workloads, plan.Sizes, plan.Trials, plan.Rate, plan.Seed = []string{"paced"}, []int{200}, 1, 2000, 1
	plan.Pin = pinAcross(plan.Wait)
	plan.Duration, plan.Warmup = duration, 50*time.Millisecond
	for _, text := range battery {
		specs, err := link.Parse(text)
		if err != nil {
			return nil, err
		}
		planned, err := plannedLink(specs[0])
		if err != nil {
			return nil, err
		}
		across.specs, plan.Links = append(across.specs, specs[0]), append(plan.Links, planned)
	}
	for _, t := range transports {
		// What a stream has lost is sent again, at worst after seconds; a datagram is only late by what the link holds it.
		plan.Protos, plan.Drain = []string{t.Name()}, time.Second
		if !t.Lossy() {
			plan.Drain = 20 * time.Second
		}
		show := newProgress(stderr, false, plan.Estimate(transports))
		client.Waiting = show.waits
		err = bench.Run(ctx, bench.Config{
			Plan: plan, Transports: transports, Control: client, Addr: dataAddr, Limits: about.Limits, OneClock: true, Link: across,
			Keep: func(r results.Record) error {
				show.kept(r.Trial)
				checks = append(checks, across.verify(r.Trial))
				return nil
			},
			Progress: show.tell,
		})
		show.end()
		if err != nil {
			break
		}
	}
	return inOrder(checks), rootCause(ctx, own, err)
}

// inOrder sorts checks as the battery is.
func inOrder(checks []verification) (sorted []verification) {
	for _, name := range battery {
		for _, proto := range []string{"tcp", "udp"} {
			for _, c := range checks {
				if c.Link == strings.ReplaceAll(name, ",", link.Separator) && c.Transport == proto {
					sorted = append(sorted, c)
				}
			}
		}
	}
	return sorted
}

// verify holds a trial against the log of its link.
func (l *loggedLink) verify(t results.Trial) verification {
	c := verification{
		Link: t.Link, Transport: t.Proto, Sent: t.Sent, LostMeasured: t.Lost, DuplicatedMeasured: t.Duplicated, ReorderedMeasured: t.Reordered,
		SentAgain: sumText(t.Retransmissions.Client, t.Retransmissions.Server),
	}
	for _, e := range l.log {
		if e.Fate != link.Released && e.Transport == t.Proto && e.Bytes > 100 {
			c.PacketsLost++
		}
	}
	lostUp := uint64(0)
	if t.Proto == "udp" {
		lostUp, c.LostDone, c.DuplicatedDone, c.ReorderedDone = truth(l.log, t.Sent)
	}
	requests, _ := t.LostRequests.Get()
	again, counted := sum(t.Retransmissions.Client, t.Retransmissions.Server)
	switch {
	case l.missing > 0 || l.account.Up.Missed+l.account.Down.Missed+l.account.Up.Failed+l.account.Down.Failed > 0:
		c.Verdict = "the emulation had no room for all packets"
	case t.Sent == 0 || t.Unique+t.Lost != t.Sent:
		c.Verdict = "the counts contradict each other"
	case c.LostMeasured != c.LostDone || c.DuplicatedMeasured != c.DuplicatedDone || c.ReorderedMeasured != c.ReorderedDone:
		c.Verdict = "differs"
	case t.Proto == "udp" && uint64(requests) != lostUp:
		c.Verdict = fmt.Sprintf("%v requests lost, not %d", requests, lostUp)
	case t.Proto == "tcp" && counted && c.PacketsLost > 0 && again == 0:
		c.Verdict = "nothing was sent again"
	default:
		c.Verdict = agrees
	}
	return c
}

// truth is what the log says of the messages [0, sent) of an echo over UDP, each one datagram: how many requests did not get through, how
// many messages have no reply that did, how many more replies came than one each, and how many came after a later one (RFC 4737:
// of each, the first copy counts). It is written without regard to how the program counts.
func truth(log []link.Entry, sent uint64) (lostUp, lost, duplicated, reordered uint64) {
	up, down := map[uint64]bool{}, map[uint64]bool{}
	next := uint64(0)
	for _, e := range log {
		if e.Fate != link.Released || e.Seq == nil || *e.Seq >= sent {
			continue // the first bit marks what is not measured
		}
		switch bench.Kind(*e.Kind) {
		case bench.Request:
			up[*e.Seq] = true
		case bench.Reply:
			if down[*e.Seq] {
				duplicated++
				continue
			}
			down[*e.Seq] = true
			if *e.Seq < next {
				reordered++
			} else {
				next = *e.Seq + 1
			}
		}
	}
	return sent - uint64(len(up)), sent - uint64(len(down)), duplicated, reordered
}

// sum adds what is known.
func sum(values ...results.Value) (n float64, known bool) {
	for _, v := range values {
		if x, ok := v.Get(); ok {
			n, known = n+x, true
		}
	}
	return n, known
}

func sumText(values ...results.Value) string {
	n, known := sum(values...)
	if !known {
		return ""
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

func writeChecks(w io.Writer, checks []verification, format report.Format) error {
	switch format {
	case report.JSON:
		return writeJSON(w, checks)
	case report.CSV:
		text, err := results.EncodeCSV(checks, true)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}
	table := report.Table{
		Title:  "Self-test: of each kind of messages, done by the link / measured",
		Header: []string{"asked of the link", "", "verdict", "sent", "lost", "duplicated", "reordered", "segments lost / sent again"},
		Text:   3,
	}
	for _, c := range checks {
		segments := ""
		if c.Transport == "tcp" {
			segments = fmt.Sprintf("%d / %s", c.PacketsLost, c.SentAgain)
		}
		pair := func(done, measured uint64) string { return fmt.Sprintf("%d / %d", done, measured) }
		table.Rows = append(table.Rows, []string{c.Link, strings.ToUpper(c.Transport), c.Verdict, fmt.Sprint(c.Sent),
			pair(c.LostDone, c.LostMeasured), pair(c.DuplicatedDone, c.DuplicatedMeasured), pair(c.ReorderedDone, c.ReorderedMeasured), segments})
	}
	return table.Render(w, format == report.Markdown)
}

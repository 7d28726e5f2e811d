package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tcpvsudp/link"
	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// linkOptions are the flags of bench link.
type linkOptions struct {
	link, serve, log, account string
	seed                      uint64
	format                    string
}

func newLink() *cobra.Command {
	o := linkOptions{}
	cmd := &cobra.Command{
		Use:   "link --link LINK [-- COMMAND [ARGS]]",
		Short: "Run other programs across an emulated link",
		Long: `link runs a command on one end of an emulated network, the client's host, from where "server" (` + link.ServerAddr.String() + `) is
the other end; --serve runs one there meanwhile. Without a command it runs a shell. So anybody can check what the link
does, with ping, tcpdump or iperf3. "bench link shell server" in another terminal opens a shell on the server's host, and
"bench link shell client" one more on the client's. It needs Linux, and no rights.

A link is a preset, or settings with commas between, or the one with the other; each way by itself with "up." and "down."
before a word. Words and units are those of tc-netem(8):
  delay=20ms            how long every packet takes one way
  jitter=2ms            by how much that varies; distribution=uniform, normal, or a file with a table of tc-netem's;
                        order=keep (a packet waits for those before it) or free (it may overtake)
  loss=1%               lost independently of each other
  gemodel=1%/10%/70%/0  lost in bursts: from good to bad, back, lost in bad, lost in good
  loss-every=100        every hundredth is lost
  loss-list=3/17        the third and the seventeenth are
  duplicate=1%          sent twice
  reorder=1%            overtaken by distance=1 others
  corrupt=1%            one bit flipped
  rate=10mbit           a bottleneck; limit=1000p or limit=64KiB is its queue, codel=true manages it (RFC 8289)
  trace=FILE            a bottleneck that delivers 1500 B at the times in FILE (ms, Mahimahi's format); up=FILE, down=FILE
  mtu=1280              the largest packet
In "bench run" a list of values makes a sweep: --link 'delay=20ms,loss=0,1%,5%'.

Presets:` + presetList(),
		Example: `  bench link --link lte -- ping -c 3 server
  bench link --link 'delay=20ms,loss=1%' --serve 'iperf3 -s' -- iperf3 -c server -t 2
  bench link --link wifi -- sh -c 'ip address; ip route'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); len(args) > 0 && dash != 0 {
				return fmt.Errorf("unknown argument %q: a command to run comes after --", args[0])
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.link, "link", "clean", "what the link is")
	f.StringVar(&o.serve, "serve", "", "shell command to run on the server's host meanwhile")
	f.Uint64Var(&o.seed, "seed", 0, "decides what happens to which packet; 0 draws one")
	f.StringVar(&o.log, "log", "", "CSV file for what happened to each packet")
	f.StringVar(&o.account, "account", "", "file for what the link did in all, in the way of --format; else it goes to standard error")
	formatFlag(f, &o.format)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) }
	cmd.AddCommand(newLinkShell())
	return cmd
}

func presetList() string {
	var b strings.Builder
	for _, name := range link.Presets() {
		fmt.Fprintf(&b, "\n  %-14s %s", name, link.Preset(name))
	}
	return b.String()
}

// linkLog is how many packets bench link logs at most.
const linkLog = 1 << 22

func (o *linkOptions) run(cmd *cobra.Command, args []string) error {
	specs, err := link.Parse(o.link)
	if err == nil && len(specs) > 1 {
		err = fmt.Errorf("--link %q: these are %d links: give one", o.link, len(specs))
	}
	if err != nil {
		return usage(cmd, err)
	}
	format, err := report.ParseFormat(o.format)
	if err != nil {
		return usage(cmd, err)
	}
	handsOff.Store(term.IsTerminal(int(os.Stdin.Fd()))) // what runs has the terminal
	if !isInside() {
		return enter(cmd.Context())
	}
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	lab, err := openLab(cancel)
	if err != nil {
		return err
	}
	defer lab.Close()
	if err := link.NameHosts(); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "bench: the names client and server are not known here, their addresses are (%s, %s): %v\n", link.ClientAddr, link.ServerAddr, err)
	}
	for _, path := range []string{o.log, o.account} {
		if path == "" {
			continue
		}
		f, err := os.Create(path) // what can't be written is to be known before it is waited for
		if err != nil {
			return err
		}
		f.Close()
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	keep := 0
	if o.log != "" {
		keep = linkLog
	}
	if err := lab.Set(ctx, specs[0], o.seed, keep); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "link %s by %s, seed %d: client %s, server %s\n", specs[0].Name, lab.Means(), o.seed, link.ClientAddr, link.ServerAddr)
	if leave, err := announce(lab); err != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "bench: \"bench link shell\" will not find this link:", err)
	} else {
		defer leave()
	}
	if o.serve != "" {
		end, err := serveOn(lab, o.serve, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		defer end()
	}
	code, err := runOn(ctx, cmd, args)
	ctx = context.WithoutCancel(ctx)
	account, failed := lastAccount(ctx, lab)
	if failed == nil {
		failed = o.writeAccount(cmd.ErrOrStderr(), account, format)
	}
	if o.log != "" && failed == nil {
		var missing uint64
		if missing, failed = lab.WriteLog(ctx, o.log); missing > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "bench: %s holds the first %d packets; %d more had no room\n", o.log, linkLog, missing)
		}
	}
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	if code != 0 {
		return exitError(code)
	}
	return nil
}

// lastAccount is the account when nothing is on the way any more and nothing more comes, or after lastWait.
func lastAccount(ctx context.Context, lab *link.Lab) (a link.Account, err error) {
	before := link.Account{}
	for end := time.Now().Add(lastWait); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if a, err = lab.Account(ctx); err != nil {
			return a, err
		}
		if a.Up.Waiting+a.Down.Waiting == 0 && a.Up.Packets == before.Up.Packets && a.Down.Packets == before.Down.Packets {
			break
		}
		before = a
	}
	return a, nil
}

// lastWait is how long what is on its way may take when the command has ended.
const lastWait = 2 * time.Second

// runOn runs a command on the client's host, a shell without one, and returns its exit code.
func runOn(ctx context.Context, cmd *cobra.Command, args []string) (code int, err error) {
	if len(args) == 0 {
		args = []string{shell()}
	}
	c := exec.Command(args[0], args[1:]...)
	c.Env = outsideEnv()
	c.Stdin, c.Stdout, c.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	link.DieWithParent(c)
	if err := c.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	defer context.AfterFunc(ctx, func() { stop(c, ended) })()
	err = c.Wait()
	close(ended)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if code = exit.ExitCode(); code < 0 {
			code = exitFailed
		}
		err = nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return code, err
}

// serveOn runs a shell command on the server's host until end.
func serveOn(lab *link.Lab, command string, out io.Writer) (end func(), err error) {
	c := exec.Command("sh", "-c", command)
	c.Env = outsideEnv()
	c.Stdout, c.Stderr = out, out
	link.DieWithParent(c)
	link.Lead(c)
	if err := lab.OnServer(c.Start); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	var failed error
	go func() {
		failed = c.Wait()
		close(ended)
	}()
	// What listens takes a moment to.
	select {
	case <-ended:
		if failed != nil {
			return nil, fmt.Errorf("--serve %q: %w", command, failed)
		}
	case <-time.After(serveHead):
	}
	return func() { stop(c, ended) }, nil
}

// stop interrupts a program, and kills it when that does not end it.
func stop(c *exec.Cmd, ended <-chan struct{}) {
	link.Signal(c, syscall.SIGINT)
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		link.Signal(c, syscall.SIGKILL)
		<-ended
	}
}

// serveHead is how much earlier a server is started than its client.
const serveHead = 300 * time.Millisecond

// outsideEnv is the environment without what is said to this process alone.
func outsideEnv() (list []string) {
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, insideEnv+"=") {
			list = append(list, line)
		}
	}
	return list
}

func shell() string {
	if s := os.Getenv("SHELL"); s != "" {
		return s
	}
	return "sh"
}

// writeAccount writes an account to where it is to go.
func (o *linkOptions) writeAccount(stderr io.Writer, a link.Account, format report.Format) error {
	if o.account == "" {
		return writeAccount(stderr, a, format)
	}
	f, err := os.Create(o.account)
	if err != nil {
		return err
	}
	return errors.Join(writeAccount(f, a, format), f.Close())
}

// accountRow is a direction of an account as CSV.
type accountRow struct {
	Direction string `csv:"direction"`
	link.Count
}

// writeAccount says what the link did to the packets.
func writeAccount(w io.Writer, a link.Account, format report.Format) error {
	switch format {
	case report.JSON:
		return writeJSON(w, a)
	case report.CSV:
		text, err := results.EncodeCSV([]accountRow{{"up", a.Up}, {"down", a.Down}}, true)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}
	table := report.Table{
		Title:  "What the link did, in packets of the wire",
		Header: []string{"", "came", "released", "on the way", "lost", "corrupted", "overflowed", "dropped (CoDel)", "duplicated", "reordered", "no room", "late p50, µs", "p99, µs"},
		Text:   1,
	}
	for _, way := range []struct {
		name string
		c    link.Count
	}{{"up", a.Up}, {"down", a.Down}} {
		row := []string{way.name}
		for _, n := range []uint64{way.c.Packets, way.c.Released, way.c.Waiting, way.c.Lost, way.c.Corrupted, way.c.Overflowed, way.c.Dropped, way.c.Duplicates, way.c.Reordered, way.c.Missed + way.c.Failed} {
			row = append(row, fmt.Sprint(n))
		}
		table.Rows = append(table.Rows, append(row, cmp.Or(way.c.LateP50Us.String(), "–"), cmp.Or(way.c.LateP99Us.String(), "–")))
	}
	if err := table.Render(w, format == report.Markdown); err != nil {
		return err
	}
	for _, c := range []link.Count{a.Up, a.Down} {
		if c.Missed+c.Failed > 0 || c.Behind*100 > c.Packets {
			_, err := fmt.Fprintf(w, "The forwarder fell behind: it released %d and %d packets more than 1 ms late, and had no room for %d and %d. It was too much for this machine, and not the link's doing.\n",
				a.Up.Behind, a.Down.Behind, a.Up.Missed+a.Up.Failed, a.Down.Missed+a.Down.Failed)
			return err
		}
	}
	return nil
}

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"tcpvsudp/bench"
	"tcpvsudp/control"
	"tcpvsudp/internal/child"
)

// serverOptions are the flags of bench server.
type serverOptions struct {
	addr            string
	limits          bench.Limits
	exclusive       bool
	secret          string
	cert, key       string
	selfSigned      bool
	log             string
	asChild         bool
	maxSize, maxSum byteCount
	maxRate         bitrate
}

func newServer() *cobra.Command {
	limits := bench.DefaultLimits()
	o := serverOptions{limits: limits, maxSize: byteCount(limits.Size), maxSum: byteCount(limits.Memory)}
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Serve the workloads of bench run",
		Long: `server answers the workloads of "bench run --server ADDRESS": data by TCP and UDP, and control by HTTP,
all on one port number. It takes part in sessions that were agreed and stays silent to anything else. It listens
on the loopback interface unless told otherwise, and serves until it is interrupted.

On a network, ask clients for a secret, and let it cross by TLS: with a certificate of your own (--tls-cert and
--tls-key), or one that the server makes when it starts (--tls-auto), whose fingerprint clients give to --tls-pin.
/healthz and /metrics (Prometheus) are on the same port.

Clients beyond a limit on sessions wait for their turn; those that want more than is allowed at all are told so
before they start. "bench run" without --server starts a server of its own.`,
		Example: `  bench server --listen '[::1]:2121' --exclusive
  bench server
  bench run --server localhost:2121        in another terminal

  openssl rand -hex 16 > secret.txt        for both hosts
  bench server --listen :2121 --secret-file secret.txt --tls-auto --max-rate 1G
  bench run --server server.example.net --secret-file secret.txt --tls-pin sha256:...`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.addr, "listen", "localhost:2121", "address and port to listen on; port 0 is any free one")
	f.StringVar(&o.secret, "secret-file", "", "file whose one line clients must know")
	f.StringVar(&o.cert, "tls-cert", "", "certificate for TLS on the control channel (PEM file)")
	f.StringVar(&o.key, "tls-key", "", "its key (PEM file)")
	f.BoolVar(&o.selfSigned, "tls-auto", false, "make a certificate at the start, and print its fingerprint")
	f.BoolVar(&o.exclusive, "exclusive", false, "one session at a time: clients queue, and none disturbs another's trial")
	f.IntVar(&o.limits.Sessions, "max-sessions", limits.Sessions, "sessions at the same time; clients beyond it wait")
	f.IntVar(&o.limits.SessionsPerAddress, "max-sessions-per-address", limits.SessionsPerAddress, "those of one client address")
	f.IntVar(&o.limits.Flows, "max-flows", limits.Flows, "flows of a session")
	f.Var(&o.maxSize, "max-size", "largest message")
	f.DurationVar(&o.limits.Duration, "max-duration", limits.Duration, "longest trial, its warm-up included")
	f.Var(&o.maxRate, "max-rate", "bits of messages that a session may send a second, each way (100M, 1G); 0 is no limit")
	f.Var(&o.maxSum, "max-memory", "memory for all sessions together")
	f.DurationVar(&o.limits.Idle, "idle", limits.Idle, "how long a client may be silent before its session ends")
	f.BoolVar(&o.limits.Spin, "spin", limits.Spin, "let clients have receivers spin, a core each; by itself on the loopback interface alone")
	f.StringVar(&o.log, "log", "text", "how to log to standard error: text, json or off")
	f.BoolVar(&o.asChild, "child", false, "end with standard input; say the address as JSON")
	f.Lookup("child").Hidden = true
	return cmd
}

func (o *serverOptions) run(cmd *cobra.Command) error {
	logger, err := o.complete(cmd)
	if err != nil {
		return usage(cmd, err)
	}
	secret, security, fingerprint, err := o.security()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	if o.asChild {
		var cancel context.CancelFunc
		ctx, cancel = child.UntilParentGone(ctx, cmd.InOrStdin())
		defer cancel()
	}
	s, err := listen(o.addr, o.limits, security, control.Options{Secret: secret, Log: logger})
	if err != nil {
		return err
	}
	if o.asChild {
		hello, err := json.Marshal(childHello{Addr: s.addr.String()})
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n", hello)
		s.serve(ctx, 0)
		return nil
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "bench server %s: TCP and UDP on %s, until Ctrl-C\n", version(), s.addr)
	if fingerprint != "" {
		fmt.Fprintf(out, "clients use --tls-pin %s\n", fingerprint)
	}
	if secret == "" && !s.addr.Addr().IsLoopback() {
		fmt.Fprintln(out, "anybody who reaches this port can measure against it: --secret-file asks for a secret")
	}
	s.serve(ctx, shutdownGrace)
	malformed, foreign := s.udp.Dropped()
	fmt.Fprintf(out, "stopped; UDP datagrams dropped in silence: %d that were no messages, %d of no session\n", malformed, foreign)
	return nil
}

// shutdownGrace is how long a server that ends waits until its clients have been told.
const shutdownGrace = 6 * time.Second

// complete validates what can be wrong on the command line alone.
func (o *serverOptions) complete(cmd *cobra.Command) (*slog.Logger, error) {
	o.limits.Size, o.limits.Memory, o.limits.RateBps = int(o.maxSize), int64(o.maxSum), float64(o.maxRate)
	if o.exclusive {
		if cmd.Flags().Changed("max-sessions") && o.limits.Sessions != 1 {
			return nil, errors.New("--exclusive is --max-sessions 1: leave one of them out")
		}
		o.limits.Sessions = 1
	}
	if host, _, err := net.SplitHostPort(o.addr); err == nil && !cmd.Flags().Changed("spin") {
		ip, err := netip.ParseAddr(host)
		o.limits.Spin = host == "localhost" || err == nil && ip.IsLoopback()
	}
	if err := o.limits.Validate(); err != nil {
		return nil, err
	}
	if (o.cert == "") != (o.key == "") {
		return nil, errors.New("--tls-cert and --tls-key go together")
	}
	if o.selfSigned && o.cert != "" {
		return nil, errors.New("--tls-auto makes a certificate, and --tls-cert names one: leave one of them out")
	}
	_, port, err := net.SplitHostPort(o.addr)
	if err == nil {
		err = validPort(port, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w; use HOST:PORT", o.addr, err)
	}
	var w io.Writer = cmd.ErrOrStderr()
	switch {
	case o.asChild || o.log == "off":
		return slog.New(slog.DiscardHandler), nil
	case o.log == "text":
		return slog.New(newLimitedLog(slog.NewTextHandler(w, nil))), nil
	case o.log == "json":
		return slog.New(newLimitedLog(slog.NewJSONHandler(w, nil))), nil
	}
	return nil, fmt.Errorf("unknown way to log %q: use text, json or off", o.log)
}

// security reads or makes what guards the control channel; the fingerprint is that of a certificate that was made, or
// named.
func (o *serverOptions) security() (secret control.Secret, config *tls.Config, fingerprint string, err error) {
	if o.secret != "" {
		if secret, err = control.ReadSecret(o.secret); err != nil {
			return "", nil, "", err
		}
	}
	switch {
	case o.selfSigned:
		config, fingerprint, err = control.SelfSignedTLS("bench server")
	case o.cert != "":
		if config, err = control.ServerTLS(o.cert, o.key); err == nil {
			fingerprint = control.Fingerprint(config.Certificates[0].Certificate[0])
		}
	}
	return secret, config, fingerprint, err
}

// childHello is the first line of a server that was started by bench run.
type childHello struct {
	Addr string `json:"addr"`
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tcpvsudp/bench"
	"tcpvsudp/control"
	"tcpvsudp/internal/child"
	"tcpvsudp/internal/host"
	"tcpvsudp/tcp"
	"tcpvsudp/udp"
)

func newServer() *cobra.Command {
	var addr string
	var asChild bool
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Serve the workloads of bench run",
		Long: `server answers the workloads of "bench run --server ADDRESS": data by TCP and UDP, and control by HTTP,
all on one port number. It takes part in sessions that were agreed and stays silent to anything else. It listens
on the loopback interface unless told otherwise, and serves until it is interrupted.

"bench run" without --server starts one of its own.`,
		Example: `  bench server --listen '[::1]:2121'
  bench server
  bench run --server localhost:2121    in another terminal`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if asChild {
				var cancel context.CancelFunc
				ctx, cancel = child.UntilParentGone(ctx, cmd.InOrStdin())
				defer cancel()
			}
			s, err := listen(addr)
			if err != nil {
				return err
			}
			if asChild {
				hello, err := json.Marshal(childHello{Addr: s.addr.String()})
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n", hello)
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "bench server %s: TCP and UDP on %s, until Ctrl-C\n", version(), s.addr)
			}
			s.serve(ctx)
			if !asChild {
				malformed, foreign := s.udp.Dropped()
				fmt.Fprintf(cmd.OutOrStdout(), "stopped; UDP datagrams dropped in silence: %d that were no messages, %d of no session\n", malformed, foreign)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&addr, "listen", "localhost:2121", "address and port to listen on; port 0 is any free one")
	cmd.Flags().BoolVar(&asChild, "child", false, "end with standard input; say the address as JSON")
	cmd.Flags().Lookup("child").Hidden = true
	return cmd
}

// childHello is the first line of a server that was started by bench run.
type childHello struct {
	Addr string `json:"addr"`
}

// server is data and control on one port.
type server struct {
	addr     netip.AddrPort
	tcp      *tcp.Server
	udp      *udp.Server
	http     *http.Server
	sessions *bench.Table
}

// portTries is how often a port that is free for TCP is looked for when UDP has it taken.
const portTries = 20

// listen binds addr for both transports; nothing is served yet.
func listen(addr string) (*server, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w; use HOST:PORT", addr, err)
	}
	sessions := bench.NewTable()
	for try := 1; ; try++ {
		t, err := tcp.Listen(addr, sessions)
		if err != nil {
			return nil, explainListen(err, "--listen")
		}
		// The name may stand for several addresses: both transports are to have the same one.
		u, err := udp.Listen(t.Addr().String(), sessions)
		if err == nil {
			about := control.Server{Version: version(), Host: host.Read()}
			return &server{addr: t.Addr(), tcp: t, udp: u, sessions: sessions, http: &http.Server{
				Handler:           control.Handler(sessions, about),
				ReadHeaderTimeout: 10 * time.Second,
				ErrorLog:          log.New(io.Discard, "", 0), // a client that breaks off is no news
			}}, nil
		}
		t.Close()
		if port != "0" || try == portTries {
			return nil, explainListen(err, "--listen")
		}
	}
}

// explainListen says what to do about a port that is taken.
func explainListen(err error, flag string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; is another server running? choose another port with %s, or 0 for any free one", err, flag)
	}
	return err
}

// serve serves until ctx is done, and returns when all has ended.
func (s *server) serve(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { _ = s.tcp.Serve() }) // each ends with nil, when it is closed below
	all.Go(func() { _ = s.udp.Serve() })
	all.Go(func() { _ = s.http.Serve(s.tcp.Control()) })
	<-ctx.Done()
	_ = s.http.Close()
	_ = s.udp.Close()
	_ = s.tcp.Close()
	for _, id := range s.sessions.IDs() {
		_ = s.sessions.End(id)
	}
	all.Wait()
}

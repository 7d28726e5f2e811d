package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"tcpvsudp/tcp"
	"tcpvsudp/udp"
)

func newEcho() *cobra.Command {
	var (
		protos []string
		addr   string
		buffer int
		limit  = byteCount(10_000_000)
	)
	cmd := &cobra.Command{
		Use:   "echo",
		Short: "Serve the plain echo of RFC 862 for any client",
		Long: `echo sends back what it is sent, by TCP and UDP, until it is interrupted: what TCP's clients send as a stream,
and of every UDP datagram what fits into the buffer. It listens on the loopback interface unless told otherwise,
answers no datagram from a port of a service that would answer in turn, and sends back no more than --limit.`,
		Example: `  bench echo --proto tcp,udp --addr localhost:2121 --buffer 8
  echo hello | nc -N localhost 2121      in another terminal
  echo hello | nc -u -w1 localhost 2121`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if buffer < 1 || buffer > bufferLimit {
				return usage(cmd, fmt.Errorf("a buffer of %d bytes: use from 1 to %d", buffer, bufferLimit))
			}
			return runEcho(cmd, protos, addr, buffer, int(limit))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&protos, "proto", []string{"tcp", "udp"}, "transports to serve")
	f.StringVar(&addr, "addr", "localhost:2121", "address and port to listen on; port 0 is any free one")
	f.IntVar(&buffer, "buffer", 4096, "bytes read at once")
	f.Var(&limit, "limit", "bytes/s sent back by each transport: more waits (TCP) or is dropped (UDP); 0 is no limit")
	return cmd
}

// bufferLimit is the largest buffer in bytes that is allocated for every connection.
const bufferLimit = 1 << 20

// unlimited lets everything pass.
var unlimited = rate.NewLimiter(rate.Inf, 0)

// limiter lets so many bytes pass a second, a tenth of them at once, and a buffer with its headers in any case; 0 is no
// limit.
func limiter(bytes, buffer int) *rate.Limiter {
	if bytes == 0 {
		return unlimited
	}
	return rate.NewLimiter(rate.Limit(bytes), max(bytes/10, buffer+100))
}

// runEcho binds every transport before it serves any.
func runEcho(cmd *cobra.Command, protos []string, addr string, buffer, limit int) error {
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	var serve []func() error
	for _, proto := range protos {
		var bound net.Addr
		var err error
		switch proto {
		case "tcp":
			var l net.Listener
			if l, err = net.Listen("tcp", addr); err == nil {
				defer l.Close()
				bound = l.Addr()
				serve = append(serve, func() error { return tcp.Echo(ctx, l, buffer, limiter(limit, buffer)) })
			}
		case "udp":
			var c net.PacketConn
			if c, err = net.ListenPacket("udp", addr); err == nil {
				defer c.Close()
				bound = c.LocalAddr()
				serve = append(serve, func() error { return udp.Echo(ctx, c.(*net.UDPConn), buffer, limiter(limit, buffer)) })
			}
		default:
			return usage(cmd, fmt.Errorf("unknown protocol %q: use one or more of tcp,udp", proto))
		}
		if err != nil {
			return explainListen(err, "--addr")
		}
		fmt.Fprintf(cmd.OutOrStdout(), "echo by %s on %s with a buffer of %d bytes, until Ctrl-C\n", proto, bound, buffer)
	}
	if len(serve) == 0 {
		return usage(cmd, errors.New("no protocol is given: use one or more of tcp,udp"))
	}
	var all errgroup.Group
	for _, f := range serve {
		all.Go(func() error {
			defer stop()
			return f()
		})
	}
	return all.Wait()
}

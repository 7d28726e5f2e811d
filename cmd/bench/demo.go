package main

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tcpvsudp/demo"
	"tcpvsudp/tcp"
	"tcpvsudp/udp"
)

func newDemo() *cobra.Command {
	o := demo.Options{Buffer: 1, From: 1, To: 20, Every: 50 * time.Millisecond}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show why a stream of bytes is not a stream of messages",
		Long: `demo counts aloud to an echo by TCP and to one by UDP, both of its own and both reading with a small buffer,
and shows side by side what was sent and what came back: TCP's replies fall behind and lose nothing, UDP's are on
time and cut off.`,
		Example: `  bench demo
  bench demo --buffer 2 --from 95 --to 105
  bench demo --buffer 8 --every 0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Validate(); err != nil {
				return usage(cmd, err)
			}
			return runDemo(cmd, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&o.Buffer, "buffer", o.Buffer, "bytes that both echoes, and the client, read at once")
	f.IntVar(&o.From, "from", o.From, "first number")
	f.IntVar(&o.To, "to", o.To, "last number")
	f.DurationVar(&o.Every, "every", o.Every, "time from one number to the next")
	return cmd
}

// runDemo runs the demo against two echoes of its own.
func runDemo(cmd *cobra.Command, o demo.Options) error {
	ctx, stop := context.WithCancel(cmd.Context())
	var echoes sync.WaitGroup
	defer echoes.Wait()
	defer stop()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	echoes.Go(func() { _ = tcp.Echo(ctx, l, o.Buffer, unlimited) })
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	echoes.Go(func() { _ = udp.Echo(ctx, u, o.Buffer, unlimited) })

	stream, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer stream.Close()
	datagrams, err := net.Dial("udp", u.LocalAddr().String())
	if err != nil {
		return err
	}
	defer datagrams.Close()
	return demo.Run(cmd.Context(), cmd.OutOrStdout(), o, stream, datagrams)
}

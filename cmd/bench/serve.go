package main

import (
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"tcpvsudp/results/serve"
)

func newServe() *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:   "serve [FOLDER]",
		Short: "Show the runs of a folder as pages, to this host alone",
		Long: `serve shows the runs in FOLDER (without it, results) in a browser: a list that can be searched, the tables of each run, the
comparison of two, and the files to take away. It changes nothing, and the pages need no JavaScript.

It listens on the loopback interface alone and refuses any other address: nobody is asked for a password. It serves until
it is interrupted, and then ends with exit code 0.`,
		Example: `  bench serve
  bench serve results --addr 127.0.0.1:8787`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8787", "address and port to listen on, of the loopback interface; port 0 is any free one")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := serve.Loopback(addr); err != nil {
			return usage(cmd, fmt.Errorf("--addr: %w", err))
		}
		_, port, _ := net.SplitHostPort(addr) // Loopback has found it whole
		if err := validPort(port, 0); err != nil {
			return usage(cmd, fmt.Errorf("--addr: %w", err))
		}
		dir := defaultOut
		if len(args) == 1 {
			dir = args[0]
		}
		pages, err := serve.Open(dir)
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return explainListen(err, "--addr")
		}
		defer l.Close()
		if err := serve.Loopback(l.Addr().String()); err != nil { // a hosts file may say anything of localhost
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "the runs in %s are on http://%s/ until Ctrl-C\n", dir, l.Addr())
		if err := serve.Serve(cmd.Context(), l, pages); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), "stopped")
		return nil
	}
	return cmd
}

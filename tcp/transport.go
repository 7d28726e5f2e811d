package tcp

import (
	"context"
	"fmt"
	"net"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// Transport opens TCP flows. The zero value is ready.
type Transport struct{}

var _ bench.Transport = Transport{}

// Name implements bench.Transport.
func (Transport) Name() string { return "tcp" }

// MaxMessage implements bench.Transport: a stream sets no limit, so it is the one of every session.
func (Transport) MaxMessage() int { return bench.MaxSize }

// Lossy implements bench.Transport: what is lost is sent again.
func (Transport) Lossy() bool { return false }

// KnowsCongestionControl tells whether this system has an algorithm of that name.
func KnowsCongestionControl(name string) bool { return socket.KnowsCongestionControl(name) }

// dialer leaves keep-alives off: a trial is shorter than their period, and setting them up would be part of
// what connect measures.
var dialer = net.Dialer{KeepAlive: -1}

// Dial implements bench.Transport: it shakes hands. TCP_NODELAY is on (Go's default), the buffers are left
// to autotuning unless o says otherwise.
func (Transport) Dial(ctx context.Context, addr string, o bench.Options) (bench.Flow, error) {
	c, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err // a *net.OpError: it says "dial tcp <addr>"
	}
	conn := c.(*net.TCPConn)
	if err := socket.AskBuffers(conn, o.SendBuffer, o.RecvBuffer); err != nil {
		conn.Close()
		return nil, fmt.Errorf("dial tcp %s: set socket buffers: %w", addr, err)
	}
	if o.Congestion != "" {
		_ = socket.AskCongestionControl(socket.Of(conn), o.Congestion) // refused: what is granted says so
	}
	if o.Brief {
		_ = conn.SetLinger(0) // refused: the port stays in TIME_WAIT, no more
	}
	return newFlow(conn, o), nil
}

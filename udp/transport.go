package udp

import (
	"context"
	"fmt"
	"net"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// MaxMessage is the largest payload of a UDP datagram over IPv4 in bytes: 65535 - 20 - 8 (RFC 791, RFC 768).
const MaxMessage = 65507

// recvBuffer is the SO_RCVBUF that is asked where nobody says otherwise: a receiver that is away for a
// moment needs room for what comes meanwhile.
const recvBuffer = 4 << 20

// Transport opens UDP flows. The zero value is ready.
type Transport struct{}

var _ bench.Transport = Transport{}

// Name implements bench.Transport.
func (Transport) Name() string { return "udp" }

// MaxMessage implements bench.Transport.
func (Transport) MaxMessage() int { return MaxMessage }

// Lossy implements bench.Transport: what is lost is lost.
func (Transport) Lossy() bool { return true }

var dialer net.Dialer

// Dial implements bench.Transport: it makes a socket that sends to addr and hears addr alone.
func (Transport) Dial(ctx context.Context, addr string, o bench.Options) (bench.Flow, error) {
	c, err := dialer.DialContext(ctx, "udp", addr)
	if err != nil {
		return nil, err // a *net.OpError: it says "dial udp <addr>"
	}
	conn := c.(*net.UDPConn)
	if o.RecvBuffer == 0 {
		o.RecvBuffer = recvBuffer
	}
	if err := socket.AskBuffers(conn, o.SendBuffer, o.RecvBuffer); err != nil {
		conn.Close()
		return nil, fmt.Errorf("dial udp %s: set socket buffers: %w", addr, err)
	}
	if err := socket.Fragment(conn, !o.DontFragment); err != nil && o.DontFragment {
		conn.Close()
		return nil, fmt.Errorf("dial udp %s: forbid fragmentation: %w", addr, err)
	}
	return newFlow(conn, o), nil
}

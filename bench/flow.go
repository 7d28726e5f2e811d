package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Transport opens flows to a server.
type Transport interface {
	// Name is the transport's word in flags and columns: "tcp", "udp".
	Name() string
	// MaxMessage is the largest message it carries, in bytes.
	MaxMessage() int
	// Lossy tells whether messages may be lost on the way without the sender being told. It serves to
	// estimate how long a plan takes; no workload asks.
	Lossy() bool
	// Dial opens a flow to a server's data port, "host:port". It exchanges no message of ours: TCP
	// shakes hands, UDP makes a socket.
	Dial(ctx context.Context, addr string, o Options) (Flow, error)
}

// A Flow is one conversation of a client with a server. Messages are size bytes, HeaderSize or more; a
// block holds a whole number of them, end to end.
//
// One goroutine may send while another receives; each of the two belongs to one goroutine at a time. Deadlines
// may be set, and Close called, from anywhere, at any time. The caller owns every block: a flow
// keeps none after the call returns.
type Flow interface {
	// Send gives the messages of block to the kernel and returns how many it took whole. n is less
	// than all of them only with an error.
	Send(block []byte, size int) (n int, err error)
	// Recv fills block with whole messages, of which it waits for one at least, and returns their
	// number. It never returns part of a message: what has come of one is kept for the next call,
	// across a deadline too. block has room for one message or more and comes from NewBlock.
	// At the end of what the peer sent the error is io.EOF.
	Recv(block []byte, size int) (n int, err error)
	// SetSendDeadline and SetRecvDeadline bound Send and Recv, those under way and those to come; past it they
	// return an error that errors.Is os.ErrDeadlineExceeded. The zero time is no deadline.
	SetSendDeadline(t time.Time) error
	SetRecvDeadline(t time.Time) error
	// Granted is what the kernel has really given, asked of it at the call, before Close.
	Granted() Granted
	// Traffic is what the flow has counted below the message. Call it when no Send or Recv runs.
	Traffic() Traffic
	// Close ends the flow; calls under way and later ones return an error that errors.Is net.ErrClosed.
	Close() error
}

// Options is what is asked of a flow. A zero field leaves the choice to the kernel or the transport.
type Options struct {
	Wait Wait
	// SendBuffer and RecvBuffer are SO_SNDBUF and SO_RCVBUF in bytes.
	SendBuffer, RecvBuffer int
	// DontFragment forbids to cut a message into several packets on the way, for a transport that would.
	DontFragment bool
	// Brief says that the flow is opened for a single exchange, after which nothing is in flight: TCP
	// then closes by a reset, so that no port of a thousand connections a second stays in TIME_WAIT.
	Brief bool
}

// Granted is what the kernel gave, beside what it was asked. A field that this platform can't tell, or that was
// not asked, is zero or empty, and is recorded as not known.
type Granted struct {
	Wait Wait `json:"wait"`
	// The buffers are in bytes, as the kernel tells them: Linux doubles what it is asked, for its own
	// bookkeeping.
	SendBufferAsked   int    `json:"send_buffer_asked_bytes,omitempty"`
	SendBuffer        int    `json:"send_buffer_bytes,omitempty"`
	RecvBufferAsked   int    `json:"recv_buffer_asked_bytes,omitempty"`
	RecvBuffer        int    `json:"recv_buffer_bytes,omitempty"`
	CongestionControl string `json:"congestion_control,omitempty"`
}

// Traffic counts what a flow saw below the message.
type Traffic struct {
	// SendCalls and RecvCalls are system calls that moved data.
	SendCalls uint64 `json:"send_calls"`
	RecvCalls uint64 `json:"recv_calls"`
	// Truncated datagrams were longer than a message; Malformed ones were shorter.
	Truncated uint64 `json:"truncated"`
	Malformed uint64 `json:"malformed"`
}

// Add adds u to t.
func (t *Traffic) Add(u Traffic) {
	t.SendCalls += u.SendCalls
	t.RecvCalls += u.RecvCalls
	t.Truncated += u.Truncated
	t.Malformed += u.Malformed
}

func (t Traffic) minus(u Traffic) Traffic {
	return Traffic{t.SendCalls - u.SendCalls, t.RecvCalls - u.RecvCalls, t.Truncated - u.Truncated, t.Malformed - u.Malformed}
}

// ErrSendQueueFull says that the sender's own queue had no room for a message (ENOBUFS): it was lost
// before it left. A Flow's Send returns it wrapped; the message counts as sent, and is lost.
var ErrSendQueueFull = errors.New("send queue full")

// ErrUnreachable says that there was no way to the peer when a message was sent. A Flow's Send returns it wrapped; the
// message counts as sent, and is lost: the way may be there again for the next.
var ErrUnreachable = errors.New("no way to the peer")

// ErrTooLong says that a message does not fit through the path in one packet, and Options.DontFragment was set.
// A Flow's Send returns it wrapped.
var ErrTooLong = errors.New("message too long for the path")

// Wait is the way a receiver waits for the next message.
type Wait uint8

const (
	// Block sleeps until the kernel wakes the thread.
	Block Wait = iota
	// Spin asks again without end: no wake-up is measured, and a core is spent.
	Spin
)

// ParseWait returns the way of waiting named s.
func ParseWait(s string) (Wait, error) {
	for _, w := range []Wait{Block, Spin} {
		if s == w.String() {
			return w, nil
		}
	}
	return Block, fmt.Errorf("unknown way of waiting %q: use block or spin", s)
}

func (w Wait) String() string {
	if w == Spin {
		return "spin"
	}
	return "block"
}

// MarshalText implements encoding.TextMarshaler.
func (w Wait) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *Wait) UnmarshalText(text []byte) (err error) {
	*w, err = ParseWait(string(text))
	return err
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
// may be set, and Close called, from anywhere, at any time.
type Flow interface {
	Sender
	// Recv waits for one message at least and returns all that came with it, whole and end to end. It never returns part
	// of a message: what has come of one is kept for the next call, across a deadline too. The block is the flow's: the
	// caller may change it, and has it until the next Recv. At the end of what the peer sent the error is io.EOF.
	Recv(size int) (block []byte, err error)
	// SetSendDeadline and SetRecvDeadline bound Send and Recv, those under way and those to come: past it they no longer wait,
	// and after one that was over when it was set they do nothing, and return an error that errors.Is
	// os.ErrDeadlineExceeded. The zero time is no deadline.
	SetSendDeadline(t time.Time) error
	SetRecvDeadline(t time.Time) error
	// Granted is what the kernel has really given, asked of it at the call, before Close.
	Granted() Granted
	// Close ends the flow; calls under way and later ones return an error that errors.Is net.ErrClosed.
	Close() error
}

// An Eager flow can tell what has come without waiting for it.
type Eager interface {
	Flow
	// Try is Recv that returns an empty block where that would wait. ok is false where the flow can't tell.
	Try(size int) (block []byte, ok bool, err error)
}

// A Sender is the half of a Flow that sends.
type Sender interface {
	// Send gives the messages of block to the kernel and returns how many it took whole. n is less
	// than all of them only with an error. more says that another Send follows at once, so that the end of block may wait for
	// it; an empty block without more says that none does after all. The block stays the caller's.
	Send(block []byte, size int, more bool) (n int, err error)
	// Batch is how many messages of size bytes Send should be given at once.
	Batch(size int) int
	// Traffic is what was counted below the message. Call it when no Send or Recv runs.
	Traffic() Traffic
}

// Options is what is asked of a flow. A zero field leaves the choice to the kernel or the transport.
type Options struct {
	Wait Wait
	// SendBuffer and RecvBuffer are SO_SNDBUF and SO_RCVBUF in bytes.
	SendBuffer, RecvBuffer int
	// Block is about how many bytes the flow should be ready to take at once.
	Block int
	// DontFragment forbids to cut a message into several packets on the way, for a transport that would.
	DontFragment bool
	// Brief says that the flow is opened for a single exchange, after which nothing is in flight: TCP
	// then closes by a reset, so that no port of a thousand connections a second stays in TIME_WAIT.
	Brief bool
	// Bulk says that one end sends as fast as it goes, and no waiting is measured.
	Bulk bool
	// Many says that there are so many flows that none can have a thread for itself.
	Many bool
	// Buffers are *[]byte that a session's many flows share, nil for none.
	Buffers *sync.Pool
	Fast
}

// onesInBlock is how many messages a sender takes at once that gives them to the kernel one by one, or by so few.
const onesInBlock = 64

// BlockOf is how many messages of size bytes a sender should take at once, who gives Batch of them to the kernel a call, or with
// 0 all: as many as fill Block.
func (o Options) BlockOf(size int) int {
	fill := max(o.Block/size, 1)
	if o.Batch == 0 || o.Batch >= fill {
		return max(fill, o.Batch)
	}
	return max(min(fill, onesInBlock)/o.Batch, 1) * o.Batch
}

// Fast is by which means messages are carried, at both ends.
type Fast struct {
	// Batch is how many messages are given to the kernel at once, by one system call; 0 for as many as serve best.
	Batch int `json:"batch,omitempty"`
	// NoOffload forbids to give the kernel several datagrams as one, which it or the network device cuts, or to take them so.
	NoOffload bool `json:"no_offload,omitempty"`
	// Portable leaves this system's own fast paths out, for those that every system has.
	Portable bool `json:"portable,omitempty"`
	// Congestion names the algorithm of congestion control; empty leaves it to the system.
	Congestion string `json:"congestion_control,omitempty"`
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
	// Offload tells whether the kernel cuts and joins messages for the flow.
	Offload Offload `json:"offload,omitempty"`
	// Path is by which means the flow was carried.
	Path Path `json:"path,omitempty"`
	// CPUs are those that the flow's threads were bound to, by their numbers; empty for all.
	CPUs string `json:"cpus,omitempty"`
}

// Offload says what the kernel does with blocks of messages.
type Offload string

// The Offloads. A stream has none of its own.
const (
	OffloadOff     Offload = "off"     // not asked for, or not there
	OffloadOn      Offload = "on"      // it cuts what is sent (UDP_SEGMENT) and joins what is received (UDP_GRO)
	OffloadRefused Offload = "refused" // it was on, until the kernel or a device refused it
)

// Path says which system calls a flow is made of.
type Path string

// The Paths.
const (
	PathPortable Path = "portable" // those of package net
	PathShared   Path = "shared"   // this system's, waiting by the poller that all flows share
	PathOwn      Path = "own"      // this system's, waiting on a thread of its own
)

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

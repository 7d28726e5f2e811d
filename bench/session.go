package bench

import (
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"tcpvsudp/internal/host"
)

// Mode is what a server does with the flows of a session.
type Mode string

const (
	// Echo sends every request back as a reply.
	Echo Mode = "echo"
	// Sink counts the requests and sends nothing.
	Sink Mode = "sink"
	// Source sends messages of its own, as replies, once it has been asked to by a request on the flow.
	Source Mode = "source"
	// Duplex has twice the flows: the first half are those of a sink, the second half those of a source.
	Duplex Mode = "duplex"
)

// Spec is what a client and a server agree on for one trial.
type Spec struct {
	// Proto is the transport by which the messages come; those that come by another are not the session's.
	Proto string `json:"proto"`
	Mode  Mode   `json:"mode"`
	Size  int    `json:"size_bytes"`
	// Flows is their number in each direction that Mode has.
	Flows int  `json:"flows"`
	Wait  Wait `json:"wait"`
	// Duration is how long whoever sends is going to, the Warmup at its beginning included, and Interval the length
	// of the buckets of the time series.
	Warmup   time.Duration `json:"warmup_ns"`
	Duration time.Duration `json:"duration_ns"`
	Interval time.Duration `json:"interval_ns"`
	// RateBps is how many bits of messages are sent a second in each direction, all flows together, at most; 0 is as
	// fast as it goes.
	RateBps float64 `json:"rate_bps,omitempty"`
	// Verify asks that every byte after the header is checked.
	Verify bool `json:"verify,omitempty"`
	// StampEach asks a source to read the clock for every message, and not for every block.
	StampEach bool `json:"stamp_each,omitempty"`
	// Pin says where the server's receivers and sources run; OneHost that the client is on the server's host.
	Pin     Pin  `json:"pin,omitempty"`
	OneHost bool `json:"one_host,omitempty"`
	Fast
}

// Validate returns an error that names the first field which nobody can serve.
func (s Spec) Validate() error {
	switch {
	case s.Mode != Echo && s.Mode != Sink && s.Mode != Source && s.Mode != Duplex:
		return fmt.Errorf("mode %q: use %s, %s, %s or %s", s.Mode, Echo, Sink, Source, Duplex)
	case s.Size < HeaderSize || s.Size > MaxSize:
		return fmt.Errorf("message size %d: it must be from %d to %d bytes", s.Size, HeaderSize, MaxSize)
	case s.Flows < 1 || s.Flows > MaxFlows:
		return fmt.Errorf("%d flows: there must be from 1 to %d", s.Flows, MaxFlows)
	case s.Duration <= 0 || s.Duration > MaxDuration:
		return fmt.Errorf("duration %v: it must be above 0 and no more than %v", s.Duration, MaxDuration)
	case s.Warmup < 0 || s.Warmup > s.Duration:
		return fmt.Errorf("warm-up %v: it must be from 0 to the duration of %v", s.Warmup, s.Duration)
	case !(s.RateBps == 0 || s.RateBps >= 0.1 && s.RateBps <= 1e15): // a NaN is refused too
		return fmt.Errorf("%v bit/s: use 0 for as fast as it goes, or from 0.1 to 1e15", s.RateBps)
	case s.Batch < 0 || s.Batch > MaxBatch || s.Batch > 1 && int64(s.Batch)*int64(s.Size) > MaxSize:
		return fmt.Errorf("%d messages of %d bytes at once: there must be no more than %d, and no more bytes than %d", s.Batch, s.Size, MaxBatch, MaxSize)
	case len(s.Congestion) > 15: // TCP_CA_NAME_MAX of Linux, with its zero
		return fmt.Errorf("congestion control %q: a name has no more than 15 letters", s.Congestion)
	case len(s.Pin) > maxPin:
		return fmt.Errorf("pin: a list of processors has no more than %d characters", maxPin)
	case s.Pin != "" && s.Pin.Validate(s.Wait) != nil:
		return s.Pin.Validate(s.Wait)
	case s.Interval > 0 && s.Duration/s.Interval >= MaxSeries:
		return fmt.Errorf("%v in intervals of %v: there must be no more than %d intervals", s.Duration, s.Interval, MaxSeries)
	case s.Interval < 0 || s.Interval > 0 && int64(s.FlowCount())*int64(s.Duration/s.Interval+1) > MaxBuckets:
		return fmt.Errorf("%d flows of %v in intervals of %v: there must be no more than %d intervals in all", s.Flows, s.Duration, s.Interval, MaxBuckets)
	}
	return nil
}

// FlowCount is the number of flows in all directions.
func (s Spec) FlowCount() int {
	if s.Mode == Duplex {
		return 2 * s.Flows
	}
	return s.Flows
}

// modeOf is what the server does with a flow by itself.
func (s Spec) modeOf(flow int) Mode {
	switch {
	case s.Mode != Duplex:
		return s.Mode
	case flow < s.Flows:
		return Sink
	}
	return Source
}

// A Session is the server's half of one trial, the same for every transport: it counts what arrives and
// says what goes back.
type Session struct {
	ID     uint64
	Spec   Spec
	client netip.Addr
	key    string // of the client's request, so that asking again makes no second session
	flows  []Inbound

	footprint footprint
	buffers   sync.Pool // of its flows, where they share them
	cpus      []int     // those that the flows' threads are bound to, nil for all

	expiry  *time.Timer
	expires int64        // when it ends whatever the client says
	heard   atomic.Int64 // when the client was last heard on the control channel

	epoch    atomic.Int64 // when the first measured message arrived, or left a source; 0 before
	cpuBegun atomic.Int64
	overflow overflowReadings
	faulty   uint64      // faultyDatagrams at the beginning
	shared   atomic.Bool // another session was open at some time
	ended    atomic.Bool
	done     chan struct{} // closed when ended and forgotten by its table
	settling sync.Once
	police   *police      // nil where the rate is not limited
	latest   atomic.Int64 // when the last message may come, 0 before the first has
	endBy    func(why error)

	mu sync.Mutex // held to change any flow's conn
}

// Inbound is one flow of a session as the server sees it. It belongs to whoever has entered it.
type Inbound struct {
	session *Session
	number  uint32
	mode    Mode
	held    atomic.Bool
	tally   *Tally
	traffic Traffic
	granted Granted
	path    PathInfos // of connections that have been detached; guarded by session.mu
	source  source
	conn    io.Closer // what carries the flow, of a transport that has one for each
}

// init takes all that the session's flows need while measuring.
func (s *Session) init() {
	s.done = make(chan struct{})
	s.cpus = s.Spec.Pin.server(s.Spec.OneHost)
	var body []byte
	if s.Spec.Verify {
		body = pattern(s.Spec.Size)
	}
	s.flows = make([]Inbound, s.Spec.FlowCount())
	for i := range s.flows {
		s.flows[i] = Inbound{
			session: s,
			number:  uint32(i),
			mode:    s.Spec.modeOf(i),
			tally:   newTally(s.Spec.Flows, body, newSeries(&s.epoch, int64(s.Spec.Interval), int64(s.Spec.Duration))),
			source:  source{stop: make(chan struct{}), done: make(chan struct{})},
		}
	}
}

// Client is the address that the session was agreed with.
func (s *Session) Client() netip.Addr { return s.client }

// Enter makes the caller the flow's owner, who alone may call Arrived, Count and SetGranted until it calls
// Leave, after a block. It is how a session's end knows that no count is under way: one atomic instruction where
// nobody owns the flow. Otherwise it waits for the owner to leave, and returns false when the session has ended.
func (in *Inbound) Enter() bool {
	for tries := 0; !in.tryEnter(); tries++ {
		if in.session.ended.Load() {
			return false
		}
		if tries < 1000 {
			runtime.Gosched()
		} else {
			time.Sleep(100 * time.Microsecond)
		}
	}
	return true
}

func (in *Inbound) tryEnter() bool { return in.held.CompareAndSwap(false, true) }

// Leave ends what Enter began.
func (in *Inbound) Leave() { in.held.Store(false) }

// Number is the flow's, of those of its session.
func (in *Inbound) Number() uint32 { return in.number }

// Session is the session that the flow is part of.
func (in *Inbound) Session() *Session { return in.session }

// Size is the size of the session's messages in bytes.
func (in *Inbound) Size() int { return in.session.Spec.Size }

// BlockBytes is about how much the flow's receiver should be ready to take at once.
func (in *Inbound) BlockBytes() int { return in.session.Spec.BlockBytes() }

// Wait is the way the session's receivers wait.
func (in *Inbound) Wait() Wait { return in.session.Spec.Wait }

// Arrived counts the messages of block, all of the session's size, that arrived at time at, and returns
// those to be sent back: in place, at the start of block. It allocates nothing, and nothing that it is
// given makes it answer a reply. It returns start, once, when the flow's source is to start: then the caller
// calls Pump, after Leave.
func (in *Inbound) Arrived(block []byte, at int64) (reply []byte, start bool) {
	size := in.session.Spec.Size
	if !in.session.inTime(at) {
		return nil, false
	}
	out, measured, begun := 0, 0, false
	for off := 0; off+size <= len(block); {
		msg := block[off : off+size]
		if n, counted := in.row(block[off:], size); n > 0 {
			begun = true
			measured += counted
			off += n * size
			continue
		}
		off += size
		h, ok := ParseHeader(msg)
		if !ok || h.Session != in.session.ID || h.Flow != in.number || h.Kind == Reply {
			in.tally.foreign++
			continue
		}
		if h.Kind == Request {
			begun = true
			if in.mode == Source {
				start = in.source.start() || start
				continue
			}
			if h.Seq&WarmUp == 0 {
				if in.tally.message(msg, h.Seq, at) {
					measured++
				}
			}
			if in.mode == Sink {
				continue
			}
		}
		setKind(msg, Reply)
		setStamp(msg, at)
		if out != off-size {
			copy(block[out:out+size], msg)
		}
		out += size
	}
	if begun {
		in.session.limit(at)
	}
	if in.session.police != nil {
		in.session.police.passed(len(block), at)
	}
	if measured > 0 {
		in.session.begin(at)
		in.tally.arrived(measured, size, at)
	}
	return block[:out], start
}

// row is that of the flow's tally, for a sink; others have to look at every message.
func (in *Inbound) row(block []byte, size int) (n, measured int) {
	if in.mode != Sink {
		return 0, 0
	}
	return in.tally.row(block, size, Header{Kind: Request, Flow: in.number, Session: in.session.ID})
}

// overtime is how long after its duration a session's messages may still come: those of a client that waits for room in its
// send buffer, and of a queue on the way.
const overtime = sendPatience + 10*time.Second

// inTime tells whether a message that comes at time at is one of those that were agreed. One that is not ends the session.
func (s *Session) inTime(at int64) bool {
	latest := s.latest.Load()
	if latest == 0 || at <= latest {
		return true
	}
	s.endBy(fmt.Errorf("it sent for longer than the %v that were agreed", s.Spec.Duration))
	return false
}

// limit notes, at the first request, by when the last one must be here.
func (s *Session) limit(at int64) {
	if s.latest.Load() == 0 && s.latest.CompareAndSwap(0, at+int64(s.Spec.Duration+overtime)) {
		s.overflow.warmsUp(s.Spec.Warmup)
	}
}

// begin notes the first measured message of the session, the zero of its time series.
func (s *Session) begin(at int64) {
	if s.epoch.Load() != 0 || !s.epoch.CompareAndSwap(0, at) {
		return
	}
	if spent, known := host.CPUTime(); known {
		s.cpuBegun.Store(int64(spent))
	}
	s.overflow.read(&s.overflow.first)
}

// Count adds what the transport saw below the message.
func (in *Inbound) Count(t Traffic) { in.traffic.Add(t) }

// SetGranted says what the kernel gave to the flow's socket.
func (in *Inbound) SetGranted(g Granted) { in.granted = g }

// Attach makes c what carries the flow. It is closed when the session ends, so that nobody stays in a read for a client
// that is gone; and when another one comes for the flow, which waits until c is detached. So a flow has one at a
// time. Attach returns false when the session has ended, or the flow's last one does not let go.
func (in *Inbound) Attach(c io.Closer) bool {
	s := in.session
	for tries := 0; ; tries++ {
		s.mu.Lock()
		old, ended := in.conn, s.ended.Load()
		if old == nil && !ended {
			in.conn = c
		}
		s.mu.Unlock()
		switch {
		case ended || tries > 10_000: // a second
			return false
		case old == nil:
			return true
		case tries == 0:
			old.Close()
		case tries < 100:
			runtime.Gosched()
		default:
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// Detach undoes Attach.
func (in *Inbound) Detach() {
	in.session.mu.Lock()
	defer in.session.mu.Unlock()
	in.path.ask(in.conn)
	in.path.askHeaders(in.conn, in.Size())
	in.conn = nil
}

// pathInfo is what the flow's connections have learnt, the one included that is still attached.
func (in *Inbound) pathInfo() PathInfos {
	in.session.mu.Lock()
	defer in.session.mu.Unlock()
	sum := in.path
	if in.conn != nil {
		sum.ask(in.conn)
		sum.askHeaders(in.conn, in.Size())
	}
	return sum
}

func (s *Session) closeAttached() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended.Store(true)
	for i := range s.flows {
		if c := s.flows[i].conn; c != nil {
			c.Close()
		}
	}
}

package bench

import (
	"cmp"
	"sync/atomic"
	"time"

	"tcpvsudp/internal/clock"
	"tcpvsudp/internal/host"
	"tcpvsudp/results"
)

// An Overflower is a flow that can tell how many datagrams its socket has dropped since it was opened, because its receive buffer
// was full; known is false where this system does not say so. What the kernel had joined counts as one.
type Overflower interface {
	Overflowed() (datagrams uint64, known bool)
}

// Overflow is how many datagrams one side's sockets have dropped because their receive buffers were full.
type Overflow struct {
	// Datagrams are all of the session's, the warm-up included.
	Datagrams uint64 `json:"datagrams"`
	// Least were dropped after the first measured message had been taken out of the buffer: those were measured ones. Most were dropped
	// since before the first measured message was sent, and may be of the end of the warm-up.
	Least uint64 `json:"least"`
	Most  uint64 `json:"most"`
}

// plus is o and p together; one that is nil adds nothing.
func (o *Overflow) plus(p *Overflow) *Overflow {
	if o == nil || p == nil {
		return cmp.Or(o, p)
	}
	return &Overflow{o.Datagrams + p.Datagrams, o.Least + p.Least, o.Most + p.Most}
}

// without takes those out that were dropped because they were faulty: a socket counts both as one.
func (o *Overflow) without(faulty uint64) *Overflow {
	if o == nil {
		return nil
	}
	return &Overflow{since(o.Datagrams, faulty), since(o.Least, faulty), since(o.Most, faulty)}
}

// lost estimates how many of lost messages were lost in the buffer, where a dropped datagram is up to joined messages. It is exact where
// nothing was dropped about the beginning of the measurement and no datagrams are joined; else as many were lost there as could have
// been, if those are all of the lost ones.
func (o Overflow) lost(lost, joined uint64) uint64 {
	if lost <= o.Most*joined {
		return lost
	}
	return o.Least * joined
}

// since is by how much a counter has grown; one that is read while a socket is replaced may seem to shrink.
func since(after, before uint64) uint64 { return after - min(before, after) }

// overflowReadings are what one counter of drops showed over a session. It may be read from several goroutines.
type overflowReadings struct {
	count func() (datagrams uint64, known bool) // nil where nobody can tell

	begin, warm, first atomic.Uint64 // the counter, plus 1; 0 where it was not read
}

// read notes the counter at one of the moments.
func (r *overflowReadings) read(at *atomic.Uint64) {
	if r.count == nil {
		return
	}
	if n, known := r.count(); known {
		at.Store(n + 1)
	}
}

// open begins: no message has been sent yet.
func (r *overflowReadings) open(count func() (uint64, bool)) {
	r.count = count
	r.read(&r.begin)
}

// warmsUp has the counter read towards the end of a warm-up that begins about now. A reading that may have been made after it, because no
// processor was free, is worth nothing.
func (r *overflowReadings) warmsUp(warmup time.Duration) {
	if r.count == nil || warmup <= 0 {
		return
	}
	begin := clock.Now()
	time.AfterFunc(warmup*3/4, func() {
		r.read(&r.warm)
		if clock.Now()-begin > int64(warmup*9/10) || r.first.Load() != 0 {
			r.warm.Store(0)
		}
	})
}

// settle reads the counter for the last time; nil where it can't be told.
func (r *overflowReadings) settle() *Overflow {
	if r.count == nil {
		return nil
	}
	n, known := r.count()
	begin, warm, first := r.begin.Load(), r.warm.Load(), r.first.Load()
	if !known || begin == 0 {
		return nil
	}
	o := Overflow{Datagrams: since(n+1, begin), Most: since(n+1, max(begin, warm))}
	if first != 0 {
		o.Least = since(n+1, first)
		o.Most = max(o.Most, o.Least)
	}
	return &o
}

// faultyDatagrams is how many datagrams this host has thrown away for what they were: corrupt ones, above all.
func faultyDatagrams() uint64 {
	n, _ := host.Datagrams()
	return n.Faulty
}

// whereLost says where the lost messages of a trial were lost, of those that went up to the server and of those that came down.
// Requests are lost in the server's buffer and replies in the client's.
func (t *trial) whereLost(received, client Account) (w results.WhereLost) {
	w.ServerBufferFull, w.ClientBufferFull = t.server.BufferFull.value(), client.BufferFull.value()
	var up, down uint64
	switch t.spec.Mode {
	case Echo:
		up = min(t.server.Lost(), received.Lost())
		down = received.Lost() - up
	case Sink:
		up = received.Lost()
	case Source:
		down = received.Lost()
	case Duplex:
		up, down = t.server.Lost(), client.Lost()
	}
	var refused uint64
	for _, w := range t.workers {
		refused += w.sendErrors
	}
	there := placed(up, refused, t.server.BufferFull, t.joined(t.server))
	back := placed(down, t.server.Source.SendErrors, client.BufferFull, t.joined(client))
	w.Sender = results.Known(float64(there.sender + back.sender))
	if there.known && back.known {
		w.Buffer = results.Known(float64(there.buffer + back.buffer))
		w.Network = results.Known(float64(there.network + back.network))
	}
	return w
}

// places are where lost messages of one direction were lost; buffer and network may not be known.
type places struct {
	sender, buffer, network uint64
	known                   bool
}

// placed sorts lost messages, of which refused ones never left: what was lost neither there nor in the receiver's buffer was lost on
// the way.
func placed(lost, refused uint64, full *Overflow, joined uint64) (p places) {
	p.sender = min(lost, refused)
	lost -= p.sender
	p.known = full != nil || lost == 0
	if full != nil {
		p.buffer = min(full.lost(lost, joined), lost)
	}
	p.network = lost - p.buffer
	return p
}

// joined is up to how many messages a receiver's kernel takes for one datagram: as many as the sender's cuts out of one, where the
// receiver asked not to have them cut. The messages of an echo are sent one by one.
func (t *trial) joined(receiver Account) uint64 {
	if t.spec.Mode == Echo || receiver.Granted.Offload != OffloadOn {
		return 1
	}
	if t.batch > 0 {
		return uint64(t.batch)
	}
	most := 1
	for _, w := range t.workers {
		most = max(most, w.batches)
	}
	return uint64(most)
}

func (o *Overflow) value() results.Value {
	if o == nil {
		return results.Value{}
	}
	return results.Known(float64(o.Datagrams))
}

package bench

import (
	"math/bits"

	"tcpvsudp/internal/clock"
	"tcpvsudp/results"
)

// A clockReading is what an exchange with the server told of its clock: at time at of ours it read offset ns more, give or
// take bound.
type clockReading struct {
	at, offset, bound int64
	known             bool
}

// readClock makes so many exchanges, fewer when they take longer than clockBudget and one has been answered, and keeps the one with the
// smallest round trip. An answer is waited for as long as clockPatience at least. The server's stamp lies somewhere within the round trip: its middle is off by half of it at most (RFC 5905
// section 8, with the server's two times in one).
const (
	clockReadings = 8
	clockBudget   = 200_000_000 // ns
	clockPatience = 50_000_000  // ns
)

// readClock asks the server for its clock, on the worker's flow, on which nothing else is under way.
func (w *worker) readClock() (best clockReading, err error) {
	msg := w.out[:w.t.size]
	defer setKind(msg, Request)
	begin := clock.Now()
	for i := range clockReadings {
		now := clock.Now()
		if best.known && i >= 2 && now-begin > clockBudget || w.t.failed.Load() {
			break
		}
		w.exchanges++
		seq := Hello.seq() + w.exchanges
		w.sendUntil(now + int64(sendPatience))
		// What is lost is asked again at once, and what is much later than others tells nothing.
		w.armed = now + min(max(4*w.worst, clockPatience), int64(w.tmax()))
		w.recvUntil(w.armed)
		setKind(msg, Hello)
		if err := w.sendOne(seq, now); err != nil {
			return best, err
		}
		if err := w.awaitUntil(seq, w.armed); err != nil {
			return best, err
		}
		if !w.stamped || w.stampSeq != seq {
			continue // lost, or the message has no room for a stamp
		}
		if bound := (w.stampAt - now + 1) / 2; !best.known || bound < best.bound {
			middle := now + (w.stampAt-now)/2
			best = clockReading{at: middle, offset: w.stamp - middle, bound: bound, known: true}
		}
	}
	return best, nil
}

// clocks tell the server's time in ours over a trial: from a reading before it and one after, in a straight line
// between them, so that a constant drift is taken out.
type clocks struct {
	before, after clockReading
	// one says that both ends read the same clock.
	one bool
}

// settle notes whether the clocks that are said to be one are: a reading that excludes it wins.
func (c *clocks) settle(one bool) {
	same := func(r clockReading) bool { return r.known && r.offset <= r.bound && r.offset >= -r.bound }
	c.one = one && same(c.before) && same(c.after)
}

// known tells whether there is anything to go by.
func (c clocks) known() bool { return c.before.known && c.after.known }

// offset is by how many ns the server's clock is ahead when ours reads at.
func (c clocks) offset(at int64) int64 {
	switch span := c.after.at - c.before.at; {
	case c.one:
		return 0
	case span <= 0:
		return c.before.offset
	default:
		share := float64(at-c.before.at) / float64(span)
		return c.before.offset + int64(share*float64(c.after.offset-c.before.offset))
	}
}

// ours is our clock at the moment at which the server's read stamp; about is near it.
func (c clocks) ours(stamp, about int64) int64 {
	for range 2 { // a drift is small: the second time it is exact
		about = stamp - c.offset(about)
	}
	return about
}

// steady is stamp in a clock that runs as ours does, and may be ahead of it by any constant. A drift that the readings don't prove
// is left in: to take out what may be their error would add it.
func (c clocks) steady(stamp, about int64) int64 {
	drift := c.after.offset - c.before.offset
	if !c.known() || c.one || max(drift, -drift) <= c.before.bound+c.after.bound {
		return stamp
	}
	return c.ours(stamp, about)
}

// bound is by how many ns offset may be off, as long as neither clock's rate changes within the trial.
func (c clocks) bound() int64 {
	if c.one {
		return 0
	}
	return max(c.before.bound, c.after.bound)
}

// delays keeps when messages left, were stamped and came back, until the clocks are known that tell the
// one-way delays. When there is no more room it keeps every second run of numbers, and from then on takes only every second: its
// samples are spread over the trial, and those of a run are still neighbours (see variation).
type delays struct {
	samples []delaySample
	mask    uint64 // of how many runs only one is taken, less one
	run     int    // a run is 1<<run numbers
}

// delaySample is the first copy of one message, number seq: sent and at are our clock, stamp is the server's.
type delaySample struct {
	seq             uint64
	sent, stamp, at int64
}

// delaySamples is how many samples all flows of a trial keep, and delayRun how long a run is, as a power of two.
const (
	delaySamples = 1 << 16
	delayRun     = 6
)

func newDelays(flows int) *delays {
	room := max(delaySamples/flows, 64)
	// The first run is always kept: it must not be all that there is room for.
	return &delays{samples: make([]delaySample, 0, room), run: min(bits.Len(uint(room/16))-1, delayRun)}
}

// add notes one message. It does not allocate, and does nothing on a nil delays.
func (d *delays) add(s delaySample) {
	if d == nil || !d.takes(s.seq) {
		return
	}
	for len(d.samples) == cap(d.samples) {
		d.mask = d.mask*2 + 1
		kept := d.samples[:0]
		for _, s := range d.samples {
			if d.takes(s.seq) {
				kept = append(kept, s)
			}
		}
		d.samples = kept
	}
	if d.takes(s.seq) {
		d.samples = append(d.samples, s)
	}
}

func (d *delays) takes(seq uint64) bool { return seq>>d.run&d.mask == 0 }

// thinned tells whether some messages have been left out.
func (d *delays) thinned() bool { return d.mask > 0 }

// oneWay returns the one-way delays of the trial's messages, up to the server and down to the client; a direction in which
// the clocks' error is larger than the median delay is nil. In an open loop the way up begins with the intended send.
func (t *trial) oneWay() (up, down *results.Histogram) {
	if !t.clocks.known() {
		return nil, nil
	}
	up, down = results.NewHistogram(), results.NewHistogram()
	for _, w := range t.workers {
		if w.delays == nil {
			continue
		}
		for _, s := range w.delays.samples {
			stamp := t.clocks.ours(s.stamp, s.at)
			up.Record(max(stamp-s.sent, 0)) // below 0 it is the clocks' error
			down.Record(max(s.at-stamp, 0))
		}
	}
	return t.believable(up), t.believable(down)
}

// believable returns h, or nil where the error of the clocks is larger than the delay.
func (t *trial) believable(h *results.Histogram) *results.Histogram {
	p50, known := h.Latency().P50Us.Get()
	if !known || float64(t.clocks.bound())/1000 > p50 {
		return nil
	}
	return h
}

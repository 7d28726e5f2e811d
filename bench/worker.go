package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"tcpvsudp/internal/clock"
	"tcpvsudp/results"
)

// A worker drives one flow of a trial. What it counts is its own until it has stopped.
type worker struct {
	t    *trial
	id   uint32 // the flow's number
	mode Mode   // what the server does with the flow

	flow   Flow
	flowMu sync.Mutex // held to change flow, and to reach it from another goroutine
	out    []byte     // the block that is sent, ready but for seq and sent
	batch  int        // the messages of out

	sent, warm uint64 // messages numbered so far: measured ones, and others
	sendErrors uint64
	timedOut   uint64
	sendBegin  int64 // when the first measured message of an unpaced workload left
	sendEnd    int64 // when the last message had left
	traffic    Traffic
	granted    Granted
	path       PathInfos
	overflow   overflowReadings // of the flow that is open
	full       *Overflow        // of those that were, nil where that can't be told
	batches    int              // how many messages whoever sends on the flow gives to the kernel at once
	cpus       string           // those that the worker's thread is bound to
	limit      *throttle        // nil where a server sets none, or the workload paces itself

	tally   *Tally
	latency *results.Histogram // nil in a one-way workload
	delays  *delays            // nil where replies bear no stamp
	worst   int64              // the longest round trip, warm-up included

	// The reply that await has found, and whether it bore a stamp; exchanges counts those of readClock.
	stampSeq       uint64
	stamp, stampAt int64
	stamped        bool
	exchanges      uint64

	armed   int64 // the deadline for receiving that armFor has set
	stopped atomic.Bool
	flowing chan struct{} // closed when a source's first message is here
}

func newWorker(t *trial, id int) *worker {
	w := &worker{
		t:    t,
		id:   uint32(id),
		mode: t.spec.modeOf(id),
		tally: newTally(t.flows, t.body,
			newSeries(&t.measure, int64(t.interval()), int64(t.plan.Duration))),
		flowing: make(chan struct{}),
	}
	w.prepare(1)
	if !t.workload.paced {
		w.limit = newThrottle(t.spec.RateBps, t.size, t.flows, id%t.flows)
	}
	if w.mode == Echo {
		w.tally.stamped = true
		w.latency = results.NewHistogram()
		if t.timesOneWay() {
			w.delays = newDelays(t.flows)
		}
	}
	return w
}

// prepare makes the block that is sent, of so many messages.
func (w *worker) prepare(batch int) {
	if w.batch != batch {
		w.batch = batch
		w.out = NewBlock(batch, w.t.size)
		fillBlock(w.out, w.t.size, Header{Kind: Request, Flow: w.id, Session: w.t.session})
	}
}

// open dials the worker's flow.
func (w *worker) open(o Options, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(w.t.ctx, timeout)
	defer cancel()
	flow, err := w.t.transport.Dial(ctx, w.t.addr, o)
	if err != nil {
		return err
	}
	w.flowMu.Lock()
	defer w.flowMu.Unlock()
	w.flow, w.armed = flow, clock.Now()
	w.overflow = overflowReadings{}
	if o, ok := flow.(Overflower); ok && !w.t.workload.opensFlows { // whose opening is timed, and has no room for a question to the kernel
		w.overflow.open(o.Overflowed)
	}
	batch := w.burst(flow.Batch(w.t.size))
	w.batches = batch
	if w.mode == Sink && w.t.blocks == nil {
		w.prepare(batch)
	} else if w.mode == Sink {
		w.batch = batch
	}
	return nil
}

// burst is how many of n messages leave at once.
func (w *worker) burst(n int) int {
	switch {
	case !w.t.workload.paced:
		return w.limit.most(n)
	case w.t.batch > 0:
		return min(n, w.t.batch)
	}
	return newThrottle(w.t.plan.Rate*float64(w.t.size)*8, w.t.size, w.t.flows, 0).most(n)
}

// close closes the worker's flow, if it has one, and keeps what it counted.
func (w *worker) close() {
	w.flowMu.Lock()
	defer w.flowMu.Unlock()
	if w.flow == nil {
		return
	}
	if w.granted == (Granted{}) || !w.t.workload.opensFlows { // once will do for a thousand short flows
		w.granted = w.flow.Granted()
		w.granted.CPUs = w.cpus
	}
	w.traffic.Add(w.flow.Traffic())
	w.path.ask(w.flow)
	if !w.t.workload.opensFlows { // of which no rate of the wire is told
		w.path.askHeaders(w.flow, w.t.size)
	}
	w.full = w.full.plus(w.overflow.settle())
	w.flow.Close()
	w.flow = nil
}

// hold waits until the server's limit lets the next block leave, though not beyond the trial, and returns the time.
func (w *worker) hold() int64 {
	now := clock.Now()
	if w.limit == nil {
		return now
	}
	if due := min(w.limit.due(now, w.batch), w.t.stop); due > now {
		time.Sleep(time.Duration(due - now))
		now = clock.Now()
	}
	return now
}

// number returns the number of the next message, which is meant to leave at time now: one of the warm-up
// until the measurement begins.
func (w *worker) number(now int64) (seq uint64) {
	if now < w.t.measure.Load() {
		w.warm++
		return WarmUp | (w.warm - 1)
	}
	w.sent++
	return w.sent - 1
}

// sendOne sends message seq, which is meant to leave at time sent.
func (w *worker) sendOne(seq uint64, sent int64) error {
	msg := w.out[:w.t.size]
	setSeqSent(msg, seq, sent)
	_, err := w.flow.Send(msg, w.t.size, false)
	return w.sendResult(err, 1, seq)
}

// sendBlock numbers and sends a whole block, which is meant to leave at time now.
func (w *worker) sendBlock(now int64) error {
	seq := w.warm | WarmUp
	if now < w.t.measure.Load() {
		w.warm += uint64(w.batch)
	} else {
		seq = w.sent
		w.sent += uint64(w.batch)
	}
	out := w.out
	if w.t.blocks != nil {
		out = w.t.blocks.take(w.batch)
		defer w.t.blocks.put(out)
		addressBlock(out, w.t.size, w.id)
	}
	stampBlock(out, w.t.size, seq, now, w.t.plan.StampEach)
	n, err := w.flow.Send(out, w.t.size, w.limit == nil && !w.t.workload.paced)
	return w.sendResult(err, w.batch-n, seq)
}

// sendResult sorts out err; a queue that was full, or a way that is gone, has lost the unsent messages, and nothing
// else. They are counted unless seq is of the warm-up.
func (w *worker) sendResult(err error, unsent int, seq uint64) error {
	if err == nil {
		return nil
	}
	if lostUnsent(err) {
		if seq&WarmUp == 0 {
			w.sendErrors += uint64(unsent)
		}
		pauseAfter(err)
		return nil
	}
	return w.explain("send", err)
}

// await receives until the reply to message seq, sent at time sent, is here or given up; whatever else
// arrives is counted as what it is. A reply that comes after it was given up is not lost, and its latency
// is its own.
func (w *worker) await(seq uint64, sent int64) error {
	return w.awaitUntil(seq, sent+int64(w.tmax()))
}

// awaitUntil is await for a message that is given up at time limit.
func (w *worker) awaitUntil(seq uint64, limit int64) error {
	for {
		block, err := w.flow.Recv(w.t.size)
		at := clock.Now()
		if w.take(block, at, seq) {
			return nil
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return w.explain("receive", err)
		}
		switch {
		case w.t.failed.Load():
			return nil
		case at >= limit:
			if seq&WarmUp == 0 {
				w.timedOut++
			}
			return nil
		case err != nil:
			w.recvUntil(limit)
		}
	}
}

// armFor sees to it that a receive for a message sent at time now ends by now + Tmax, and at half of that at the
// earliest: so the deadline is moved a few times a trial and not once a message.
func (w *worker) armFor(now int64) {
	if tmax := int64(w.tmax()); w.armed-now < tmax/2 {
		w.armed = now + tmax
		w.recvUntil(w.armed)
	}
}

// recvUntil bounds receiving, and sendUntil sending; in a trial that has failed both end at once.
func (w *worker) recvUntil(at int64) { w.bound(w.flow.SetRecvDeadline, at) }

func (w *worker) sendUntil(at int64) { w.bound(w.flow.SetSendDeadline, at) }

func (w *worker) bound(set func(time.Time) error, at int64) {
	_ = set(clock.Time(at)) // fails on a closed flow, whose calls say so
	if w.t.failed.Load() {
		w.interrupt()
	}
}

// interrupt ends the flow's calls. It may be called from any goroutine.
func (w *worker) interrupt() {
	w.flowMu.Lock()
	defer w.flowMu.Unlock()
	if w.flow != nil {
		_ = w.flow.SetSendDeadline(time.Unix(1, 0))
		_ = w.flow.SetRecvDeadline(time.Unix(1, 0))
	}
}

// tmax is how long to wait for a message, see Plan.Drain.
func (w *worker) tmax() time.Duration { return tmax(w.t.plan.Drain, time.Duration(w.worst)) }

func tmax(asked, worst time.Duration) time.Duration {
	if asked > 0 {
		return asked
	}
	return max(time.Second, 4*worst)
}

// quiet is how long a line must be silent before a message that nobody misses, a duplicate, is no longer
// waited for.
func (w *worker) quiet() time.Duration {
	return min(max(5*time.Millisecond, 4*time.Duration(w.worst)), w.tmax())
}

// drain receives until every reply is here and the line has been silent for quiet, or until it has been for
// Tmax.
func (w *worker) drain() error {
	w.sendEnd = clock.Now()
	for last := w.sendEnd; ; {
		limit := last + int64(w.tmax())
		if w.tally.counter.Unique() >= w.sent {
			limit = last + int64(w.quiet())
		}
		if clock.Now() >= limit || w.t.failed.Load() {
			return nil
		}
		w.recvUntil(limit)
		block, err := w.flow.Recv(w.t.size)
		if len(block) > 0 {
			last = clock.Now()
			w.take(block, last, noSeq)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return w.explain("receive", err)
		}
	}
}

// take counts the replies of block, which arrived at time at, and tells whether one is to message want.
func (w *worker) take(block []byte, at int64, want uint64) (found bool) {
	size, first := w.t.size, 0
	for off := 0; off+size <= len(block); {
		if n, counted := w.row(block[off:]); n > 0 {
			first += counted
			off += n * size
			continue
		}
		msg := block[off : off+size]
		off += size
		h, ok := ParseHeader(msg)
		if !ok || h.Kind != Reply || h.Session != w.t.session || h.Flow != w.id || h.Seq&WarmUp == 0 && w.mode == Sink {
			w.tally.foreign++
			continue
		}
		if h.Seq == want {
			found = true
			w.stampSeq, w.stampAt = h.Seq, at
			w.stamp, w.stamped = stamp(msg)
		}
		latency := int64(0)
		if w.mode == Source && !isAnswer(h.Seq) { // stamped by the server's clock
			w.flows()
		} else {
			latency = at - h.Sent
			w.worst = max(w.worst, latency)
		}
		if h.Seq&WarmUp != 0 || !w.tally.message(msg, h.Seq, at) {
			continue
		}
		first++
		if w.latency == nil {
			continue
		}
		w.latency.Record(latency)
		if at2, ok := stamp(msg); ok {
			w.delays.add(delaySample{seq: h.Seq, sent: h.Sent, stamp: at2, at: at})
		}
		if b := w.tally.series.bucket(at); b != nil {
			b.LatencySumNs += latency
			b.LatencyMaxNs = max(b.LatencyMaxNs, latency)
		}
	}
	if first > 0 {
		if w.tally.bytes == 0 {
			w.overflow.read(&w.overflow.first)
		}
		w.tally.arrived(first, size, at)
	}
	return found
}

// row is that of the flow's tally, for the messages of a source; others have to be looked at one by one.
func (w *worker) row(block []byte) (n, measured int) {
	if w.mode != Source || isAnswer(seqOf(block)) {
		return 0, 0
	}
	if n, measured = w.tally.row(block, w.t.size, Header{Kind: Reply, Flow: w.id, Session: w.t.session}); n > 0 {
		w.flows()
	}
	return n, measured
}

// flows notes that the source's messages have begun to come.
func (w *worker) flows() {
	select {
	case <-w.flowing:
	default:
		close(w.flowing)
	}
}

// sendPatience is how long a full send buffer may take to have room again before the trial has failed.
const sendPatience = 30 * time.Second

// explain puts before err what was tried.
func (w *worker) explain(what string, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		err = errors.New("the server closed the flow")
	case errors.Is(err, ErrTooLong) && w.t.plan.DontFragment:
		err = fmt.Errorf("a message of %d B does not fit into one packet of the path: use a smaller --size, or leave --df out: %w", w.t.size, err)
	}
	return fmt.Errorf("%s %s: %s: %w", w.t.transport.Name(), w.t.addr, what, err)
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tcpvsudp/internal/clock"
	"tcpvsudp/internal/host"
	"tcpvsudp/results"
)

// A trial is one workload on one transport, with a session and sockets of its own.
type trial struct {
	scheduled
	plan      Plan
	addr      string
	newWaiter func() clock.Waiter
	control   Control
	spec      Spec
	cpus      []int  // those of the client's threads, nil for all
	body      []byte // what follows the header of every message, nil when nobody looks

	ctx     context.Context // done when the trial has failed or is to stop
	cancel  context.CancelCauseFunc
	failed  atomic.Bool // what ctx says, for a look that costs nothing
	session uint64
	workers []*worker
	blocks  *blocks            // those that the workers send, nil where each has its own
	buffers sync.Pool          // those that they receive to, where they share them
	lag     *results.Histogram // of the paced workload, and
	unsent  uint64             // the messages that it had no time for
	sender  string             // the processor that its sender was bound to, empty for none

	faulty         uint64 // faultyDatagrams at the beginning, and then those of the trial
	began          time.Time
	start, stop    int64        // when sending begins, warm-up first, and ends
	measure        atomic.Int64 // when the warm-up ends
	cpuFrom, cpuTo cpuReading
	nic            string // by which the server is reached, empty where that can't be told
	noiseFrom      noiseReading
	noiseTo        noiseReading
	clocks         clocks
	server         Account
	link           results.Link
	drained        time.Duration // from the last send to the settled session
}

// cpuReading is the process's CPU time at one moment.
type cpuReading struct {
	spent time.Duration
	known bool
}

// runTrial carries out s and returns its account; with an error, t tells how far it came.
func runTrial(ctx context.Context, c Config, s scheduled) (t *trial, err error) {
	t = &trial{scheduled: s, plan: c.Plan, addr: c.Addr, newWaiter: c.NewWaiter, control: c.Control, nic: c.Interface}
	t.spec = c.Plan.spec(s.cell, s.transport.Name(), c.Limits)
	t.spec.OneHost = c.OneClock
	t.cpus = c.Plan.Pin.client(c.OneClock)
	if c.Plan.Verify {
		t.body = pattern(s.size)
	}
	t.ctx, t.cancel = context.WithCancelCause(ctx)
	defer t.cancel(nil)

	if c.Link != nil {
		// Both trials of a pair meet the same; the measurements of a search do not.
		if err := c.Link.Set(t.ctx, s.link, c.Plan.Seed+uint64(s.pair)+uint64(s.step)<<32); err != nil {
			return t, err
		}
	}
	id, err := c.Control.Agree(t.ctx, t.spec)
	if err != nil {
		return t, fmt.Errorf("agree a session: %w", err)
	}
	t.session = id
	settled := false
	defer func() {
		if settled {
			return
		}
		// The trial has failed: the server need not wait for its client's absence to show, and may know why.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if why := c.Control.End(ctx, id); errors.Is(why, ErrEnded) {
			err = why
		}
	}()
	stopRenewing := t.renew(c.Limits.Poll())

	defer stopRenewing()
	if s.workload.paced {
		t.lag = results.NewHistogram()
	}
	if t.spec.many() {
		t.blocks = &blocks{size: t.size, header: Header{Kind: Request, Session: t.session}}
	}
	for i := range t.spec.FlowCount() {
		t.workers = append(t.workers, newWorker(t, i))
	}
	defer context.AfterFunc(t.ctx, t.interrupt)()
	if t.spec.many() {
		numbers, release := bindAll(t.cpus)
		defer release()
		for _, w := range t.workers {
			w.cpus = numbers
		}
	}
	t.faulty = faultyDatagrams()
	err = t.run(c.OneClock)
	for _, w := range t.workers {
		w.close()
	}
	t.faulty = since(faultyDatagrams(), t.faulty)
	stopRenewing()
	if err != nil {
		return t, err
	}
	t.server, err = c.Control.Settle(t.ctx, id, t.settlement())
	if err != nil {
		return t, fmt.Errorf("settle the session: %w", err)
	}
	settled = true
	if c.Link != nil {
		if t.link, err = c.Link.Account(t.ctx); err != nil {
			return t, err
		}
	}
	for _, w := range t.workers {
		t.drained = max(t.drained, time.Duration(clock.Now()-w.sendEnd))
	}
	return t, nil
}

// renew tells the server every now and then that this client is there, until stop is called. It fails the trial when the
// server says that it has ended the session, or is lost.
func (t *trial) renew(interval time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(t.ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		pause := time.NewTimer(interval) // most trials are over by then
		defer pause.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-pause.C:
			}
			err := t.control.Renew(ctx, t.session)
			if ctx.Err() == nil && (errors.Is(err, ErrEnded) || errors.Is(err, ErrNoSession) || errors.Is(err, ErrServerLost)) {
				t.fail(err)
			}
			wait := time.Duration(0)
			if err != nil {
				wait = interval / 5
			}
			pause.Reset(wait)
		}
	})
	return func() {
		cancel()
		renewing.Wait()
	}
}

// wait is how the client waits on a flow. One that it only sends on listens for the answer to its done, and leaves the
// processor to those who are measured.
func (w *worker) wait() Wait {
	if w.mode == Sink {
		return Block
	}
	return w.t.plan.Wait
}

// options is what is asked of the worker's flow.
func (w *worker) options() Options {
	s := w.t.spec
	return Options{Wait: w.wait(), Block: s.BlockBytes(), DontFragment: w.t.plan.DontFragment, Bulk: s.Mode != Echo, Many: s.many(), Buffers: &w.t.buffers, Fast: s.Fast}
}

// bind binds the calling goroutine to the worker's processor, if the flow has a thread of its own.
func (w *worker) bind() (release func()) {
	if w.flow.Granted().Path != PathOwn {
		return func() {}
	}
	number, release := bind(w.t.cpus, int(w.id))
	w.cpus = number
	return release
}

// interval is the length of the buckets of the time series.
func (t *trial) interval() time.Duration { return t.spec.Interval }

// timesOneWay tells whether one-way delays can be told: from the stamps of an echo's replies, on flows that last.
func (t *trial) timesOneWay() bool {
	return t.spec.Mode == Echo && !t.workload.opensFlows && t.size >= HeaderSize+stampSize
}

// opening is how many flows are opened at the same time.
const opening = 64

// run opens the flows, warms up, measures and drains.
func (t *trial) run(oneClock bool) (err error) {
	if !t.workload.opensFlows {
		// Some at a time: a server does not wait long for a flow's first word.
		turns := make(chan struct{}, opening)
		err := t.each(func(w *worker) error {
			turns <- struct{}{}
			defer func() { <-turns }()
			if t.failed.Load() {
				return nil
			}
			if err := w.open(w.options(), helloTries*helloInterval); err != nil {
				return err
			}
			return w.greet()
		})
		if err != nil {
			return err
		}
	}
	if t.timesOneWay() {
		if t.clocks.before, err = t.workers[0].readClock(); err != nil {
			return err
		}
	}
	t.noiseFrom = t.readNoise()
	t.began = time.Now().UTC()
	t.start = clock.Now()
	t.measure.Store(t.start + int64(t.plan.Warmup))
	t.stop = t.measure.Load() + int64(t.plan.Duration)

	var readings sync.WaitGroup
	done := make(chan struct{})
	readings.Go(func() { t.cpuFrom = readCPU(t.measure.Load(), done) })
	readings.Go(func() {
		t.cpuTo = readCPU(t.stop, done)
		t.noiseTo = t.readNoise() // after what is timed: it reads files
	})
	t.watchOverflows()
	err = t.workload.run(t)
	close(done)
	readings.Wait()
	if err == nil && t.timesOneWay() {
		t.clocks.after, err = t.workers[0].readClock()
		t.clocks.settle(oneClock)
	}
	return err
}

// readCPU reads the process's CPU time at time at, or when done is closed before.
func readCPU(at int64, done <-chan struct{}) cpuReading {
	select {
	case <-time.After(time.Duration(at - clock.Now())):
	case <-done:
	}
	spent, known := host.CPUTime()
	return cpuReading{spent, known}
}

// watchOverflows has the flows' buffers watched in the warm-up. Thousands of flows are not asked: that would take time from the first
// messages.
func (t *trial) watchOverflows() {
	if t.workload.opensFlows || t.spec.many() {
		return
	}
	for _, w := range t.workers {
		w.overflow.warmsUp(t.plan.Warmup)
	}
}

// each has f drive every worker, all at the same time, and returns the first error.
func (t *trial) each(f func(*worker) error) error {
	var all sync.WaitGroup
	for _, w := range t.workers {
		all.Go(func() { t.fail(f(w)) })
	}
	all.Wait()
	return context.Cause(t.ctx)
}

// fail ends the trial for all workers if err is an error; the first one counts.
func (t *trial) fail(err error) {
	if err != nil {
		t.cancel(err)
	}
}

// interrupt ends whatever the workers wait for.
func (t *trial) interrupt() {
	t.failed.Store(true)
	for _, w := range t.workers {
		w.interrupt()
	}
}

// settlement tells the server what was sent. The workers of an echo and of a source have waited for what comes to
// them, so that nothing they wait for can still come.
func (t *trial) settlement() Settlement {
	var s Settlement
	for _, w := range t.workers {
		s.Sent = append(s.Sent, w.sentUp())
		if w.mode == Sink {
			s.Tmax, s.Quiet = max(s.Tmax, w.tmax()), max(s.Quiet, w.quiet())
		}
	}
	return s
}

// sentUp is how many measured messages the client sent, and expected is how many it is to receive.
func (w *worker) sentUp() uint64 {
	if w.mode == Source {
		return 0
	}
	return w.sent
}

func (w *worker) expected() uint64 {
	if w.mode == Sink {
		return 0
	}
	return w.sent
}

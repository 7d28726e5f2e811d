package bench

import (
	"context"
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

	ctx     context.Context // done when the trial has failed or is to stop
	cancel  context.CancelCauseFunc
	failed  atomic.Bool // what ctx says, for a look that costs nothing
	session uint64
	workers []*worker
	lag     *results.Histogram // of the paced workload, and
	unsent  uint64             // the messages that it had no time for

	began          time.Time
	start, stop    int64        // when sending begins, warm-up first, and ends
	measure        atomic.Int64 // when the warm-up ends
	cpuFrom, cpuTo cpuReading
	server         Account
	drained        time.Duration // from the last send to the settled session
}

// cpuReading is the process's CPU time at one moment.
type cpuReading struct {
	spent time.Duration
	known bool
}

// runTrial carries out s and returns its account.
func runTrial(ctx context.Context, c Config, s scheduled) (*trial, error) {
	t := &trial{scheduled: s, plan: c.Plan, addr: c.Addr, newWaiter: c.NewWaiter}
	t.ctx, t.cancel = context.WithCancelCause(ctx)
	defer t.cancel(nil)

	id, err := c.Control.Agree(t.ctx, t.spec())
	if err != nil {
		return nil, fmt.Errorf("agree a session: %w", err)
	}
	t.session = id
	settled := false
	defer func() {
		if !settled {
			// The trial has failed: the server need not wait for its client's absence to show.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = c.Control.End(ctx, id)
		}
	}()

	if s.workload.paced {
		t.lag = results.NewHistogram()
	}
	for i := range s.flows {
		t.workers = append(t.workers, newWorker(t, i))
	}
	defer context.AfterFunc(t.ctx, t.interrupt)()
	err = t.run()
	for _, w := range t.workers {
		w.close()
	}
	if err != nil {
		return nil, err
	}
	t.server, err = c.Control.Settle(t.ctx, id, t.settlement())
	if err != nil {
		return nil, fmt.Errorf("settle the session: %w", err)
	}
	settled = true
	for _, w := range t.workers {
		t.drained = max(t.drained, time.Duration(clock.Now()-w.sendEnd))
	}
	return t, nil
}

// spec is what the server is asked for.
func (t *trial) spec() Spec {
	return Spec{
		Proto:    t.transport.Name(),
		Mode:     t.workload.mode,
		Size:     t.size,
		Flows:    t.flows,
		Wait:     t.plan.Wait,
		Duration: t.plan.Warmup + t.plan.Duration,
		Interval: t.interval(),
		Verify:   t.plan.Verify,
	}
}

// wait is how the client waits. One way it only listens for the answer to its done, and leaves the processor to
// those who are measured.
func (t *trial) wait() Wait {
	if t.workload.mode == Sink {
		return Block
	}
	return t.plan.Wait
}

// interval is the length of the buckets of the time series: a tenth of the trial, from 10 ms to a second; longer
// only where so many flows would have more buckets than a server makes.
func (t *trial) interval() time.Duration {
	length := min(max(t.plan.Duration/10, 10*time.Millisecond), time.Second)
	return max(length, (t.plan.Warmup+t.plan.Duration)*time.Duration(t.flows)/(MaxBuckets/2))
}

// run opens the flows, warms up, measures and drains.
func (t *trial) run() error {
	if !t.workload.opensFlows {
		for _, w := range t.workers {
			if err := w.open(Options{Wait: t.wait()}, helloTries*helloInterval); err != nil {
				return err
			}
		}
		err := t.each(func(w *worker) error { return w.greet() })
		if err != nil {
			return err
		}
	}
	t.began = time.Now().UTC()
	t.start = clock.Now()
	t.measure.Store(t.start + int64(t.plan.Warmup))
	t.stop = t.measure.Load() + int64(t.plan.Duration)

	var readings sync.WaitGroup
	done := make(chan struct{})
	readings.Go(func() { t.cpuFrom = readCPU(t.measure.Load(), done) })
	readings.Go(func() { t.cpuTo = readCPU(t.stop, done) })
	err := t.workload.run(t)
	close(done)
	readings.Wait()
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

// settlement tells the server what was sent. The workers of an echo have waited for the replies
// themselves, so that nothing they wait for can still come.
func (t *trial) settlement() Settlement {
	var s Settlement
	for _, w := range t.workers {
		s.Sent = append(s.Sent, w.sent)
		if t.workload.mode == Sink {
			s.Tmax, s.Quiet = max(s.Tmax, w.tmax()), max(s.Quiet, w.quiet())
		}
	}
	return s
}

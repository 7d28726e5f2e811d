package bench

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"tcpvsudp/internal/clock"
)

// runPaced is the open loop: messages leave at a constant rate whether or not replies come, over the flows
// in turn, and a latency runs from the moment at which its message was meant to leave. A stall of the
// sender, or of the transport's buffer, is therefore in the figures (no coordinated omission); what the
// sender itself was late is beside them, as send lag.
func runPaced(t *trial) error {
	var receivers sync.WaitGroup
	beside := t.besideSender()
	receive := func() {
		for _, w := range t.workers {
			receivers.Go(func() {
				if w.flow.Granted().Path == PathOwn {
					number, release := bind(beside, int(w.id))
					defer release()
					w.cpus = number
				}
				t.fail(w.receive())
			})
		}
	}
	for _, w := range t.workers {
		w.sendUntil(t.stop + int64(sendPatience))
		w.recvUntil(t.stop)
	}
	alone := t.plan.Wait == Spin && t.eager()
	if !alone {
		receive()
	}
	t.fail(t.sendPaced(alone, t.stop, (*worker).sendDue))
	for _, w := range t.workers {
		w.stopSending()
	}
	if alone {
		receive() // what is still on its way
	}
	receivers.Wait()
	return context.Cause(t.ctx)
}

// besideSender are the processors for those who receive while another thread paces itself on the first of the client's: others of
// the client's, or else one of the server's.
func (t *trial) besideSender() []int {
	switch {
	case len(t.cpus) > 1:
		return t.cpus[1:]
	case len(t.cpus) == 1 && t.spec.OneHost:
		return t.plan.Pin.server(true)
	}
	return t.cpus
}

// eager tells whether the sender can receive as well, while it waits: a receiver that spins beside a sender that spins takes a
// processor more than the measurement of a round trip needs.
func (t *trial) eager() bool {
	for _, w := range t.workers {
		flow, ok := w.flow.(Eager)
		if ok {
			_, ok, _ = flow.Try(t.size) // nothing has been asked yet that could be answered
		}
		if !ok || t.spec.many() {
			return false
		}
	}
	return true
}

// receiveUntil receives on all flows until time at.
func (t *trial) receiveUntil(at int64) error {
	for {
		for _, w := range t.workers {
			block, _, err := w.flow.(Eager).Try(t.size)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = nil
			}
			if err != nil {
				return w.explain("receive", err)
			}
			if len(block) > 0 {
				w.take(block, clock.Now(), noSeq)
			}
		}
		if clock.Now() >= at || t.failed.Load() {
			return nil
		}
	}
}

// sendPaced sends the trial's messages at their times, over the flows in turn: send gives one or more of a flow's to the kernel, meant
// to leave at time due, and returns how many. Those that are overdue leave at once. Those of the warm-up that have not left when
// it ends, and the measured ones that have not left by time last, are not sent: the latter are counted. alone says that it is to
// receive as well.
func (t *trial) sendPaced(alone bool, last int64, send func(w *worker, due int64) (messages int, err error)) error {
	number, release := bind(t.cpus, 0)
	defer release()
	t.sender = number
	wait := t.newWaiter()
	defer wait.Close()
	pace := NewPace(t.plan.Rate)
	firstMeasured, end := pace.Before(t.plan.Warmup), pace.Before(t.plan.Warmup+t.plan.Duration)
	turn := 0
	for i := uint64(0); i < end && !t.failed.Load(); {
		due := t.start + int64(pace.Due(i))
		if alone {
			if err := t.receiveUntil(due); err != nil {
				return err
			}
		} else {
			wait.Until(due)
		}
		now := clock.Now()
		if now >= last {
			t.unsent = end - max(i, firstMeasured)
			return nil
		}
		if i < firstMeasured && now >= t.measure.Load() {
			i = firstMeasured
			continue
		}
		if i >= firstMeasured {
			t.lag.Record(now - due)
		}
		n, err := send(t.workers[turn], due)
		if err != nil {
			return err
		}
		i += uint64(n)
		if turn++; turn == len(t.workers) {
			turn = 0
		}
	}
	return nil
}

// sendDue sends one message.
func (w *worker) sendDue(due int64) (messages int, err error) {
	return 1, w.sendOne(w.number(due), due)
}

// stopInterval is how often a receiver whose deadline has passed looks whether the sender has stopped.
const stopInterval = 100 * time.Millisecond

// receive counts replies until the sender has stopped, and then drains.
func (w *worker) receive() error {
	for !w.stopped.Load() {
		block, err := w.flow.Recv(w.t.size)
		at := clock.Now()
		w.take(block, at, noSeq)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return w.explain("receive", err)
		}
		if w.t.failed.Load() {
			return nil
		}
		if err != nil && !w.stopped.Load() {
			w.recvUntil(at + int64(stopInterval)) // the sender is late
		}
	}
	return w.drain()
}

// stopSending tells receive that no more is sent.
func (w *worker) stopSending() {
	w.stopped.Store(true)
	w.recvUntil(clock.Now())
}

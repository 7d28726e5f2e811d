package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tcpvsudp/internal/clock"
)

// runThroughput sends as fast as it goes, one way: up to the server, down from it, or both at once on flows of their own.
// What counts is what the receiver received.
func runThroughput(t *trial) error {
	var flows sync.WaitGroup
	down := false
	for _, w := range t.workers {
		drive := w.push
		if w.mode == Source {
			down = true
			drive = w.pull
		}
		flows.Go(func() { t.fail(drive()) })
	}
	if down {
		t.fail(t.stopSources())
	}
	flows.Wait()
	return context.Cause(t.ctx)
}

// push sends until the trial's time is over, and says that it is done.
func (w *worker) push() error {
	defer w.bind()()
	heard := w.expect(Done)
	w.sendUntil(w.t.stop + int64(sendPatience))
	for now := w.hold(); now < w.t.stop; now = w.hold() {
		if w.sent == 0 {
			w.sendBegin = now
		}
		if err := w.sendBlock(now); err != nil {
			_, _ = w.dismiss(heard)
			return err
		}
	}
	w.sendEnd = clock.Now()
	_, err := w.say(Done, heard, doneTries, doneInterval)
	return err
}

// pull asks the server to send, and receives until the source has been stopped and what it sent is here or given
// up.
func (w *worker) pull() error {
	w.sendUntil(w.t.stop + int64(sendPatience))
	w.recvUntil(w.t.stop)
	var asking sync.WaitGroup
	defer asking.Wait()
	asking.Go(func() { w.t.fail(w.ask()) })
	defer w.bind()()
	return w.receive()
}

// askInterval is how long a source may take to be heard before it is asked again.
const askInterval = 200 * time.Millisecond

// ask asks for a source's messages until they come.
func (w *worker) ask() error {
	for !w.stopped.Load() && !w.t.failed.Load() {
		if err := w.sendOne(WarmUp, clock.Now()); err != nil {
			return err
		}
		select {
		case <-w.flowing:
			return nil
		case <-w.t.ctx.Done():
		case <-time.After(askInterval):
		}
	}
	return nil
}

// stopSources has the server stop when the trial's time is over, and tells every worker what it was sent.
func (t *trial) stopSources() error {
	select {
	case <-time.After(time.Duration(t.stop - clock.Now())):
	case <-t.ctx.Done():
		return nil
	}
	sent, err := t.control.Stop(t.ctx, t.session)
	if err != nil {
		return fmt.Errorf("stop the server's sending: %w", err)
	}
	if len(sent) != len(t.workers) {
		return fmt.Errorf("stop the server's sending: it tells of %d flows, and there are %d", len(sent), len(t.workers))
	}
	for i, w := range t.workers {
		if w.mode == Source {
			w.sent = sent[i]
			w.stopSending()
		}
	}
	return nil
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"

	"tcpvsudp/internal/clock"
)

// runConnect measures from nothing to the first echoed reply: each worker opens a flow, sends one message,
// awaits its reply, closes the flow and starts over.
func runConnect(t *trial) error {
	return t.each(func(w *worker) error {
		for now := w.hold(); now < t.stop; now = w.hold() {
			if err := w.connectOnce(now); err != nil {
				return err
			}
		}
		w.sendEnd = clock.Now()
		return nil
	})
}

// connectOnce does one connection at time now. One that nobody answers is a lost message.
func (w *worker) connectOnce(now int64) error {
	seq := w.number(now)
	o := w.options()
	o.Brief, o.Block = true, w.t.size
	err := w.open(o, w.tmax())
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		if seq&WarmUp == 0 {
			w.timedOut++
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer w.close()
	w.sendUntil(now + int64(sendPatience))
	w.armFor(now)
	if err := w.sendOne(seq, now); err != nil {
		return err
	}
	return w.await(seq, now)
}

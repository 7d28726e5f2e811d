package bench

import (
	"errors"
	"fmt"
	"os"
	"time"

	"tcpvsudp/internal/clock"
)

// The tries of say: a hello is repeated for 5 s before nobody is there; a done is a courtesy that
// ends the wait early, and the settlement waits anyway.
const (
	helloTries, helloInterval = 5, time.Second
	doneTries, doneInterval   = 4, 300 * time.Millisecond
)

// An answer is what a worker that listens for one will have heard: nil when it came.
type answer <-chan error

// expect begins to listen for the answer to a hello or a done, until w.dismiss. It hears while the worker sends: a
// server that is held up by an answer which nobody takes reads nothing more.
func (w *worker) expect(kind Kind) answer {
	_ = w.flow.SetRecvDeadline(time.Time{}) // fails on a closed flow, whose calls say so
	if w.t.failed.Load() {
		w.interrupt()
	}
	heard := make(chan error, 1)
	go func() { heard <- w.awaitAnswer(kind.seq()) }()
	return heard
}

// dismiss ends the listening and tells whether the answer came.
func (w *worker) dismiss(a answer) (answered bool, err error) {
	w.recvUntil(clock.Now())
	return w.outcome(<-a)
}

// outcome sorts out what a listener has heard.
func (w *worker) outcome(err error) (answered bool, _ error) {
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return err == nil, nil
	}
	return false, w.explain("receive", err)
}

// say sends a hello or a done, again after each interval, until it is answered, and tells whether it was.
func (w *worker) say(kind Kind, a answer, tries int, interval time.Duration) (answered bool, err error) {
	msg := w.out[:w.t.size]
	defer setKind(msg, Request)
	setKind(msg, kind)
	for range tries {
		now := clock.Now()
		w.sendUntil(now + int64(sendPatience))
		if err := w.sendOne(kind.seq(), now); err != nil {
			_, _ = w.dismiss(a)
			return false, err
		}
		select {
		case err := <-a:
			return w.outcome(err)
		case <-time.After(interval):
		}
	}
	return w.dismiss(a)
}

// seq is the number of all messages of a kind that is not measured: an answer to any will do.
func (k Kind) seq() uint64 { return WarmUp | uint64(k)<<48 }

// isAnswer tells whether a reply of that number answers a hello or a done.
func isAnswer(seq uint64) bool { return seq&WarmUp != 0 && seq>>48&0xff != 0 }

// awaitAnswer receives until the answer to seq is here.
func (w *worker) awaitAnswer(seq uint64) error {
	for {
		block, err := w.flow.Recv(w.t.size)
		if w.take(block, clock.Now(), seq) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// greet makes sure that the server hears the flow and is heard.
func (w *worker) greet() error {
	answered, err := w.say(Hello, w.expect(Hello), helloTries, helloInterval)
	if err == nil && !answered && !w.t.failed.Load() {
		err = fmt.Errorf("%s %s: no answer to %d hellos in %v; is \"bench server\" running there and is the port open for %[1]s?",
			w.t.transport.Name(), w.t.addr, helloTries, helloTries*helloInterval)
	}
	return err
}

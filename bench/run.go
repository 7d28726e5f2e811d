package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tcpvsudp/internal/clock"
	"tcpvsudp/results"
)

// Control agrees sessions with a server, wherever it is. Each call bears a short loss of the connection; a
// longer one is ErrServerLost.
type Control interface {
	// Agree makes a session for one trial and returns its identity. It waits for as long as the server has no room.
	Agree(ctx context.Context, spec Spec) (session uint64, err error)
	// Renew tells the server that the client is still there. It returns after a while, or at once when the server has
	// ended the session, with an error that errors.Is ErrEnded and tells why.
	Renew(ctx context.Context, session uint64) error
	// Stop ends the sending of the session's sources and returns how many measured messages each flow was sent.
	Stop(ctx context.Context, session uint64) (sent []uint64, err error)
	// Settle ends the session, when what was on its way has come, and returns the server's account.
	Settle(ctx context.Context, session uint64, end Settlement) (Account, error)
	// End ends the session without an account.
	End(ctx context.Context, session uint64) error
}

// ErrServerLost says that the server has not answered on the control channel for so long that there is no use in
// waiting.
var ErrServerLost = errors.New("the server is lost")

// Config is what Run needs beside the plan.
type Config struct {
	Plan       Plan
	Transports []Transport
	Control    Control
	// Addr is the server's data port, "host:port", the same for every transport.
	Addr string
	// Limits are the server's.
	Limits Limits
	// OneClock says that client and server read the same clock.
	OneClock bool
	// Interface is the client's network interface by which it reaches the server; empty where that is not known.
	Interface string
	// Repeats is how often a trial that failed is measured again: a server may have been started anew.
	Repeats int
	// Keep is handed every trial as soon as it is finished. Its error ends the run.
	Keep func(results.Record) error
	// Progress, if not nil, is told before every trial and once at the end.
	Progress func(Progress)
	// Link is what carries out the plan's links, nil where it has none.
	Link Link
	// NewWaiter makes the waiter that a sender paces itself by; nil is the platform's best.
	NewWaiter func() clock.Waiter
}

// Progress is how far a run has come.
type Progress struct {
	// Done of Trials trials are finished; Left is about how long the others take.
	Done, Trials int
	Left         time.Duration
	// What describes the trial that begins, empty at the end; Proto and Cell are its own.
	What  string
	Proto string
	Cell  results.Cell
}

// Run measures all trials of the plan, one after the other. When ctx ends, or a trial fails, it returns
// context.Cause(ctx) or the failure; the trials that had finished by then have been kept.
func Run(ctx context.Context, c Config) error {
	if err := c.Plan.Validate(c.Transports); err != nil {
		return err
	}
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits()
	}
	if err := c.Plan.Check(c.Limits); err != nil {
		return err
	}
	if c.NewWaiter == nil {
		c.NewWaiter = clock.NewWaiter
	}
	if slices.ContainsFunc(c.Plan.cells(), func(c cell) bool { return c.workload.paced || c.workload.searches }) {
		c.NewWaiter().Close() // the first one finds out how late this system is, which is not to be a trial's time
	}
	schedule := c.Plan.schedule(c.Transports)
	left := c.Plan.Estimate(c.Transports)
	tell := func(p Progress) {
		if c.Progress != nil {
			p.Trials, p.Left = len(schedule), left
			c.Progress(p)
		}
	}
	var met bool
	for i, s := range schedule {
		m := measurer{c, &met, func(attempts int) {
			tell(Progress{Done: i, What: s.String() + repeated(attempts), Proto: s.transport.Name(), Cell: s.cellRecord(c.Plan)})
		}}
		carryOut := m.trial
		if s.workload.searches {
			carryOut = m.search
		}
		record, err := carryOut(ctx, s, i+1)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("trial %d of %d, %s: %w", i+1, len(schedule), s, err)
		}
		if err := c.Keep(record); err != nil {
			return err
		}
		left -= s.estimate(c.Plan)
	}
	tell(Progress{Done: len(schedule)})
	return nil
}

// A measurer carries out what is scheduled.
type measurer struct {
	Config
	met  *bool              // whether any measurement of the run has got as far as to begin
	tell func(attempts int) // is told before a trial, and before what has failed so often is tried again
}

// trial carries out one trial.
func (m measurer) trial(ctx context.Context, s scheduled, number int) (results.Record, error) {
	m.tell(0)
	t, attempts, err := m.measure(ctx, s)
	if err != nil {
		return results.Record{}, err
	}
	record := t.records(number)
	record.Trial.Attempts = attempts
	return record, nil
}

// measure carries out s, and again where it has failed and may succeed; attempts is how often.
func (m measurer) measure(ctx context.Context, s scheduled) (t *trial, attempts int, err error) {
	var first error // why it had to be measured again
	for {
		if ctx.Err() != nil {
			return nil, attempts, context.Cause(ctx)
		}
		t, err = runTrial(ctx, m.Config, s)
		attempts++
		*m.met = *m.met || !t.began.IsZero()
		if err == nil || ctx.Err() != nil {
			return t, attempts, err
		}
		if !*m.met || attempts > m.Repeats || !mayPass(err) {
			return t, attempts, because(err, first)
		}
		if first == nil {
			first = err
		}
		m.tell(attempts)
	}
}

// because puts to err the failure that it began with.
func because(err, first error) error {
	if first == nil || errors.Is(err, first) {
		return err
	}
	return fmt.Errorf("%w; it began with: %w", err, first)
}

// mayPass tells whether a trial that failed with err may succeed when it is measured again.
func mayPass(err error) bool {
	for _, final := range []error{ErrServerLost, ErrBeyondLimits, ErrTooLong} {
		if errors.Is(err, final) {
			return false
		}
	}
	return true
}

// repeated says which attempt follows so many others.
func repeated(attempts int) string {
	if attempts == 0 {
		return ""
	}
	return fmt.Sprintf(", again (attempt %d)", attempts+1)
}

func (s scheduled) String() string {
	text := fmt.Sprintf("%s %s %d B", s.transport.Name(), s.workload.name, s.size)
	if s.flows > 1 {
		text += fmt.Sprintf(", %d flows", s.flows)
	}
	if s.workload.mode == Sink && s.direction != "up" {
		text += ", " + s.direction
	}
	if s.workload.mode == Sink {
		text += ", batch " + s.batchName()
	}
	if s.workload.searches {
		text += fmt.Sprintf(", loss ≤ %.4g %%", s.goal*100)
	}
	if s.compared {
		text += ", " + s.congestion
	}
	if s.link != "" {
		text += ", " + s.link
	}
	return text
}

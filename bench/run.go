package bench

import (
	"context"
	"fmt"
	"time"

	"tcpvsudp/internal/clock"
	"tcpvsudp/results"
)

// Control agrees sessions with a server, wherever it is.
type Control interface {
	// Agree makes a session for one trial and returns its identity.
	Agree(ctx context.Context, spec Spec) (session uint64, err error)
	// Settle ends the session, when what was on its way has come, and returns the server's account.
	Settle(ctx context.Context, session uint64, end Settlement) (Account, error)
	// End ends the session without an account.
	End(ctx context.Context, session uint64) error
}

// Config is what Run needs beside the plan.
type Config struct {
	Plan       Plan
	Transports []Transport
	Control    Control
	// Addr is the server's data port, "host:port", the same for every transport.
	Addr string
	// Keep is handed every trial as soon as it is finished. Its error ends the run.
	Keep func(results.Trial, []results.Bucket, []results.Interval) error
	// Progress, if not nil, is told before every trial and once at the end.
	Progress func(Progress)
	// NewWaiter makes the waiter that a sender paces itself by; nil is the platform's best.
	NewWaiter func() clock.Waiter
}

// Progress is how far a run has come.
type Progress struct {
	// Done of Trials trials are finished; Left is about how long the others take.
	Done, Trials int
	Left         time.Duration
	// What describes the trial that begins, empty at the end.
	What string
}

// Run measures all trials of the plan, one after the other. When ctx ends, or a trial fails, it returns
// context.Cause(ctx) or the failure; the trials that had finished by then have been kept.
func Run(ctx context.Context, c Config) error {
	if err := c.Plan.Validate(c.Transports); err != nil {
		return err
	}
	if c.NewWaiter == nil {
		c.NewWaiter = clock.NewWaiter
	}
	schedule := c.Plan.schedule(c.Transports)
	left := c.Plan.Estimate(c.Transports)
	tell := func(done int, what string) {
		if c.Progress != nil {
			c.Progress(Progress{Done: done, Trials: len(schedule), Left: left, What: what})
		}
	}
	for i, s := range schedule {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		tell(i, s.String())
		t, err := runTrial(ctx, c, s)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("trial %d of %d, %s: %w", i+1, len(schedule), s, err)
		}
		trial, buckets, intervals := t.records(i + 1)
		if err := c.Keep(trial, buckets, intervals); err != nil {
			return err
		}
		left -= s.estimate(c.Plan)
	}
	tell(len(schedule), "")
	return nil
}

func (s scheduled) String() string {
	text := fmt.Sprintf("%s %s %d B", s.transport.Name(), s.workload.name, s.size)
	if s.flows > 1 {
		text += fmt.Sprintf(", %d flows", s.flows)
	}
	return text
}

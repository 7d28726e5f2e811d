package main

import (
	"context"
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// limitedLog is a log that strangers can't fill a disk with: of more lines than a few a second it tells the number.
type limitedLog struct {
	slog.Handler
	lines   *rate.Limiter
	dropped *atomic.Int64
}

// linesPerSecond of a log are written, and linesAtOnce when it has been quiet.
const (
	linesPerSecond = 20
	linesAtOnce    = 500
)

func newLimitedLog(h slog.Handler) slog.Handler {
	return limitedLog{h, rate.NewLimiter(linesPerSecond, linesAtOnce), &atomic.Int64{}}
}

// Handle implements slog.Handler.
func (l limitedLog) Handle(ctx context.Context, r slog.Record) error {
	if !l.lines.Allow() {
		l.dropped.Add(1)
		return nil
	}
	if n := l.dropped.Swap(0); n > 0 {
		r.AddAttrs(slog.Int64("lines_dropped_before", n))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l limitedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limitedLog{l.Handler.WithAttrs(attrs), l.lines, l.dropped}
}

// WithGroup implements slog.Handler.
func (l limitedLog) WithGroup(name string) slog.Handler {
	return limitedLog{l.Handler.WithGroup(name), l.lines, l.dropped}
}

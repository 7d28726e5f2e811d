package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"tcpvsudp/bench"
)

// progress shows how far a run has come: on a terminal a bar with the time left, redrawn at every trial and
// once a second; elsewhere a line now and then.
type progress struct {
	w     io.Writer
	bar   *progressbar.ProgressBar // nil where there is no terminal
	quiet bool
	total time.Duration

	mu   sync.Mutex
	now  bench.Progress
	when time.Time // when now was told

	waiting string // what for, beside the trial

	stop    chan struct{}
	stopped sync.WaitGroup
}

// linePeriod is the time between two lines of progress where there is no terminal, barPeriod that between
// two drawings of the bar.
const (
	linePeriod = 10 * time.Second
	barPeriod  = time.Second
)

// newProgress starts to show the progress of a run that takes total. A quiet one shows nothing.
func newProgress(w io.Writer, quiet bool, total time.Duration) *progress {
	p := &progress{w: w, quiet: quiet, total: total, stop: make(chan struct{})}
	if quiet {
		return p
	}
	period := linePeriod
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		period = barPeriod
		p.bar = progressbar.NewOptions64(max(total.Milliseconds(), 1),
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetWidth(20),
			progressbar.OptionSetPredictTime(false), // the plan knows better
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetTheme(progressbar.ThemeASCII),
		)
	}
	p.stopped.Go(func() {
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.draw()
			case <-p.stop:
				return
			}
		}
	})
	return p
}

// tell is told by bench.Run.
func (p *progress) tell(now bench.Progress) {
	p.mu.Lock()
	first := p.when.IsZero()
	p.now, p.when, p.waiting = now, time.Now(), ""
	p.mu.Unlock()
	if p.bar != nil || first && !p.quiet {
		p.draw()
	}
}

// waits is told what the run waits for, or "" when that is over.
func (p *progress) waits(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if what != "" && p.waiting == "" && !p.quiet {
		if p.bar != nil {
			_ = p.bar.Clear()
		}
		fmt.Fprintln(p.w, "waiting: "+what)
	}
	if what == "" && p.waiting != "" {
		p.when = time.Now() // the wait was none of the trial's
	}
	p.waiting = what
}

// draw shows the state; the time left goes on between two trials.
func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.What == "" || p.waiting != "" {
		return
	}
	left := max(p.now.Left-time.Since(p.when), 0)
	text := fmt.Sprintf("trial %d/%d %s, %s left", p.now.Done+1, p.now.Trials, p.now.What, left.Round(time.Second))
	if p.bar == nil {
		fmt.Fprintln(p.w, text)
		return
	}
	p.bar.Describe(p.fit(text))
	_ = p.bar.Set64(min(p.total-left, p.total).Milliseconds()) // a terminal that is gone shows nothing
}

// fit cuts text so that the bar beside it still has room in a line of the terminal.
func (p *progress) fit(text string) string {
	const bar = 40 // columns that the bar, its share and its count take
	width := 80
	if f, ok := p.w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = columns
		}
	}
	room := max(width-bar, 20)
	if runes := []rune(text); len(runes) > room {
		left := strings.LastIndex(text, ", ")
		end := []rune(text[left:]) // the time that is left is worth more than the name of the link
		return string(runes[:max(room-len(end)-1, 0)]) + "…" + string(end)
	}
	return text
}

// end stops showing and takes the bar away.
func (p *progress) end() {
	close(p.stop)
	p.stopped.Wait()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

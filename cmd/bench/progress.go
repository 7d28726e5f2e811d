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
	"tcpvsudp/results"
)

// progress shows how far a run has come: on a terminal a live view, redrawn before every trial; on one that is too small or too simple for it
// a bar with the time left, redrawn once a second too; elsewhere a line now and then.
type progress struct {
	w     io.Writer
	live  *live                    // nil where there is a bar, or no terminal
	bar   *progressbar.ProgressBar // nil where there is none
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
	if p.live = newLive(w); p.live != nil {
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
	if p.live != nil || p.bar != nil || first && !p.quiet {
		p.draw()
	}
}

// kept is told of every finished trial.
func (p *progress) kept(t results.Trial) {
	if p.live != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.live.kept(t)
	}
}

// waits is told what the run waits for, or "" when that is over.
func (p *progress) waits(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if what != "" && p.waiting == "" && !p.quiet {
		p.clear()
		fmt.Fprintln(p.w, "waiting: "+what)
	}
	over := what == "" && p.waiting != ""
	p.waiting = what
	if over {
		p.when = time.Now() // the wait was none of the trial's
		if p.live != nil && p.now.What != "" {
			p.live.draw(p.now, p.total, p.when)
		}
	}
}

// draw shows the state; the time left goes on between two trials.
func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.What == "" || p.waiting != "" {
		return
	}
	if p.live != nil {
		p.live.draw(p.now, p.total, p.when)
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

// end stops showing and takes away what stands on the terminal.
func (p *progress) end() {
	close(p.stop)
	p.stopped.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) clear() {
	if p.live != nil {
		p.live.clear()
	}
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

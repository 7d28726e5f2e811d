package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"tcpvsudp/bench"
)

// progress shows how far a run has come: a bar with the time left on a terminal, a line now and then
// elsewhere. It draws between trials alone, so that nothing of it is measured.
type progress struct {
	w     io.Writer
	bar   *progressbar.ProgressBar // nil where there is no terminal
	quiet bool
	total time.Duration
	last  time.Time // when the last line was written
}

// linePeriod is the time between two lines of progress where there is no terminal.
const linePeriod = 10 * time.Second

func newProgress(w io.Writer, quiet bool, total time.Duration) *progress {
	p := &progress{w: w, quiet: quiet, total: total}
	if f, ok := w.(*os.File); ok && !quiet && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(total.Milliseconds(),
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetWidth(20),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetTheme(progressbar.ThemeASCII),
		)
	}
	return p
}

// tell is told by bench.Run.
func (p *progress) tell(now bench.Progress) {
	if p.quiet || now.What == "" {
		return
	}
	text := fmt.Sprintf("trial %d/%d %s, %s left", now.Done+1, now.Trials, now.What, about(now.Left.Round(time.Second)))
	switch {
	case p.bar != nil:
		p.bar.Describe(text)
		_ = p.bar.Set64((p.total - now.Left).Milliseconds())
	case time.Since(p.last) >= linePeriod:
		p.last = time.Now()
		fmt.Fprintln(p.w, text)
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"tcpvsudp/bench"
	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// A live view is a block of lines on a terminal that shows what the finished trials of the cell that is being measured have told.
// It is drawn between two trials alone: a terminal takes processor time to draw, and a trial's figures are not to pay for it. So the time at
// which the run ends stands beside the time that is left: it stays right in a trial that takes long.
type live struct {
	w      io.Writer
	size   func() (width, height int)
	colour bool

	trials   map[liveKey][]results.Trial
	controls map[string]bool // algorithms of congestion control that have been seen
	drawn    []int           // how long the lines are that stand there
}

// liveKey is what trials are set out by.
type liveKey struct {
	cell  results.Cell
	proto string
}

// What a block needs of a terminal; below it, it has a line alone.
const (
	liveWidth  = 48
	liveHeight = 10
)

// newLive returns a live view on w, or nil where that is no terminal that can show one.
func newLive(w io.Writer) *live {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" || runtime.GOOS == "windows" { // whose consoles may print the sequences
		return nil
	}
	size := func() (width, height int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return 0, 0
		}
		return width, height
	}
	if width, height := size(); width < liveWidth || height < liveHeight {
		return nil
	}
	return &live{w: w, size: size, colour: os.Getenv("NO_COLOR") == "", trials: map[liveKey][]results.Trial{}, controls: map[string]bool{}}
}

// kept is told of every finished trial.
func (l *live) kept(t results.Trial) {
	key := liveKey{t.Cell, t.Proto}
	l.trials[key] = append(l.trials[key], t)
	l.controls[t.CongestionAsked] = true
}

// draw puts the state in the place of the one before, by one write.
func (l *live) draw(now bench.Progress, total time.Duration, at time.Time) {
	width, height := l.size()
	lines := liveLines(liveState{
		Progress: now, total: total, at: at, tcp: l.trials[liveKey{now.Cell, "tcp"}], udp: l.trials[liveKey{now.Cell, "udp"}], compared: len(l.controls) > 1,
	}, width, height)
	var lengths []int
	for i, line := range lines {
		lengths = append(lengths, utf8.RuneCountInString(line))
		lines[i] = l.paint(line)
	}
	l.replace(lines, width)
	l.drawn = lengths
}

// clear takes the block away.
func (l *live) clear() {
	if len(l.drawn) == 0 {
		return
	}
	width, _ := l.size()
	l.replace([]string{""}, width)
	l.drawn = nil
}

// replace puts lines in the place of what is drawn. Lines are taken away one by one: to clear the screen from its top on makes some terminals keep
// what stood there, for the scroll bar.
func (l *live) replace(lines []string, width int) {
	text, end := "", ""
	old := 0 // rows
	for _, length := range l.drawn {
		old += 1 + max(length-1, 0)/max(width, 1) // a terminal that has become narrower has folded lines
	}
	if old > 0 {
		text, end = "\r", "\x1b[K"
		if old > 1 {
			text += fmt.Sprintf("\x1b[%dA", old-1)
		}
	}
	text += strings.Join(lines, end+"\n") + end
	if more := old - len(lines); more > 0 {
		text += strings.Repeat("\n"+end, more) + fmt.Sprintf("\x1b[%dA\r", more)
	}
	_, _ = io.WriteString(l.w, text) // a terminal that is gone shows nothing
}

// paint gives the names of the transports their colours.
func (l *live) paint(line string) string {
	if !l.colour {
		return line
	}
	return strings.NewReplacer("TCP", "\x1b[36mTCP\x1b[0m", "UDP", "\x1b[33mUDP\x1b[0m").Replace(line)
}

// liveState is what a live view shows.
type liveState struct {
	bench.Progress
	total    time.Duration
	at       time.Time
	tcp, udp []results.Trial // of the cell
	compared bool            // there are several algorithms of congestion control
}

// liveLines are the lines for a terminal of that size, none longer than it is wide, and so many that it has room for the cursor too.
func liveLines(s liveState, width, height int) []string {
	end := s.at.Add(s.Left).Format("15:04:05")
	if s.Left > 20*time.Hour {
		end = s.at.Add(s.Left).Format("Jan 2 15:04")
	}
	lines := []string{fmt.Sprintf("trial %d/%d, %s left, until %s", s.Done+1, s.Trials, s.Left.Round(time.Second), end)}
	if room := width - 3 - utf8.RuneCountInString(lines[0]); room >= 10 {
		lines[0] += "  " + bar(float64(s.total-s.Left)/float64(max(s.total, 1)), min(room, 30))
	}
	if width >= liveWidth && height >= liveHeight {
		name := strings.Map(func(r rune) rune { // the name of a file may be part of it
			if !unicode.IsPrint(r) {
				return '?'
			}
			return r
		}, report.CellName(s.Cell, s.compared))
		if _, attempt, again := strings.Cut(s.What, ", again "); again {
			name = "again " + attempt + ", " + name
		}
		row := func(label, tcp, udp string) string { return fmt.Sprintf(" %-22s %10s %10s", label, tcp, udp) }
		lines = append(lines, fmt.Sprintf("now %s: %s", strings.ToUpper(s.Proto), name), row("medians so far", "TCP", "UDP"),
			row("trials", fmt.Sprint(len(s.tcp)), fmt.Sprint(len(s.udp))))
		for _, f := range report.SoFar(s.Cell.Workload, s.tcp, s.udp) {
			lines = append(lines, row(f.Label, f.TCP, f.UDP))
		}
		lines = lines[:min(len(lines), height-1)]
	}
	for i, line := range lines {
		if runes := []rune(line); len(runes) >= width {
			lines[i] = string(runes[:max(width-2, 0)]) + "…"
		}
	}
	return lines
}

// bar is a bar of so many columns, of which a share is full.
func bar(share float64, columns int) string {
	full := int(min(max(share, 0), 1) * float64(columns))
	return strings.Repeat("█", full) + strings.Repeat("░", columns-full)
}

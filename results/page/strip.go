package page

import (
	"fmt"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// kind is what may happen to messages, from the best to the worst.
type kind struct {
	class, name string
	path        func(x, y, r float64) string
	of          func(results.Trial) uint64
}

var kinds = []kind{
	{"delivered", "all delivered", square, func(t results.Trial) uint64 { return t.Unique }},
	{"late", "some late", func(x, y, r float64) string { return triangle(x, y, r*1.1) }, late},
	{"duplicated", "some duplicated", bars, func(t results.Trial) uint64 { return t.Duplicated }},
	{"reordered", "some reordered", func(x, y, r float64) string { return diamond(x, y, r*1.25) }, func(t results.Trial) uint64 { return t.Reordered }},
	{"lost", "some lost", cross, func(t results.Trial) uint64 { return t.Lost }},
}

// late is how many messages came after the deadline: of those that missed it, the ones that were not lost on the way.
func late(t results.Trial) uint64 {
	missed, known := t.Missed.Get()
	lost, split := t.LostRequests.Get()
	if !split {
		lost = float64(t.Lost)
	}
	if !known || missed <= lost {
		return 0
	}
	return uint64(missed - lost)
}

// strips draw a mark a trial that says what became of its messages.
func strips(s *results.Set, _ []results.Summary) section {
	part := section{ID: "strip", Title: "What became of the messages", Notes: []string{
		"A mark is a trial, and says the worst that happened to any of its messages: the files count what was lost, late, reordered and duplicated by trial. Late is what came after the deadline, where there was one."}}
	label := report.CellNames(s)
	cells := report.Cells(s)
	if len(cells) == 0 {
		return part
	}
	most := 1
	for _, c := range cells {
		for _, proto := range report.Transports(s) {
			most = max(most, len(trialsOf(s, c, proto)))
		}
	}
	step := min(16, float64(width-left-right)/float64(most))
	c := &chart{Title: "loss, order and duplicates, trial by trial", Desc: "A row for each transport and setting, a mark for each trial.", Width: width}
	c.Figures = table{Header: append(words("messages", "transport"), figures("trial", "sent", "delivered", "late", "duplicated", "reordered", "lost")...)}
	x, y := 8.0, 16.0
	for _, k := range kinds {
		if room := 26 + 7*float64(len(k.name)); x+room > width {
			x, y = 8, y+20
		}
		c.shape("sample "+k.class, k.path(x+4, y-4, 4.5))
		c.text("key", "start", x+14, y, k.name)
		x += 30 + 7*float64(len(k.name))
	}
	y += 12
	for _, one := range cells {
		y += 22
		name := one.Workload + ", " + label(one)
		c.text("name", "start", 8, y, name)
		for _, proto := range report.Transports(s) {
			list := trialsOf(s, one, proto)
			if len(list) == 0 {
				continue
			}
			y += 20
			who := strings.ToUpper(proto)
			c.text("tick", "end", left-12, y, who)
			for i, t := range list {
				worst := kinds[0]
				for _, k := range kinds[1:] {
					if k.of(t) > 0 {
						worst = k
					}
				}
				tip := fmt.Sprintf("%s, %s, trial %d: %d sent", who, name, t.Number, t.Sent)
				figure := []string{itoa(t.Number), fmt.Sprint(t.Sent)}
				for _, k := range kinds {
					_, word, _ := strings.Cut(k.name, " ")
					tip += fmt.Sprintf(", %d %s", k.of(t), word)
					figure = append(figure, fmt.Sprint(k.of(t)))
				}
				c.Marks = append(c.Marks, mark{Series: who + " " + name, Class: worst.class, Path: worst.path(left+(float64(i)+0.5)*step, y-4, min(5, step*0.4)), Tip: tip})
				c.Figures.Rows = append(c.Figures.Rows, row{Cells: append(words(name, who), figures(figure...)...)})
			}
		}
	}
	c.Height = y + 14
	part.Charts = []*chart{c}
	return part
}

func trialsOf(s *results.Set, c results.Cell, proto string) (list []results.Trial) {
	for _, t := range s.Trials {
		if t.Cell == c && t.Proto == proto {
			list = append(list, t)
		}
	}
	return list
}

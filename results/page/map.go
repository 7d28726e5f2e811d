package page

import (
	"fmt"
	"slices"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// lossMaps draw at what delay and loss which transport met the deadline more often, a map for each size and rate.
func lossMaps(s *results.Set, _ []results.Summary) section {
	rows := report.Map(s)
	part := section{ID: "map", Title: "Loss and delay: who meets the deadline", Notes: append(report.MapFindings(rows),
		"In each field, the share of messages that missed the deadline: lost ones and late ones both. A transport's name stands where it missed less, = where neither did, ? where that is not decided.")}
	for len(rows) > 0 {
		same := func(r report.MapRow) bool { return r.Rate == rows[0].Rate && r.SizeBytes == rows[0].SizeBytes }
		var group, rest []report.MapRow
		for _, r := range rows {
			if same(r) {
				group = append(group, r)
			} else {
				rest = append(rest, r)
			}
		}
		part.Charts = append(part.Charts, drawMap(group))
		rows = rest
	}
	return part
}

func drawMap(rows []report.MapRow) *chart {
	var delays, losses []string
	for _, r := range rows {
		if !slices.Contains(delays, r.Delay) {
			delays = append(delays, r.Delay)
		}
		if !slices.Contains(losses, r.Loss) {
			losses = append(losses, r.Loss)
		}
	}
	const head, line, field = 74.0, 40.0, 70.0
	each := max(field, (width-head-right)/float64(len(losses)))
	each = min(each, 130)
	c := &chart{
		Title: fmt.Sprintf("%d B at %s/s, deadline %s ms", rows[0].SizeBytes, rows[0].Rate, rows[0].Deadline),
		Desc:  "Loss from left to right, delay from top to bottom.",
		Width: max(width, head+each*float64(len(losses))+right), Height: line + 66*float64(len(delays)) + 8,
	}
	c.Figures = table{Header: append(words("delay one way", "loss"), append(figures("TCP missed", "UDP missed"), words("less")...)...)}
	c.text("name", "start", 4, 16, "delay")
	c.text("name", "start", head, 16, "loss")
	for i, loss := range losses {
		c.text("tick", "middle", head+(float64(i)+0.5)*each, line-6, short(loss))
	}
	for i, delay := range delays {
		y := line + 66*float64(i)
		c.text("tick", "end", head-8, y+34, short(delay))
		for _, r := range rows {
			if r.Delay != delay {
				continue
			}
			x := head + each*float64(slices.Index(losses, r.Loss))
			who := map[string]string{"tcp": "TCP", "udp": "UDP", "equal": "="}[r.Better]
			if who == "" {
				who = "?"
			}
			tcp, udp := share(r.TCP), share(r.UDP)
			c.Marks = append(c.Marks, mark{Series: delay, Class: "field " + r.Better, Path: box(x+2, y+2, each-4, 62),
				Tip: fmt.Sprintf("delay %s, loss %s: TCP missed %s, UDP %s, of %s messages in %s: %s", delay, r.Loss, tcp, udp, r.Judged, report.Count(r.Pairs, "pair"), r.Better)})
			c.text("who", "middle", x+each/2, y+22, who)
			c.text("value", "middle", x+each/2, y+39, "TCP "+tcp)
			c.text("value", "middle", x+each/2, y+54, "UDP "+udp)
			c.Figures.Rows = append(c.Figures.Rows, row{Cells: append(words(delay, r.Loss), append(figures(tcp, udp), words(r.Better)...)...)})
		}
	}
	return c
}

func share(v results.Value) string {
	n, known := v.Get()
	if !known {
		return "–"
	}
	return percent(n)
}

// short is a setting as far as a field has room for it.
func short(text string) string {
	const most = 8
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

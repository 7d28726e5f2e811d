package page

import (
	"fmt"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// costs draw the CPU time that a message costs both ends together, with the interval of its median.
func costs(s *results.Set, rows []results.Summary) section {
	part := section{ID: "cost", Title: "What a message costs", Notes: []string{
		"CPU time of client and server together for each message, median over trials with its interval of 95 % confidence. Further left is cheaper; the axis is logarithmic. A message of an echo is a request and its reply."}}
	label := report.CellNames(s)
	type entry struct {
		proto, name string
		side        results.Side
	}
	var list []entry
	var values []float64
	for _, r := range rows {
		if r.Metric != "cpu_us_per_message" {
			continue
		}
		for _, proto := range report.Transports(s) {
			side := r.TCP
			if proto == "udp" {
				side = r.UDP
			}
			v, known := side.Value.Get()
			if !known || v <= 0 {
				continue
			}
			values = append(values, v)
			for _, end := range []results.Value{side.Low, side.High} {
				if v, known := end.Get(); known && v > 0 {
					values = append(values, v)
				}
			}
			list = append(list, entry{proto, r.Workload + ", " + label(r.Cell), side})
		}
	}
	if len(list) == 0 {
		if len(s.Trials) > 0 {
			part.Missing = "The CPU time of this run is not known."
		}
		return part
	}
	c := &chart{Title: "CPU time per message", Desc: "A row for each setting, a mark for each transport.", Width: width}
	c.Figures = table{Header: append(words("messages", "transport"), figures("CPU per message", "from", "to")...)}
	x := span("CPU time per message", round("us"), values, true)
	x.from, x.to = 14, width-right-14
	y, name := float64(top), ""
	for _, e := range list {
		if e.name != name {
			name = e.name
			y += 20
			c.text("name", "start", 8, y, name)
			y += 2
		}
		y += 14
		c.shape("grid", across(x.from, y, x.to))
		v, _ := e.side.Value.Get()
		who := strings.ToUpper(e.proto)
		tip := fmt.Sprintf("%s, %s: %s", who, name, show("us", v))
		low, bounded := e.side.Low.Get()
		high, _ := e.side.High.Get()
		if bounded && low > 0 {
			c.shape("whisker "+e.proto, across(x.at(low), y, x.at(high))+down(x.at(low), y-4, y+4)+down(x.at(high), y-4, y+4))
			tip += fmt.Sprintf(" (%s to %s)", show("us", low), show("us", high))
		}
		c.point(e.proto, who, "", x.at(v), y, tip)
		c.Figures.Rows = append(c.Figures.Rows, row{Cells: append(words(name, who), figures(show("us", v), report.Show("us", e.side.Low), report.Show("us", e.side.High))...)})
	}
	y += 14
	for _, v := range x.ticks() {
		c.shape("grid", down(x.at(v), top, y))
		c.text("tick", "middle", x.at(v), y+14, x.tick(v))
	}
	c.Height = y + 36
	c.text("name", "middle", width/2, y+32, x.name)
	c.legend(measured(s)...)
	part.Charts = []*chart{c}
	return part
}

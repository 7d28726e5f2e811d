package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"tcpvsudp/results"
)

// A MapRow is one point of the map: at what delay and loss which transport met the deadline more often.
type MapRow struct {
	Delay     string        `csv:"delay" json:"delay"`
	Loss      string        `csv:"loss" json:"loss"`
	Rate      results.Value `csv:"rate_asked_msg_per_s" json:"rate_asked_msg_per_s"`
	SizeBytes int           `csv:"size_bytes" json:"size_bytes"`
	Deadline  results.Value `csv:"deadline_ms" json:"deadline_ms"`
	TCP       results.Value `csv:"tcp_deadline_miss_ratio" json:"tcp_deadline_miss_ratio"`
	UDP       results.Value `csv:"udp_deadline_miss_ratio" json:"udp_deadline_miss_ratio"`
	Judged    results.Value `csv:"judged_messages" json:"judged_messages"`
	Pairs     int           `csv:"pairs" json:"pairs"`
	// Better is tcp or udp where it missed the deadline less, equal where neither did, and open where that is not decided. From six pairs
	// on it is decided by the test of all tables, adjusted by Holm for the points of the map; fewer can't be tested, and decide where all
	// of them agree, of two at least.
	Better string `csv:"better" json:"better"`
	// PHolm is empty where nothing was tested.
	PHolm results.Value `csv:"p_holm" json:"p_holm"`
}

// leastPairs is how many pairs have to agree before a transport is named that can't be tested.
const leastPairs = 2

// Words of MapRow.Better.
const (
	equal = "equal"
	open  = "open"
)

// Map makes the rows of a run whose links differ in delay and loss, by delay and then by loss.
func Map(s *results.Set) (rows []MapRow) {
	var contests []*contest
	var judgements []*results.Judgement
	for _, cell := range cells(s) {
		_, values := settings(cell.Link)
		if cell.Workload != "paced" || values["delay"] == "" || values["loss"] == "" {
			continue
		}
		row := MapRow{Delay: values["delay"], Loss: values["loss"], Rate: cell.RateAsked, SizeBytes: cell.SizeBytes}
		tcp, udp := side(s, cell, "tcp"), side(s, cell, "udp")
		miss := func(h half) (results.Value, float64) {
			var missed, judged float64
			for _, t := range h.trials {
				a, known := t.Missed.Get()
				if b, _ := t.Judged.Get(); known {
					missed, judged = missed+a, judged+b
				}
				row.Deadline = t.DeadlineMs
			}
			return results.Ratio(missed, judged), judged
		}
		var n float64
		row.TCP, _ = miss(tcp)
		row.UDP, n = miss(udp)
		row.Judged = results.Known(n)
		row.Better, row.Pairs = better(tcp, udp)
		rows = append(rows, row)

		m := metricOf(cell.Workload, "deadline_miss_ratio")
		c := m.contest(cell, tcp, udp, new(results.Figure), new(results.Side), new(results.Side))
		if c == nil {
			c = &contest{metric: m}
		}
		c.names, c.paired, c.judgement = transports, true, new(results.Judgement)
		c.base, c.other = m.pairs(tcp, udp)
		contests, judgements = append(contests, c), append(judgements, c.judgement)
	}
	judge(contests)
	for i, j := range judgements {
		row := &rows[i]
		if row.Pairs < enoughTrials {
			continue
		}
		row.PHolm = j.PHolm
		if row.Better != equal {
			row.Better = cmp.Or(j.Winner, open)
		}
	}
	return rows
}

// better says who missed less in every pair.
func better(tcp, udp half) (who string, pairs int) {
	words := []string{}
	for _, t := range tcp.trials {
		for _, u := range udp.trials {
			a, known := t.MissRatio.Get()
			b, some := u.MissRatio.Get()
			if t.Pair != u.Pair || !known || !some {
				continue
			}
			pairs++
			words = add(words, map[int]string{-1: "tcp", 0: equal, 1: "udp"}[cmp.Compare(a, b)])
		}
	}
	if len(words) != 1 || pairs < leastPairs {
		return open, pairs
	}
	return words[0], pairs
}

// WriteMap prints the map.
func WriteMap(w io.Writer, s *results.Set, f Format) error {
	rows := Map(s)
	return document[MapRow]{
		rows: rows,
		json: struct {
			Map      []MapRow `json:"map"`
			Findings []string `json:"findings"`
		}{orEmpty(rows), orEmpty(mapFindings(rows))},
		text: func(w *bytes.Buffer, markdown bool) error { return writeMapText(w, s, rows, markdown) },
	}.write(w, f)
}

func writeMapText(w *bytes.Buffer, s *results.Set, rows []MapRow, markdown bool) error {
	for _, line := range heading(s) {
		writeParagraph(w, line, markdown)
	}
	if len(rows) == 0 {
		return nil
	}
	var delays, losses []string
	for _, r := range rows {
		delays, losses = add(delays, r.Delay), add(losses, r.Loss)
	}
	table := Table{
		Title:  fmt.Sprintf("Messages that missed the deadline of %s ms, %%: TCP / UDP, and who missed less", rows[0].Deadline),
		Header: append([]string{"delay one way"}, losses...), Text: 1,
	}
	for i := range losses {
		table.Header[1+i] = "loss " + losses[i]
	}
	for _, delay := range delays {
		line := []string{delay}
		for _, loss := range losses {
			cell := notMeasured
			if i := slices.IndexFunc(rows, func(r MapRow) bool { return r.Delay == delay && r.Loss == loss }); i >= 0 {
				cell = rows[i].cell()
			}
			line = append(line, cell)
		}
		table.Rows = append(table.Rows, line)
	}
	fmt.Fprintln(w)
	if err := table.Render(w, markdown); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, finding := range mapFindings(rows) {
		writeItem(w, finding, markdown)
	}
	fmt.Fprintln(w)
	decided := fmt.Sprintf("A transport is named where it missed less: p < %v by Wilcoxon's signed-rank test of the pairs of trials, adjusted by Holm for the points of the map.", alpha)
	undecided := "? is where no difference is shown"
	if rows[0].Pairs < enoughTrials {
		decided = fmt.Sprintf("Fewer than %d trials: too few to tell a difference from chance. A transport is named where it missed less in every pair of trials, of two at least, which is no proof.", enoughTrials)
		undecided = "? where they did not agree"
	}
	writeParagraph(w, decided+" = is where all pairs were equal, and "+undecided+". A message that is lost and one that comes too late both miss.", false)
	for _, note := range append(linkNotes(s.Trials), irregular(s.Trials)...) {
		writeParagraph(w, note, false)
	}
	return nil
}

func (r MapRow) cell() string {
	percent := func(v results.Value) string {
		n, known := v.Get()
		if !known {
			return notMeasured
		}
		return short(n * 100)
	}
	mark := map[string]string{"tcp": "TCP", "udp": "UDP", equal: "=", open: "?"}[r.Better]
	return fmt.Sprintf("%s / %s %s", percent(r.TCP), percent(r.UDP), mark)
}

// mapFindings say for each delay from which loss on which transport meets the deadline better.
func mapFindings(rows []MapRow) (list []string) {
	for i := 0; i < len(rows); {
		n := i
		for n < len(rows) && rows[n].Delay == rows[i].Delay && rows[n].Rate == rows[i].Rate && rows[n].SizeBytes == rows[i].SizeBytes {
			n++
		}
		list = append(list, delayFinding(rows[i:n]))
		i = n
	}
	return list
}

func delayFinding(rows []MapRow) string {
	text := fmt.Sprintf("At %s msg/s of %s, %s ms deadline, %s one way: ", rows[0].Rate, showSize(rows[0].SizeBytes), rows[0].Deadline, rows[0].Delay)
	var parts []string
	for i := 0; i < len(rows); {
		n := i
		for n < len(rows) && rows[n].Better == rows[i].Better {
			n++
		}
		where := rows[i].Loss
		switch {
		case i == 0 && n == len(rows):
			where = "at every loss tried"
		case n == len(rows):
			where = "from " + rows[i].Loss + " loss on"
		case i == 0 && n > 1:
			where = "up to " + rows[n-1].Loss + " loss"
		case n-i > 1:
			where = "from " + rows[i].Loss + " to " + rows[n-1].Loss + " loss"
		default:
			where = "at " + where + " loss"
		}
		who := map[string]string{"tcp": "TCP", "udp": "UDP", equal: "no difference", open: "not decided"}[rows[i].Better]
		parts = append(parts, who+" "+where)
		i = n
	}
	return text + strings.Join(parts, ", ") + "."
}

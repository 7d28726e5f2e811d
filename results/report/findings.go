package report

import (
	"fmt"
	"slices"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/stats"
)

// A Finding is a sentence that says why figures are as they are. It is derived from the columns that it names, and not made where
// one of them is empty.
type Finding struct {
	Text    string   `json:"text"`
	Columns []string `json:"columns"`
}

// String is the sentence with what it stands on.
func (f Finding) String() string { return f.Text + " [" + strings.Join(f.Columns, ", ") + "]" }

// Findings are those of a run.
func Findings(s *results.Set, rows []results.Summary) (list []Finding) {
	byCell := map[results.Cell]figures{}
	var order []results.Cell
	for _, row := range rows {
		if byCell[row.Cell] == nil {
			byCell[row.Cell] = figures{}
			order = append(order, row.Cell)
		}
		byCell[row.Cell][row.Metric] = row
	}
	both := len(protos(s)) == 2
	name := cellNames(s.Trials)
	for _, cell := range order {
		f := byCell[cell]
		tcp, udp := side(s, cell, "tcp").trials, side(s, cell, "udp").trials
		if both {
			list = appendFound(list, f.acrossLink(cell, slices.Concat(tcp, udp)))
			list = appendFound(list, f.tail(name(cell), tcp, udp))
		}
	}
	list = appendFound(list, wakeUps(s, order, byCell))
	list = appendFound(list, lateSender(s, order, byCell))
	for _, proto := range protos(s) {
		list = append(list, whereLost(s, proto, order, name)...)
	}
	return append(list, busySenders(s, order, name)...)
}

func appendFound(list []Finding, f Finding) []Finding {
	if f.Text == "" {
		return list
	}
	return append(list, f)
}

// cellNames names cells in a sentence.
func cellNames(trials []results.Trial) func(results.Cell) string {
	compared, link := severalAlgorithms(trials), varied(trials)
	return func(c results.Cell) string {
		return c.Workload + " of " + cellLabel(c, compared) + linkLabel(c.Link, link)
	}
}

// figures are the rows of a cell by metric.
type figures map[string]results.Summary

func (f figures) value(metric, proto string) (v float64, known bool) {
	row, has := f[metric]
	if !has {
		return 0, false
	}
	return sideOf(row, proto).Value.Get()
}

// acrossLink says what an emulated link showed of a paced cell: who lost what, who was late, and who missed the deadline.
func (f figures) acrossLink(cell results.Cell, trials []results.Trial) Finding {
	if cell.Workload != "paced" || cell.Link == "" {
		return Finding{}
	}
	deadline := ""
	for _, t := range trials {
		deadline = t.DeadlineMs.String()
	}
	columns := []string{"longest_stall_ms", "held_up_ratio", "deadline_miss_ratio"}
	lost, _ := f.value("loss_ratio", "udp")
	held, _ := f.value("held_up_ratio", "tcp")
	again, _ := f.value("client_retransmitted_segments", "tcp")
	half := func(proto string) (text string, ok bool) {
		tail, word := "owd_up_p99_us", "at p99"
		if _, told := f.value(tail, proto); !told {
			tail, word = "owd_up_max_us", "at most"
		}
		columns = add(columns, tail)
		slow, a := f.value(tail, proto)
		stall, b := f.value("longest_stall_ms", proto)
		misses, c := f.value("deadline_miss_ratio", proto)
		held, d := f.value("held_up_ratio", proto)
		return fmt.Sprintf("%s took %s ms %s, stood still for %s ms at most, held %s %% of its messages up and missed the deadline for %s %%",
			strings.ToUpper(proto), short(slow/1000), word, short(stall), short(held*100), short(misses*100)), a && b && c && d
	}
	tcp, ok1 := half("tcp")
	udp, ok2 := half("udp")
	if !ok1 || !ok2 {
		return Finding{}
	}
	verdict := "No difference between them is shown."
	switch winner := f["deadline_miss_ratio"].Winner; {
	case winner == "udp" && lost > 0 && held > 0:
		columns = append(columns, "loss_ratio")
		verdict = "UDP met it more often: what it loses is less than what TCP makes wait."
	case winner == "tcp" && lost > 0 && again > 0:
		columns = append(columns, "loss_ratio", "client_retransmitted_segments")
		verdict = "TCP met it more often: it sends again what was lost, and still in time."
	case winner != "":
		verdict = strings.ToUpper(winner) + " met it more often."
	}
	return Finding{
		Text:    fmt.Sprintf("%s over %s, one way, deadline %s ms: %s; %s. %s", cellLabel(cell, false), readable(cell.Link), deadline, tcp, udp, verdict),
		Columns: columns,
	}
}

// A tail is told of where TCP's is so many times its own median and UDP's tail.
const longTail = 3

// tail says that TCP's slowest messages waited for segments that were sent again, where there were enough of those to explain them.
func (f figures) tail(name string, tcp, udp []results.Trial) Finding {
	var again float64
	for _, t := range tcp {
		client, known := t.Retransmissions.Client.Get()
		server, _ := t.Retransmissions.Server.Get()
		if !known {
			return Finding{}
		}
		again += client + server
	}
	median, known := f.value("rtt_p50_us", "tcp")
	if !known || again == 0 {
		return Finding{}
	}
	for _, p := range []struct {
		metric, word string
		beyond       float64
	}{{"rtt_p999_us", "p99.9", 0.001}, {"rtt_p99_us", "p99", 0.01}} {
		slow, a := f.value(p.metric, "tcp")
		other, b := f.value(p.metric, "udp")
		var messages float64
		for _, t := range tcp {
			messages += float64(t.Unique)
		}
		if !a || !b || slow < longTail*median || slow < longTail*other || again < p.beyond*messages/10 {
			continue
		}
		scale := scaleFor(microseconds, results.Known(slow))
		text := fmt.Sprintf("TCP's %s in %s is %s %s, because %s sent again", p.word, name, scale.show(results.Known(slow)), scale.symbol, segmentsWere(again))
		columns := []string{p.metric, "client_retransmitted_segments", "server_retransmitted_segments"}
		if lost, known := f.value("loss_ratio", "udp"); known && lost > 0 {
			text += fmt.Sprintf("; UDP lost %s %% instead", short(100*lost))
			columns = append(columns, "loss_ratio")
		}
		return Finding{text + ".", columns}
	}
	return Finding{}
}

func segmentsWere(n float64) string {
	if n == 1 {
		return "1 segment was"
	}
	return fmt.Sprintf("%.0f segments were", n)
}

// wakeUps says that round trips are waking up threads for the most part, by how long that took when the run began. It says nothing unless that is
// so of every cell of a closed loop.
func wakeUps(s *results.Set, order []results.Cell, byCell map[results.Cell]figures) Finding {
	each, known := s.Run.WakeUpUs.Get()
	if !known || slices.ContainsFunc(s.Trials, func(t results.Trial) bool { return t.Workload == "latency" && (t.Wait != "block" || t.Link != "") }) {
		return Finding{}
	}
	var trips []string
	for _, cell := range order {
		if cell.Workload != "latency" {
			continue
		}
		for _, proto := range protos(s) {
			p50, known := byCell[cell].value("rtt_p50_us", proto)
			if !known || 2*each < p50/2 || 2*each > p50 { // not the most, or measured at another time than the wake-ups were
				return Finding{}
			}
			trips = append(trips, fmt.Sprintf("%s's %s µs (%s) some %s", strings.ToUpper(proto), short(p50), cellLabel(cell, false), short(p50-2*each)))
		}
	}
	if len(trips) == 0 {
		return Finding{}
	}
	return Finding{
		Text: fmt.Sprintf("Round trips are for the most part waking up a sleeping thread, twice %s µs here. That leaves of %s: --wait spin shows the transports' own.",
			short(each), several(trips)),
		Columns: []string{"rtt_p50_us", "wait", "run.json: wake_up_us"},
	}
}

// lateSender says where the tail of an open loop is the sender's own lateness.
func lateSender(s *results.Set, order []results.Cell, byCell map[results.Cell]figures) Finding {
	var tails []string
	for _, cell := range order {
		for _, proto := range protos(s) {
			lag, a := byCell[cell].value("send_lag_p99_us", proto)
			p50, b := byCell[cell].value("rtt_p50_us", proto)
			p99, c := byCell[cell].value("rtt_p99_us", proto)
			if cell.Workload == "paced" && a && b && c && p99 >= 2*p50 && lag >= p99/2 {
				tails = append(tails, fmt.Sprintf("%s of %s %s of %s µs", strings.ToUpper(proto), cellLabel(cell, false), short(lag), short(p99)))
			}
		}
	}
	if len(tails) == 0 {
		return Finding{}
	}
	return Finding{
		Text:    fmt.Sprintf("The paced tail is more than half the sender's own lateness (send lag p99 of RTT p99: %s): the host, not the transport.", several(tails)),
		Columns: []string{"rtt_p99_us", "send_lag_p99_us"},
	}
}

// nearlyAll is the share from which on a loss is said to have been in one place.
const nearlyAll = 0.99

// whereLost says where a transport's messages were lost: in the receiver's buffer, in the sender's queue, or in the network.
func whereLost(s *results.Set, proto string, order []results.Cell, name func(results.Cell) string) (list []Finding) {
	type place struct {
		cells []string
		asked results.Value
		given results.Value
	}
	places := map[string]*place{}
	var mixed []string
	for _, cell := range order {
		var lost, sent, buffer, sender, network float64
		var asked, given results.Value
		all, some := true, 0
		trials := side(s, cell, proto).trials
		for _, t := range trials {
			b, known := t.Buffer.Get()
			n, _ := t.Network.Get()
			own, _ := t.Sender.Get()
			all = all && known
			lost, sent = lost+float64(t.Lost), sent+float64(t.Sent)
			buffer, sender, network = buffer+b, sender+own, network+n
			if t.Lost > 0 {
				some++
			}
			asked, given = t.ServerRecvBufferAsked, t.ServerRecvBuffer
			up, _ := t.ServerBufferFull.Get()
			if down, _ := t.ClientBufferFull.Get(); down > up {
				asked, given = t.ClientRecvBufferAsked, t.ClientRecvBuffer
			}
		}
		if lost == 0 || !all {
			continue
		}
		text := fmt.Sprintf("%s (%s %%)", name(cell), short(100*lost/sent))
		if some < len(trials) {
			text = fmt.Sprintf("%s (%s %%, in %d of %s)", name(cell), short(100*lost/sent), some, Count(len(trials), "trial"))
		}
		word := ""
		switch {
		case buffer >= nearlyAll*lost && network == 0:
			word = "buffer"
		case sender >= nearlyAll*lost:
			word = "sender"
		case network >= nearlyAll*lost:
			word = "network"
		default:
			mixed = append(mixed, fmt.Sprintf("%s, of which %s %% in the receiver's socket buffer, %s %% in the sender's queue and %s %% in the network", text, short(100*buffer/lost), short(100*sender/lost), short(100*network/lost)))
			continue
		}
		if places[word] == nil {
			places[word] = &place{asked: asked, given: given}
		}
		if places[word].given != given {
			places[word].asked, places[word].given = results.Value{}, results.Value{} // of several sizes
		}
		places[word].cells = append(places[word].cells, text)
	}
	who := strings.ToUpper(proto)
	columns := []string{"loss_ratio", "lost_buffer_messages", "lost_sender_messages", "lost_network_messages"}
	if p := places["buffer"]; p != nil {
		text := fmt.Sprintf("All that %s lost in %s was lost in the receiver's socket buffer", who, several(p.cells))
		asked, known := p.asked.Get()
		given, granted := p.given.Get()
		switch {
		case known && granted && given < asked:
			text += fmt.Sprintf(" (%s B granted of %s B asked): raise net.core.rmem_max there.", thousands(given), thousands(asked))
		case granted:
			text += fmt.Sprintf(" (%s B), because it was sent to faster than it read; the network lost none of it.", thousands(given))
		default:
			text += ", because it was sent to faster than it read; the network lost none of it."
		}
		list = append(list, Finding{text, append(columns, "server_recv_buffer_bytes", "server_recv_buffer_asked_bytes")})
	}
	if p := places["sender"]; p != nil {
		list = append(list, Finding{fmt.Sprintf("All that %s lost in %s never left: the sender's own queue was full, or there was no way.", who, several(p.cells)), columns})
	}
	if p := places["network"]; p != nil {
		list = append(list, Finding{fmt.Sprintf("All that %s lost in %s was lost in the network, and none in a socket's buffer.", who, several(p.cells)), columns})
	}
	if len(mixed) > 0 {
		list = append(list, Finding{fmt.Sprintf("%s lost in more than one place: %s.", who, strings.Join(mixed, "; ")), columns})
	}
	return list
}

// several lists things in a sentence, whose names have commas of their own.
func several(things []string) string {
	if n := len(things) - 1; n > 0 {
		return strings.Join(things[:n], "; ") + "; and " + things[n]
	}
	return things[0]
}

// thousands writes a whole number with commas between its thousands.
func thousands(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// saturated is from what share of one processor on a sender is said to be limited by it.
const saturated = 0.95

// fewLost is the share of messages up to which a loss is not what limited throughput.
const fewLost = 0.01

// busySenders says whose throughput was limited by the sender's processor: of one flow upwards, which one thread sends.
func busySenders(s *results.Set, order []results.Cell, name func(results.Cell) string) (list []Finding) {
	for _, proto := range protos(s) {
		var cells []string
		for _, cell := range order {
			trials := side(s, cell, proto).trials
			if cell.Workload != "throughput" || cell.Direction != "up" || cell.Flows != 1 || len(trials) == 0 {
				continue
			}
			var shares []float64
			var lost, sent uint64
			for _, t := range trials {
				lost, sent = lost+t.Lost, sent+t.Sent
				if cpu, known := t.ClientCPUs.Get(); known && t.DurationMs > 0 {
					shares = append(shares, cpu*1000/t.DurationMs)
				}
			}
			// Where much was lost, it was the receiver that limited it.
			if d, ok := stats.Describe(shares); ok && d.N == len(trials) && d.Median >= saturated && float64(lost) <= fewLost*float64(sent) {
				cells = append(cells, strings.TrimPrefix(name(cell), "throughput of "))
			}
		}
		if len(cells) > 0 {
			list = append(list, Finding{
				Text:    fmt.Sprintf("%s's throughput of %s is limited by the sender's processor, of which it used %.0f %% or more of one.", strings.ToUpper(proto), several(cells), 100*saturated),
				Columns: []string{"client_cpu_s", "duration_ms", "loss_ratio"},
			})
		}
	}
	return list
}

// short returns n to three significant digits.
func short(n float64) string {
	text := fmt.Sprintf("%.3g", n)
	if strings.Contains(text, "e") {
		return digits(n)
	}
	return text
}

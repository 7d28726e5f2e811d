package report

import (
	"fmt"
	"slices"
	"strings"

	"tcpvsudp/results"
)

// enoughTrials is the number of trials from which a median has an interval of 95 % confidence: with five, the
// smallest and the largest still leave 1 in 16 outside.
const enoughTrials = 6

// footnotes are what a reader must know beside the figures, a paragraph each.
func footnotes(s *results.Set, rows []results.Summary, wide bool) []string {
	if len(rows) == 0 {
		return nil
	}
	both := len(protos(s)) == 2
	notes := []string{"Figures are medians over trials; shares are of all trials' messages, maxima are the largest of all."}
	var merged, missing, none, few bool
	for _, row := range rows {
		m := metricOf(row.Workload, row.Metric)
		merged = merged || line{metric: m, merged: row.Over == overMessages, sides: []results.Side{row.TCP, row.UDP}}.pooled()
		for _, side := range []results.Side{row.TCP, row.UDP} {
			v, known := side.Value.Get()
			missing = missing || !known && side.Trials > 0
			none = none || m.unit == shareOf && known && v == 0
			few = few || row.Over == overTrials && side.Trials > 0 && side.Trials < enoughTrials
		}
	}
	if both {
		var all []results.Judgement
		for _, row := range rows {
			all = append(all, row.Judgement)
		}
		notes = append(notes, judgementNotes(all, "UDP/TCP", "pairs of trials", "Wilcoxon's signed-rank test of the pairs", wide)...)
		notes = append(notes, floorNotes(s)...)
		notes = append(notes, tooMany(rows)...)
	}
	if merged {
		notes = append(notes, "¹ All trials' messages together: one trial has too few for this percentile.")
	}
	if missing {
		notes = append(notes, "– Not measured, or too little to tell.")
	}
	if none {
		notes = append(notes, "<x: none of n seen, so with 95 % confidence less than 3/n.")
	}
	if few {
		notes = append(notes, fmt.Sprintf("Fewer than %d trials: too few to tell a difference from chance.", enoughTrials))
	}
	notes = append(notes, incomplete(s)...)
	notes = append(notes, batches(s.Trials)...)
	notes = append(notes, bursts(s.Trials)...)
	notes = append(notes, searchNotes(s.Trials)...)
	notes = append(notes, rateLimits(s.Trials)...)
	notes = append(notes, linkNotes(s.Trials)...)
	notes = append(notes, clockErrors(s.Trials)...)
	notes = append(notes, notAlone(s.Trials)...)
	notes = append(notes, driftNotes(rows)...)
	notes = append(notes, busyHost(s)...)
	notes = append(notes, notGranted(s.Trials)...)
	return append(notes, irregular(s.Trials)...)
}

// batches says what a call to the kernel carried where it was more than a message, by each transport and size.
func batches(trials []results.Trial) (notes []string) {
	var list []string
	offload, each := false, false
	for _, t := range trials {
		if t.Workload != "throughput" {
			continue
		}
		each = each || t.Stamp == "message"
		if t.MessagesPerBlock < 2 {
			continue
		}
		text := fmt.Sprintf("%s %d of %s", strings.ToUpper(t.Proto), t.MessagesPerBlock, showSize(t.SizeBytes))
		if t.ClientOffload == "on" || t.ServerOffload == "on" {
			offload = true
			text += " with offload"
		}
		list = add(list, text)
	}
	if len(list) > 0 {
		slices.Sort(list)
		notes = append(notes, "Messages given to the kernel at once in batches: "+strings.Join(list, ", ")+". A stream is always cut by the kernel.")
	}
	if offload {
		notes = append(notes, "Offload: the kernel takes several datagrams as one (UDP_SEGMENT) and hands them on so (UDP_GRO). Between two processes of one host it never cuts them: messages/s is then no rate of packets.")
	}
	if each {
		notes = append(notes, "The sender of throughput read the clock for every message, which slows down what is sent in batches.")
	}
	return notes
}

// bursts says where what arrived came in much less time than it was sent in, so that goodput tells of a queue that
// emptied more than of the path.
func bursts(trials []results.Trial) (notes []string) {
	untold, above := 0, 0
	for _, t := range trials {
		goodput, known := t.GoodputBps.Get()
		offered, some := t.OfferedBps.Get()
		switch {
		case some && !known && t.Unique > 0:
			untold++
		case some && goodput > 1.1*offered:
			above++
		}
	}
	if untold > 0 {
		notes = append(notes, fmt.Sprintf("%s without a goodput: what was sent arrived within less than half of the time. Longer trials (--duration) tell it.", were(untold)))
	}
	if above > 0 {
		notes = append(notes, fmt.Sprintf("%s above what was offered by more than 10 %%: a queue emptied faster than it was filled. Longer trials (--duration) tell the rate better.", were(above)))
	}
	return notes
}

// rateLimits says what the server did not allow to be exceeded: what was measured is then its limit, and not the path.
func rateLimits(trials []results.Trial) (notes []string) {
	for _, t := range trials {
		if _, known := t.RateLimitBps.Get(); known {
			scale := scaleFor(bitsPerSecond, t.RateLimitBps)
			note := fmt.Sprintf("The server allowed %s %s in each direction (--max-rate): but for paced, nothing here was sent faster than that, whatever the path can carry.",
				scale.show(t.RateLimitBps), scale.symbol)
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	return notes
}

// clockErrors says how far one-way delays may be off, where client and server had a clock each.
func clockErrors(trials []results.Trial) []string {
	largest, told, withheld := 0.0, 0, 0
	for _, t := range trials {
		off, known := t.ClockErrorUs.Get()
		if !known || off == 0 {
			continue
		}
		largest = max(largest, off)
		for _, l := range []results.Latency{t.OneWayUp, t.OneWayDown} {
			if _, known := l.P50Us.Get(); known {
				told++
			} else {
				withheld++
			}
		}
	}
	if told+withheld == 0 {
		return nil
	}
	text := fmt.Sprintf("One-way delays rest on an estimate of the difference between two clocks, made before and after each trial, which may be off by up to ±%s µs (clock_error_us).", digits(largest))
	if withheld > 0 {
		text += fmt.Sprintf(" They are withheld where that is more than the delay: %d of %d.", withheld, told+withheld)
	}
	return []string{text}
}

// notAlone says which trials were disturbed from outside.
func notAlone(trials []results.Trial) (notes []string) {
	again, shared := 0, 0
	for _, t := range trials {
		if t.Attempts > 1 {
			again++
		}
		_, client := t.ClientCPUs.Get()
		if _, server := t.ServerCPUs.Get(); client && !server && t.Received > 0 {
			shared++
		}
	}
	if again > 0 {
		notes = append(notes, fmt.Sprintf("%s measured again, because the connection or the server had been lost (attempts).", were(again)))
	}
	if shared > 0 {
		notes = append(notes, fmt.Sprintf("%s without the server's CPU time: another client used the server meanwhile, or it can't tell.", were(shared)))
	}
	return notes
}

func were(n int) string {
	if n == 1 {
		return "1 trial was"
	}
	return fmt.Sprintf("%d trials were", n)
}

// irregular says what should not have happened, summed over the trials of each transport and workload.
func irregular(trials []results.Trial) (notes []string) {
	type key struct{ proto, workload, what string }
	counts := map[key]float64{}
	intended := map[key]float64{}
	var order []key
	for _, t := range trials {
		corrupt, _ := t.Corrupt.Get()
		unsent, _ := t.Unsent.Get()
		outside := 0.0
		for _, l := range []results.Latency{t.RTT, t.Connect, t.SendLag, t.OneWayUp, t.OneWayDown} {
			n, _ := l.Outside.Get()
			outside += n
		}
		for _, found := range []struct {
			what string
			n    float64
		}{
			{"messages did not hold what was sent", corrupt},
			{"messages belonged to no flow of their trial", float64(t.Foreign)},
			{"datagrams were longer than a message, and cut off", float64(t.Truncated)},
			{"datagrams were no message", float64(t.Malformed)},
			{"messages found the sender's own queue full, or no way to the server", float64(t.SendErrors)},
			{"arrivals were too late to be told from duplicates", float64(t.BeyondWindowCount)},
			{"times were outside the histogram's range and count as its end", outside},
			{"messages were not sent: the sender had no time for them", unsent},
		} {
			k := key{t.Proto, t.Workload, found.what}
			if found.n > 0 && counts[k] == 0 {
				order = append(order, k)
			}
			counts[k] += found.n
			intended[k] += float64(t.Sent) + unsent
		}
	}
	for _, k := range order {
		notes = append(notes, fmt.Sprintf("%s, %s: %.0f of %.0f %s.", k.proto, k.workload, counts[k], intended[k], k.what))
	}
	return notes
}

// notGranted says what was asked of the kernel and not given, each once.
func notGranted(trials []results.Trial) (notes []string) {
	note := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(notes, text) {
			notes = append(notes, text)
		}
	}
	for _, t := range trials {
		if t.Wait != t.WaitAsked {
			note("%s: asked to wait by %s, granted %s.", t.Proto, t.WaitAsked, t.Wait)
		}
		for _, given := range []string{t.CongestionControl, t.ServerCongestion} {
			if given != "" && t.CongestionAsked != "" && given != t.CongestionAsked {
				note("%s: congestion control %s asked, %s granted.", t.Proto, t.CongestionAsked, given)
			}
		}
		if t.ClientOffload == "refused" || t.ServerOffload == "refused" {
			note("%s: messages of %s were too long for the path to be sent with offload, or a device refused it; they went on without.", t.Proto, showSize(t.SizeBytes))
		}
		if t.Pin != "none" && t.ClientPath == "own" && (t.ClientPinned == "" || t.ServerPath == "own" && t.ServerPinned == "") {
			note("%s: threads asked to be bound to processors (%s) were not.", t.Proto, t.Pin)
		}
		for _, buffer := range []struct {
			name         string
			asked, given results.Value
		}{
			{"client's send", t.ClientSendBufferAsked, t.ClientSendBuffer},
			{"client's receive", t.ClientRecvBufferAsked, t.ClientRecvBuffer},
			{"server's send", t.ServerSendBufferAsked, t.ServerSendBuffer},
			{"server's receive", t.ServerRecvBufferAsked, t.ServerRecvBuffer},
		} {
			asked, _ := buffer.asked.Get()
			given, known := buffer.given.Get()
			if known && given < asked {
				note("%s: %.0f bytes asked for the %s buffer, %.0f granted.", t.Proto, asked, buffer.name, given)
			}
		}
	}
	return notes
}

package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// headline is the row of a workload's table that speaks for it in the verdict. did is what the better transport did, and on what
// what neither did better. Without a workload it is of all.
type headline struct {
	workload, metric string
	did, on          string
	// plain leaves out by how much, and quiet says nothing where nobody is better.
	plain, quiet bool
}

var headlines = []headline{
	{workload: "connect", metric: "connect_p50_us", did: "connected", on: "connecting"},
	{workload: "throughput", metric: "goodput_bps", did: "moved messages", on: "throughput"},
	{workload: "maxrate", metric: "max_rate_bps", did: "without loss moved messages", on: "the highest rate without loss"},
	{workload: "latency", metric: "rtt_p50_us", did: "answered", on: "the typical round trip"},
	{workload: "paced", metric: "rtt_p50_us", did: "at a steady rate answered", on: "the typical round trip at a steady rate"},
	{workload: "paced", metric: "deadline_miss_ratio", did: "missed its deadline less often", on: "deadlines", plain: true, quiet: true},
	{metric: "loss_ratio", did: "lost less", plain: true, quiet: true},
}

// verdict is what a run shows, in sentences for those who read no tables. It names a transport only where the table does.
func verdict(s *results.Set, rows []results.Summary) (sentences []string) {
	switch protos := report.Transports(s); {
	case len(protos) == 0:
		return append(whole(s), "Nothing was measured: there is no verdict.")
	case len(protos) == 1:
		name := strings.ToUpper(protos[0])
		return append(whole(s), fmt.Sprintf("Only %s was measured: there is nothing to compare it with, and no verdict.", name), losses(s, rows))
	case s.Run.SameTwice:
		return append(whole(s), "Each transport was compared with itself, to see how much what is the same differs: there is no verdict.")
	}
	sentences = whole(s)
	pairs := 0
	for _, r := range rows {
		pairs = max(pairs, r.Pairs)
	}
	if pairs < report.EnoughTrials {
		return append(sentences, fmt.Sprintf("There is no verdict: with fewer than %d pairs of trials, no difference between TCP and UDP can be told from chance.", report.EnoughTrials), losses(s, rows))
	}
	var shown, alike []string
	label := report.CellNames(s)
	for _, h := range headlines {
		clause, same := h.clause(rows, label)
		if clause != "" {
			shown = append(shown, clause)
		}
		if same && !h.quiet {
			alike = append(alike, h.on)
		}
	}
	where := scope(s)
	switch {
	case len(shown) == 0:
		sentences = append(sentences, where+" neither TCP nor UDP is shown to be faster in general, or to lose less.")
	case len(alike) == 0:
		sentences = append(sentences, where+" "+strings.Join(shown, "; ")+".")
	default:
		sentences = append(sentences, fmt.Sprintf("%s %s; in %s no difference is shown.", where, strings.Join(shown, "; "), and(alike)))
	}
	return append(sentences, losses(s, rows))
}

// whole says where a run is not.
func whole(s *results.Set) []string {
	n := len(s.Trials)
	switch {
	case s.Run.Status != results.Finished:
		return []string{fmt.Sprintf("This run is not whole (%s, %d of %s): what follows is of those it has.", s.Run.Status, n, report.Count(s.Run.Planned, "trial"))}
	case n < s.Run.Kept:
		return []string{fmt.Sprintf("This run is damaged: %d of %s are left.", n, report.Count(s.Run.Kept, "trial"))}
	}
	return nil
}

// scope says what a verdict holds for.
func scope(s *results.Set) string {
	linked := slices.ContainsFunc(s.Trials, func(t results.Trial) bool { return t.Link != "" })
	switch {
	case linked:
		return "Across an emulated network"
	case s.Run.Server.Name == "" || s.Run.Server.Name == s.Run.Client.Name:
		return "On this machine"
	}
	return fmt.Sprintf("Between %s and %s", s.Run.Client.Name, s.Run.Server.Name)
}

// mostNamed is how many settings are named in a sentence: the table names all.
const mostNamed = 4

// clause is what the headline's rows show, as far as they could be tested, with the settings for which they do; same tells that none of them names a transport.
func (h headline) clause(rows []results.Summary, label func(results.Cell) string) (text string, same bool) {
	won := map[string][]results.Summary{}
	total := 0
	for _, r := range rows {
		if (r.Workload == h.workload || h.workload == "") && r.Metric == h.metric && r.Pairs >= report.EnoughTrials {
			total++
			won[r.Winner] = append(won[r.Winner], r)
		}
	}
	var parts []string
	for _, proto := range []string{"tcp", "udp"} {
		list := won[proto]
		if len(list) == 0 {
			continue
		}
		part := strings.ToUpper(proto) + " " + h.did
		if !h.plain {
			part += " " + amounts(list)
		}
		switch {
		case total == 1:
		case len(list) == total && total == 2:
			part += " in both settings"
		case len(list) == total:
			part += fmt.Sprintf(" in all %d settings", total)
		case len(list) > mostNamed:
			part += fmt.Sprintf(" in %d of %d settings", len(list), total)
		default:
			var cells []string
			for _, r := range list {
				name := label(r.Cell)
				if h.workload == "" {
					name = r.Workload + ", " + name
				}
				cells = append(cells, name)
			}
			part += fmt.Sprintf(" in %d of %d settings (%s)", len(list), total, strings.Join(cells, "; "))
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", and "), total > 0 && len(parts) == 0
}

// amounts is by how much a transport is better, from the least to the most, in the words of the rows' own verdicts.
func amounts(list []results.Summary) string {
	far := func(r results.Summary) float64 {
		ratio, _ := r.Ratio.Get()
		if ratio > 0 {
			ratio = max(ratio, 1/ratio)
		}
		return ratio
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b results.Summary) int { return cmp.Compare(far(a), far(b)) })
	_, least, _ := strings.Cut(list[0].Verdict, " ")
	_, most, _ := strings.Cut(list[len(list)-1].Verdict, " ")
	if least == most {
		return least
	}
	return strings.TrimSuffix(least, " faster") + " to " + most
}

// losses says what share of its messages each transport lost where it lost most.
func losses(s *results.Set, rows []results.Summary) string {
	label := report.CellNames(s)
	var parts []string
	for _, proto := range report.Transports(s) {
		worst, where, measured := 0.0, "", false
		for _, r := range rows {
			side := r.TCP
			if proto == "udp" {
				side = r.UDP
			}
			if v, known := side.Value.Get(); r.Metric == "loss_ratio" && known {
				measured = true
				if v > worst {
					worst, where = v, r.Workload+", "+label(r.Cell)
				}
			}
		}
		name := strings.ToUpper(proto)
		switch {
		case worst > 0:
			parts = append(parts, fmt.Sprintf("%s lost up to %s of its messages (%s)", name, percent(worst), where))
		case measured:
			parts = append(parts, name+" lost none")
		default:
			parts = append(parts, "nothing is known of "+name+"'s losses")
		}
	}
	text := and(parts)
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// and joins the parts of a sentence.
func and(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

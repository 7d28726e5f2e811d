package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"tcpvsudp/results"
)

// The name of a link is settings like "delay=20ms" with semicolons between, the first of them perhaps a preset alone. A report tells
// links apart by the settings in which they differ, a column each.

// readable is the name of a link in a sentence.
func readable(link string) string { return strings.ReplaceAll(link, ";", ",") }

// presetKey is the key of a setting that has none.
const presetKey = "link"

// settings splits the name of a link.
func settings(link string) (keys []string, values map[string]string) {
	values = map[string]string{}
	if link == "" {
		return nil, values
	}
	for word := range strings.SplitSeq(link, ";") {
		key, value, assigned := strings.Cut(word, "=")
		if !assigned {
			key, value = presetKey, word
		}
		keys, values[key] = append(keys, key), value
	}
	return keys, values
}

// varied are the keys that the links of trials differ in.
func varied(trials []results.Trial) (list []string) {
	first := map[string]string{}
	for i, t := range trials {
		keys, values := settings(t.Link)
		if i == 0 {
			first = values
		}
		for _, key := range keys {
			if values[key] != first[key] {
				list = add(list, key)
			}
		}
	}
	return list
}

// linkOrder puts links in the order of their settings: by number where they begin with one.
func linkOrder(links []string) map[string]int {
	links = slices.Clone(links)
	slices.SortFunc(links, func(a, b string) int {
		keys, x := settings(a)
		_, y := settings(b)
		for _, key := range keys {
			if c := cmp.Or(cmp.Compare(quantity(x[key]), quantity(y[key])), cmp.Compare(x[key], y[key])); c != 0 {
				return c
			}
		}
		return cmp.Compare(a, b)
	})
	order := map[string]int{}
	for i, link := range links {
		order[link] = i + 1
	}
	return order
}

// units are those of durations and rates, as factors.
var units = map[string]float64{"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9}

// quantity is the number that text begins with, times its unit; 0 for none.
func quantity(text string) float64 {
	end := strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789.", r) })
	if end < 0 {
		end = len(text)
	}
	n, err := strconv.ParseFloat(text[:end], 64)
	if err != nil {
		return 0
	}
	if factor, known := units[strings.ToLower(text[end:])]; known {
		n *= factor
	}
	return n
}

// linkNotes say where the emulation itself was too slow.
func linkNotes(trials []results.Trial) (notes []string) {
	var behind, missed, packets float64
	var count int
	for _, t := range trials {
		b, _ := t.LinkAccount.Behind.Get()
		m, _ := t.LinkAccount.Missed.Get()
		up, _ := t.LinkAccount.Up.Packets.Get()
		down, _ := t.LinkAccount.Down.Packets.Get()
		if behind, missed, packets = behind+b, missed+m, packets+up+down; m > 0 || b > 0.01*(up+down) {
			count++
		}
	}
	if count > 0 {
		notes = append(notes, fmt.Sprintf("In %s the emulated link itself fell behind: it released %.2g %% of all packets more than 1 ms late, and had no room for %.0f (link_behind_packets, link_missed_packets). What they lost was not the link's loss. Fewer messages a second tell more.",
			Count(count, "trial"), 100*behind/math.Max(packets, 1), missed))
	}
	return notes
}

package link

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Separator stands between the settings in the name of a link: a comma would have to be quoted in CSV, which not every program
// that reads it bears.
const Separator = ";"

// A setting is a key and the text of its value; a preset is one with no key.
type setting struct{ key, value string }

func (s setting) String() string {
	if s.key == "" {
		return s.value
	}
	return s.key + "=" + s.value
}

// keys are the words before a "=", each with how its value is read. A key that begins with "up." or "down." is about one
// direction.
var keys = map[string]func(*Side, string) error{
	"delay":        func(s *Side, v string) error { return duration(&s.Delay, v) },
	"jitter":       func(s *Side, v string) error { return duration(&s.Jitter, v) },
	"distribution": func(s *Side, v string) error { s.Distribution = v; return nil },
	"order": func(s *Side, v string) error {
		if v != "keep" && v != "free" {
			return errors.New("use keep or free")
		}
		s.Free = v == "free"
		return nil
	},
	"loss":       func(s *Side, v string) error { return share(&s.Loss, v) },
	"gemodel":    func(s *Side, v string) error { return gilbert(s, v) },
	"loss-every": func(s *Side, v string) error { return number(&s.LossEvery, v) },
	"loss-list":  func(s *Side, v string) error { return numbers(&s.LossList, v) },
	"duplicate":  func(s *Side, v string) error { return share(&s.Duplicate, v) },
	"corrupt":    func(s *Side, v string) error { return share(&s.Corrupt, v) },
	"reorder": func(s *Side, v string) error {
		if s.Distance == 0 {
			s.Distance = 1
		}
		return share(&s.Reorder, v)
	},
	"distance": func(s *Side, v string) error { return whole(&s.Distance, v) },
	"rate":     func(s *Side, v string) error { return rate(&s.Rate, v) },
	"trace":    func(s *Side, v string) error { s.Trace = v; return nil },
	"limit":    limit,
	"codel": func(s *Side, v string) (err error) {
		if s.CoDel, err = strconv.ParseBool(v); err != nil {
			return errors.New("use true or false")
		}
		return nil
	},
	"mtu": func(s *Side, v string) error { return whole(&s.MTU, v) },
}

// Keys are the words that a link is described with, in order.
func Keys() []string {
	var list []string
	for key := range keys {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

// Parse reads what a link is to be: a preset's name, settings like delay=20ms,loss=1% with commas or semicolons between, or the one with the other. A list of values
// for a setting, like loss=0,1%,5%, stands for a link with each; several lists for all of their combinations, in
// order. Files that are named are read, so that they are known to be there.
func Parse(text string) ([]Spec, error) {
	lists, err := split(text)
	if err != nil {
		return nil, fmt.Errorf("link %q: %w", text, err)
	}
	var all []Spec
	for _, settings := range combinations(lists) {
		spec, err := build(settings)
		if err != nil {
			return nil, fmt.Errorf("link %q: %w", text, err)
		}
		if err := errors.Join(spec.Validate(), spec.read()); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(s Spec) bool { return s.Name == spec.Name }) {
			return nil, fmt.Errorf("link %q: %q is given twice: give it once", text, spec.Name)
		}
		all = append(all, spec)
		if len(all) > maxSweep {
			return nil, fmt.Errorf("link %q: more than %d links at once: give fewer values", text, maxSweep)
		}
	}
	return all, nil
}

const maxSweep = 1000

// split returns the values of every setting, in order.
func split(text string) (lists [][]setting, err error) {
	seen := map[string]bool{}
	for word := range strings.SplitSeq(strings.ReplaceAll(text, Separator, ","), ",") {
		word = strings.TrimSpace(word)
		key, value, assigned := strings.Cut(word, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case word == "" || assigned && value == "":
			return nil, errors.New("a value is missing: write it like delay=20ms,loss=1%, or a preset's name")
		case assigned:
			if key == "up" || key == "down" {
				key += ".trace"
			}
			if seen[key] {
				return nil, fmt.Errorf("%s is given twice: give several values as %s=A,B", key, key)
			}
			seen[key] = true
			lists = append(lists, []setting{{key, value}})
		case len(lists) == 0 || presets[word] != "" && lists[len(lists)-1][0].key == "":
			if presets[word] == "" {
				return nil, fmt.Errorf("%q is neither a preset (%s) nor a setting like delay=20ms", word, strings.Join(Presets(), ", "))
			}
			if len(lists) == 0 {
				lists = append(lists, nil)
			}
			lists[0] = append(lists[0], setting{"", word})
		default: // one more value
			last := &lists[len(lists)-1]
			if (*last)[0].key == "" {
				return nil, fmt.Errorf("%q is neither a preset (%s) nor a setting like delay=20ms", word, strings.Join(Presets(), ", "))
			}
			*last = append(*last, setting{(*last)[0].key, word})
		}
	}
	return lists, nil
}

// combinations returns every choice of one setting from each list; the last list's settings follow each other.
func combinations(lists [][]setting) [][]setting {
	all := [][]setting{nil}
	for _, list := range lists {
		if len(all) > maxSweep {
			return all // too many already: Parse says so
		}
		var next [][]setting
		for _, before := range all {
			for _, s := range list {
				next = append(next, append(slices.Clone(before), s))
			}
		}
		all = next
	}
	return all
}

// build carries out settings, one after the other.
func build(settings []setting) (Spec, error) {
	var words []string
	for _, s := range settings {
		words = append(words, s.String())
	}
	spec := Spec{Name: strings.Join(words, Separator)}
	for _, s := range settings {
		if err := spec.set(s); err != nil {
			return spec, err
		}
	}
	for _, side := range []*Side{&spec.Up, &spec.Down} {
		if side.bottleneck() && side.LimitPackets == 0 && side.LimitBytes == 0 {
			side.LimitPackets = DefaultLimit
		}
		if side.MTU == 0 {
			side.MTU = DefaultMTU
		}
	}
	return spec, nil
}

func (s *Spec) set(one setting) error {
	if one.key == "" {
		lists, err := split(presets[one.value])
		if err != nil {
			return err
		}
		for _, list := range lists {
			if err := s.set(list[0]); err != nil {
				return err
			}
		}
		return nil
	}
	sides, key := []*Side{&s.Up, &s.Down}, one.key
	if rest, ok := strings.CutPrefix(key, "up."); ok {
		sides, key = sides[:1], rest
	} else if rest, ok := strings.CutPrefix(key, "down."); ok {
		sides, key = sides[1:], rest
	}
	read := keys[key]
	if read == nil {
		return fmt.Errorf("unknown setting %q: use %s, for one direction with up. or down. before it", one.key, strings.Join(Keys(), ", "))
	}
	for _, side := range sides {
		if err := read(side, one.value); err != nil {
			return fmt.Errorf("%s: %w", one, err)
		}
	}
	return nil
}

// read reads the files that a link needs, and forgets them again.
func (s Spec) read() error {
	for _, side := range []Side{s.Up, s.Down} {
		if _, err := newDice(side, 0, 0); err != nil {
			return err
		}
		if side.Trace != "" {
			if _, err := ReadTrace(side.Trace); err != nil {
				return err
			}
		}
	}
	return nil
}

func duration(d *time.Duration, text string) (err error) {
	if *d, err = time.ParseDuration(text); err != nil && text != "0" {
		return fmt.Errorf("%q is no duration: use one with a unit, like 20ms or 500us", text)
	}
	return nil
}

// share reads a share, in per cent or as a number from 0 to 1.
func share(p *float64, text string) error {
	digits, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsNaN(v) || !percent && v > 0 && v < 1 && strings.HasPrefix(text, ".") {
		return fmt.Errorf("%q is no share: use per cent, like 1%%", text)
	}
	if !percent && v != 0 {
		return fmt.Errorf("%q is a share of what? use per cent, like 1%%", text)
	}
	*p = v / 100
	return nil
}

// gilbert reads P[/R[/Bad[/Good]]], all in per cent. As in tc-netem, R is 1-P, Bad 100 % and Good 0 where they are not
// given.
func gilbert(s *Side, text string) error {
	g := Gilbert{Bad: 1}
	words := strings.Split(text, "/")
	if len(words) > 4 {
		return errors.New("use no more than four probabilities, p/r/loss in bad/loss in good, like 1%/10%/70%/0.1%")
	}
	for i, p := range []*float64{&g.P, &g.R, &g.Bad, &g.Good}[:len(words)] {
		if err := share(p, strings.TrimSpace(words[i])); err != nil {
			return err
		}
	}
	if len(words) == 1 {
		g.R = 1 - g.P
	}
	s.Gilbert = &g
	return nil
}

func whole(n *int, text string) (err error) {
	if *n, err = strconv.Atoi(text); err != nil {
		return fmt.Errorf("%q is no whole number", text)
	}
	return nil
}

func number(n *uint64, text string) (err error) {
	if *n, err = strconv.ParseUint(text, 10, 64); err != nil || *n == 0 {
		return fmt.Errorf("%q is no number of packets: use one from 1 on", text)
	}
	return nil
}

// numbers reads numbers of packets in rising order, A/B/C.
func numbers(list *[]uint64, text string) error {
	*list = nil
	for word := range strings.SplitSeq(text, "/") {
		var n uint64
		if err := number(&n, word); err != nil {
			return err
		}
		*list = append(*list, n)
	}
	slices.Sort(*list)
	return nil
}

// rates are the units of tc(8).
var rates = []struct {
	unit string
	bits float64
}{{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}

func rate(bps *float64, text string) error {
	for _, r := range rates {
		if digits, ok := strings.CutSuffix(strings.ToLower(text), r.unit); ok {
			v, err := strconv.ParseFloat(digits, 64)
			if err != nil || !(v > 0) {
				break
			}
			*bps = v * r.bits
			return nil
		}
	}
	return fmt.Errorf("%q is no rate: use one with a unit of tc's, like 10mbit, 500kbit, 1gbit", text)
}

// limit reads the size of a queue, in packets (100p) or in bytes (64KiB).
func limit(s *Side, text string) error {
	if digits, ok := strings.CutSuffix(text, "p"); ok {
		n, err := strconv.Atoi(digits)
		if err == nil && n > 0 {
			s.LimitPackets, s.LimitBytes = n, 0
			return nil
		}
	} else if n, err := humanize.ParseBytes(text); err == nil && n > 0 && n <= maxBytes && strings.Trim(text, "0123456789.") != "" {
		s.LimitPackets, s.LimitBytes = 0, int64(n)
		return nil
	}
	return fmt.Errorf("%q is no size of a queue: use packets or bytes, like 100p or 64KiB", text)
}

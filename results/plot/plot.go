// Package plot draws pictures of runs for slides and papers, from their records alone.
package plot

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tcpvsudp/results"
)

// Kind is a kind of picture.
type Kind string

// The kinds.
const (
	// CDF is the distribution of latencies, all trials' messages together.
	CDF Kind = "cdf"
	// Bars are medians over trials with their intervals, by cell.
	Bars Kind = "bars"
	// Series is what happened in the course of a trial.
	Series Kind = "series"
	// Map is deadline misses by the delay and loss of the link.
	Map Kind = "map"
	// Lines are a column of trials.csv against another.
	Lines Kind = "lines"
)

// Kinds are all kinds, in their order.
var Kinds = []Kind{CDF, Bars, Series, Map, Lines}

// ParseKinds returns the kinds that are named.
func ParseKinds(names []string) (list []Kind, err error) {
	for _, name := range names {
		kind := Kind(strings.TrimSpace(name))
		if !slices.Contains(Kinds, kind) {
			return nil, fmt.Errorf("unknown kind %q: use %s", name, joined(Kinds))
		}
		if !slices.Contains(list, kind) {
			list = append(list, kind)
		}
	}
	return list, nil
}

// Format is a type of file.
type Format string

// The formats.
const (
	PNG Format = "png"
	SVG Format = "svg"
)

// Formats are all formats.
var Formats = []Format{PNG, SVG}

// ParseFormats returns the formats that are named.
func ParseFormats(names []string) (list []Format, err error) {
	for _, name := range names {
		f := Format(strings.TrimSpace(name))
		if !slices.Contains(Formats, f) {
			return nil, fmt.Errorf("unknown file type %q: use %s", name, joined(Formats))
		}
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list, nil
}

func joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, word := range list {
		words[i] = string(word)
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// Size is that of a picture in mm; 0 is as large as it needs to be, or follows the other.
type Size struct{ Width, Height float64 }

// ParseSize reads a width, or WIDTHxHEIGHT, in mm.
func ParseSize(s string) (size Size, err error) {
	if s == "" {
		return Size{}, nil
	}
	width, height, both := strings.Cut(strings.TrimSuffix(strings.ReplaceAll(s, " ", ""), "mm"), "x")
	parse := func(text string) (n float64) {
		if n, err = strconv.ParseFloat(strings.TrimSuffix(text, "mm"), 64); err != nil || !(n >= smallest && n <= largest) {
			err = errors.Join(err, errors.New("no length"))
			return 0
		}
		return n
	}
	var failed error
	size.Width = parse(width)
	failed = err
	if both {
		size.Height = parse(height)
		failed = errors.Join(failed, err)
	}
	if failed == nil && size.Width < narrowest {
		failed = errors.New("too narrow")
	}
	if failed != nil {
		return Size{}, fmt.Errorf("size %q: give a width in mm, or WIDTHxHEIGHT like 160x90: a width from %d to %d, a height from %d", s, narrowest, largest, smallest)
	}
	return size, nil
}

// The range of a side in mm, and the width that is left to us.
const (
	smallest, largest = 60, 1000
	narrowest         = 80 // below it labels run together
	usualWidth        = 170
)

// dpi is the resolution of PNG files: that of a journal.
const dpi = 300

// A Run is one of those that a picture shows, by its name there.
type Run struct {
	Name string
	Set  *results.Set
}

// Options choose what is drawn.
type Options struct {
	// Kinds are those that are asked for; with none, Lines where X or By is given, or else all that the runs have.
	Kinds []Kind
	// Metric, X and By name columns; empty for those that suit. Where keeps the trials whose columns have these values.
	Metric, X, By string
	Where         []Condition
	// Size is that of each picture. What stays readable in a small one is little: there are more of them.
	Size Size
}

// An OptionError is one of what was asked, and not of the runs.
type OptionError struct{ error }

func (e OptionError) Unwrap() error { return e.error }

func wrong(format string, args ...any) error { return OptionError{fmt.Errorf(format, args...)} }

// Missing says why there is no picture of a kind.
type Missing struct {
	Kind Kind
	Why  string
}

func (m Missing) String() string { return fmt.Sprintf("%s: %s", m.Kind, m.Why) }

// A Picture is what goes into one file.
type Picture struct {
	Kind Kind
	// Name is that of its file without the ending.
	Name        string
	title, note string
	panels      []panel
	columns     int
	// rowHeight is how high in mm a row of panels wants to be.
	rowHeight float64
	keys      []key
	// shades is the legend of a map.
	shades *shades
	wanted Size
}

// Draw makes the pictures of runs; what they have no data for is missing, and no error.
func Draw(runs []Run, o Options) (list []Picture, missing []Missing, err error) {
	if runs, err = filtered(runs, o.Where); err != nil {
		return nil, nil, err
	}
	kinds, err := o.kinds(runs)
	if err != nil {
		return nil, nil, err
	}
	d := drawing{runs: runs, Options: o}
	for _, kind := range kinds {
		draw := map[Kind]func() ([]Picture, error){CDF: d.cdf, Bars: d.bars, Series: d.series, Map: d.deadlines, Lines: d.lines}[kind]
		pictures, err := draw()
		var none noData
		switch {
		case errors.As(err, &none):
			missing = append(missing, Missing{kind, none.Error()})
		case err != nil:
			return nil, nil, err
		}
		for _, p := range pictures {
			p.wanted = o.Size
			slices.SortStableFunc(p.keys, func(a, b key) int { return cmp.Compare(a.look, b.look) })
			list = append(list, p)
		}
	}
	return list, missing, nil
}

// noData is why a run has no picture of a kind.
type noData string

func (n noData) Error() string { return string(n) }

// drawing is what all kinds are drawn from.
type drawing struct {
	runs []Run
	Options
}

// kinds are those to draw; a column that a kind can't show is an error only where that kind was asked for.
func (o Options) kinds(runs []Run) ([]Kind, error) {
	columns := o.X != "" || o.By != ""
	for _, column := range []string{o.X, o.By} {
		if err := knownColumn(runs, column); err != nil {
			return nil, err
		}
	}
	if o.Kinds != nil {
		if columns && !slices.Contains(o.Kinds, Lines) {
			return nil, wrong("--x and --by are for the kind lines, which --kind leaves out")
		}
		for _, kind := range o.Kinds {
			if err := o.fits(kind, runs); err != nil {
				return nil, err
			}
		}
		return o.Kinds, nil
	}
	if columns {
		return []Kind{Lines}, o.fits(Lines, runs)
	}
	if o.Metric == "" {
		return []Kind{CDF, Bars, Series, Map}, nil
	}
	var list []Kind
	for _, kind := range []Kind{CDF, Bars, Series} {
		if o.fits(kind, runs) == nil {
			list = append(list, kind)
		}
	}
	if len(list) == 0 {
		return nil, o.fits(Bars, runs)
	}
	return list, nil
}

// fits tells whether a kind can show the metric.
func (o Options) fits(kind Kind, runs []Run) error {
	if o.Metric == "" {
		return nil
	}
	switch kind {
	case CDF:
		return oneOf("the metric of a distribution", o.Metric, distributions)
	case Series:
		return oneOf("the metric of a time series", o.Metric, seriesColumns)
	case Map:
		return oneOf("the metric of a map", o.Metric, []string{"deadline_miss_ratio"})
	}
	return numericColumn(runs, o.Metric)
}

func oneOf(what, word string, list []string) error {
	if slices.Contains(list, word) {
		return nil
	}
	return wrong("%q is not %s: use one of %s", word, what, strings.Join(list, ", "))
}

var protos = []string{"tcp", "udp"}

// side is one transport of one run: what has a line of its own in all pictures.
type side struct {
	run   Run
	proto string
	look  look
}

// sides are those that have trials.
func (d drawing) sides() (list []side) {
	for i, run := range d.runs {
		for j, proto := range protos {
			if slices.ContainsFunc(run.Set.Trials, func(t results.Trial) bool { return t.Proto == proto }) {
				list = append(list, side{run, proto, look(2*i + j)})
			}
		}
	}
	return list
}

// name is what the legend calls a side.
func (d drawing) name(s side) string {
	if len(d.runs) == 1 {
		return strings.ToUpper(s.proto)
	}
	return strings.ToUpper(s.proto) + ", " + s.run.Name
}

func (d drawing) sets() (list []*results.Set) {
	for _, run := range d.runs {
		list = append(list, run.Set)
	}
	return list
}

// source says in the note which runs a picture is of: those with trials of the workload, if one is given.
func (d drawing) source(workload string) string {
	var parts []string
	for _, run := range d.runs {
		if workload != "" && !slices.ContainsFunc(run.Set.Trials, func(t results.Trial) bool { return t.Workload == workload }) {
			continue
		}
		part := "Run " + run.Set.Run.ID
		if len(d.runs) > 1 && run.Name != run.Set.Run.ID {
			part = run.Name + ": run " + run.Set.Run.ID
		}
		if host := run.Set.Run.Client.Name; host != "" {
			part += " on " + host
		}
		if run.Set.Run.Status != results.Finished {
			part += " (" + string(run.Set.Run.Status) + ")"
		}
		parts = append(parts, part)
	}
	text := strings.Join(parts, "; ") + "."
	for _, c := range d.Where {
		if c.Column != "workload" { // which the title tells
			text += fmt.Sprintf(" Only trials with %s=%s.", c.Column, strings.Join(c.Values, " or "))
		}
	}
	return text
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// fileName makes words the name of a file.
func fileName(words ...string) string {
	return strings.Trim(notInNames.ReplaceAllString(strings.Join(words, "-"), "-"), "-")
}

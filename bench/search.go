package bench

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tcpvsudp/results"
)

// A search finds the highest load at which no more than a share of the messages is lost, in the manner of RFC 9971 (MLRsearch): it
// chooses loads and lengths of measurements, and is told what they found. It has no clock and no socket.
//
// Bad luck and a good moment are both to be told from the path, so a load counts as a bound when the measurements of it last for so
// long together that more of them could not turn the verdict (Appendix A). What comes early is coarse: short measurements, bounds far apart. Each phase
// begins with the bounds of the one before it, and the last has the length and the width that the result is told for.
//
// This departs from the RFC in two ways. A load also fails where a queue on the way grew, since a queue that has
// room for a whole measurement loses nothing at any load (finding.queued). And the rate that is told is what the receiver received, by its own clock, where
// the RFC takes the offered load less the loss (Appendix B): so it is never above what the path carries.
type search struct {
	goal   float64 // the share of messages that may be lost
	phases []phase
	most   float64 // messages/s that may be offered at most

	now   int // the phase
	steps []step
	// full is what the sender offers without a pace, in messages/s: the highest load. least is the lowest that is tried.
	full, least float64
	trying      float64 // the load that is being classified
	strides     int     // loads that were tried in a row beyond all that was known, in this phase
	// Where to look first: bounds of the phase before, 0 and infinity for none.
	lowerHint, upperHint float64
}

// A phase is a search goal of the RFC, but for the loss ratio: how long a measurement lasts, how long all of one load must last
// together to classify it, and how far apart the bounds may be in the end, as a share of the lower one.
type phase struct {
	length, sum time.Duration
	width       float64
}

// finalLength is how much longer the last measurements of a search are than the first.
const finalLength = 4

// finalWidth is how far apart the bounds may be that a search ends with.
const finalWidth = 0.01

// newSearch begins a search for a goal from 0 on that is less than 1, whose first measurements have such a length. No load above most
// messages/s is tried, but for the sender's own.
func newSearch(goal float64, length time.Duration, most float64) *search {
	final := finalLength * length
	return &search{
		goal: goal,
		most: most,
		phases: []phase{
			{length, length, 4 * finalWidth},
			{2 * length, 2 * length, 2 * finalWidth},
			// Two of three tell, whichever way they agree.
			{final, 3 * final, finalWidth},
		},
		upperHint: math.Inf(1),
	}
}

// exceedRatio is the share of a load's measurements, by their length, that may miss the goal where the load still counts as a lower
// bound (RFC 9971, Goal Exceed Ratio).
const exceedRatio = 0.5

// A step is one measurement of a search: its load in messages/s, all flows together, its length, and what it found.
type step struct {
	load   float64
	length time.Duration
	finding
	met bool
}

// A finding is what a measurement of a search found.
type finding struct {
	sent, unsent, unique uint64
	// offered and received are messages/s, by the sender's clock and by the receiver's; 0 where they can't be told.
	offered, received float64
	// sends and arrivals are how long the messages took, from the first to the last.
	sends, arrivals time.Duration
}

// lossRatio is the share of the intended messages that did not arrive: a load that the sender had no time for was not carried.
func (o finding) lossRatio() float64 {
	if intended := o.sent + o.unsent; intended > 0 {
		return float64(intended-min(o.unique, intended)) / float64(intended)
	}
	return 1
}

// queued tells whether the messages took longer to arrive than to leave, by more than late wake-ups and jitter explain: then a queue grew, and with
// a longer measurement it would have been full.
func (o finding) queued() bool {
	return o.arrivals > o.sends+o.sends/50+2*time.Millisecond
}

// slow tells whether the load failed at the sender alone.
func (o finding) slow(goal float64) bool {
	return o.unsent > 0 && !o.queued() && float64(o.sent-min(o.unique, o.sent)) <= goal*float64(o.sent)
}

// unpaced is the load of a sender without a pace.
var unpaced = math.Inf(1)

// next is the load and the length of the measurement that is to be made now, until more is false.
func (s *search) next() (load float64, length time.Duration, more bool) {
	if len(s.steps) == 0 {
		return unpaced, s.phases[0].length, true
	}
	for s.now < len(s.phases) {
		if s.trying == 0 || s.class(s.trying) != undecided {
			s.trying = s.choose()
		}
		if s.trying > 0 && s.trying == s.full {
			return unpaced, s.phases[s.now].length, true
		}
		if s.trying > 0 {
			return s.trying, s.phases[s.now].length, true
		}
		if s.now == len(s.phases)-1 {
			break
		}
		s.lowerHint, s.upperHint = s.bounds()
		s.strides = 0
		s.now++
	}
	return 0, 0, false
}

// add notes what the measurement found that next has asked for.
func (s *search) add(load float64, length time.Duration, o finding) (met bool) {
	switch {
	case len(s.steps) == 0:
		s.begin(length, o)
	case load == unpaced && o.offered > s.full:
		s.raise(o.offered)
	}
	met = o.lossRatio() <= s.goal && (load == unpaced || !o.queued())
	s.steps = append(s.steps, step{min(load, s.full), length, o, met})
	return met
}

// leastShare and mostLeast are how small the smallest load is, as a share of what was received at full load.
const leastShare, mostLeast = 0.01, 0.5

// begin sets the limits of the search by what was found at full load.
func (s *search) begin(length time.Duration, o finding) {
	s.full = cmp.Or(o.offered, float64(o.sent)/length.Seconds())
	got := min(cmp.Or(o.received, float64(o.unique)/length.Seconds()), s.full)
	// With less messages than that, one lost would miss the goal, and none would tell little.
	messages := 1000.0
	if s.goal > 0 {
		messages = 1 / s.goal
	}
	final := s.phases[len(s.phases)-1]
	s.least = min(max(leastShare*got, messages/final.length.Seconds()), mostLeast*got)
	s.lowerHint = max(min(got, s.most, s.full/(1+final.width)), s.least)
}

// raise notes that the sender offers more without a pace than it did when the search began, as a busy host may have had it.
func (s *search) raise(full float64) {
	for i := range s.steps {
		if s.steps[i].load == s.full {
			s.steps[i].load = full
		}
	}
	for _, load := range []*float64{&s.trying, &s.lowerHint, &s.upperHint} {
		if *load == s.full {
			*load = full
		}
	}
	s.full = full
}

// choose returns the load to try next, 0 where the phase is over.
func (s *search) choose() float64 {
	p := s.phases[s.now]
	lower, upper := s.bounds()
	stride := math.Pow(1+p.width, math.Exp2(float64(s.strides)))
	switch {
	case lower == s.full || upper <= s.least || s.least == 0:
		return 0
	case lower == 0 && s.lowerHint > 0 && s.lowerHint < upper && s.class(s.lowerHint) == undecided:
		return s.lowerHint
	case lower == 0 && math.IsInf(upper, 1): // all of the phase before was an upper bound
		return s.upperHint
	case lower == 0:
		s.strides++
		if upper /= stride; upper < s.least*(1+p.width) {
			return s.least
		}
		return upper
	case math.IsInf(upper, 1) && s.upperHint > lower && s.upperHint <= s.full && s.class(s.upperHint) == undecided:
		return s.upperHint
	case math.IsInf(upper, 1):
		s.strides++
		if lower *= stride; lower >= min(s.full, s.most) {
			return s.full
		}
		return lower
	case upper <= lower*(1+p.width):
		return 0
	}
	middle := math.Sqrt(lower) * math.Sqrt(upper)
	if upper == s.full && lower*stride < middle { // what a sender can send may be far above what a path carries
		s.strides++
		middle = lower * stride
	}
	return min(middle, s.most)
}

// A class is what the measurements of a load say of it.
type class int

const (
	undecided class = iota
	lowerBound
	upperBound
)

// class classifies a load for the phase that is under way (RFC 9971, Appendix A): by the sums of the lengths of its measurements,
// those of full length and shorter ones. What is missing to the sum that a phase wants may be good or bad; a load is a bound when that
// makes no difference. Of short ones, the bad ones count as far as good ones do not balance them.
func (s *search) class(load float64) class {
	p := s.phases[s.now]
	var goodLong, badLong, goodShort, badShort float64
	for _, step := range s.steps {
		if step.load != load {
			continue
		}
		sum := &goodLong
		switch {
		case step.met && step.length < p.length:
			sum = &goodShort
		case !step.met && step.length < p.length:
			sum = &badShort
		case !step.met:
			sum = &badLong
		}
		*sum += float64(step.length)
	}
	bad := badLong + max(0, badShort-goodShort*exceedRatio/(1-exceedRatio))
	whole := max(goodLong+bad, float64(p.sum))
	optimistic, pessimistic := bad <= whole*exceedRatio, whole-goodLong <= whole*exceedRatio
	switch {
	case optimistic && pessimistic:
		return lowerBound
	case !optimistic && !pessimistic:
		return upperBound
	}
	return undecided
}

// bounds are the relevant bounds: the smallest load that is an upper bound, infinity for none, and the largest lower bound below it,
// 0 for none.
func (s *search) bounds() (lower, upper float64) {
	upper = math.Inf(1)
	for _, step := range s.steps {
		if s.class(step.load) == upperBound {
			upper = min(upper, step.load)
		}
	}
	for _, step := range s.steps {
		if step.load < upper && s.class(step.load) == lowerBound {
			lower = max(lower, step.load)
		}
	}
	return lower, upper
}

// found is what a search has found.
type found struct {
	end string // see results.MaxRate
	// lower and upper are the bounds in messages/s, 0 for none; lower is unpaced where full load met the goal.
	lower, upper float64
	// of is the number, from 0 on, of the measurement that stands for the result.
	of int
}

// result tells what was found, after next has said that there is no more.
func (s *search) result() found {
	lower, upper := s.bounds()
	if lower == 0 {
		f := found{end: results.MinLoad, of: len(s.steps) - 1}
		if !math.IsInf(upper, 1) {
			f.upper = upper
		}
		return f
	}
	f := found{end: results.Bounded, lower: lower, upper: upper, of: -1}
	final := s.phases[len(s.phases)-1].length
	for i, step := range s.steps {
		if step.load != lower || !step.met || step.length < final {
			continue
		}
		if f.of < 0 || s.steps[f.of].received == 0 || step.received > 0 && step.received < s.steps[f.of].received {
			f.of = i // one that can tell no rate stands for nothing
		}
	}
	if lower == s.full {
		f.lower = unpaced
	}
	if lower == s.full || !slices.ContainsFunc(s.steps, func(st step) bool {
		return st.load == upper && !st.met && !st.slow(s.goal)
	}) {
		f.end, f.upper = results.MaxLoad, 0
	}
	return f
}

// searchCost is about what a search is made of.
type searchCost struct {
	steps   int
	lengths int // of the first measurement, all together
	lossy   int // of the steps
}

var (
	shortestSearch = searchCost{steps: 4, lengths: 11}
	usualSearch    = searchCost{steps: 14, lengths: 36, lossy: 6}
)

// estimate is how long the search takes, with first measurements of such a length, and each step and each loss taking so much more.
func (c searchCost) estimate(length, step, loss time.Duration) time.Duration {
	return time.Duration(c.lengths)*length + time.Duration(c.steps)*step + time.Duration(c.lossy)*loss
}

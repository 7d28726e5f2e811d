package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/stats"
)

// A verdict is spoken where a difference is shown (P below alpha after Holm's adjustment over the rows of a table) and counts (by
// leastDifference, or the noise floor where that is more).
const (
	alpha           = 0.05
	leastDifference = 0.02
)

// contest is one row's question: do its two halves differ?
type contest struct {
	metric metric
	cell   results.Cell
	proto  string // where both halves are one transport's
	// table is what is judged together with it. twin is the row that asks the same question of the same figures in another unit, which
	// therefore is asked once; nil for none.
	table string
	twin  *contest
	// base and other are the trials' own figures, in pairs where paired; they are empty where trials have none.
	base, other []float64
	paired      bool
	// values are the figures that the table shows, and rates says that they are medians of what is tested, and no shares.
	values [2]results.Value
	rates  bool
	names  names
	floor  float64

	tested     bool
	ratio      bool // the comparison is one of ratios
	comparison stats.Comparison
	judgement  *results.Judgement
}

// names are what the two halves of a row are called, as words of summary.csv.
type names [2]string

var (
	transports = names{"tcp", "udp"}
	versions   = names{"old", "new"}
)

// judge answers all contests, those of a table together.
func judge(list []*contest) {
	for _, c := range list {
		c.compare()
	}
	for _, c := range list {
		if i := slices.IndexFunc(list, c.isTwin); i >= 0 {
			c.twin = list[i]
		}
	}
	for _, table := range tablesOf(list) {
		var family []*contest
		var p []float64
		for _, c := range list {
			if c.table == table && c.tested && c.twin == nil {
				family = append(family, c)
				p = append(p, c.comparison.P)
			}
		}
		for i, adjusted := range stats.Holm(p) {
			family[i].judgement.PHolm, family[i].judgement.Family = results.Known(adjusted), len(family)
		}
		for _, c := range list {
			if c.table == table {
				if c.tested && c.twin != nil {
					c.judgement.PHolm, c.judgement.Family = c.twin.judgement.PHolm, len(family)
				}
				c.pronounce(len(family))
			}
		}
	}
}

// isTwin tells whether d asks the same question as c, and has an answer.
func (c *contest) isTwin(d *contest) bool {
	return c.metric.twin != "" && d.cell == c.cell && d.proto == c.proto && d.metric.name == c.metric.twin && d.tested
}

func tablesOf(list []*contest) (tables []string) {
	for _, c := range list {
		tables = add(tables, c.table)
	}
	return tables
}

// compare makes the estimate, its interval and P.
func (c *contest) compare() {
	j := c.judgement
	n := min(len(c.base), len(c.other))
	if n == 0 || !c.rates && (c.metric.better == "" || c.metric.untested) {
		return
	}
	if c.rates {
		c.comparison, c.ratio = c.ratios()
	}
	if !c.ratio {
		ok := false
		if c.comparison, ok = c.differences(); !ok {
			return
		}
	}
	j.Pairs = c.comparison.N
	if c.ratio {
		j.Ratio = results.Known(c.comparison.Estimate)
		if c.comparison.Bounded {
			j.Low, j.High = results.Known(c.comparison.Interval.Low), results.Known(c.comparison.Interval.High)
		}
	}
	if c.metric.better == "" || c.metric.untested || c.alike() {
		return
	}
	c.tested = true
	j.P = results.Known(c.comparison.P)
	j.Threshold = results.Known(c.threshold())
}

func (c *contest) ratios() (stats.Comparison, bool) {
	if c.paired {
		return stats.PairedRatio(c.other, c.base)
	}
	return stats.UnpairedRatio(c.other, c.base)
}

func (c *contest) differences() (stats.Comparison, bool) {
	if c.paired {
		return stats.PairedDifference(c.other, c.base)
	}
	return stats.UnpairedDifference(c.other, c.base)
}

// alike tells whether there is nothing to test: all pairs are equal, or all trials are.
func (c *contest) alike() bool {
	if c.paired {
		return slices.Equal(c.base, c.other)
	}
	differs := func(v float64) bool { return v != c.base[0] }
	return !slices.ContainsFunc(c.base, differs) && !slices.ContainsFunc(c.other, differs)
}

func (c *contest) threshold() float64 { return max(leastDifference, c.floor) }

// relation is how the second half stands to the first: the estimate, or of shares the two sums; ok is false where the first has none.
func (c *contest) relation() (ratio float64, ok bool) {
	if c.ratio {
		return c.comparison.Estimate, true
	}
	base, a := c.values[0].Get()
	other, b := c.values[1].Get()
	return other / base, a && b && base > 0
}

// pronounce makes the verdict of c, one of so many that were tested together.
func (c *contest) pronounce(family int) {
	j := c.judgement
	base, hasBase := c.values[0].Get()
	other, hasOther := c.values[1].Get()
	switch {
	case c.metric.better == "" || !hasBase || !hasOther:
		return
	case !c.tested && base == 0 && other == 0:
		j.Verdict = "none in either"
		return
	case !c.tested && !c.metric.untested && base == other && min(len(c.base), len(c.other)) >= enoughTrials:
		j.Verdict = "equal"
		return
	case !c.tested && !c.metric.untested && len(c.base) > 0 && len(c.other) > 0:
		j.Verdict = noneShown
		return
	case !c.tested:
		j.Verdict = notTested
		return
	}
	shown, _ := j.PHolm.Get()
	relative := c.relative()
	switch {
	case shown < alpha && relative >= c.threshold() && c.agrees():
		j.Winner, j.Verdict = c.names[0], ""
		if c.favours() {
			j.Winner = c.names[1]
		}
		j.Verdict = c.words(j.Winner)
	case c.within():
		j.Verdict = fmt.Sprintf("equal within %s %%", short(100*c.threshold()))
	case shown < alpha:
		j.Verdict = fmt.Sprintf("%s (%s %%, below %s %%)", noneShown, short(100*relative), short(100*c.threshold()))
	default:
		j.Verdict = noneShown
		if n := c.needed(family); n > 0 {
			j.Needed = results.Known(float64(n))
			j.Verdict = fmt.Sprintf("%s (needs about %d trials)", noneShown, n)
		}
	}
}

// Words of verdicts that name nobody.
const (
	noneShown = "no difference shown"
	notTested = "not tested"
)

// relative is the difference as a share of the larger of the two.
func (c *contest) relative() float64 {
	ratio, ok := c.relation()
	if !ok {
		return 1 // of nothing and something
	}
	if ratio > 1 {
		return ratio - 1
	}
	return 1/ratio - 1
}

// favours tells whether the second half is the better one.
func (c *contest) favours() bool {
	more := c.comparison.Estimate > 0
	if c.ratio {
		more = c.comparison.Estimate > 1
	}
	return more == (c.metric.better == "higher")
}

// agrees tells whether the figures that the table shows differ in the direction of the estimate: the sum of shares may be that of one bad
// trial.
func (c *contest) agrees() bool {
	if c.ratio {
		return true
	}
	base, _ := c.values[0].Get()
	other, _ := c.values[1].Get()
	return cmp.Compare(other, base) == cmp.Compare(c.comparison.Estimate, 0)
}

// mostWithin is the largest difference within which two things are said to be equal: with a noise floor above it nothing is known.
const mostWithin = 0.1

// within tells whether all that is left possible is less than what counts.
func (c *contest) within() bool {
	i, t := c.comparison.Interval, c.threshold()
	return c.ratio && t <= mostWithin && c.comparison.Bounded && i.Low > 1/(1+t) && i.High < 1+t
}

// needed is with how many trials a difference like the one seen, or one that just counts where that is more, would be shown; 0 where it can't be
// told.
func (c *contest) needed(family int) int {
	level := alpha / float64(max(family, 1)) // what Holm asks of the smallest P
	if !c.ratio {
		if !c.paired {
			return stats.UnpairedNeeded(c.base, c.other, c.comparison.Estimate, level)
		}
		return stats.TrialsNeeded(differences(c.other, c.base), c.comparison.Estimate, level)
	}
	effect := max(math.Abs(math.Log(c.comparison.Estimate)), math.Log1p(c.threshold()))
	if !c.paired {
		return stats.UnpairedNeeded(logs(c.base), logs(c.other), effect, level)
	}
	return stats.TrialsNeeded(differences(logs(c.other), logs(c.base)), effect, level)
}

func logs(list []float64) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = math.Log(v)
	}
	return out
}

func differences(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

// quality is what a metric's better half is, and what its worse half is.
type quality struct{ better, worse string }

var (
	speed    = quality{"faster", "slower"}
	price    = quality{"cheaper", "dearer"}
	size     = quality{"smaller", "larger"}
	length   = quality{"shorter", "longer"}
	losing   = quality{"loses less", "loses more"}
	doubling = quality{"duplicates less", "duplicates more"}
	ordering = quality{"reorders less", "reorders more"}
	missing  = quality{"misses less", "misses more"}
	holding  = quality{"holds up less", "holds up more"}
)

// manifold is from where on a difference is told as a multiple.
const manifold = 1.5

// words are the verdict that winner is better: of the transports by name, and of two results always of the new one. A percentage is a share of
// the other half's figure.
func (c *contest) words(winner string) string {
	subject, adjective := winner, c.metric.quality.better
	if c.names == versions && winner == versions[0] {
		subject, adjective = versions[1], c.metric.quality.worse
	}
	if c.names == transports {
		subject = strings.ToUpper(subject)
	}
	ratio, ok := c.relation()
	if !ok || !c.ratio {
		return subject + " " + adjective
	}
	if subject == strings.ToUpper(c.names[0]) {
		ratio = 1 / ratio // the subject's figure by the other's
	}
	if factor := max(ratio, 1/ratio); factor >= manifold && c.metric.quality == speed {
		return fmt.Sprintf("%s %s × %s", subject, showRatio(factor), adjective)
	}
	return fmt.Sprintf("%s %s %% %s", subject, short2(100*math.Abs(1-ratio)), adjective)
}

// short2 returns n to two significant digits.
func short2(n float64) string {
	if n >= 100 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.2g", n)
}

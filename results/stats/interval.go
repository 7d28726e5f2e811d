package stats

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval contains the true value with at least the asked confidence.
type Interval struct {
	Low, High  float64
	Confidence float64 // the actual one, e.g. 0.978: the statistics behind it are counts, so it goes in steps
}

// outside is the most that may lie beyond either end of an interval of 95 %.
const outside = 0.025

// MedianInterval is the interval of the median by order statistics, 95 %: from the k-th smallest value to the k-th largest,
// where k is the largest with P(B < k) ≤ 0.025 for B binomial over n values with 1/2 (David & Nagaraja, Order Statistics, 2003, 7.1).
// Both tails are held to 0.025, so that the interval of -x mirrors that of x.
//
// ok is false for fewer than 6 values, as with five even the extremes leave 1/16 outside, and for one that is not finite.
func MedianInterval(sample []float64) (i Interval, ok bool) {
	if !finite(sample) {
		return Interval{}, false
	}
	// golang.org/x/perf/benchmath does not serve: it lets the upper tail have more, and of 8 values leaves out the greatest alone.
	below := distuv.Binomial{N: float64(len(sample)), P: 0.5}
	return orderInterval(slices.Sorted(slices.Values(sample)), func(k int) float64 {
		return below.CDF(float64(k) - 1)
	})
}

// orderInterval is the interval from the k-th smallest to the k-th largest of the sorted values, for the largest k it may have.
// below(k) is the probability that fewer than k of the values are less than the true one; by symmetry it is that of fewer than k greater.
// ok is false where even the extremes leave too much outside.
//
// All three intervals of this package are of this kind and differ in the values and their distribution alone:
// the sample with the binomial, Walsh averages with the signed-rank, differences of two samples with Mann and Whitney's U.
func orderInterval(sorted []float64, below func(k int) float64) (i Interval, ok bool) {
	k := sort.Search(len(sorted), func(k int) bool { return below(k+1) > outside })
	if k == 0 {
		return Interval{}, false
	}
	return Interval{Low: sorted[k-1], High: sorted[len(sorted)-k], Confidence: 1 - 2*below(k)}, true
}

// median is that of sorted values, of which there is at least one.
func median(sorted []float64) float64 {
	n := len(sorted)
	return halfway(sorted[(n-1)/2], sorted[n/2])
}

// halfway is the mean of two values. It halves first, as the sum of two large ones may be no number.
func halfway(x, y float64) float64 { return x/2 + y/2 }

func finite(values []float64) bool {
	return !slices.ContainsFunc(values, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
}

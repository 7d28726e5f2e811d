package stats

import (
	"math"
	"slices"
)

// UnpairedRatio compares two samples by the ratio of their values: UnpairedDifference of the logarithms, with estimate and interval exponentiated.
//
// ok is false when a sample is empty, and when a value is not positive or not finite, or a ratio is too large or too small for a float64.
func UnpairedRatio(a, b []float64) (c Comparison, ok bool) {
	if c, ok = unpaired(a, b, logRatio); !ok {
		return Comparison{}, false
	}
	return c.ratio(), true
}

// UnpairedDifference compares two samples by the shift from b to a.
//
// The estimate is the median of all a[i]-b[j]. The interval goes from the k-th smallest of these to the k-th largest, where k is the largest
// with P(U < k) ≤ 0.025 for Mann and Whitney's U of samples without ties (Moses' interval). P is of the test of Mann and Whitney
// (Hollander, Wolfe & Chicken, Nonparametric Statistical Methods, 2014, 4.1–4.3). The shift supposes that the distributions have one shape.
// There is no interval for fewer than 4 on each side, or where the sides are uneven, fewer than C(n+m, n) = 40 ways to part the values.
//
// For P, equal values share the mean of their ranks; where all are equal P is 1. The distribution is that of all ways to part the values,
// exact with ties too, up to 56 values together, and beyond it normal with corrections for ties and continuity.
// With ties the interval's confidence is at least that told. Without, P ≤ 0.05 exactly when the interval excludes 0.
//
// ok is false when a sample is empty, and when a value or a difference is not finite.
func UnpairedDifference(a, b []float64) (c Comparison, ok bool) {
	return unpaired(a, b, func(a, b float64) float64 { return a - b })
}

// unpaired compares by the contrasts of each value of a with each of b. The test needs their order alone, which every contrast keeps.
func unpaired(a, b []float64, contrast func(a, b float64) float64) (c Comparison, ok bool) {
	var contrasts []float64
	for _, x := range a {
		for _, y := range b {
			contrasts = append(contrasts, contrast(x, y))
		}
	}
	if len(contrasts) == 0 || !finite(contrasts) {
		return Comparison{}, false
	}
	slices.Sort(contrasts)
	c = Comparison{N: min(len(a), len(b)), Estimate: median(contrasts), P: rankSumP(a, b)}
	c.Interval, c.Bounded = orderInterval(contrasts, rankSumBelow(len(a), len(b)))
	return c, true
}

// rankSumP is the P of the test of Mann and Whitney that both samples have one distribution. Its statistic is the sum of the ranks of a,
// which is Wilcoxon's form of it: U is that less a constant.
//
// golang.org/x/perf/benchmath does not serve: with ties and uneven sides U is not symmetric, and it takes one sample's tail for the other's.
// Its P then depends on which sample is named first, and is 1.17 for {2, 2} against {1, 2, 2, 2, 2, 3, 3}.
func rankSumP(a, b []float64) float64 {
	ranks := midranks(slices.Concat(a, b))
	w := sum(ranks[:len(a)])
	if len(ranks) <= exactTogether {
		return twoSided(draws(ranks, len(a)), w)
	}
	// The mean and the variance are those of a sum drawn from a finite population without replacement, whatever the ties. These ranks are doubled.
	m, n, all := float64(len(a)), float64(len(b)), float64(len(ranks))
	var squares float64
	for _, r := range ranks {
		d := float64(r) - (all + 1)
		squares += d * d
	}
	return twoSidedNormal(float64(w)/2, m*(all+1)/2, math.Sqrt(m*n*squares/(all*(all-1)))/2)
}

// rankSumBelow is P(U < k) of Mann and Whitney's statistic of samples of m and n without ties.
func rankSumBelow(m, n int) func(k int) float64 {
	if m+n <= exactTogether {
		return belowByCount(draws(upTo(m+n), m)[m*(m+1)/2:])
	}
	product := float64(m) * float64(n)
	return belowNormal(product/2, math.Sqrt(product*float64(m+n+1)/12))
}

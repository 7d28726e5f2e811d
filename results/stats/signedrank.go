package stats

import (
	"math"
	"slices"
)

// PairedRatio compares a[i] with b[i] by their ratio: PairedDifference of the logarithms, with estimate and interval exponentiated.
// So a/b and b/a are reciprocal, which a median of ratios is not.
//
// ok is false when there are no pairs, when a and b differ in length, and when a value is not positive or not finite,
// or a ratio is too large or too small for a float64.
func PairedRatio(a, b []float64) (c Comparison, ok bool) {
	if c, ok = paired(a, b, logRatio); !ok {
		return Comparison{}, false
	}
	return c.ratio(), true
}

// PairedDifference compares a[i] with b[i] by their difference.
//
// The estimate is the pseudo-median: the median of the Walsh averages (d[i]+d[j])/2, i ≤ j. The interval goes from the k-th smallest of them
// to the k-th largest, where k is the largest with P(T < k) ≤ 0.025 for Wilcoxon's signed-rank T of n pairs without ties (Tukey's interval).
// P is of Wilcoxon's signed-rank test (Hollander, Wolfe & Chicken, Nonparametric Statistical Methods, 2014, 3.1–3.3).
// All three suppose that the differences are symmetric about their median. There is no interval for fewer than 6 pairs.
//
// For P, differences of 0 are dropped, which is Wilcoxon's own rule, and equal sizes share the mean of their ranks; with nothing but zeros P is 1.
// The distribution is that of all signs, exact with ties too, up to 50 pairs, and beyond it normal with corrections for ties and continuity.
// The estimate and the interval are of all the pairs, zeros too: with ties the confidence is at least that told.
// Without ties and zeros P ≤ 0.05 exactly when the interval excludes 0.
//
// ok is false when there are no pairs, when a and b differ in length, and when a value or a difference is not finite.
func PairedDifference(a, b []float64) (c Comparison, ok bool) {
	return paired(a, b, func(a, b float64) float64 { return a - b })
}

// paired compares by the contrast of each pair. It holds n²/2 averages: it is for trials, never for packets.
func paired(a, b []float64, contrast func(a, b float64) float64) (c Comparison, ok bool) {
	if len(a) == 0 || len(a) != len(b) {
		return Comparison{}, false
	}
	contrasts := make([]float64, len(a))
	for i := range a {
		contrasts[i] = contrast(a[i], b[i])
	}
	if !finite(contrasts) {
		return Comparison{}, false
	}
	var walsh []float64
	for i, x := range contrasts {
		for _, y := range contrasts[:i+1] {
			walsh = append(walsh, halfway(x, y))
		}
	}
	slices.Sort(walsh)
	c = Comparison{N: len(a), Estimate: median(walsh), P: signedRankP(contrasts)}
	c.Interval, c.Bounded = orderInterval(walsh, signedRankBelow(len(a)))
	return c, true
}

// signedRankP is the P of Wilcoxon's signed-rank test that the contrasts are symmetric about 0.
func signedRankP(contrasts []float64) float64 {
	var sizes []float64
	var positive []bool
	for _, x := range contrasts {
		if x != 0 {
			sizes, positive = append(sizes, math.Abs(x)), append(positive, x > 0)
		}
	}
	ranks := midranks(sizes)
	t, squares := 0, 0
	for i, r := range ranks {
		squares += r * r
		if positive[i] {
			t += r
		}
	}
	if len(ranks) <= exactPairs {
		return twoSided(flips(ranks), t)
	}
	// Each rank counts or not with 1/2: half the sum is the mean, a quarter of the squares the variance, whatever the ties. These ranks are doubled.
	return twoSidedNormal(float64(t)/2, float64(sum(ranks))/4, math.Sqrt(float64(squares))/4)
}

// signedRankBelow is P(T < k) of the signed-rank statistic of n pairs without ties.
func signedRankBelow(n int) func(k int) float64 {
	if n <= exactPairs {
		return belowByCount(flips(upTo(n)))
	}
	m := float64(n) * float64(n+1)
	return belowNormal(m/4, math.Sqrt(m*float64(2*n+1)/24))
}

package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	power      = 0.8
	mostNeeded = 1_000_000
	// efficiency is the asymptotic relative efficiency of both rank tests to the t-tests for normal values.
	// No distribution has less than 0.864 (Hodges & Lehmann, 1956), and long tails have more: it errs to the careful side there.
	efficiency = 3 / math.Pi
)

// TrialsNeeded is the number of pairs with which a signed-rank test of level alpha shows a shift of |effect| with a power of 80 %.
// c holds differences of pairs, or their log ratios, to tell the spread; effect is in the same unit.
//
// By the normal approximation a t-test needs (z(1-alpha/2) + z(0.8))² s² / effect² pairs, s the standard deviation of c, and z(1-alpha/2)²/2 more,
// as s is estimated (Guenther, Sample size formulas for normal theory t tests, 1981). The rank test needs that over its efficiency, 3/π
// (Lehmann, Nonparametrics: Statistical Methods Based on Ranks, 1975; Noether, Sample size determination for some common nonparametric tests, 1987).
// It is never less than the number whose smallest possible P, 2/2^n, is below alpha, nor more than a million.
// At that least number P has but a step or two to be below alpha, and the power may be only 2/3.
// s is taken for the truth: from a few pairs it may well be half of it or double, and the number needed a quarter or four times.
//
// It is 0 where it can't be told: fewer than 3 values, one that is not finite, an effect of 0, an alpha outside 0 to 1.
// Without spread it is the least that alpha asks for.
func TrialsNeeded(c []float64, effect, alpha float64) int {
	if len(c) < 3 || !finite(c) {
		return 0
	}
	return needed(1, stat.Variance(c, nil), effect, alpha, func(n int) float64 { return math.Pow(2, float64(1-n)) })
}

// UnpairedNeeded is the same for the test of Mann and Whitney: the number of values on each side.
// The spread is that within a and b, pooled, and s² counts twice, as both sides scatter, while Guenther's term is half of that of pairs.
// The smallest possible P is 2/C(2n, n).
// For the effect as a log ratio give the logarithms of the values. It is 0 for fewer than 3 values in either sample, too.
func UnpairedNeeded(a, b []float64, effect, alpha float64) int {
	if len(a) < 3 || len(b) < 3 || !finite(a) || !finite(b) {
		return 0
	}
	m, n := float64(len(a)-1), float64(len(b)-1)
	pooled := (m*stat.Variance(a, nil) + n*stat.Variance(b, nil)) / (m + n)
	return needed(2, pooled, effect, alpha, func(n int) float64 {
		p := 2.0
		for i := 1; i <= n; i++ {
			p *= float64(i) / float64(n+i)
		}
		return p
	})
}

// needed is the least n that has the power and whose smallest P is below alpha, for one sample of contrasts or for two sides.
func needed(sides, variance, effect, alpha float64, smallestP func(n int) float64) int {
	if effect == 0 || !finite([]float64{effect}) || !(alpha > 0 && alpha < 1) {
		return 0
	}
	least := 1
	for smallestP(least) >= alpha {
		least++
	}
	zAlpha := -distuv.UnitNormal.Quantile(alpha / 2)
	z := zAlpha + distuv.UnitNormal.Quantile(power)
	n := math.Ceil((sides*z*z*variance/effect/effect + zAlpha*zAlpha/(2*sides)) / efficiency)
	if !(n < mostNeeded) { // It may be no number where squares are too large for one.
		return mostNeeded
	}
	return max(least, int(n))
}

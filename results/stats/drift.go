package stats

import (
	"math"
	"slices"
)

// Trend is how a sample changes in the order it was taken.
type Trend struct {
	Change float64 // from first to last, relative to the median's size: 0.1 is a rise by a tenth of it
	P      float64 // two-sided, that there is none
}

// Drift tells whether a sample, in the order it was taken, rises or falls.
//
// Change is that of the line of Theil and Sen, whose slope is the median of all (x[j]-x[i])/(j-i), i < j (Sen, Estimates of the regression
// coefficient based on Kendall's tau, 1968). P is of the test of Mann and Kendall, S = Σ sign(x[j]-x[i]) (Kendall, Rank Correlation Methods, 1975).
// Its distribution is that of all orders of the values, exact with ties too, up to 18 values, and beyond it normal with corrections
// for ties and continuity. A sample of equal values has P = 1.
//
// ok is false for fewer than 6 values, a median of 0, a value that is not finite, or a change too large for a float64.
func Drift(sample []float64) (t Trend, ok bool) {
	n := len(sample)
	if n < 6 || !finite(sample) {
		return Trend{}, false
	}
	centre := median(slices.Sorted(slices.Values(sample)))
	var slopes []float64
	falls := 0
	for j, y := range sample {
		for i, x := range sample[:j] {
			slopes = append(slopes, (y-x)/float64(j-i))
			if y < x {
				falls++
			}
		}
	}
	slices.Sort(slopes)
	t = Trend{Change: median(slopes) * float64(n-1) / math.Abs(centre), P: fallsP(sample, falls)}
	if !finite([]float64{t.Change}) { // It is not with a median of 0 either.
		return Trend{}, false
	}
	return t, true
}

// fallsP is the P of the test of Mann and Kendall. Its statistic is the number of pairs that fall, which is half of what S lacks to its greatest.
func fallsP(sample []float64, falls int) float64 {
	sorted := slices.Sorted(slices.Values(sample))
	n := len(sorted)
	counts := []float64{1}
	pairs := 0 // those of unequal values
	spread := n * (n - 1) * (2*n + 5)
	for first := 0; first < n; {
		end := first + 1
		for end < n && sorted[end] == sorted[first] {
			end++
		}
		ties := end - first
		pairs += first * ties
		spread -= ties * (ties - 1) * (2*ties + 5)
		if n <= exactOrders {
			// How equal values lie among the smaller ones is a matter of its own, and the falls between them are Mann and Whitney's U.
			counts = convolve(counts, draws(upTo(end), ties)[ties*(ties+1)/2:][:first*ties+1])
		}
		first = end
	}
	if n <= exactOrders {
		return twoSided(counts, falls)
	}
	return twoSidedNormal(float64(falls), float64(pairs)/2, math.Sqrt(float64(spread)/18)/2)
}

// convolve counts the sums of two independent counts.
func convolve(a, b []float64) []float64 {
	c := make([]float64, len(a)+len(b)-1)
	for i, x := range a {
		for j, y := range b {
			c[i+j] += x * y
		}
	}
	return c
}

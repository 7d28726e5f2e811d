package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// near allows for the rounding of a few operations, and for references that were printed with some digits.
func near(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*math.Abs(want)
}

// The ranks and confidences are those of R 4.2.2: k = qbinom(0.025, n, 0.5), 1 - 2*pbinom(k-1, n, 0.5).
func TestMedianIntervalHasTheRanksOfTheBinomial(t *testing.T) {
	for _, test := range []struct {
		n, k       int
		confidence float64
	}{
		{6, 1, 0.96875},
		{7, 1, 0.984375},
		{8, 1, 0.9921875},
		{9, 2, 0.9609375},
		{10, 2, 0.978515625},
		{15, 4, 0.96484375},
		{20, 6, 0.95861053466796875},
		{50, 18, 0.96716086243573141},
		{100, 40, 0.96479979978229513},
	} {
		sample := make([]float64, test.n)
		for i, at := range rand.New(rand.NewPCG(1, 2)).Perm(test.n) {
			sample[at] = float64(i + 1)
		}
		i, ok := MedianInterval(sample)
		if !ok || i.Low != float64(test.k) || i.High != float64(test.n+1-test.k) || !near(i.Confidence, test.confidence, 1e-12) {
			t.Errorf("of 1 to %d: %+v, %v; want %d from either end with %v", test.n, i, ok, test.k, test.confidence)
		}
	}
}

func TestMedianIntervalNeedsSixFiniteValues(t *testing.T) {
	for _, sample := range [][]float64{nil, {1}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, math.NaN()}, {1, 2, 3, 4, 5, math.Inf(1)}} {
		if i, ok := MedianInterval(sample); ok || i != (Interval{}) {
			t.Errorf("MedianInterval(%v) = %+v, %v", sample, i, ok)
		}
	}
}

package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The samples are random; P is that of R 4.2.2, cor.test(1:n, x, method = "kendall", exact = TRUE).
// The last has ties and is beyond exact: there with exact = FALSE, continuity = TRUE.
func TestDriftHasThePOfKendall(t *testing.T) {
	for _, test := range []struct {
		sample []float64
		p      float64
	}{
		{[]float64{9.519, 9.199, 9.632, 11.345, 10.934, 11.605}, 0.05555555555555558},
		{[]float64{9.710, 10.576, 10.544, 8.974, 12.278, 10.734, 11.466, 11.755}, 0.10868055555555545},
		{[]float64{10.049, 9.894, 11.194, 9.353, 12.471, 10.216, 12.354, 12.312, 10.983, 11.567}, 0.29124834656084664},
		{[]float64{9.075, 10.523, 11.344, 10.499, 10.046, 9.944, 10.664, 11.869, 10.416, 10.879, 9.806, 11.694, 12.608, 12.897, 12.315}, 0.020790615322361372},
		{[]float64{7, 15, 22, 7, 14, 22, 6, 14, 21, 6, 13, 21, 28, 13, 20, 28, 12, 20, 27, 12, 19, 27, 11, 19, 26, 34, 18, 26, 33, 18}, 0.055754165332547997},
	} {
		if got, ok := Drift(test.sample); !ok || !near(got.P, test.p, 1e-12) {
			t.Errorf("%d values: %+v, %v, want %v", len(test.sample), got, ok, test.p)
		}
	}
}

// The slope is that of SciPy 1.10.1, theilslopes(x, range(8)): 0.11666666666666685. The median is 10.5.
func TestDriftHasTheSlopeOfTheilAndSen(t *testing.T) {
	sample := []float64{10.2, 9.9, 10.4, 10.1, 10.8, 10.6, 11.0, 10.7}
	got, ok := Drift(sample)
	if !ok || !near(got.Change, 0.11666666666666685*7/10.5, 1e-12) {
		t.Errorf("%+v, %v", got, ok)
	}
	slices.Reverse(sample)
	if back, _ := Drift(sample); back.P != got.P || back.Change != -got.Change {
		t.Errorf("reversed %+v, want the opposite of %+v", back, got)
	}
}

func TestDriftAtItsEdges(t *testing.T) {
	for _, sample := range [][]float64{nil, {1, 2, 3, 4, 5}, {0, 0, 0, 0, 0, 0}, {-3, -2, -1, 1, 2, 3}, {1, 2, 3, 4, 5, math.NaN()}, {1, 2, 3, 4, 5, math.Inf(1)},
		{-1e308, -1e308, -1e308, 1e308, 1e308, 1e308}} {
		if got, ok := Drift(sample); ok || got != (Trend{}) {
			t.Errorf("Drift(%v) = %+v, %v", sample, got, ok)
		}
	}
	for _, n := range []int{6, 18, 19, 40} {
		same := slices.Repeat([]float64{3}, n)
		if got, ok := Drift(same); !ok || got != (Trend{0, 1}) {
			t.Errorf("%d equal values: %+v, %v", n, got, ok)
		}
	}
	// A rise is a rise also where the values are negative. It is the most a sample of six can do: P is 2/6!.
	if got, ok := Drift([]float64{-6, -5, -4, -3, -2, -1}); !ok || !near(got.Change, 5/3.5, 1e-15) || got.P != 2/720.0 {
		t.Errorf("%+v, %v", got, ok)
	}
}

// By its definition: the share of the orders of the values with as few falls or as many, doubled.
func bruteFallsP(sample []float64) float64 {
	falls := func(x []float64) (n int) {
		for j := range x {
			for i := range j {
				if x[j] < x[i] {
					n++
				}
			}
		}
		return n
	}
	observed := falls(sample)
	lower, upper, orders := 0, 0, 0
	x := slices.Clone(sample)
	var permute func(k int)
	permute = func(k int) {
		if k == len(x) {
			orders++
			f := falls(x)
			if f <= observed {
				lower++
			}
			if f >= observed {
				upper++
			}
			return
		}
		for i := k; i < len(x); i++ {
			x[k], x[i] = x[i], x[k]
			permute(k + 1)
			x[k], x[i] = x[i], x[k]
		}
	}
	permute(0)
	return min(1, 2*float64(min(lower, upper))/float64(orders))
}

func TestFallsPByEnumeration(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	for range 60 {
		sample := coarse(rng, 1+rng.IntN(7))
		falls := 0
		for j := range sample {
			for i := range j {
				if sample[j] < sample[i] {
					falls++
				}
			}
		}
		if got, want := fallsP(sample, falls), bruteFallsP(sample); got != want {
			t.Fatalf("P of %v is %v, want %v", sample, got, want)
		}
	}
}

package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// spread has a mean of 10 and a variance of exactly 1.
var spread = []float64{9, 10, 11}

// By hand: π/3 (7.84888/effect² + 1.92073), for (1.959964 + 0.841621)² = 7.84888 and 1.959964²/2 = 1.92073.
func TestTrialsNeeded(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, test := range []struct {
		c             []float64
		effect, alpha float64
		want          int
	}{
		{spread, 1, 0.05, 11},
		{spread, -1, 0.05, 11},
		{spread, 0.5, 0.05, 35},
		{spread, 0.1, 0.05, 824},
		{spread, 1e-9, 0.05, 1_000_000},
		{spread, 1e-200, 0.05, 1_000_000},
		{spread, 100, 0.05, 6}, // 2/2^5 = 0.0625, 2/2^6 = 0.03125
		{spread, 100, 0.03125, 7},
		{spread, 100, 0.005, 9},
		{[]float64{5, 5, 5}, 1, 0.05, 6},
		{[]float64{5, 5, 5}, 1, 1e-17, 58},
		{[]float64{5, 5}, 1, 0.05, 0},
		{nil, 1, 0.05, 0},
		{spread, 0, 0.05, 0},
		{spread, nan, 0.05, 0},
		{spread, inf, 0.05, 0},
		{spread, 1, 0, 0},
		{spread, 1, 1, 0},
		{spread, 1, nan, 0},
		{[]float64{1, 2, nan}, 1, 0.05, 0},
		{[]float64{1, 2, inf}, 1, 0.05, 0},
		{[]float64{-1e308, 1e308, 1e308}, 1, 0.05, 1_000_000},
	} {
		if got := TrialsNeeded(test.c, test.effect, test.alpha); got != test.want {
			t.Errorf("TrialsNeeded(%v, %v, %v) = %d, want %d", test.c, test.effect, test.alpha, got, test.want)
		}
	}
}

// By hand: π/3 (15.69776/effect² + 0.96036).
func TestUnpairedNeeded(t *testing.T) {
	for _, test := range []struct {
		a, b          []float64
		effect, alpha float64
		want          int
	}{
		{spread, spread, 1, 0.05, 18},
		{spread, []float64{109, 110, 111}, 0.5, 0.05, 67}, // A shift between them is no spread.
		{spread, spread, 100, 0.05, 4},                    // 2/C(6, 3) = 0.1, 2/C(8, 4) = 0.029
		{spread, spread, 100, 0.005, 6},                   // 2/C(10, 5) = 0.0079, 2/C(12, 6) = 0.0022
		{[]float64{1, 1, 1}, []float64{2, 2, 2}, 1, 0.05, 4},
		{[]float64{1, 1}, spread, 1, 0.05, 0},
		{spread, []float64{1, 1}, 1, 0.05, 0},
		{spread, []float64{1, 2, math.NaN()}, 1, 0.05, 0},
		{spread, spread, 0, 0.05, 0},
	} {
		if got := UnpairedNeeded(test.a, test.b, test.effect, test.alpha); got != test.want {
			t.Errorf("UnpairedNeeded(%v, %v, %v, %v) = %d, want %d", test.a, test.b, test.effect, test.alpha, got, test.want)
		}
	}
}

// With the number needed the tests do show a shift in about 80 % of the trials.
func TestNumberNeededHasThePower(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	normal := func(n int, centre float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = centre + rng.NormFloat64()
		}
		return values
	}
	for _, effect := range []float64{0.4, 0.6, 1} {
		for name, power := range map[string]func() float64{
			"paired": func() float64 {
				n := TrialsNeeded(spread, effect, 0.05)
				return share(300, func() bool { return signedRankP(normal(n, effect)) < 0.05 })
			},
			"unpaired": func() float64 {
				n := UnpairedNeeded(spread, spread, effect, 0.05)
				return share(300, func() bool { return rankSumP(normal(n, effect), normal(n, 0)) < 0.05 })
			},
		} {
			if p := power(); p < 0.75 || p > 0.9 {
				t.Errorf("%s, effect %v: the power is %v", name, effect, p)
			}
		}
	}
}

func share(trials int, shown func() bool) float64 {
	n := 0
	for range trials {
		if shown() {
			n++
		}
	}
	return float64(n) / float64(trials)
}

package stats

import (
	"math"
	"slices"
	"testing"
)

// The figures are those of R 4.2.2, p.adjust(p, "holm"), which leaves NA out as Holm does NaN.
func TestHolm(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct{ p, want []float64 }{
		{nil, nil},
		{[]float64{0.3}, []float64{0.3}},
		{[]float64{nan}, []float64{nan}},
		{[]float64{0.01, 0.02, 0.03, 0.04}, []float64{0.04, 0.06, 0.06, 0.06}},
		{[]float64{0.04, 0.03, 0.02, 0.01}, []float64{0.06, 0.06, 0.06, 0.04}},
		{[]float64{0.04, nan, 0.001, 0.3, 0.012, 0.012, 0.9}, []float64{0.12, nan, 0.006, 0.6, 0.06, 0.06, 0.9}},
		{[]float64{0.7, 0.8}, []float64{1, 1}},
		{[]float64{0, 1}, []float64{0, 1}},
	} {
		given := slices.Clone(test.p)
		same := func(x, y float64) bool { return near(x, y, 1e-15) || math.IsNaN(x) && math.IsNaN(y) }
		if got := Holm(test.p); !slices.EqualFunc(got, test.want, same) {
			t.Errorf("Holm(%v) = %v, want %v", test.p, got, test.want)
		}
		if !slices.EqualFunc(test.p, given, same) {
			t.Error("Holm has changed its input")
		}
	}
}

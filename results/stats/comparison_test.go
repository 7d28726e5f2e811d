package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

type compare func(a, b []float64) (Comparison, bool)

var (
	ratios      = map[string]compare{"PairedRatio": PairedRatio, "UnpairedRatio": UnpairedRatio}
	differences = map[string]compare{"PairedDifference": PairedDifference, "UnpairedDifference": UnpairedDifference}
)

// lognormal values are positive and never tie.
func lognormal(rng *rand.Rand, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Exp(rng.NormFloat64())
	}
	return values
}

// coarse values tie often, and are zero at times.
func coarse(rng *rand.Rand, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(rng.IntN(5))
	}
	return values
}

func TestSwappedRatiosAreReciprocal(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for name, compare := range ratios {
		for n := 1; n < 70; n++ {
			a, b := lognormal(rng, n), lognormal(rng, n)
			ab, ok1 := compare(a, b)
			ba, ok2 := compare(b, a)
			if !ok1 || !ok2 || ab.P != ba.P || ab.Bounded != ba.Bounded || ab.N != n || ba.N != n ||
				!near(ab.Estimate*ba.Estimate, 1, 1e-14) ||
				ab.Bounded && (!near(ab.Interval.Low*ba.Interval.High, 1, 1e-14) || !near(ab.Interval.High*ba.Interval.Low, 1, 1e-14)) {
				t.Fatalf("%s of %d: %+v, swapped %+v", name, n, ab, ba)
			}
		}
	}
}

func TestSwappedDifferencesAreNegative(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for name, compare := range differences {
		for n := 1; n < 70; n++ {
			a, b := coarse(rng, n), coarse(rng, n)
			ab, _ := compare(a, b)
			ba, _ := compare(b, a)
			if ab.P != ba.P || ab.Estimate != -ba.Estimate || ab.Interval.Low != -ba.Interval.High || ab.Interval.High != -ba.Interval.Low {
				t.Fatalf("%s of %d: %+v, swapped %+v", name, n, ab, ba)
			}
		}
	}
}

func TestOrderDoesNotMatterAndInputsStay(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, compares := range []map[string]compare{ratios, differences} {
		for name, compare := range compares {
			for n := 1; n < 70; n++ {
				a, b := lognormal(rng, n), lognormal(rng, n)
				a0, b0 := slices.Clone(a), slices.Clone(b)
				want, ok1 := compare(a, b)
				if !slices.Equal(a, a0) || !slices.Equal(b, b0) {
					t.Fatalf("%s has changed its input", name)
				}
				rng.Shuffle(n, func(i, j int) { a[i], a[j], b[i], b[j] = a[j], a[i], b[j], b[i] })
				if got, ok2 := compare(a, b); !ok1 || !ok2 || got != want {
					t.Fatalf("%s of %d: %+v, in another order %+v", name, n, want, got)
				}
			}
		}
	}
}

// Test and interval come from one distribution, so without ties they agree, also where it is approximated.
func TestPIsSmallExactlyWhenTheIntervalExcludesNone(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for name, compare := range ratios {
		excluded := 0
		for range 800 {
			n := 6 + rng.IntN(10)
			if rng.IntN(20) == 0 {
				n += 50
			}
			a, b := lognormal(rng, n), lognormal(rng, n)
			shift := math.Exp(rng.NormFloat64() / 2)
			for i := range a {
				a[i] *= shift
			}
			c, ok := compare(a, b)
			if !ok || !c.Bounded || c.Interval.Confidence < 0.95 || c.Estimate < c.Interval.Low || c.Estimate > c.Interval.High {
				t.Fatalf("%s of %d: %+v, %v", name, n, c, ok)
			}
			excludes := c.Interval.Low > 1 || c.Interval.High < 1
			if excludes != (c.P <= 0.05) {
				t.Fatalf("%s of %d: P and interval disagree: %+v", name, n, c)
			}
			if excludes {
				excluded++
			}
		}
		if excluded < 100 || excluded > 700 {
			t.Errorf("%s: %d of 800 intervals exclude 1; the samples test nothing", name, excluded)
		}
	}
}

func TestWhatCannotBeCompared(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, compare := range ratios {
		for _, pair := range [][2][]float64{
			{nil, nil}, {{1}, nil}, {nil, {1}}, {{0}, {1}}, {{1}, {0}}, {{-1}, {1}}, {{-1}, {-1}}, {{nan}, {1}}, {{1}, {nan}},
			{{inf}, {1}}, {{1}, {inf}}, {{inf}, {inf}}, {{1e300}, {1e-300}}, {{1e-300}, {1e300}}, {{2, 1}, {3, 0}},
		} {
			if c, ok := compare(pair[0], pair[1]); ok || c != (Comparison{}) {
				t.Errorf("%s(%v) = %+v, %v", name, pair, c, ok)
			}
		}
	}
	for name, compare := range differences {
		for _, pair := range [][2][]float64{
			{nil, nil}, {{1}, nil}, {nil, {1}}, {{nan}, {1}}, {{1}, {nan}}, {{inf}, {1}}, {{1}, {inf}}, {{inf}, {inf}}, {{1e308}, {-1e308}},
		} {
			if c, ok := compare(pair[0], pair[1]); ok || c != (Comparison{}) {
				t.Errorf("%s(%v) = %+v, %v", name, pair, c, ok)
			}
		}
	}
	for _, compare := range []compare{PairedRatio, PairedDifference} {
		if _, ok := compare([]float64{1, 2}, []float64{1}); ok {
			t.Error("samples of unlike length have been paired")
		}
	}
}

// With no difference at all the estimate says so and so does P, for exact and for normal sizes.
func TestEqualSamplesDoNotDiffer(t *testing.T) {
	for _, n := range []int{1, 5, 6, 30, 80} {
		same := make([]float64, n)
		for i := range same {
			same[i] = 7
		}
		for none, compares := range map[float64]map[string]compare{1: ratios, 0: differences} {
			for name, compare := range compares {
				c, ok := compare(same, same)
				if !ok || c.N != n || c.Estimate != none || c.P != 1 || c.Bounded && (c.Interval.Low != none || c.Interval.High != none) {
					t.Errorf("%s of %d equal values: %+v, %v", name, n, c, ok)
				}
			}
		}
	}
}

// Of 2000 comparisons without a difference about 1 in 20 may show one, and fewer as the tests go in steps.
func TestNoDifferenceIsSeldomShown(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for name, compare := range ratios {
		shown := 0
		for range 2000 {
			if c, _ := compare(lognormal(rng, 10), lognormal(rng, 10)); c.P < 0.05 {
				shown++
			}
		}
		if share := float64(shown) / 2000; share > 0.06 || share < 0.03 {
			t.Errorf("%s: P < 0.05 in %v of the trials", name, share)
		}
	}
}

// An interval of 95 % contains the true ratio at least that often.
func TestIntervalsContainTheTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for name, compare := range ratios {
		contained := 0
		for range 2000 {
			a, b := lognormal(rng, 10), lognormal(rng, 10)
			for i := range a {
				a[i] *= 3
			}
			if c, _ := compare(a, b); c.Interval.Low <= 3 && 3 <= c.Interval.High {
				contained++
			}
		}
		if share := float64(contained) / 2000; share < 0.94 || share > 0.97 {
			t.Errorf("%s: the interval contains the truth in %v of the trials", name, share)
		}
	}
}

func FuzzPairedRatio(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1})
	f.Add([]byte("\x01\x02\x01\x02\x02\x01\x02\x01\x04\x02\x02\x04\x80\x80\xff\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// Each byte is a value of its own size: from 2^-64 by halves of powers to 2^64, so that many ratios tie.
		var values []float64
		for _, x := range data[:min(len(data), 160)] {
			values = append(values, math.Ldexp(1+float64(x%2)/2, int(x)/2-64))
		}
		n := len(values) / 2
		c, ok := PairedRatio(values[:n], values[n:2*n])
		if ok != (n > 0) {
			t.Fatalf("%d pairs: %+v, %v", n, c, ok)
		}
		if ok && (c.N != n || !(c.P >= 0 && c.P <= 1) || !(c.Estimate > 0) || c.Bounded != (n >= 6)) {
			t.Fatalf("%d pairs: %+v", n, c)
		}
		if c.Bounded && !(0 < c.Interval.Low && c.Interval.Low <= c.Estimate && c.Estimate <= c.Interval.High) {
			t.Fatalf("%d pairs: the interval lacks the estimate: %+v", n, c)
		}
	})
}

package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The scores of nine patients before and after a tranquilizer: Hollander & Wolfe, Nonparametric Statistical Methods, 1973, p. 29.
// R 4.2.2 says of them wilcox.test(before, after, paired = TRUE, conf.int = TRUE): V = 40, p = 0.0390625, 0.010 to 0.786, 0.46.
func TestPairedDifferenceOfHollanderAndWolfe(t *testing.T) {
	before := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	after := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	c, ok := PairedDifference(before, after)
	if !ok || c.N != 9 || c.P != 0.0390625 || !near(c.Estimate, 0.46, 1e-12) ||
		!c.Bounded || !near(c.Interval.Low, 0.01, 1e-12) || !near(c.Interval.High, 0.786, 1e-12) || c.Interval.Confidence != 1-2*5.0/256 {
		t.Errorf("%+v, %v", c, ok)
	}
}

// The samples are random; the figures are those of R 4.2.2, wilcox.test(log(a), log(b), paired = TRUE, conf.int = TRUE), exponentiated.
func TestPairedRatioIsThatOfR(t *testing.T) {
	for _, test := range []struct {
		a, b                   []float64
		p, low, high, estimate float64
	}{
		{[]float64{0.9994, 1.3819, 0.9192, 2.4305, 1.4649, 0.9248}, []float64{1.2153, 1.3436, 1.2590, 0.8850, 1.8307, 1.1688},
			0.5625, 0.73010325655281971, 2.7463276836158195, 0.86655364546870262},
		{[]float64{1.0015, 0.5295, 2.0137, 1.2612, 1.2757, 1.8730, 1.7833, 1.6283, 1.8545, 1.7557}, []float64{1.0303, 0.4512, 1.2814, 0.9778, 0.9396, 0.5553, 0.8259, 1.1820, 1.7220, 0.9597},
			0.00390625, 1.1735372340425532, 1.9895437269892311, 1.4487454954470185},
		{[]float64{1.4994, 1.2567, 0.7402, 1.0876, 1.0967, 1.2539, 1.9937, 1.7424, 1.2022, 1.1603, 1.6969, 1.6043, 0.9748}, []float64{0.7535, 1.1570, 1.3599, 0.9561, 1.4225, 1.1726, 0.7829, 1.1462, 0.6365, 1.7740, 2.2082, 0.8634, 0.6586},
			0.19091796875000011, 0.90649503203762327, 1.6719991598965949, 1.2047531760292256},
		{[]float64{1.6127, 1.2165, 3.3557, 1.2640, 1.6920, 1.2985, 0.9538, 1.3847, 0.6238, 2.3076, 1.3652, 3.0619, 1.5530, 0.9666, 1.6393, 0.8837, 0.7777, 1.4428, 1.0754, 1.2846}, []float64{1.0302, 0.7899, 0.7965, 0.9474, 1.6020, 0.5437, 1.2682, 1.1425, 1.5300, 0.8854, 1.1595, 1.1128, 0.8049, 1.6212, 1.5907, 1.3232, 1.8865, 1.2503, 0.6001, 0.7951},
			0.089694976806640625, 0.94394464741931539, 1.7047310299735856, 1.2983000783401337},
		{[]float64{0.7867, 1.0625, 1.0019, 1.3058, 0.8919, 1.3678, 0.9882, 2.6037, 1.7103, 1.8479, 1.4973, 2.5165, 0.9957, 1.0675, 2.2771, 0.9898, 1.1818, 1.0973, 1.1298, 1.1484, 1.5647, 1.1961, 1.0488, 2.1973, 1.1784, 1.1950, 1.2336, 1.7076, 1.2468, 1.2648, 0.9776, 1.1278, 1.3153, 1.0145, 1.5882, 0.6995, 1.4515, 0.6945, 1.1384, 1.0394}, []float64{0.7704, 0.9775, 0.4650, 1.6010, 0.5138, 0.8308, 0.6399, 0.7406, 2.3045, 1.0070, 0.5978, 0.5188, 1.1973, 0.9926, 0.8805, 0.6895, 0.5516, 0.6505, 1.4918, 0.7800, 0.5748, 2.1122, 1.1854, 0.9090, 1.5271, 1.4256, 0.7806, 2.4168, 0.9030, 0.5656, 0.9439, 1.0866, 2.5173, 1.0432, 1.2006, 0.9696, 0.8749, 0.9862, 1.3703, 2.2935},
			0.015876221947110025, 1.0488567769507799, 1.5045960726127552, 1.2420480340476672},
	} {
		c, ok := PairedRatio(test.a, test.b)
		if !ok || !c.Bounded || !near(c.P, test.p, 1e-12) || !near(c.Estimate, test.estimate, 1e-12) ||
			!near(c.Interval.Low, test.low, 1e-12) || !near(c.Interval.High, test.high, 1e-12) {
			t.Errorf("%d pairs: %+v, want %+v", len(test.a), c, test)
		}
	}
}

// The greatest T that is significant at 0.05, two-sided, from the table in every textbook, for 6 to 20 pairs.
func TestSignedRankCriticalValues(t *testing.T) {
	for i, critical := range []int{0, 2, 3, 5, 8, 10, 13, 17, 21, 25, 29, 34, 40, 46, 52} {
		n := i + 6
		counts := flips(upTo(n))
		if twoSided(counts, critical) > 0.05 || twoSided(counts, critical+1) <= 0.05 {
			t.Errorf("%d pairs: P is %v at %d, %v at the next", n, twoSided(counts, critical), critical, twoSided(counts, critical+1))
		}
	}
}

// Beyond 50 pairs the approximation is R 4.2.2's: wilcox.test(d, exact = FALSE, correct = TRUE), with ties and, in the second, zeros.
func TestSignedRankBeyondExact(t *testing.T) {
	var d1, d2 []float64
	for i := 1; i <= 60; i++ {
		x := i*37%61 - 24
		if x == 0 {
			x = 5
		}
		d1 = append(d1, float64(x))
	}
	for i := 1; i <= 80; i++ {
		d2 = append(d2, float64(i*i*7%13-5))
	}
	if p := signedRankP(d1); !near(p, 0.0088633507829802855, 1e-12) {
		t.Errorf("P = %v", p)
	}
	if p := signedRankP(d2); !near(p, 0.027602841551054254, 1e-12) {
		t.Errorf("P = %v", p)
	}
	// The exact distribution is still within reach there.
	counts := flips(upTo(60))
	for _, at := range []int{550, 600, 646, 700, 800, 915} {
		exact, normal := twoSided(counts, at), twoSidedNormal(float64(at), 915, math.Sqrt(60*61*121/24.0))
		if math.Abs(exact-normal) > 0.0035 || exact > 0.001 && exact < 0.1 && math.Abs(exact-normal) > 0.001 {
			t.Errorf("at %d: P is %v, by the approximation %v", at, exact, normal)
		}
	}
	below, normal := signedRankBelow(50), signedRankBelow(51)
	if k := 434; math.Abs(below(k)-belowNormal(637.5, math.Sqrt(50*51*101/24.0))(k)) > 0.001 || normal(k) >= below(k) {
		t.Errorf("P(T < %d) is %v for 50 and %v for 51", k, below(k), normal(k))
	}
}

// By its definition: the share of the 2^n choices of signs that leave T as far out, doubled.
func bruteSignedRankP(d []float64) float64 {
	var nonzero []float64
	for _, x := range d {
		if x != 0 {
			nonzero = append(nonzero, x)
		}
	}
	rank := func(x float64) (r float64) { // the mean rank of its size
		r = 0.5
		for _, y := range nonzero {
			switch {
			case math.Abs(y) < math.Abs(x):
				r++
			case math.Abs(y) == math.Abs(x):
				r += 0.5
			}
		}
		return r
	}
	observed := 0.0
	for _, x := range nonzero {
		if x > 0 {
			observed += rank(x)
		}
	}
	lower, upper := 0, 0
	for signs := range 1 << len(nonzero) {
		t := 0.0
		for i, x := range nonzero {
			if signs>>i&1 == 1 {
				t += rank(x)
			}
		}
		if t <= observed {
			lower++
		}
		if t >= observed {
			upper++
		}
	}
	return min(1, 2*float64(min(lower, upper))/math.Ldexp(1, len(nonzero)))
}

func TestSignedRankPByEnumeration(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for range 200 {
		d := make([]float64, rng.IntN(10))
		for i := range d {
			d[i] = float64(rng.IntN(9) - 3)
		}
		if got, want := signedRankP(d), bruteSignedRankP(d); got != want {
			t.Fatalf("P of %v is %v, want %v", d, got, want)
		}
	}
}

// Ratios tie by their size, whichever side is greater: 6/3 and 1/2 cancel.
func TestPairedRatioTiesBySize(t *testing.T) {
	c, _ := PairedRatio([]float64{6, 1, 10, 7}, []float64{3, 2, 5, 14})
	if c.P != 1 || c.Estimate != 1 {
		t.Errorf("%+v", c)
	}
}

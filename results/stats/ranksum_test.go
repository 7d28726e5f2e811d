package stats

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// The permeability of membranes at term and at 12 to 26 weeks: Hollander & Wolfe, Nonparametric Statistical Methods, 1973, p. 69.
// R 4.2.2 says of them wilcox.test(a, b, conf.int = TRUE): W = 35, p = 0.2544, -0.15 to 0.76, 0.305.
func TestUnpairedDifferenceOfHollanderAndWolfe(t *testing.T) {
	a := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	b := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	c, ok := UnpairedDifference(a, b)
	if !ok || c.N != 5 || !near(c.P, 0.25441225441225, 1e-13) || !near(c.Estimate, 0.305, 1e-12) ||
		!c.Bounded || !near(c.Interval.Low, -0.15, 1e-12) || !near(c.Interval.High, 0.76, 1e-12) {
		t.Errorf("%+v, %v", c, ok)
	}
}

// The samples are random; the figures are those of R 4.2.2, wilcox.test(log(a), log(b), conf.int = TRUE), exponentiated.
func TestUnpairedRatioIsThatOfR(t *testing.T) {
	for _, test := range []struct {
		a, b                   []float64
		p, low, high, estimate float64
	}{
		{[]float64{2.0359, 2.1884, 0.8249, 2.0008}, []float64{1.0920, 0.5560, 1.2317, 0.9385},
			0.2, 0.66972477064220182, 3.9359712230215829, 1.848235987170731},
		{[]float64{2.4250, 0.9936, 1.1365, 0.9320, 1.2575}, []float64{1.1745, 0.7462, 1.3940, 0.6168, 0.6576, 1.7797, 0.6661, 1.1791, 0.8586},
			0.29770229770229772, 0.79352916134525331, 2.0387483787289233, 1.3991893109142772},
		{[]float64{1.5900, 2.6526, 2.5463, 1.1825, 0.5411, 3.6659, 1.7627, 1.6762, 1.3426, 1.6554}, []float64{0.9364, 1.1833, 0.8521, 0.5781, 1.4846, 1.8366, 0.8838, 0.6057, 1.2929, 0.9823},
			0.023230639329710537, 1.1290583322106964, 2.7330361565131254, 1.7772639324118218},
		{[]float64{0.6748, 1.3510, 1.0490, 1.1778, 0.8499, 2.7767, 1.1824, 0.7102, 1.4606, 1.4997, 0.9100, 0.4250}, []float64{0.7740, 1.2563, 0.9764, 0.9615, 1.2515, 0.6221, 1.5507},
			0.96713503215051211, 0.69111020073740259, 1.5276485788113694, 1.0748673062493557},
		{[]float64{1.3470, 1.7913, 2.0414, 1.4761, 0.9498, 2.1494, 0.6065, 1.0855, 1.2186, 1.2631, 2.0303, 1.4255, 1.5886, 1.3128, 1.2225, 1.7829, 2.1351, 0.5162, 1.6974, 1.5681}, []float64{0.8436, 1.4629, 0.8558, 0.8925, 1.4091, 1.9894, 1.1141, 0.8446, 0.6215, 0.8760, 0.6866, 0.9016, 1.1709, 0.7112, 2.8854, 1.0644, 1.5716, 0.4003, 1.3450, 0.5907, 1.4447, 1.1726, 0.8496, 1.6984, 0.7554},
			0.0092040692354774245, 1.0854156572298745, 1.7760123734533182, 1.4314020268984105},
	} {
		c, ok := UnpairedRatio(test.a, test.b)
		if !ok || !c.Bounded || c.N != min(len(test.a), len(test.b)) || !near(c.P, test.p, 1e-12) || !near(c.Estimate, test.estimate, 1e-12) ||
			!near(c.Interval.Low, test.low, 1e-12) || !near(c.Interval.High, test.high, 1e-12) {
			t.Errorf("%d and %d: %+v, want %+v", len(test.a), len(test.b), c, test)
		}
	}
}

// Beyond 56 values the approximation is R 4.2.2's: wilcox.test(a, b, exact = FALSE, correct = TRUE), with ties.
func TestRankSumBeyondExact(t *testing.T) {
	var a, b []float64
	for i := 1; i <= 40; i++ {
		a = append(a, float64(i*i*7%13))
	}
	for i := 1; i <= 30; i++ {
		b = append(b, float64(i*5%11))
	}
	if p := rankSumP(a, b); !near(p, 0.36420803003016372, 1e-12) {
		t.Errorf("P = %v", p)
	}
}

func TestUnpairedIntervalsNeedFortyWays(t *testing.T) {
	for _, test := range []struct {
		m, n int
		want bool
	}{{1, 38, false}, {1, 39, true}, {2, 7, false}, {2, 8, true}, {3, 4, false}, {3, 5, true}, {3, 3, false}, {4, 4, true}} {
		if c, _ := UnpairedDifference(make([]float64, test.m), make([]float64, test.n)); c.Bounded != test.want {
			t.Errorf("%d and %d: %+v", test.m, test.n, c)
		}
	}
}

// By its definition: the share of the ways to choose which values are a's that leave U as far out, doubled.
func bruteRankSumP(a, b []float64) float64 {
	all := append(append([]float64(nil), a...), b...)
	u := func(chosen uint) (u float64) {
		for i, x := range all {
			for j, y := range all {
				if chosen>>i&1 == 1 && chosen>>j&1 == 0 {
					switch {
					case x > y:
						u++
					case x == y:
						u += 0.5
					}
				}
			}
		}
		return u
	}
	observed := u(1<<len(a) - 1)
	lower, upper, ways := 0, 0, 0
	for chosen := range uint(1) << len(all) {
		if bits.OnesCount(chosen) != len(a) {
			continue
		}
		ways++
		if u(chosen) <= observed {
			lower++
		}
		if u(chosen) >= observed {
			upper++
		}
	}
	return min(1, 2*float64(min(lower, upper))/float64(ways))
}

func TestRankSumPByEnumeration(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	for range 200 {
		a, b := coarse(rng, 1+rng.IntN(5)), coarse(rng, 1+rng.IntN(5))
		if got, want := rankSumP(a, b), bruteRankSumP(a, b); got != want {
			t.Fatalf("P of %v and %v is %v, want %v", a, b, got, want)
		}
	}
}

// With ties and uneven sides U is not symmetric, which must not show when the samples are swapped.
func TestRankSumPOfUnevenTies(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 20))
	for _, n := range []int{9, 90} {
		for range 100 {
			a, b := coarse(rng, 2+rng.IntN(3)), coarse(rng, n)
			if ab, ba := rankSumP(a, b), rankSumP(b, a); !near(ab, ba, 1e-14) || ab > 1 || math.IsNaN(ab) {
				t.Fatalf("P of %v and %v is %v, swapped %v", a, b, ab, ba)
			}
		}
	}
	if p := rankSumP([]float64{2, 2}, []float64{1, 2, 2, 2, 2, 3, 3}); p != 1 {
		t.Errorf("P = %v", p)
	}
}

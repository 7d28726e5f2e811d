package stats

import "math"

// Comparison is what two samples say about their ratio or their difference.
type Comparison struct {
	N        int      // pairs, or for unpaired samples the smaller one's size
	Estimate float64  // of Hodges and Lehmann (Estimates of location based on rank tests, 1963)
	Interval Interval // zero where Bounded is false
	Bounded  bool     // there are enough values for an interval of 95 %
	P        float64  // two-sided: double the smaller tail, at most 1
}

// ratio is a comparison of logarithms told as one of the values themselves.
func (c Comparison) ratio() Comparison {
	c.Estimate = math.Exp(c.Estimate)
	if c.Bounded {
		c.Interval.Low, c.Interval.High = math.Exp(c.Interval.Low), math.Exp(c.Interval.High)
	}
	return c
}

// logRatio is the logarithm of a/b, and not finite unless both are positive and the greater over the smaller is a float64.
// It divides the greater one, so that swapping a and b changes the sign and nothing else: 2 and 1/2 tie in size.
func logRatio(a, b float64) float64 {
	switch {
	case !(a > 0 && b > 0):
		return math.NaN()
	case a >= b:
		return math.Log(a / b)
	}
	return -math.Log(b / a)
}

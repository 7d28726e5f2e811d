package stats

import (
	"math"
	"slices"
)

// Holm adjusts the P values of a family of tests, so that with none of its hypotheses false some adjusted one falls below alpha with a probability
// of at most alpha, however the tests depend on each other (Holm, A simple sequentially rejective multiple test procedure, 1979).
// The i-th smallest of m, from 0, is multiplied by m-i; none is then less than a smaller one's, nor more than 1.
//
// They stay in the order given. A NaN is a test that was not made: it takes no part and stays NaN.
func Holm(p []float64) []float64 {
	var order []int
	for i, x := range p {
		if !math.IsNaN(x) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int {
		switch {
		case p[i] < p[j]:
			return -1
		case p[i] > p[j]:
			return 1
		}
		return 0
	})
	adjusted := slices.Clone(p)
	least := 0.0
	for i, at := range order {
		least = max(least, min(1, p[at]*float64(len(order)-i)))
		adjusted[at] = least
	}
	return adjusted
}

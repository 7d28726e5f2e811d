package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// The exact distributions are counts of equally likely cases. Up to these sizes there are fewer than 2^53 of them,
// so a float64 holds each count without error, and P and interval agree to the last bit.
// Beyond, the normal approximation serves: from 0.001 to 0.1 a P is then off by less than 0.001, and by 0.005 with a side of only 4.
const (
	exactPairs    = 50 // 2^50 signs
	exactTogether = 56 // C(56, 28) ways to part two samples
	exactOrders   = 18 // 18! orders
)

// midranks gives twice the rank of each value, in the order given. Equal values share the mean of their ranks; twice that is a whole number.
func midranks(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		switch {
		case values[i] < values[j]:
			return -1
		case values[i] > values[j]:
			return 1
		}
		return 0
	})
	ranks := make([]int, len(values))
	for first := 0; first < len(order); {
		end := first + 1
		for end < len(order) && values[order[end]] == values[order[first]] {
			end++
		}
		for _, i := range order[first:end] {
			ranks[i] = first + 1 + end
		}
		first = end
	}
	return ranks
}

// upTo is 1, 2, …, n: the ranks when there are no ties.
func upTo(n int) []int {
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	return ranks
}

func sum(ranks []int) (s int) {
	for _, r := range ranks {
		s += r
	}
	return s
}

// flips counts by their sum the 2^n ways to take each rank or leave it: the null distribution of the signed-rank statistic.
func flips(ranks []int) []float64 {
	ways := make([]float64, sum(ranks)+1)
	ways[0] = 1
	for _, r := range ranks {
		for s := len(ways) - 1; s >= r; s-- {
			ways[s] += ways[s-r]
		}
	}
	return ways
}

// draws counts by their sum the ways to take m of the ranks: the null distribution of the rank sum of a sample of m.
func draws(ranks []int, m int) []float64 {
	ways := make([][]float64, m+1) // ways[j] is for j of the ranks.
	for j := range ways {
		ways[j] = make([]float64, sum(ranks)+1)
	}
	ways[0][0] = 1
	reach := 0 // No sum so far is greater.
	for i, r := range ranks {
		reach += r
		for j := min(m, i+1); j > 0; j-- {
			with, without := ways[j][r:reach+1], ways[j-1]
			for s := range with {
				with[s] += without[s]
			}
		}
	}
	return ways[m]
}

// twoSided is the P of a statistic of value t by the counts of its values.
func twoSided(counts []float64, t int) float64 {
	var lower, upper float64
	for _, c := range counts[:t+1] {
		lower += c
	}
	for _, c := range counts[t:] {
		upper += c
	}
	return min(1, 2*min(lower, upper)/(lower+upper-counts[t]))
}

// twoSidedNormal is twoSided by the normal approximation. The statistic goes in steps of 1, hence the half that is taken off.
func twoSidedNormal(t, mean, sd float64) float64 {
	if sd == 0 {
		return 1 // The values are all equal.
	}
	return min(1, 2*distuv.UnitNormal.CDF((0.5-math.Abs(t-mean))/sd))
}

// belowByCount is P(T < k) by the counts of T's values.
func belowByCount(counts []float64) func(k int) float64 {
	before := make([]float64, len(counts)+1)
	for t, c := range counts {
		before[t+1] = before[t] + c
	}
	return func(k int) float64 { return before[k] / before[len(counts)] }
}

// belowNormal is P(T < k) by the normal approximation, corrected as twoSidedNormal is.
func belowNormal(mean, sd float64) func(k int) float64 {
	return func(k int) float64 { return distuv.UnitNormal.CDF((float64(k) - 0.5 - mean) / sd) }
}

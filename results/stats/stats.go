// Package stats describes trials in numbers. The trial is the replicate: a sample holds one figure a trial.
// It imports libraries alone and knows nothing of networks.
package stats

import "github.com/montanaflynn/stats"

// Description is what is said of a sample.
type Description struct {
	N                int
	Median, Min, Max float64
}

// Describe describes a sample; ok is false when it is empty.
func Describe(sample []float64) (d Description, ok bool) {
	if len(sample) == 0 {
		return Description{}, false
	}
	// The errors of these are those of an empty sample.
	d.N = len(sample)
	d.Median, _ = stats.Median(sample)
	d.Min, _ = stats.Min(sample)
	d.Max, _ = stats.Max(sample)
	return d, true
}

// MedianRatio is the median of a[i] / b[i] over pairs; pairs whose b is 0 have no ratio and are left out.
// n is the number of those that count; with none the median is 0.
func MedianRatio(a, b []float64) (median float64, n int) {
	var ratios []float64
	for i := range a {
		if b[i] != 0 {
			ratios = append(ratios, a[i]/b[i])
		}
	}
	d, _ := Describe(ratios)
	return d.Median, d.N
}

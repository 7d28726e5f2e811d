package stats

import "testing"

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		sample []float64
		want   Description
		ok     bool
	}{
		{nil, Description{}, false},
		{[]float64{7}, Description{1, 7, 7, 7}, true},
		{[]float64{3, 1, 2}, Description{3, 2, 1, 3}, true},
		{[]float64{4, 1, 3, 2}, Description{4, 2.5, 1, 4}, true},
	} {
		got, ok := Describe(test.sample)
		if got != test.want || ok != test.ok {
			t.Errorf("Describe(%v) = %+v, %v; want %+v, %v", test.sample, got, ok, test.want, test.ok)
		}
	}
}

func TestMedianRatioIsThatOfPairs(t *testing.T) {
	// The ratio of the medians would be 20/10.
	median, n := MedianRatio([]float64{10, 20, 300, 5}, []float64{20, 10, 100, 0})
	if median != 2 || n != 3 {
		t.Errorf("got %v over %d pairs, want 2 over 3", median, n)
	}
	if median, n := MedianRatio([]float64{1}, []float64{0}); median != 0 || n != 0 {
		t.Errorf("with no ratio: %v, %d", median, n)
	}
}

package bench

import (
	"math"
	"testing"
	"time"
)

func TestPaceDue(t *testing.T) {
	for _, test := range []struct {
		rate float64
		i    uint64
		want time.Duration
	}{
		{1000, 0, 0},
		{1000, 1, time.Millisecond},
		{1000, 3_600_000, time.Hour},
		{3, 1, 333_333_333},
		{3, 3, time.Second}, // no error adds up
		{3, 3e9, 1e9 * time.Second},
		{1e9, 7, 7},
		{0.5, 1, 2 * time.Second},
		{0.000001, 1, 1e6 * time.Second},
		{1, math.MaxUint64, math.MaxInt64},
		{1e9, math.MaxUint64, math.MaxInt64},
	} {
		if got := NewPace(test.rate).Due(test.i); got != test.want {
			t.Errorf("message %d at %v/s is due after %d, want %d", test.i, test.rate, got, test.want)
		}
	}
}

func BenchmarkPaceDue(b *testing.B) {
	b.ReportAllocs()
	p, i := NewPace(12345), uint64(0)
	for b.Loop() {
		p.Due(i)
		i++
	}
}

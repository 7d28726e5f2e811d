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

func TestPaceBefore(t *testing.T) {
	for _, test := range []struct {
		rate float64
		d    time.Duration
		want uint64
	}{
		{1000, 0, 0}, {1000, 1, 1}, {1000, time.Millisecond, 1}, {1000, time.Millisecond + 1, 2}, {1000, time.Second, 1000},
		{3, time.Second, 3}, {0.5, time.Second, 1}, {1e9, time.Hour, 3.6e12}, {0.001, time.Hour, 4}, {1000, -1, 0},
	} {
		p := NewPace(test.rate)
		got := p.Before(test.d)
		if got != test.want {
			t.Errorf("%d messages at %v/s are due before %v, want %d", got, test.rate, test.d, test.want)
		}
		if got > 0 && (p.Due(got-1) >= test.d || p.Due(got) < test.d) {
			t.Errorf("%v/s: the last of %d before %v is due after %v, the next after %v", test.rate, got, test.d, p.Due(got-1), p.Due(got))
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

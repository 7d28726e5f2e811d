package clock

import (
	"testing"
	"time"
)

func TestNowAdvancesWithTime(t *testing.T) {
	before, start := Now(), time.Now()
	time.Sleep(5 * time.Millisecond)
	got, want := Now()-before, int64(time.Since(start))
	if got < int64(5*time.Millisecond) || got > want+int64(time.Millisecond) {
		t.Errorf("Now advanced by %d ns while time advanced by %d", got, want)
	}
}

func TestTimeIsTheInverseOfNow(t *testing.T) {
	if d := time.Until(Time(Now() + int64(time.Hour))); d > time.Hour || d < time.Hour-time.Minute {
		t.Errorf("an hour from now is %v away", d)
	}
}

func TestWaitersNeverReturnEarly(t *testing.T) {
	for name, w := range map[string]Waiter{"native": NewWaiter(), "sleeper": Sleeper{}} {
		for _, d := range []time.Duration{-time.Second, 0, 10 * time.Microsecond, 3 * time.Millisecond} {
			due := Now() + int64(d)
			w.Until(due)
			if now := Now(); now < due {
				t.Errorf("%s: Until(now%+v) returned %d ns early", name, d, due-now)
			}
		}
		w.Close()
	}
}

func BenchmarkNow(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Now()
	}
}

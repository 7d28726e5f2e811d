package clock

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestNowIsTheHostsMonotonicClock(t *testing.T) {
	var before, after unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &before); err != nil {
		t.Fatal(err)
	}
	now := Now()
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &after); err != nil {
		t.Fatal(err)
	}
	const slack = 10_000 // the tightest of 16 brackets is off by less than this
	if now < before.Nano()-slack || now > after.Nano()+slack {
		t.Errorf("Now = %d, CLOCK_MONOTONIC between %d and %d", now, before.Nano(), after.Nano())
	}
	if !Shared() {
		t.Error("Shared is false on Linux")
	}
}

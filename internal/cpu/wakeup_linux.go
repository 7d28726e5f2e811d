package cpu

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// wakeups is how many round trips WakeUp makes, the first tenth of which does not count.
const wakeups = 400

// WakeUp measures how long it takes to wake up a sleeping thread: half the median round trip of a byte between two threads over two pipes, each of
// which sleeps in its read until the other has written. The threads are bound to the first processors of a and b; nil leaves that to
// the system. It takes some 20 ms. known is false where it can't be measured.
func WakeUp(a, b []int) (median time.Duration, known bool) {
	var there, back [2]int
	if unix.Pipe2(there[:], unix.O_CLOEXEC) != nil {
		return 0, false
	}
	defer unix.Close(there[0])
	if unix.Pipe2(back[:], unix.O_CLOEXEC) != nil {
		unix.Close(there[1])
		return 0, false
	}
	defer unix.Close(back[0])
	var echo sync.WaitGroup
	echo.Go(func() {
		defer unix.Close(back[1])
		defer boundTo(b)()
		for pass(there[0], back[1]) {
		}
	})
	defer echo.Wait()
	defer unix.Close(there[1]) // which ends the echo
	defer boundTo(a)()
	var trips []time.Duration
	for range wakeups {
		begin := time.Now()
		if !send(there[1]) || !receive(back[0]) {
			return 0, false
		}
		trips = append(trips, time.Since(begin))
	}
	trips = trips[wakeups/10:]
	slices.Sort(trips)
	return trips[len(trips)/2] / 2, true
}

// boundTo locks the goroutine to its thread, and the thread to the first processor of list.
func boundTo(list []int) (release func()) {
	if len(list) > 0 {
		if release, err := Bind(list[0]); err == nil {
			return release
		}
	}
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

func pass(from, to int) bool { return receive(from) && send(to) }

func send(fd int) bool {
	n, err := unix.Write(fd, []byte{1})
	return n == 1 && err == nil
}

func receive(fd int) bool {
	for {
		var b [1]byte
		n, err := unix.Read(fd, b[:])
		if err != unix.EINTR {
			return n == 1 && err == nil
		}
	}
}

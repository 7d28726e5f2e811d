package cpu

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// started is where this process might run when it began, ahead of every Bind.
var started = func() (set unix.CPUSet) {
	_ = unix.SchedGetaffinity(0, &set) // refused: nothing is known to be allowed
	return set
}()

// Allowed returns the processors that this process may run on, those of one core next to each other.
func Allowed() []int { return slices.Clone(sorted()) }

var sorted = sync.OnceValue(func() []int {
	set := started
	var all []int
	core := map[int]int{}
	for n := range most + 1 {
		if set.IsSet(n) {
			all = append(all, n)
			core[n] = coreOf(n)
		}
	}
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Or(cmp.Compare(core[a], core[b]), cmp.Compare(a, b)) })
	return all
})

// coreOf is the first processor of the core that processor n is of: itself, where the kernel tells of no other.
func coreOf(n int) int {
	text, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", n))
	if err != nil {
		return n
	}
	siblings, err := Parse(strings.TrimSpace(string(text)))
	if err != nil || len(siblings) == 0 {
		return n
	}
	return slices.Min(siblings)
}

// Bind locks the calling goroutine to its thread, and that to processor n, until release is called by the same goroutine.
func Bind(n int) (release func(), err error) {
	if n < 0 || n > most {
		return nil, unix.EINVAL
	}
	var before, set unix.CPUSet
	set.Set(n)
	runtime.LockOSThread()
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	return func() {
		if unix.SchedSetaffinity(0, &before) == nil { // else the thread ends with its goroutine
			runtime.UnlockOSThread()
		}
	}, nil
}

// BindAll binds all threads of the process, those that it makes meanwhile too, to some processors until release is called. Threads that
// are bound by Bind are bound anew.
func BindAll(list []int) (release func(), err error) {
	var set unix.CPUSet
	for _, n := range list {
		set.Set(n)
	}
	if err := bindThreads(&set); err != nil {
		return nil, err
	}
	return func() { _ = bindThreads(&started) }, nil
}

func bindThreads(set *unix.CPUSet) error {
	// A thread that is not bound yet may make another while the list is read: until there is none that is new.
	bound := map[string]bool{}
	for before := -1; before < len(bound); {
		before = len(bound)
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range threads {
			id, err := ownNumber(t.Name())
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
				continue // it has ended
			}
			if err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(id, set); err != nil && err != unix.ESRCH {
				return err
			}
			bound[t.Name()] = true
		}
	}
	return nil
}

// ownNumber is the number by which this process knows its thread that /proc calls so: in a namespace of processes of its own,
// another one, the last of those that the thread has.
func ownNumber(thread string) (int, error) {
	status, err := os.ReadFile("/proc/self/task/" + thread + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if numbers, ok := strings.CutPrefix(line, "NSpid:"); ok {
			fields := strings.Fields(numbers)
			return strconv.Atoi(fields[len(fields)-1])
		}
	}
	return strconv.Atoi(thread) // a kernel that has no such namespaces
}

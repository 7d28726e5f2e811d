package cpu

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// affinity returns the processors that thread id may run on, in order; 0 is the calling one.
func affinity(id int) (list []int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(id, &set); err != nil {
		return nil, err
	}
	for n := range most + 1 {
		if set.IsSet(n) {
			list = append(list, n)
		}
	}
	return list, nil
}

// affinities returns where every thread of the process may run, each way once.
func affinities(t *testing.T) (all [][]int) {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		list, err := affinity(id)
		switch {
		case errors.Is(err, unix.ESRCH): // it has ended
		case err != nil:
			t.Fatal(err)
		case !slices.ContainsFunc(all, func(l []int) bool { return slices.Equal(l, list) }):
			all = append(all, list)
		}
	}
	return all
}

// allowed is Allowed in order.
func allowed(t *testing.T) []int {
	t.Helper()
	list := Allowed()
	if len(list) == 0 {
		t.Fatal("this process may run nowhere, and it runs")
	}
	slices.Sort(list)
	return list
}

// The processors that are allowed are those of this thread, which nobody has bound, and those of one core are neighbours.
func TestAllowed(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	want, err := affinity(0)
	if err != nil {
		t.Fatal(err)
	}
	if got := allowed(t); !slices.Equal(got, want) {
		t.Errorf("allowed are %v, and this thread may run on %v", got, want)
	}
	list := Allowed()
	ended := map[int]bool{} // cores that others have come after
	for i, n := range list {
		core := coreOf(n)
		if ended[core] {
			t.Errorf("in %v, processor %d of core %d is not beside the others of that core", list, n, core)
		}
		if i+1 < len(list) && coreOf(list[i+1]) != core {
			ended[core] = true
		}
	}
}

// What a caller does to the list of those allowed is its own affair.
func TestAllowedIsACopy(t *testing.T) {
	before := allowed(t)
	for i, list := 0, Allowed(); i < len(list); i++ {
		list[i] = -1
	}
	if after := allowed(t); !slices.Equal(after, before) {
		t.Errorf("it was %v and is %v", before, after)
	}
}

// onThread calls f on a goroutine of its own, and returns its error and a thread that it ran on.
func onThread(f func() error) (thread int, err error) {
	var ended sync.WaitGroup
	ended.Go(func() {
		runtime.LockOSThread()
		thread = unix.Gettid()
		err = f()
		runtime.UnlockOSThread()
	})
	ended.Wait()
	return thread, err
}

// outlives checks that a thread goes on after its goroutine, as one does that was unlocked as often as it was locked.
func outlives(t *testing.T, thread int) {
	t.Helper()
	for range 10 {
		time.Sleep(2 * time.Millisecond)
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread)); err != nil {
			t.Fatalf("the thread has ended with its goroutine: it was left locked: %v", err)
		}
	}
}

// Bind has this thread run on one processor, and release where it ran before; between the two no other thread is touched.
func TestBind(t *testing.T) {
	all := allowed(t)
	for _, n := range []int{all[0], all[len(all)-1]} {
		thread, err := onThread(func() error {
			release, err := Bind(n)
			if err != nil {
				return err
			}
			bound, err := affinity(0)
			if err != nil || !slices.Equal(bound, []int{n}) {
				return fmt.Errorf("bound to %d it may run on %v, %v", n, bound, err)
			}
			others := make(chan []int)
			go func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				list, _ := affinity(0)
				others <- list
			}()
			if list := <-others; !slices.Equal(list, all) {
				err = fmt.Errorf("while one thread is bound to %d, another may run on %v, want %v", n, list, all)
			}
			release()
			after, failed := affinity(0)
			if failed != nil || !slices.Equal(after, all) {
				return fmt.Errorf("released from %d it may run on %v, %v; want %v", n, after, failed, all)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		outlives(t, thread)
	}
}

// A thread that is bound again is given back to where it was bound before.
func TestBindTwice(t *testing.T) {
	all := allowed(t)
	_, err := onThread(func() error {
		outer, err := Bind(all[0])
		if err != nil {
			return err
		}
		defer outer()
		inner, err := Bind(all[len(all)-1])
		if err != nil {
			return err
		}
		inner()
		if list, err := affinity(0); err != nil || !slices.Equal(list, all[:1]) {
			return fmt.Errorf("it may run on %v, %v; want %v", list, err, all[:1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A processor that there is not is refused, and the thread stays where it was and unlocked.
func TestBindRefuses(t *testing.T) {
	all := allowed(t)
	refused := []int{-1, most + 1, 1 << 30}
	if !slices.Contains(all, most) {
		refused = append(refused, most)
	}
	for _, n := range refused {
		thread, err := onThread(func() error {
			if release, err := Bind(n); err == nil || release != nil {
				return fmt.Errorf("processor %d is taken: %v", n, err)
			}
			if list, err := affinity(0); err != nil || !slices.Equal(list, all) {
				return fmt.Errorf("after a refusal of %d it may run on %v, %v; want %v", n, list, err, all)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		outlives(t, thread)
	}
}

// BindAll holds for every thread, one that is made later too, and release for every one that there is then.
func TestBindAll(t *testing.T) {
	all := allowed(t)
	one := all[len(all)-1:]
	release, err := BindAll(one)
	if err != nil {
		t.Fatal(err)
	}
	defer release() // again, which changes nothing
	// More threads than there can be idle ones: all of them are held until the last has told where it may run.
	const threads = 20
	var held, ended sync.WaitGroup
	lists := make([][]int, threads)
	held.Add(threads)
	for i := range threads {
		ended.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			lists[i], _ = affinity(0)
			held.Done()
			held.Wait()
		})
	}
	ended.Wait()
	for i, list := range lists {
		if !slices.Equal(list, one) {
			t.Errorf("thread %d, made while all are bound to %v, may run on %v", i, one, list)
		}
	}
	if got := affinities(t); len(got) != 1 || !slices.Equal(got[0], one) {
		t.Errorf("the process is bound to %v, and its threads may run on %v", one, got)
	}
	release()
	if got := affinities(t); len(got) != 1 || !slices.Equal(got[0], all) {
		t.Errorf("after release the threads may run on %v, want %v", got, all)
	}
	if got := allowed(t); !slices.Equal(got, all) {
		t.Errorf("allowed are %v, and were %v", got, all)
	}
}

// A list of no processor that there is binds nothing.
func TestBindAllRefuses(t *testing.T) {
	all := allowed(t)
	lists := [][]int{nil}
	if !slices.Contains(all, most) {
		lists = append(lists, []int{most})
	}
	for _, list := range lists {
		if release, err := BindAll(list); err == nil || release != nil {
			t.Errorf("%v is taken: %v", list, err)
		}
	}
	if got := affinities(t); len(got) != 1 || !slices.Equal(got[0], all) {
		t.Errorf("after refusals the threads may run on %v, want %v", got, all)
	}
}

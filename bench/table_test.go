package bench

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func address(n byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, n}) }

func smallSpec() Spec {
	return Spec{Proto: "any", Mode: Sink, Size: HeaderSize, Flows: 1, Duration: time.Second, Wait: Spin}
}

// A client that vanishes leaves nothing behind: its session ends when it has been silent for the idle time, and whoever
// says that the client is there keeps it, though not beyond its time.
func TestSessionsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits()
		table := NewTable(limits)
		s, err := table.Agree(t.Context(), smallSpec(), address(1), "")
		if err != nil {
			t.Fatal(err)
		}
		closed := false
		s.Attach(&closer{func() { closed = true }})
		start := time.Now()
		for time.Since(start) < time.Minute {
			if err := table.Renew(t.Context(), s.ID); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < time.Minute || took > time.Minute+limits.Poll() {
			t.Errorf("renewing for a minute took %v", took)
		}
		time.Sleep(limits.Idle - time.Second)
		synctest.Wait()
		if table.Find(s.ID) == nil {
			t.Error("the session is over before the idle time")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if table.Find(s.ID) != nil || !closed || table.Spinning() || table.memory != 0 {
			t.Errorf("the session is there: %v, what was attached is closed: %v, spinning %v, %d bytes taken",
				table.Find(s.ID) != nil, closed, table.Spinning(), table.memory)
		}
		if err := table.Renew(t.Context(), s.ID); !errors.Is(err, ErrEnded) {
			t.Errorf("asked for, it says %v", err)
		}

		if s, err = table.Agree(t.Context(), smallSpec(), address(1), ""); err != nil {
			t.Fatal(err)
		}
		start = time.Now()
		for err = nil; err == nil; {
			err = table.Renew(t.Context(), s.ID)
		}
		if took := time.Since(start); !errors.Is(err, ErrEnded) || took < s.Spec.Duration+settleTime || took > s.Spec.Duration+settleTime+time.Second {
			t.Errorf("renewed without end it was over after %v: %v", took, err)
		}
	})
}

// queue asks for a session in the background.
func queue(t *testing.T, table *Table, spec Spec, client netip.Addr, key string) (got chan *Session, cancel func()) {
	ctx, cancel := context.WithCancel(t.Context())
	got = make(chan *Session, 1)
	go func() {
		s, _ := table.Agree(ctx, spec, client, key)
		got <- s
	}()
	synctest.Wait()
	return got, cancel
}

// Sessions beyond the limit wait for their turn, in the order in which they came.
func TestSessionsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits()
		limits.Sessions = 1
		table := NewTable(limits)
		first, err := table.Agree(t.Context(), smallSpec(), address(1), "")
		if err != nil || !limits.Exclusive() {
			t.Fatal(err)
		}
		second, _ := queue(t, table, smallSpec(), address(2), "")
		gone, goAway := queue(t, table, smallSpec(), address(3), "")
		third, _ := queue(t, table, smallSpec(), address(4), "key")
		again, _ := queue(t, table, smallSpec(), address(4), "key") // lost its answer, and keeps its place
		last, _ := queue(t, table, smallSpec(), address(5), "")
		if table.Waiting() != 4 || table.Open() != 1 {
			t.Errorf("%d wait, %d are open", table.Waiting(), table.Open())
		}
		goAway()
		if s := <-gone; s != nil {
			t.Error("who went away has a session")
		}
		if s := <-third; s != nil {
			t.Error("a request that was repeated has a session of its own")
		}
		if err := table.End(first.ID); err != nil {
			t.Fatal(err)
		}
		for i, next := range []chan *Session{second, again, last} {
			s := <-next
			if s == nil || table.Open() != 1 {
				t.Fatalf("number %d: session %v, %d are open", i, s, table.Open())
			}
			if i == 1 {
				if same, err := table.Agree(t.Context(), smallSpec(), address(4), "key"); err != nil || same != s {
					t.Errorf("asked again with the same key: another session, %v", err)
				}
			}
			if s.shared.Load() {
				t.Errorf("number %d shared the server with another", i)
			}
			if err := table.End(s.ID); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if table.Spinning() {
			t.Error("no session is left, and the receivers are to spin")
		}
	})
}

// An address that has its share waits, and keeps nobody else waiting; so does one that wants more memory than there is.
func TestSessionsOfAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits()
		limits.SessionsPerAddress = 2
		table := NewTable(limits)
		var open []*Session
		for range 2 {
			s, err := table.Agree(t.Context(), smallSpec(), address(1), "")
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, s)
		}
		third, _ := queue(t, table, smallSpec(), address(1), "")
		if s, err := table.Agree(t.Context(), smallSpec(), address(2), ""); err != nil || !s.shared.Load() || !open[0].shared.Load() {
			t.Errorf("another address: %v", err)
		}
		if table.Waiting() != 1 {
			t.Errorf("%d wait", table.Waiting())
		}
		_ = table.End(open[0].ID)
		if s := <-third; s == nil {
			t.Error("the third has no session though there is room")
		}
	})
}

// A client that fills the queue leaves room for others in it, and those who do not come back give up their place.
func TestQueueIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits()
		limits.Sessions, limits.SessionsPerAddress = 1, 2
		table := NewTable(limits)
		first, err := table.Agree(t.Context(), smallSpec(), address(1), "")
		if err != nil {
			t.Fatal(err)
		}
		_, leaveA := queue(t, table, smallSpec(), address(1), "a")
		_, leaveB := queue(t, table, smallSpec(), address(1), "b")
		if _, err := table.Agree(t.Context(), smallSpec(), address(1), "c"); !errors.Is(err, ErrTooMany) {
			t.Errorf("one too many: %v", err)
		}
		other, _ := queue(t, table, smallSpec(), address(2), "d")
		leaveA()
		leaveB()
		synctest.Wait()
		_ = table.End(first.ID)
		if s := <-other; s == nil {
			t.Error("who has broken off keeps another waiting")
		}
		time.Sleep(limits.Idle + time.Second)
		if _, err := table.Agree(t.Context(), smallSpec(), address(1), "e"); err != nil || table.Waiting() != 0 {
			t.Errorf("when they have not come back: %v, %d wait", err, table.Waiting())
		}
	})
}

func TestMemoryIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits()
		big := smallSpec()
		big.Size = 1 << 20
		limits.Memory = big.Memory() * 3 / 2
		table := NewTable(limits)
		first, err := table.Agree(t.Context(), big, address(1), "")
		if err != nil {
			t.Fatal(err)
		}
		second, _ := queue(t, table, big, address(2), "")
		if table.Waiting() != 1 {
			t.Errorf("%d wait for memory", table.Waiting())
		}
		_ = table.End(first.ID)
		if <-second == nil {
			t.Error("there is room, and no session")
		}
		bigger := big
		bigger.Size = 4 << 20
		if _, err := table.Agree(t.Context(), bigger, address(1), ""); !errors.Is(err, ErrBeyondLimits) {
			t.Errorf("more than there is altogether: %v", err)
		}
	})
}

// Who is beyond a limit is told which, at once.
func TestLimitsAreTold(t *testing.T) {
	limits := Limits{Sessions: 1, SessionsPerAddress: 1, Flows: 2, Size: 1000, Duration: time.Second, RateBps: 1e6, Memory: 64 << 20, Idle: time.Second}
	if err := limits.Validate(); err != nil {
		t.Fatal(err)
	}
	good := Spec{Proto: "any", Mode: Sink, Size: 1000, Flows: 2, Duration: time.Second, RateBps: 1e6}
	table := NewTable(limits)
	if s, err := table.Agree(t.Context(), good, loopback, ""); err != nil || table.End(s.ID) != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*Spec){
		"3 flows, and it allows 2":                      func(s *Spec) { s.Flows = 3 },
		"messages of 1001 bytes, and it allows 1000":    func(s *Spec) { s.Size = 1001 },
		"a duration of 1.001s with the warm-up, and it": func(s *Spec) { s.Duration += time.Millisecond },
		"as fast as it goes, and it allows 1e+06 bit/s": func(s *Spec) { s.RateBps = 0 },
		"1.1e+06 bit/s, and it allows 1e+06":            func(s *Spec) { s.RateBps = 1.1e6 },
		"of its memory, and it allows 64":               func(s *Spec) { s.Interval = 500 * time.Nanosecond },
	} {
		bad := good
		change(&bad)
		if _, err := table.Agree(t.Context(), bad, loopback, ""); !errors.Is(err, ErrBeyondLimits) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want …%s…", err, says)
		}
	}
	for _, bad := range []func(*Limits){
		func(l *Limits) { l.Sessions = 0 }, func(l *Limits) { l.Flows = 0 }, func(l *Limits) { l.Size = 31 }, func(l *Limits) { l.Duration = 0 },
		func(l *Limits) { l.RateBps = -1 }, func(l *Limits) { l.Memory = 0 }, func(l *Limits) { l.Idle = 0 },
	} {
		l := DefaultLimits()
		bad(&l)
		if l.Validate() == nil {
			t.Errorf("%+v is valid", l)
		}
	}
}

// A client that sends more than it was allowed has its session ended, and is told why.
func TestRateIsEnforced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits()
		limits.RateBps = 8e6 // 1 MB/s
		table := NewTable(limits)
		spec := smallSpec()
		spec.RateBps = 8e6
		send := func(bytesPerMs int, d time.Duration) error {
			s, err := table.Agree(t.Context(), spec, loopback, "")
			if err != nil {
				t.Fatal(err)
			}
			in := table.Inbound("any", Header{Session: s.ID}, loopback)
			for i := range int64(d / time.Millisecond) {
				if !in.Enter() {
					break
				}
				in.Arrived(make([]byte, bytesPerMs), i*1e6)
				in.Leave()
			}
			synctest.Wait()
			if table.Find(s.ID) != nil {
				return table.End(s.ID)
			}
			return table.Renew(t.Context(), s.ID)
		}
		if err := send(1000, time.Minute); err != nil {
			t.Errorf("at the limit: %v", err)
		}
		if err := send(2000, 4*time.Second); err != nil {
			t.Errorf("twice the limit for four seconds, as a queue that empties: %v", err)
		}
		if err := send(2000, time.Minute); !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "more than 8e+06 bit/s") {
			t.Errorf("twice the limit: %v", err)
		}
	})
}

// A server that ends tells all of its clients why, and waits until they have heard.
func TestShutdownTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits()
		limits.Sessions = 1
		table := NewTable(limits)
		var ended []error
		table.Ended = func(_ *Session, why error) { ended = append(ended, why) }
		s, err := table.Agree(t.Context(), smallSpec(), address(1), "")
		if err != nil {
			t.Fatal(err)
		}
		waiting, _ := queue(t, table, smallSpec(), address(2), "")
		told := make(chan error, 1)
		go func() {
			err := table.Renew(t.Context(), s.ID)
			_ = table.End(s.ID) // as the client does whose trial has failed
			told <- err
		}()
		synctest.Wait()
		start := time.Now()
		table.Shutdown(t.Context(), ErrShutdown)
		if err := <-told; !errors.Is(err, ErrEnded) || !errors.Is(err, ErrShutdown) {
			t.Errorf("the client was told %v", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v", took)
		}
		if <-waiting != nil {
			t.Error("who waited has a session")
		}
		if _, err := table.Agree(t.Context(), smallSpec(), address(3), ""); !errors.Is(err, ErrShutdown) {
			t.Errorf("who came later: %v", err)
		}
		if len(ended) != 1 || !errors.Is(ended[0], ErrShutdown) {
			t.Errorf("ends: %v", ended)
		}
	})
}

// A client that never asks does not hold up the end.
func TestShutdownDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := NewTable(DefaultLimits())
		if _, err := table.Agree(t.Context(), smallSpec(), address(1), ""); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		table.Shutdown(ctx, ErrShutdown)
		if took := time.Since(start); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// Two clients at the same time can't be told apart in the process's CPU time: neither is told any.
func TestSharedCPUTimeIsNotTold(t *testing.T) {
	table := NewTable(DefaultLimits())
	account := func(others int) Account {
		s, in := agree(t, table, Sink)
		in.Arrived(blockOf(Header{Kind: Request, Session: s.ID}), 1)
		in.Leave()
		for range others {
			if other, err := table.Agree(t.Context(), smallSpec(), loopback, ""); err != nil || table.End(other.ID) != nil {
				t.Fatal(err)
			}
		}
		a, err := table.Settle(t.Context(), s.ID, Settlement{Sent: []uint64{1}, Tmax: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if alone := account(0); alone.CPUNs == nil {
		t.Skip("this platform does not tell a process's CPU time")
	}
	if shared := account(1); shared.CPUNs != nil {
		t.Errorf("CPU time %d ns beside another session", *shared.CPUNs)
	}
}

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
		s.flows[0].Attach(&closer{func() { closed = true }})
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
	limits := Limits{Sessions: 1, SessionsPerAddress: 1, Flows: 2, Size: 1000, Duration: time.Second, RateBps: 1e6, Memory: 4 << 20, Idle: time.Second}
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
		"of its memory, and it allows 4":                func(s *Spec) { s.Interval = 20 * time.Microsecond },
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
		spec.Duration = time.Minute
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

// A client that goes on after its time has its session ended; what stood in a queue is waited for.
func TestDurationIsEnforced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := NewTable(DefaultLimits())
		s, in := agree(t, table, Echo)
		block := func() []byte { return blockOf(Header{Kind: Request, Session: s.ID}) }
		second := int64(time.Second)
		for _, at := range []int64{5 * second, 6 * second, 40 * second} {
			if reply, _ := in.Arrived(block(), at); len(reply) != HeaderSize {
				t.Errorf("at %v: %d bytes answer", time.Duration(at), len(reply))
			}
		}
		if reply, _ := in.Arrived(block(), 5*second+int64(s.Spec.Duration+overtime)+1); len(reply) != 0 {
			t.Errorf("too late: %d bytes answer", len(reply))
		}
		synctest.Wait()
		if err := table.Renew(t.Context(), s.ID); !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "longer than the 1s") {
			t.Errorf("%v", err)
		}
	})
}

// A source that its rate lets send next in days ends with its session, when it is stopped, and with its time.
func TestSlowSourceEnds(t *testing.T) {
	for name, end := range map[string]func(*Table, *Session) error{
		"stopped":    func(table *Table, s *Session) error { _, err := table.Stop(s.ID); return err },
		"ended":      func(table *Table, s *Session) error { return table.End(s.ID) },
		"at leisure": func(*Table, *Session) error { return nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			table := NewTable(DefaultLimits())
			spec := Spec{Proto: "any", Mode: Source, Size: 60_000, Flows: 1, Duration: 3 * time.Second, RateBps: 1}
			s, err := table.Agree(t.Context(), spec, loopback, "")
			if err != nil {
				t.Fatal(err)
			}
			in := table.Inbound("any", Header{Session: s.ID}, loopback)
			msg := NewBlock(1, spec.Size)
			Header{Kind: Request, Session: s.ID}.Put(msg)
			if _, start := in.Arrived(msg, 1); !start {
				t.Fatal("the source does not start")
			}
			start := time.Now()
			pumped := make(chan struct{})
			out := &counting{}
			go func() { in.Pump(out); close(pumped) }()
			time.Sleep(time.Second)
			if err := end(table, s); err != nil {
				t.Error(err)
			}
			<-pumped
			if took := time.Since(start); out.n != 1 || name != "at leisure" && took > 1100*time.Millisecond || took > 3100*time.Millisecond {
				t.Errorf("%s: it ended after %v and %d messages", name, took, out.n)
			}
		})
	}
}

// counting is a Sender that counts, and fails when it is told to.
type counting struct {
	n      int
	failed error
}

func (c *counting) Send(block []byte, size int, _ bool) (int, error) {
	if c.failed != nil {
		return 0, c.failed
	}
	c.n += len(block) / size
	return len(block) / size, nil
}

func (c *counting) Batch(int) int { return 1 }

func (c *counting) Traffic() Traffic { return Traffic{} }

// A source that can't send ends its session, which says why: its trial is none.
func TestSourceThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := NewTable(DefaultLimits())
		s, err := table.Agree(t.Context(), Spec{Proto: "any", Mode: Source, Size: 64, Flows: 1, Duration: 3 * time.Second}, loopback, "")
		if err != nil {
			t.Fatal(err)
		}
		in := table.Inbound("any", Header{Session: s.ID}, loopback)
		in.source.start()
		in.Pump(&counting{failed: errors.New("not permitted")})
		synctest.Wait()
		if err := table.Renew(t.Context(), s.ID); !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "it could not send: not permitted") {
			t.Errorf("%v", err)
		}
	})
}

// The flows of a session take turns under a limit, however low, and nothing overflows.
func TestThrottle(t *testing.T) {
	for _, bps := range []float64{0.1, 1e3, 1e9} {
		for flow := range 3 {
			limit := newThrottle(bps, 1000, 3, flow)
			turn := 8000 / bps * 1e9
			for i := range 5 {
				want := int64(min(-5e9+turn*float64(3*i+flow), 1<<62))
				if got := limit.due(-5e9, 1); got < want-1 || got > want+1 {
					t.Errorf("%v bit/s: message %d of flow %d is due at %d, want %d", bps, i, flow, got, want)
				}
			}
		}
	}
	if newThrottle(0, 1, 1, 0).due(7, 1) != 7 {
		t.Error("no limit holds somebody up")
	}
}

// Who waits for memory is not overtaken by those who need less.
func TestQueueForMemoryIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits()
		big, small := smallSpec(), smallSpec()
		big.Size = 4 << 20
		limits.Memory = big.Memory() + small.Memory()/2
		table := NewTable(limits)
		first, err := table.Agree(t.Context(), small, address(1), "")
		if err != nil {
			t.Fatal(err)
		}
		second, _ := queue(t, table, big, address(2), "")
		third, _ := queue(t, table, small, address(3), "")
		if table.Waiting() != 2 {
			t.Errorf("%d wait", table.Waiting())
		}
		_ = table.End(first.ID)
		s := <-second
		if s == nil || table.Waiting() != 1 {
			t.Fatalf("the one that needs much: %v, %d wait", s, table.Waiting())
		}
		_ = table.End(s.ID)
		if <-third == nil {
			t.Error("the last has no session")
		}
	})
}

// A host has as many IPv6 addresses as it likes: those of a subnet share what an address may have.
func TestNetwork(t *testing.T) {
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.2", false}, {"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::ffff:1:2:3", true}, {"2001:db8::1", "2001:db8:0:1::1", false}, {"::1", "::1", true},
	} {
		if same := Network(netip.MustParseAddr(test.a)) == Network(netip.MustParseAddr(test.b)); same != test.same {
			t.Errorf("%s and %s: %v", test.a, test.b, same)
		}
	}
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

// Where a server lets nobody spin, receivers sleep.
func TestSpinIsNotAllowed(t *testing.T) {
	limits := DefaultLimits()
	limits.Spin = false
	table := NewTable(limits)
	s, err := table.Agree(t.Context(), smallSpec(), loopback, "")
	if err != nil || s.Spec.Wait != Block || table.Spinning() {
		t.Errorf("%v, %v, spinning %v", err, s, table.Spinning())
	}
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

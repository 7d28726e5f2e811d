package link

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

// sent is a packet that came through: its number, whether it is a copy, and when it was due.
type sent struct {
	index uint64
	copy  bool
	at    int64
}

// across has packets of size bytes arrive every interval and returns what comes out, as soon as it is due.
func across(t testing.TB, side Side, seed uint64, n, size int, interval int64) (out []sent, d *direction) {
	t.Helper()
	if side.bottleneck() && side.LimitPackets == 0 && side.LimitBytes == 0 {
		side.LimitPackets = math.MaxInt
	}
	d, err := newDirection(side, false, seed, 0, &pool{}, &journal{records: make([]record, 0, 4*n)})
	if err != nil {
		t.Fatal(err)
	}
	release := func(until int64) {
		for {
			next := d.next()
			if next > until {
				return
			}
			now := max(next, 0)
			for p := d.due(now); p != nil; p = d.due(now) {
				out = append(out, sent{p.Index, p.Copy, p.Due})
				d.done(p, p.Due, true)
			}
		}
	}
	for i := range n {
		at := int64(i) * interval
		release(at)
		p := d.pool.get(size)
		p.Data = append(p.Data, datagram(size)...)
		p.Arrived = at
		d.arrive(p)
	}
	release(never - 1)
	if d.account().Waiting != 0 {
		t.Errorf("%d packets wait for ever", d.account().Waiting)
	}
	return out, d
}

// datagram is an IPv4 packet with UDP in it.
func datagram(size int) []byte {
	b := make([]byte, size)
	b[0], b[9] = 0x45, protoUDP
	b[2], b[3] = byte(size>>8), byte(size)
	copy(b[12:], []byte{10, 77, 0, 2, 10, 77, 0, 1})
	b[20+4], b[20+5] = byte((size-20)>>8), byte(size-20)
	return b
}

func TestDelay(t *testing.T) {
	out, _ := across(t, Side{Delay: 10 * time.Millisecond}, 1, 1000, 100, ms)
	for i, s := range out {
		if s.index != uint64(i+1) || s.at != int64(i)*ms+10*ms {
			t.Fatalf("%d: %+v", i, s)
		}
	}
	if len(out) != 1000 {
		t.Errorf("%d packets", len(out))
	}
}

// The same seed and packets have the same fate, whenever the packets come; another seed gives them another.
func TestFateIsTheSeeds(t *testing.T) {
	side := Side{Loss: 0.1, Gilbert: &Gilbert{0.05, 0.3, 0.8, 0.01}, Duplicate: 0.1, Corrupt: 0.1, Reorder: 0.1, Distance: 2, Jitter: time.Millisecond, Distribution: "normal"}
	fates := func(seed uint64, interval int64) (text string) {
		_, d := across(t, side, seed, 2000, 100, interval)
		entries := d.journal.entries()
		slices.SortStableFunc(entries, func(a, b Entry) int { return (int(a.Packet)-int(b.Packet))*2 + a.Copy - b.Copy })
		for _, e := range entries {
			text += strconv.FormatUint(e.Packet, 10) + e.Fate + strconv.Itoa(e.Copy) + " "
		}
		return text
	}
	slow := fates(7, 10*ms)
	if fast := fates(7, ms/100); fast != slow {
		t.Error("the same seed does other things when packets come faster")
	}
	if other := fates(8, 10*ms); other == slow {
		t.Error("another seed does the same")
	}
}

// Shares are kept within what chance allows: a count is within 4.5 standard deviations of a binomial's.
func TestShares(t *testing.T) {
	const n = 100_000
	within := func(name string, got uint64, share float64) {
		t.Helper()
		mean, sd := n*share, math.Sqrt(n*share*(1-share))
		if math.Abs(float64(got)-mean) > 4.5*sd {
			t.Errorf("%s: %d of %d, want %v give or take %v", name, got, n, mean, sd)
		}
	}
	for _, p := range []float64{0.001, 0.01, 0.05} {
		_, d := across(t, Side{Loss: p, Duplicate: p, Corrupt: p, Reorder: p, Distance: 1}, 3, n, 100, ms/10)
		c := d.account()
		within("lost", c.Lost, p)
		within("duplicated", c.Duplicates, p*(1-p))
		within("corrupted", c.Corrupted, p*(1-p))
		if c.Reordered == 0 || float64(c.Reordered) > n*p*1.3 {
			t.Errorf("reordered: %d of %d at %v", c.Reordered, n, p)
		}
		if c.Packets != n || c.Lost+c.Released != n {
			t.Errorf("%+v", c)
		}
	}
	g := Gilbert{0.01, 0.2, 0.9, 0.001}
	_, d := across(t, Side{Gilbert: &g}, 4, n, 100, ms/10)
	if got := float64(d.account().Lost) / n; math.Abs(got-g.Share()) > 0.15*g.Share() {
		t.Errorf("Gilbert's channel lost %v, want %v", got, g.Share())
	}
	// Its losses come in bursts: the chance of a loss after a loss is much more than the share.
	after, losses, before := 0, 0, false
	entries := d.journal.entries()
	slices.SortFunc(entries, func(a, b Entry) int { return int(a.Packet) - int(b.Packet) })
	for _, e := range entries {
		lost := e.Fate == Lost
		if before {
			losses++
			if lost {
				after++
			}
		}
		before = lost
	}
	// In the bad state the next packet is in it with probability 0.8, and lost then with 0.9; the few losses of the good state dilute it.
	if p := float64(after) / float64(losses); p < 0.62 || p > 0.78 {
		t.Errorf("after a loss the next is lost with %v", p)
	}
}

func TestListedLosses(t *testing.T) {
	_, d := across(t, Side{LossEvery: 10, LossList: []uint64{3, 7}}, 1, 30, 100, ms)
	var got []uint64
	for _, e := range d.journal.entries() {
		if e.Fate == Lost {
			got = append(got, e.Packet)
		}
	}
	if !slices.Equal(got, []uint64{3, 7, 10, 20, 30}) {
		t.Errorf("%v", got)
	}
}

// A packet that is held back is released right after so many others, or when it has waited for long enough.
func TestReordering(t *testing.T) {
	side := Side{Reorder: 1, Distance: 3}
	d, err := newDirection(side, false, 1, 0, &pool{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []uint64
	arrive := func(held bool, at int64) {
		d.side.Reorder = 0
		if held {
			d.side.Reorder = 1
		}
		d.dice.side = d.side
		p := d.pool.get(100)
		p.Data = append(p.Data, datagram(100)...)
		p.Arrived = at
		d.arrive(p)
		for p := d.due(at); p != nil; p = d.due(at) {
			got = append(got, p.Index)
			d.done(p, at, true)
		}
	}
	for i, held := range []bool{false, true, false, false, false, false, true} {
		arrive(held, int64(i)*ms)
	}
	if !slices.Equal(got, []uint64{1, 3, 4, 5, 2, 6}) {
		t.Errorf("%v", got)
	}
	if at := d.next(); at != 6*ms+int64(HoldTime) {
		t.Errorf("the last one is due at %v", time.Duration(at))
	}
	if p := d.due(d.next()); p == nil || p.Index != 7 {
		t.Errorf("%+v", p)
	}
	if d.account().Reordered != 1 {
		t.Errorf("%+v", d.account())
	}
}

func TestJitter(t *testing.T) {
	spread := func(side Side) (out []sent, disorder int, low, high int64) {
		out, _ = across(t, side, 5, 20_000, 100, ms)
		low = never
		last := uint64(0)
		for _, s := range out {
			if s.index < last {
				disorder++
			}
			last = s.index
			delay := s.at - int64(s.index-1)*ms
			low, high = min(low, delay), max(high, delay)
		}
		return out, disorder, low, high
	}
	side := Side{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond}
	if _, disorder, low, high := spread(side); disorder != 0 || low < 15*ms || high > 25*ms || low > 16*ms || high < 24*ms {
		t.Errorf("%d out of order, from %v to %v", disorder, low, high)
	}
	side.Free = true
	if _, disorder, low, high := spread(side); disorder < 1000 || low < 15*ms || high > 25*ms {
		t.Errorf("%d out of order, from %v to %v", disorder, low, high)
	}
	side.Distribution = "normal"
	out, _, _, _ := spread(side)
	var sum, squares float64
	for _, s := range out {
		x := float64(s.at-int64(s.index-1)*ms) / float64(ms)
		sum, squares = sum+x, squares+x*x
	}
	n := float64(len(out))
	if mean := sum / n; math.Abs(mean-20) > 0.2 || math.Abs(math.Sqrt(squares/n-mean*mean)-5) > 0.2 {
		t.Errorf("mean %v", mean)
	}
	path := filepath.Join(t.TempDir(), "table")
	if err := os.WriteFile(path, []byte("# two values\n-8192 8192\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	side.Distribution = path
	for _, s := range first(spread(side)) {
		if x := s.at - int64(s.index-1)*ms; x != 15*ms && x != 25*ms {
			t.Fatalf("a delay of %v", time.Duration(x))
		}
	}
}

func first(out []sent, _ int, _, _ int64) []sent { return out }

// A bottleneck sends at its rate to the ns, whatever comes, and drops what finds no room.
func TestRate(t *testing.T) {
	out, d := across(t, Side{Rate: 100e6, LimitPackets: 10}, 1, 10_000, 1250, ms/1000*10) // 1 Gbit/s comes
	c := d.account()
	if c.Overflowed != 10_000-uint64(len(out)) || c.Lost != 0 {
		t.Errorf("%+v, %d packets", c, len(out))
	}
	for i := 1; i < len(out); i++ {
		if gap := out[i].at - out[i-1].at; gap != 100_000 {
			t.Fatalf("packet %d comes %d ns after the one before it, want 100000", out[i].index, gap)
		}
	}
	if n := len(out); n < 1000 || n > 1012 { // 100 ms at 10,000/s, and the queue
		t.Errorf("%d packets", n)
	}
	_, d = across(t, Side{Rate: 100e6, LimitBytes: 5000}, 1, 10, 1250, 0)
	if c := d.account(); c.Overflowed != 5 { // one is sent, and four wait
		t.Errorf("%+v", c)
	}
}

// A trace delivers 1500 bytes an opportunity: one large packet, several small ones, or a part; and begins anew.
func TestTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(path, []byte("2\n2\n5\n10\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	times := func(n, size int, interval int64) (list []int64) {
		out, _ := across(t, Side{Trace: path}, 1, n, size, interval)
		for _, s := range out {
			list = append(list, s.at/ms)
		}
		return list
	}
	for _, test := range []struct {
		n, size  int
		interval int64
		want     []int64
	}{
		{6, 1500, 0, []int64{2, 2, 5, 10, 12, 12}},
		{6, 500, 0, []int64{2, 2, 2, 2, 2, 2}},
		{4, 1000, 0, []int64{2, 2, 2, 5}}, // 1500 = 1000 + 500, 500 + 1000, 1000
		{3, 3000, 0, []int64{2, 10, 12}},
		{3, 1500, 6 * ms, []int64{2, 10, 12}}, // what is not used is lost
	} {
		if got := times(test.n, test.size, test.interval); !slices.Equal(got, test.want) {
			t.Errorf("%d of %d B every %v: %v, want %v", test.n, test.size, time.Duration(test.interval), got, test.want)
		}
	}
	trace, err := ReadTrace(path)
	if err != nil || trace.Rate() != 4*1500*8/0.010 || trace.Length() != 10*time.Millisecond {
		t.Errorf("%v, %v", trace, err)
	}
}

// The recorded links deliver their mean rate.
func TestRecordedTraces(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "traces", "*.*"))
	if len(files) == 0 {
		t.Skip("the recorded traces are not here")
	}
	for _, path := range files {
		trace, err := ReadTrace(path)
		if err != nil {
			t.Fatal(err)
		}
		end, possible := trace.Length(), 0
		for _, at := range trace.at {
			if at <= int64(end) {
				possible++
			}
		}
		out, _ := across(t, Side{Trace: path}, 1, 2*possible, 1500, 0) // the queue is never empty
		delivered := 0
		for _, s := range out {
			if s.at <= int64(end) {
				delivered++
			}
		}
		if delivered < possible || delivered > 2*possible { // the trace may begin again within its last ms
			t.Errorf("%s: %d packets in %v, and the trace could deliver %d", filepath.Base(path), delivered, end, possible)
		}
	}
}

// CoDel keeps a standing queue short, and leaves one alone that empties again (RFC 8289).
func TestCoDel(t *testing.T) {
	delays := func(codel bool) (late int64, dropped uint64) {
		out, d := across(t, Side{Rate: 10e6, LimitPackets: 1000, CoDel: codel}, 1, 12_000, 1250, 8*ms/10) // 12.5 Mbit/s come
		for _, s := range out[len(out)-500:] {
			late = max(late, s.at-int64(s.index-1)*8*ms/10)
		}
		return late, d.account().Dropped
	}
	if late, dropped := delays(false); late < 900*ms || dropped != 0 {
		t.Errorf("without it the queue is %v long, and it dropped %d", time.Duration(late), dropped)
	}
	if late, dropped := delays(true); late > 200*ms || dropped == 0 {
		t.Errorf("with it the queue is %v long, and it dropped %d", time.Duration(late), dropped)
	}
	// Whatever happens to packets and their copies, each packet is counted once.
	side := Side{Rate: 10e6, LimitPackets: 30, CoDel: true, Duplicate: 0.5, Loss: 0.1, Corrupt: 0.1, MTU: DefaultMTU}
	_, d := across(t, side, 1, 12_000, 1250, 8*ms/10)
	if c := d.account(); c.Dropped == 0 || c.Overflowed == 0 || c.Duplicates == 0 || c.Packets != c.Released+c.Lost+c.Overflowed+c.Dropped+c.Failed+c.Waiting {
		t.Errorf("%+v", c)
	}
	// Bursts of 50 ms a second empty in time.
	d, err := newDirection(Side{Rate: 10e6, LimitPackets: 1000, CoDel: true}, false, 1, 0, &pool{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for second := range int64(10) {
		for range 50 {
			p := d.pool.get(1250)
			p.Data = append(p.Data, datagram(1250)...)
			p.Arrived = second * 1000 * ms
			d.arrive(p)
		}
		for now := second * 1000 * ms; now < (second+1)*1000*ms; now += ms {
			for p := d.due(now); p != nil; p = d.due(now) {
				d.done(p, now, true)
			}
		}
	}
	if c := d.account(); c.Dropped != 0 || c.Released != 500 {
		t.Errorf("bursts: %+v", c)
	}
}

func BenchmarkDirection(b *testing.B) {
	for _, name := range []string{"clean", "loss=1%", "lte", "jitter=1ms,delay=10ms"} {
		b.Run(strings.ReplaceAll(name, ",", "+"), func(b *testing.B) {
			specs, err := Parse(name)
			if err != nil {
				b.Fatal(err)
			}
			d, err := newDirection(specs[0].Up, false, 1, 0, &pool{}, nil)
			if err != nil {
				b.Fatal(err)
			}
			packet := datagram(200)
			now := int64(0)
			one := func() {
				p := d.pool.get(len(packet))
				p.Data = append(p.Data, packet...)
				now += 10_000
				p.Arrived = now
				d.arrive(p)
				for p := d.due(now); p != nil; p = d.due(now) {
					d.done(p, now, true)
				}
			}
			for range 50_000 {
				one() // until as many are on their way as there will be
			}
			b.ReportAllocs()
			for b.Loop() {
				one()
			}
		})
	}
}

package bench

// DefaultWindow is how many sequence numbers behind the newest one a Counter still tells apart, when
// one flow has the window for itself.
const DefaultWindow = 1 << 20

// Fate says what an arrival turned out to be.
type Fate uint8

const (
	// InOrder: its number is the largest so far.
	InOrder Fate = iota
	// Reordered: a larger number came before it (RFC 4737, Type-P-Reordered).
	Reordered
	// Duplicate: its number was seen before (RFC 5560). It takes part in nothing else.
	Duplicate
	// BeyondWindow: it is older than the window, so that a duplicate can't be told from a straggler.
	BeyondWindow
)

// Arrival is what a Counter says of one arrival. Extent, N and Late are those of a reordered one.
type Arrival struct {
	Fate Fate
	// Extent is i - j in arrival positions, j being the earliest arrival with a larger number (RFC
	// 4737 section 4.2.1); 0 when that arrival is too long ago to be known.
	Extent uint64
	// N is the largest n for which the arrival is n-reordered: all of the n arrivals right before it
	// have larger numbers (RFC 4737 section 5.4).
	N uint64
	// Late is the time in ns since arrival j, by the receiver's clock (RFC 4737 section 4.2.2).
	Late int64
}

// Counts is what a Counter found in one flow, or the sum over several. Shares are left to the reader:
// reordered arrivals and n-reordered ones are held against Unique (RFC 4737 section 4.1), loss against
// Sent, duplication is Received / Unique - 1 (RFC 5560).
type Counts struct {
	// Sent is the number of messages that the sender gave to the kernel.
	Sent uint64 `json:"sent"`
	// Received counts every copy, Unique every message once.
	Received uint64 `json:"received"`
	Unique   uint64 `json:"unique"`
	// Replicated is the number of messages of which two copies or more came.
	Replicated uint64 `json:"replicated"`
	// BeyondWindow arrivals were too old to be judged; they are in Received and not in Unique.
	BeyondWindow uint64 `json:"beyond_window"`

	Reordered uint64 `json:"reordered"`
	// ExtentSum and ExtentMax are over the Reordered - ExtentUnknown arrivals whose extent is known.
	ExtentSum     uint64 `json:"extent_sum"`
	ExtentMax     uint64 `json:"extent_max"`
	ExtentUnknown uint64 `json:"extent_unknown"`
	// NReordered[n-1] is the number of n-reordered arrivals; 3 is TCP's duplicate-ACK threshold.
	NReordered [3]uint64 `json:"n_reordered"`
	// LateSumNs and LateMaxNs are over the same arrivals as the extents.
	LateSumNs int64 `json:"late_sum_ns"`
	LateMaxNs int64 `json:"late_max_ns"`
	// FreeRuns is the number of ended reordering-free runs and FreeRunMessages the in-order arrivals
	// in them (RFC 4737 section 4.5).
	FreeRuns        uint64 `json:"free_runs"`
	FreeRunMessages uint64 `json:"free_run_messages"`
	// Discontinuities is the number of gaps between reordering discontinuities and DiscontinuityGaps
	// their sum in arrival positions (RFC 4737 section 4.4).
	Discontinuities   uint64 `json:"discontinuities"`
	DiscontinuityGaps uint64 `json:"discontinuity_gaps"`

	LossPeriods
}

// Lost is sent - unique received; Duplicated the number of copies too many.
func (c Counts) Lost() uint64 {
	if c.Unique > c.Sent {
		return 0
	}
	return c.Sent - c.Unique
}

// Duplicated is the number of arrivals beyond the first of each message.
func (c Counts) Duplicated() uint64 { return c.Received - c.Unique - c.BeyondWindow }

// Add adds the counts of another flow to c.
func (c *Counts) Add(d Counts) {
	c.Sent += d.Sent
	c.Received += d.Received
	c.Unique += d.Unique
	c.Replicated += d.Replicated
	c.BeyondWindow += d.BeyondWindow
	c.Reordered += d.Reordered
	c.ExtentSum += d.ExtentSum
	c.ExtentMax = max(c.ExtentMax, d.ExtentMax)
	c.ExtentUnknown += d.ExtentUnknown
	for i := range c.NReordered {
		c.NReordered[i] += d.NReordered[i]
	}
	c.LateSumNs += d.LateSumNs
	c.LateMaxNs = max(c.LateMaxNs, d.LateMaxNs)
	c.FreeRuns += d.FreeRuns
	c.FreeRunMessages += d.FreeRunMessages
	c.Discontinuities += d.Discontinuities
	c.DiscontinuityGaps += d.DiscontinuityGaps
	c.LossPeriods.merge(d.LossPeriods)
}

// A Counter sorts the arrivals of one flow, from their sequence numbers alone, into in order,
// reordered and duplicate, and knows in the end what was lost. Numbers start at 0.
//
// An arrival in order costs one comparison: the arrivals [runStart, next) came one by one and are
// written down (in window and recent) only when something else comes. Memory is taken at the first
// such event and bounded from then on: a flow in perfect order has none.
type Counter struct {
	next     uint64 // NextExp of RFC 4737: one more than the largest number seen
	runStart uint64

	counts     Counts
	inOrderWas uint64 // in-order arrivals up to the last reordered one
	lastGap    uint64 // position of the last reordering discontinuity, 0 before the first
	windowSize int
	window     window
	gaps       ring[gap]
	recent     ring[run]
}

// gap is a jump of next: the numbers [from, to) were passed over by the arrival at position.
type gap struct {
	from, to uint64
	position uint64 // of the arrival that jumped, counted from 1 over unique arrivals
	at       int64
}

// run is a stretch of arrivals whose numbers rose by one, [from, to).
type run struct{ from, to uint64 }

// NewCounter returns a Counter that tells the last window sequence numbers apart, rounded up to a power
// of two of at least 512.
func NewCounter(window int) *Counter { return &Counter{windowSize: window} }

// Add counts the arrival of message seq at time at (ns). It allocates at the first break of the order,
// and never again.
func (c *Counter) Add(seq uint64, at int64) Arrival {
	if seq == c.next {
		c.next++
		return Arrival{}
	}
	return c.addBreak(seq, at)
}

// AddRow counts the arrival of the n messages that are expected next.
func (c *Counter) AddRow(n int) { c.next += uint64(n) }

func (c *Counter) addBreak(seq uint64, at int64) Arrival {
	if c.window.bits == nil {
		c.window = newWindow(c.windowSize)
		c.gaps = newRing[gap](max(len(c.window.bits)/4, 64))
		c.recent = newRing[run](64)
	}
	c.endRun()
	if seq > c.next {
		c.gaps.push(gap{from: c.next, to: seq, position: c.counts.Unique + 1, at: at})
		c.runStart, c.next = seq, seq+1
		return Arrival{}
	}
	switch {
	case seq < c.window.base:
		c.counts.BeyondWindow++
		return Arrival{Fate: BeyondWindow}
	case c.window.seen(seq):
		c.counts.Received++
		if c.window.markTwice(seq) {
			c.counts.Replicated++
		}
		return Arrival{Fate: Duplicate}
	}
	return c.reordered(seq, at)
}

// endRun writes down the arrivals [runStart, next).
func (c *Counter) endRun() {
	if c.runStart == c.next {
		return
	}
	n := c.next - c.runStart
	c.counts.Unique += n
	c.counts.Received += n
	c.window.markRun(c.runStart, c.next, &c.counts.LossPeriods)
	c.recent.push(run{c.runStart, c.next})
	c.runStart = c.next
}

func (c *Counter) reordered(seq uint64, at int64) Arrival {
	n := &c.counts
	inOrder := n.Unique - n.Reordered
	n.FreeRuns++
	n.FreeRunMessages += inOrder - c.inOrderWas
	c.inOrderWas = inOrder

	a := Arrival{Fate: Reordered, N: c.largerBefore(seq)}
	for i := range n.NReordered {
		if a.N > uint64(i) {
			n.NReordered[i]++
		}
	}
	if g, ok := c.gapOf(seq); ok {
		a.Extent = n.Unique + 1 - g.position
		a.Late = at - g.at
		n.ExtentSum += a.Extent
		n.ExtentMax = max(n.ExtentMax, a.Extent)
		n.LateSumNs += a.Late
		n.LateMaxNs = max(n.LateMaxNs, a.Late)
		if c.lastGap != 0 && g.position > c.lastGap {
			n.Discontinuities++
			n.DiscontinuityGaps += g.position - c.lastGap
		}
		c.lastGap = g.position
	} else {
		n.ExtentUnknown++
	}
	n.Reordered++
	n.Unique++
	n.Received++
	c.window.markRun(seq, seq+1, &n.LossPeriods)
	c.recent.push(run{seq, seq + 1})
	return a
}

// largerBefore returns how many of the latest arrivals, back from now without a break, have a larger
// number than seq; no more than the recent runs hold.
func (c *Counter) largerBefore(seq uint64) (n uint64) {
	for i := 1; i <= c.recent.len(); i++ {
		r := c.recent.back(i)
		if r.from < seq {
			break
		}
		n += r.to - r.from
	}
	return n
}

// gapOf returns the gap that seq lies in. The arrival that made it is the earliest with a number larger
// than seq: all before it were smaller than the gap's first number.
func (c *Counter) gapOf(seq uint64) (gap, bool) {
	low, high := 1, c.gaps.len() // gaps rise in age with i, and fall in numbers
	for low <= high {
		mid := (low + high) / 2
		switch g := c.gaps.back(mid); {
		case seq >= g.to:
			high = mid - 1
		case seq < g.from:
			low = mid + 1
		default:
			return g, true
		}
	}
	return gap{}, false
}

// Received is the number of arrivals so far, duplicates included.
func (c *Counter) Received() uint64 {
	return c.counts.Received + c.counts.BeyondWindow + c.next - c.runStart
}

// Unique is the number of different messages that have arrived so far.
func (c *Counter) Unique() uint64 { return c.counts.Unique + c.next - c.runStart }

// Finish ends the count: the sender says that it sent the messages [0, sent), and whatever of them has
// not come is lost. Add must not be called any more.
func (c *Counter) Finish(sent uint64) Counts {
	if c.window.bits == nil {
		// In perfect order: all that is missing is the end.
		n := c.next
		c.counts.Unique, c.counts.Received, c.runStart = n, n, n
	} else {
		c.endRun()
		c.window.evict(&c.counts.LossPeriods, min(c.next, sent))
	}
	if c.next < sent {
		c.counts.LossPeriods.add(c.next, sent)
	}
	c.counts.Sent = sent
	c.counts.Received += c.counts.BeyondWindow
	return c.counts
}

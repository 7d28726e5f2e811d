package bench

import "sync/atomic"

// Tally is the receiving side's account of one flow: what came, when, and in which order. Both ends use
// it, the server for requests and the client for replies. It belongs to one goroutine.
type Tally struct {
	counter *Counter
	series  series
	body    []byte // what must follow a header, nil for no check
	stamped bool   // the messages are replies that may bear a stamp

	first, last int64 // when the first and the last measured block arrived
	firstBytes  uint64
	bytes       uint64
	foreign     uint64
	corrupt     uint64
}

// newTally returns a Tally for a flow whose trial has flows of them in all. With body not nil, that is what must follow the
// header of every message.
func newTally(flows int, body []byte, s series) *Tally {
	return &Tally{counter: NewCounter(DefaultWindow / flows), series: s, body: body}
}

// message counts a measured message that arrived at time at and tells whether it is the first copy.
func (t *Tally) message(msg []byte, seq uint64, at int64) (first bool) {
	if !intact(msg, t.body, t.stamped) {
		t.corrupt++
	}
	fate := t.counter.Add(seq, at).Fate
	return fate == InOrder || fate == Reordered
}

// row passes over the messages at the beginning of block which are like h and have numbers that rise by one, and returns how many
// those are: either the measured ones that are expected next, which it counts, or some of the warm-up.
func (t *Tally) row(block []byte, size int, h Header) (n, measured int) {
	h.Seq = t.counter.next
	if h.Seq&WarmUp == 0 {
		n = inRow(block, size, h)
	}
	if n == 0 {
		h.Seq = seqOf(block)
		if h.Seq&WarmUp == 0 {
			return 0, 0
		}
		return inRow(block, size, h), 0
	}
	if t.body != nil {
		for off := 0; off < n*size; off += size {
			if !intact(block[off:off+size], t.body, t.stamped) {
				t.corrupt++
			}
		}
	}
	t.counter.AddRow(n)
	return n, n
}

// arrived notes that n measured messages of size bytes, first copies, arrived together at time at.
func (t *Tally) arrived(n, size int, at int64) {
	bytes := uint64(n * size)
	if t.bytes == 0 {
		t.first, t.firstBytes = at, bytes
	}
	t.last = at
	t.bytes += bytes
	t.series.add(at, n)
}

// account ends the tally; the sender says that it sent the messages [0, sent).
func (t *Tally) account(sent uint64) Account {
	return Account{
		Counts:     t.counter.Finish(sent),
		FirstNs:    t.first,
		LastNs:     t.last,
		FirstBytes: t.firstBytes,
		Bytes:      t.bytes,
		Foreign:    t.foreign,
		Corrupt:    t.corrupt,
		Series:     t.series.buckets,
	}
}

// Account is what one side of a trial counted, one flow or several.
type Account struct {
	Counts
	// FirstNs and LastNs are when the first and the last measured block arrived, by the receiver's clock;
	// both 0 when none did. FirstBytes came with the first, Bytes in all; a duplicate adds nothing.
	FirstNs    int64  `json:"first_ns"`
	LastNs     int64  `json:"last_ns"`
	FirstBytes uint64 `json:"first_bytes"`
	Bytes      uint64 `json:"bytes"`
	Foreign    uint64 `json:"foreign"`
	Corrupt    uint64 `json:"corrupt"`
	Traffic
	Granted Granted `json:"granted"`
	// Path is what the transport has learnt of the way of what this side sent.
	Path PathInfos `json:"path"`
	// BufferFull is what the receive buffers had no room for; nil where that can't be told, and where CPUNs is.
	BufferFull *Overflow `json:"buffer_full"`
	// Series counts messages by the interval of the session in which they arrived.
	Series []SeriesBucket `json:"series"`
	// Source is what a server sent by itself.
	Source SourceAccount `json:"source"`
	// CPUNs is the process's CPU time from the first measured message on; nil where it can't be told, and where another
	// session had a share in it.
	CPUNs *int64 `json:"cpu_ns"`
	// BytesPerFlow is by how much the process's memory has grown with the session, by flow; nil where flows are few, and where
	// CPUNs is.
	BytesPerFlow *int64 `json:"bytes_per_flow"`
}

// Add adds another flow's account to a.
func (a *Account) Add(b Account) {
	a.Counts.Add(b.Counts)
	if b.Bytes > 0 {
		if a.Bytes == 0 || b.FirstNs < a.FirstNs {
			a.FirstNs, a.FirstBytes = b.FirstNs, b.FirstBytes
		}
		if a.Bytes == 0 || b.LastNs > a.LastNs {
			a.LastNs = b.LastNs
		}
	}
	a.Bytes += b.Bytes
	a.Foreign += b.Foreign
	a.Corrupt += b.Corrupt
	a.Traffic.Add(b.Traffic)
	a.Path.add(b.Path)
	a.BufferFull = a.BufferFull.plus(b.BufferFull)
	a.Source.Add(b.Source)
	if b.Granted != (Granted{}) {
		a.Granted = b.Granted
	}
	if n := len(b.Series) - len(a.Series); n > 0 {
		a.Series = append(a.Series, make([]SeriesBucket, n)...)
	}
	for i, s := range b.Series {
		a.Series[i].add(s)
	}
}

// seriesBucketBytes is the size of a SeriesBucket in memory.
const seriesBucketBytes = 24

// SeriesBucket is what arrived in one interval. The latencies are the client's, 0 at a server.
type SeriesBucket struct {
	Messages     uint64 `json:"messages"`
	LatencySumNs int64  `json:"latency_sum_ns,omitempty"`
	LatencyMaxNs int64  `json:"latency_max_ns,omitempty"`
}

func (b *SeriesBucket) add(c SeriesBucket) {
	b.Messages += c.Messages
	b.LatencySumNs += c.LatencySumNs
	b.LatencyMaxNs = max(b.LatencyMaxNs, c.LatencyMaxNs)
}

// series is a row of buckets of equal length, from epoch on; the flows of a session share one epoch. What
// comes after the last bucket counts in the last.
type series struct {
	epoch   *atomic.Int64
	length  int64
	buckets []SeriesBucket
}

// newSeries has room for duration ns of buckets of length ns; with a length of 0 it has none.
func newSeries(epoch *atomic.Int64, length, duration int64) series {
	if length <= 0 {
		return series{}
	}
	return series{epoch: epoch, length: length, buckets: make([]SeriesBucket, duration/length+1)}
}

// bucket is the one that time at falls in, nil where there are none.
func (s *series) bucket(at int64) *SeriesBucket {
	if len(s.buckets) == 0 {
		return nil
	}
	i := max(at-s.epoch.Load(), 0) / s.length
	return &s.buckets[min(i, int64(len(s.buckets)-1))]
}

func (s *series) add(at int64, messages int) {
	if b := s.bucket(at); b != nil {
		b.Messages += uint64(messages)
	}
}

package results

import (
	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range of a histogram and its precision: 1 ns to 100 s, to 3 significant digits.
const (
	lowestNs  = 1
	highestNs = 100e9
	digits    = 3
)

// minBeyond is how many samples must lie beyond a percentile before it is told: p99.9 takes 5,000.
const minBeyond = 5

// A Histogram holds times in ns. It is HdrHistogram's, with what that leaves out: the exact extremes,
// and the values outside its range. The zero Histogram is not ready: use NewHistogram.
type Histogram struct {
	hdr      *hdrhistogram.Histogram
	min, max int64
	// outside counts the values that were recorded as the range's nearest end.
	outside int64
}

// NewHistogram returns an empty Histogram. It takes some 230 KB, and no more when it fills.
func NewHistogram() *Histogram {
	return &Histogram{hdr: hdrhistogram.New(lowestNs, highestNs, digits)}
}

// Record adds a time in ns. It does not allocate. A value outside the range, a negative one included, is
// recorded as the range's end and counted in Latency.Outside.
func (h *Histogram) Record(ns int64) { h.record(ns, 1) }

func (h *Histogram) record(ns, n int64) {
	if h.hdr.TotalCount() == 0 {
		h.min, h.max = ns, ns
	}
	h.min, h.max = min(h.min, ns), max(h.max, ns)
	if clamped := min(max(ns, 0), highestNs); clamped != ns {
		h.outside += n
		ns = clamped
	}
	_ = h.hdr.RecordValues(ns, n) // fails out of range only
}

// Merge adds the values of other.
func (h *Histogram) Merge(other *Histogram) {
	if other.Count() == 0 {
		return
	}
	if h.Count() == 0 {
		h.min, h.max = other.min, other.max
	}
	h.min, h.max = min(h.min, other.min), max(h.max, other.max)
	h.outside += other.outside
	h.hdr.Merge(other.hdr)
}

// Count is the number of values recorded.
func (h *Histogram) Count() int64 { return h.hdr.TotalCount() }

// Max is the largest value recorded, exactly; 0 with none.
func (h *Histogram) Max() int64 { return h.max }

// PercentileUs returns the p-th percentile, 0 < p < 100, in µs; not known where fewer than 5 of the
// values lie beyond it, because such a figure would be that of a handful of messages.
func (h *Histogram) PercentileUs(p float64) Value {
	if !EnoughBeyond(int(h.Count()), p) {
		return Value{}
	}
	return Known(us(min(h.hdr.ValueAtQuantile(p), h.max)))
}

// EnoughBeyond tells whether enough of n values lie beyond the p-th percentile for it to be told.
func EnoughBeyond(n int, p float64) bool {
	return float64(n)*(100-p) >= 100*minBeyond-1e-6 // 100-99.9 is not quite 0.1
}

// Latency describes the histogram; the zero Latency when nothing was recorded.
func (h *Histogram) Latency() Latency {
	if h.Count() == 0 {
		return Latency{}
	}
	return Latency{
		Count:   Known(float64(h.Count())),
		MinUs:   Known(us(h.min)),
		MeanUs:  Known(h.hdr.Mean() / 1000),
		P50Us:   h.PercentileUs(50),
		P90Us:   h.PercentileUs(90),
		P99Us:   h.PercentileUs(99),
		P999Us:  h.PercentileUs(99.9),
		MaxUs:   Known(us(h.max)),
		Outside: Known(float64(h.outside)),
	}
}

func us(ns int64) float64 { return float64(ns) / 1000 }

// Buckets returns the histogram as rows of latency.csv, each like row but for the counts.
func (h *Histogram) Buckets(row Bucket) []Bucket {
	var rows []Bucket
	var sum int64
	for _, bar := range h.hdr.Distribution() {
		if bar.Count == 0 {
			continue
		}
		sum += bar.Count
		row.FromNs, row.ToNs, row.Count = bar.From, bar.To, bar.Count
		row.CumulativeRatio = float64(sum) / float64(h.Count())
		rows = append(rows, row)
	}
	return rows
}

// AddBucket adds a row of latency.csv. The extremes become the buckets' own, to the histogram's
// precision.
func (h *Histogram) AddBucket(b Bucket) {
	before := h.Count()
	h.record(b.FromNs, b.Count)
	if before == 0 {
		h.max = b.ToNs
	}
	h.max = max(h.max, b.ToNs)
}

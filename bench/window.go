package bench

import "math/bits"

// window is a bitmap over the latest sequence numbers that slides with them: which were seen, and which
// were seen twice. A number that leaves it unseen is lost.
type window struct {
	bits, twice []uint64 // rings; number s is bit s%64 of word s/64%len
	base, end   uint64   // the numbers [base, end) are in the window; both are multiples of 64
}

func newWindow(size int) window {
	words := 8
	for words*64 < size {
		words *= 2
	}
	return window{bits: make([]uint64, words), twice: make([]uint64, words)}
}

// span is how many numbers the window holds.
func (w *window) span() uint64 { return uint64(len(w.bits)) * 64 }

func (w *window) word(seq uint64) int { return int(seq/64) & (len(w.bits) - 1) }

// seen tells whether seq, which is not below base, has been marked.
func (w *window) seen(seq uint64) bool {
	return seq < w.end && w.bits[w.word(seq)]&(1<<(seq%64)) != 0
}

// markTwice notes a second copy of seq and tells whether it is the first to be noted.
func (w *window) markTwice(seq uint64) bool {
	word, bit := &w.twice[w.word(seq)], uint64(1)<<(seq%64)
	first := *word&bit == 0
	*word |= bit
	return first
}

// markRun marks the numbers [from, to), sliding the window as far as that needs; what leaves it unseen
// goes to lost.
func (w *window) markRun(from, to uint64, lost *LossPeriods) {
	if aligned := (from + 63) &^ 63; to > aligned && to-aligned > w.span() {
		// Most of the run would be marked only to leave the window again: jump over it.
		if from < aligned {
			w.markRun(from, aligned, lost)
		}
		w.slide(aligned, lost)
		w.evict(lost, aligned)
		from = (to - w.span()) &^ 63
		w.base, w.end = from, from
	}
	for from < to {
		until := min(to, (from|63)+1)
		w.slide(until, lost)
		w.bits[w.word(from)] |= ^uint64(0) >> (64 - (until - from)) << (from % 64)
		from = until
	}
}

// slide makes room for the numbers below to; those that it skips are not marked by anyone yet.
func (w *window) slide(to uint64, lost *LossPeriods) {
	if to > w.end+w.span() {
		// A jump over more than the whole window: nothing in it is waited for any more.
		w.evict(lost, w.end)
		target := (to - w.span()) &^ 63
		lost.add(w.end, target)
		w.base, w.end = target, target
	}
	for w.end < to {
		if w.end-w.base == w.span() {
			w.lose(w.base, 64, lost)
			w.base += 64
		}
		i := w.word(w.end)
		w.bits[i], w.twice[i] = 0, 0
		w.end += 64
	}
}

// evict empties the window: every number below limit that was not seen is lost.
func (w *window) evict(lost *LossPeriods, limit uint64) {
	for ; w.base < w.end; w.base += 64 {
		if w.base < limit {
			w.lose(w.base, min(limit-w.base, 64), lost)
		}
	}
}

// lose reports the unseen among the first n numbers of the word at base.
func (w *window) lose(base, n uint64, lost *LossPeriods) {
	unseen := ^w.bits[w.word(base)] & (^uint64(0) >> (64 - n))
	for unseen != 0 {
		first := bits.TrailingZeros64(unseen)
		length := bits.TrailingZeros64(^(unseen >> first))
		lost.add(base+uint64(first), base+uint64(first+length))
		if first+length == 64 {
			return
		}
		unseen &= ^uint64(0) << (first + length)
	}
}

// ring keeps the latest values pushed, up to a fixed number.
type ring[T any] struct {
	values []T
	pushed int
}

func newRing[T any](size int) ring[T] { return ring[T]{values: make([]T, size)} }

func (r *ring[T]) push(v T) {
	r.values[r.pushed%len(r.values)] = v
	r.pushed++
}

func (r *ring[T]) len() int { return min(r.pushed, len(r.values)) }

// back returns the i-th latest value; 1 is the latest, len the oldest.
func (r *ring[T]) back(i int) T { return r.values[(r.pushed-i)%len(r.values)] }

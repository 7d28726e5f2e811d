package link

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// OpportunityBytes is what one opportunity of a trace delivers: one packet of Ethernet's, or several smaller ones.
const OpportunityBytes = 1500

// A Trace is when a link can deliver OpportunityBytes, in the format of Mahimahi (R. Netravali et al., "Mahimahi: Accurate
// Record-and-Replay for HTTP", USENIX ATC 2015): a line an opportunity, in ms from the beginning, in rising order. When it is
// over it begins again.
type Trace struct {
	at     []int64 // ns
	length int64   // ns: the last opportunity's time
}

// ReadTrace reads a trace file.
func ReadTrace(path string) (*Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	defer f.Close()
	t := &Trace{}
	lines := bufio.NewScanner(f)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		ms, err := strconv.ParseUint(line, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("trace %s, line %d: %q is no number of ms", path, number, line)
		}
		at := int64(ms) * int64(time.Millisecond)
		if at < t.length {
			return nil, fmt.Errorf("trace %s, line %d: %d ms is before the line above it", path, number, ms)
		}
		t.at, t.length = append(t.at, at), at
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("trace %s: %w", path, err)
	}
	if t.length == 0 {
		return nil, fmt.Errorf("trace %s: it has no opportunity after the first millisecond", path)
	}
	return t, nil
}

// opportunity is when the i-th opportunity is, in ns from the beginning.
func (t *Trace) opportunity(i uint64) int64 {
	n := uint64(len(t.at))
	return int64(i/n)*t.length + t.at[i%n]
}

// from is the first opportunity at time at or later, i or one after it.
func (t *Trace) from(i uint64, at int64) uint64 {
	if round := uint64(max(at, 0) / t.length); round > 0 && i < (round-1)*uint64(len(t.at)) {
		i = (round - 1) * uint64(len(t.at))
	}
	for t.opportunity(i) < at {
		i++
	}
	return i
}

// Rate is the mean rate of the trace, in bits/s.
func (t *Trace) Rate() float64 {
	return float64(len(t.at)) * OpportunityBytes * 8 / time.Duration(t.length).Seconds()
}

// Length is how long the trace is until it begins again.
func (t *Trace) Length() time.Duration { return time.Duration(t.length) }

package bench

// LossPeriods describes how losses come together (RFC 3357). A loss period is a stretch of consecutive
// lost messages; a loss distance is the difference of two successive lost numbers.
type LossPeriods struct {
	// LossPeriods is the number of periods and LongestLossPeriod the length of the longest in messages.
	LossPeriods       uint64 `json:"loss_periods"`
	LongestLossPeriod uint64 `json:"longest_loss_period"`
	// InterLossSum is the sum of the inter-period distances: from the last loss of a period to the first
	// of the next. InterLosses is their number: in each flow that lost something, one less than its periods.
	InterLossSum uint64 `json:"inter_loss_sum"`
	InterLosses  uint64 `json:"inter_losses"`

	any     bool
	last    uint64 // the last lost number
	current uint64 // length of the period that it ends
}

// add notes that the messages [from, to) are lost; calls come in ascending order. It returns the loss
// distance of the first of them (the others' is 1) and whether it begins a period.
func (l *LossPeriods) add(from, to uint64) (distance uint64, begins bool) {
	if from >= to {
		return 0, false
	}
	if l.any {
		distance = from - l.last
	}
	begins = !l.any || distance > 1
	if begins {
		if l.any {
			l.InterLosses++
		}
		l.LossPeriods++
		l.InterLossSum += distance
		l.current = 0
	}
	l.any, l.last = true, to-1
	l.current += to - from
	l.LongestLossPeriod = max(l.LongestLossPeriod, l.current)
	return distance, begins
}

// merge adds the periods of another flow.
func (l *LossPeriods) merge(m LossPeriods) {
	l.LossPeriods += m.LossPeriods
	l.LongestLossPeriod = max(l.LongestLossPeriod, m.LongestLossPeriod)
	l.InterLossSum += m.InterLossSum
	l.InterLosses += m.InterLosses
}

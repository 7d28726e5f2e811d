package bench

import (
	"runtime/debug"

	"tcpvsudp/internal/host"
)

// footprintFlows is how many flows a session has at least for which it tells what a flow takes of the server's memory: with fewer
// it would tell of other things.
const footprintFlows = 100

// footprint measures what a session takes of the process's memory, from before its first allocation on.
type footprint struct {
	before int64
	known  bool
}

func newFootprint(s Spec) (f footprint) {
	if s.FlowCount() < footprintFlows {
		return f
	}
	debug.FreeOSMemory() // what others have left would be counted as there already
	before, _, known := host.Resident()
	return footprint{before, known && host.ForgetPeak() == nil}
}

// perFlow is by how much the process has grown since, at most, for each of n flows; nil where that is not known.
func (f footprint) perFlow(n int) *int64 {
	_, peak, known := host.Resident()
	if !f.known || !known {
		return nil
	}
	each := (peak - f.before) / int64(n)
	return &each
}

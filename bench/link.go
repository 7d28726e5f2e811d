package bench

import (
	"context"
	"encoding/json"
	"time"

	"tcpvsudp/results"
)

// A Link lies between client and server, where one is emulated. Control does not cross it.
type Link interface {
	// Set makes the link be the plan's of that name, from its beginning and with nothing on its way. The same seed does the same
	// to the same packets.
	Set(ctx context.Context, name string, seed uint64) error
	// Account tells what it did since.
	Account(ctx context.Context) (results.Link, error)
}

// PlannedLink is what a plan has to know of a link.
type PlannedLink struct {
	Name string `json:"name"`
	// RTT is how long a packet takes there and back at least, and Loses tells whether some may not come.
	RTT   time.Duration `json:"rtt_ns"`
	Loses bool          `json:"loses"`
	// Spec describes the link, for those who read the results.
	Spec json.RawMessage `json:"spec"`
}

// links are the plan's, or else the one that is not emulated, with no name.
func (p Plan) links() []PlannedLink {
	if len(p.Links) == 0 {
		return []PlannedLink{{}}
	}
	return p.Links
}

// LongestRTT is that of the plan's links.
func (p Plan) LongestRTT() (longest time.Duration) {
	for _, l := range p.links() {
		longest = max(longest, l.RTT)
	}
	return longest
}

// linkRTTs is how many round trips a trial takes beside its time: to connect, to greet, to read the clocks, to drain.
const linkRTTs = 12

package link

import (
	"errors"
	"fmt"
	"reflect"
	"time"
)

// A Spec is what a link is to be, each direction by itself.
type Spec struct {
	// Name is the text that it was made from, in its normal form.
	Name string `json:"name"`
	// Up is from the client to the server, Down from the server to the client.
	Up   Side `json:"up"`
	Down Side `json:"down"`
}

// A Side is what happens to the packets of one direction, in this order: they are lost, duplicated and corrupted; they
// queue for the bottleneck (Rate or Trace); they are delayed; and some are overtaken. Shares are from 0 to 1.
type Side struct {
	// Delay is added to every packet, and Jitter times what Distribution draws: uniform (from -1 to 1), normal (with a
	// standard deviation of 1), or a table of tc-netem's, of which this is the file.
	Delay        time.Duration `json:"delay_ns"`
	Jitter       time.Duration `json:"jitter_ns"`
	Distribution string        `json:"distribution,omitempty"`
	// Free lets jitter reorder packets, as tc-netem does. Otherwise none is released before those that came before it:
	// what varies on real paths is how long a queue is, and a queue keeps its order.
	Free bool `json:"free,omitempty"`

	// Loss is the share of packets that are lost independently of each other. Gilbert loses them in bursts. LossEvery loses
	// every n-th packet, LossList those with these numbers; the first packet is number 1.
	Loss      float64  `json:"loss,omitempty"`
	Gilbert   *Gilbert `json:"gemodel,omitempty"`
	LossEvery uint64   `json:"loss_every,omitempty"`
	LossList  []uint64 `json:"loss_list,omitempty"`

	// Duplicate is the share of packets that are sent twice, Corrupt that of those with one bit flipped, which the receiving
	// host drops by its checksum.
	Duplicate float64 `json:"duplicate,omitempty"`
	Corrupt   float64 `json:"corrupt,omitempty"`
	// Reorder is the share of packets that are held back until Distance others have overtaken them, or HoldTime is over.
	Reorder  float64 `json:"reorder,omitempty"`
	Distance int     `json:"distance,omitempty"`

	// Rate is that of the bottleneck in bits/s of IP packets, 0 for none. Trace is a file of the times at which it can deliver
	// OpportunityBytes, in the format of Mahimahi, instead.
	Rate  float64 `json:"rate_bps,omitempty"`
	Trace string  `json:"trace,omitempty"`
	// LimitPackets or LimitBytes is how much waits for the bottleneck at most; what comes on top is dropped. With CoDel, what has waited for
	// too long is dropped as well.
	LimitPackets int   `json:"limit_packets,omitempty"`
	LimitBytes   int64 `json:"limit_bytes,omitempty"`
	CoDel        bool  `json:"codel,omitempty"`

	// MTU is the largest IP packet, in bytes.
	MTU int `json:"mtu,omitempty"`
}

// Gilbert is the model of Gilbert and Elliott for losses that come in bursts (E. O. Elliott, "Estimates of error rates for
// codes on burst-noise channels", Bell System Technical Journal 42, 1963): with every packet the channel turns from good
// to bad with probability P, and from bad to good with probability R; it loses a packet with probability Bad or Good.
type Gilbert struct {
	P    float64 `json:"p"`
	R    float64 `json:"r"`
	Bad  float64 `json:"loss_in_bad"`
	Good float64 `json:"loss_in_good"`
}

// Share is the share of packets that are lost in the long run.
func (g Gilbert) Share() float64 {
	if g.P+g.R == 0 {
		return g.Good // it begins good, and stays so
	}
	bad := g.P / (g.P + g.R)
	return bad*g.Bad + (1-bad)*g.Good
}

const (
	// DefaultMTU is that of Ethernet, and DefaultLimit the queue of a bottleneck in packets, as tc-netem has it.
	DefaultMTU   = 1500
	DefaultLimit = 1000
	// HoldTime is how long a packet waits at most to be overtaken.
	HoldTime = 50 * time.Millisecond

	maxDelay    = 2 * time.Second // a greeting is waited for for 5 s
	maxRate     = 1e12
	minRate     = 1000
	minMTU      = 576 // RFC 791: every host takes datagrams of so many bytes
	maxMTU      = 65535
	maxDistance = 1000
	maxLimit    = 10_000_000
	maxBytes    = 4 << 30
)

// Validate returns an error for everything that can't be done, joined; each says what to do.
func (s Spec) Validate() error {
	var errs []error
	for _, d := range []struct {
		name string
		side Side
	}{{"up", s.Up}, {"down", s.Down}} {
		if err := d.side.validate(); err != nil {
			errs = append(errs, fmt.Errorf("link %q, %s: %w", s.Name, d.name, err))
			if s.Up.equal(s.Down) {
				break // once is enough
			}
		}
	}
	return errors.Join(errs...)
}

func (s Side) equal(t Side) bool { return reflect.DeepEqual(s, t) }

func (s Side) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, d := range []struct {
		name string
		d    time.Duration
	}{{"delay", s.Delay}, {"jitter", s.Jitter}} {
		if d.d < 0 || d.d > maxDelay {
			bad("%s=%v: use from 0 to %v", d.name, d.d, maxDelay)
		}
	}
	for _, p := range []struct {
		name  string
		share float64
	}{{"loss", s.Loss}, {"duplicate", s.Duplicate}, {"corrupt", s.Corrupt}, {"reorder", s.Reorder}} {
		if !(p.share >= 0 && p.share <= 1) { // a NaN is refused too
			bad("%s=%v%%: use from 0%% to 100%%", p.name, p.share*100)
		}
	}
	if g := s.Gilbert; g != nil {
		for _, p := range []float64{g.P, g.R, g.Bad, g.Good} {
			if !(p >= 0 && p <= 1) {
				bad("gemodel: a probability of %v%%: use from 0%% to 100%%", p*100)
			}
		}
	}
	if s.Rate != 0 && !(s.Rate >= minRate && s.Rate <= maxRate) {
		bad("rate=%v bit/s: use from 1kbit to 1000gbit", s.Rate)
	}
	if s.Rate != 0 && s.Trace != "" {
		bad("rate and trace are both a bottleneck: leave one of them out")
	}
	if s.bottleneck() {
		if s.LimitPackets < 0 || s.LimitPackets > maxLimit || s.LimitBytes < 0 || s.LimitBytes > maxBytes {
			bad("limit: use from 1p to %dp, or up to %d bytes", maxLimit, int64(maxBytes))
		}
	} else if s.CoDel || s.LimitPackets != 0 || s.LimitBytes != 0 {
		bad("limit and codel are about the queue of a bottleneck: give a rate or a trace too")
	}
	if s.Reorder > 0 && (s.Distance < 1 || s.Distance > maxDistance) {
		bad("distance=%d: use from 1 to %d", s.Distance, maxDistance)
	}
	if s.Distance > 1 && s.Reorder == 0 {
		bad("distance is about reordered packets: give a share for reorder too")
	}
	if s.MTU != 0 && (s.MTU < minMTU || s.MTU > maxMTU) {
		bad("mtu=%d: use from %d to %d", s.MTU, minMTU, maxMTU)
	}
	if s.Jitter == 0 && (s.Distribution != "" || s.Free) {
		bad("distribution and order are about jitter: give one")
	}
	return errors.Join(errs...)
}

func (s Side) bottleneck() bool { return s.Rate > 0 || s.Trace != "" }

// single tells whether a side must see every packet of the wire by itself, because each has a time of its own.
func (s Side) single() bool { return s.bottleneck() || s.Jitter > 0 || s.Reorder > 0 }

// chancy tells whether something may happen to one packet that does not to its neighbours.
func (s Side) chancy() bool {
	return s.Loss > 0 || s.Gilbert != nil || s.LossEvery > 0 || len(s.LossList) > 0 || s.Duplicate > 0 || s.Corrupt > 0
}

// Loses tells whether packets may be lost by what the seed decides.
func (s Side) Loses() bool {
	return s.Loss > 0 || s.Gilbert != nil || s.LossEvery > 0 || len(s.LossList) > 0 || s.Corrupt > 0
}

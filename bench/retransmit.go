package bench

import "tcpvsudp/results"

// Retransmissions counts what the kernel sent again for flows that can tell.
type Retransmissions struct {
	Segments uint64 `json:"segments"`
	Known    bool   `json:"known"`
}

// ask adds what f, a flow that is done, tells.
func (r *Retransmissions) ask(f any) {
	if asked, ok := f.(Retransmitter); ok {
		n, known := asked.Retransmitted()
		r.add(Retransmissions{n, known})
	}
}

func (r *Retransmissions) add(other Retransmissions) {
	r.Segments += other.Segments
	r.Known = r.Known || other.Known
}

func (r Retransmissions) value() results.Value {
	if !r.Known {
		return results.Value{}
	}
	return results.Known(float64(r.Segments))
}

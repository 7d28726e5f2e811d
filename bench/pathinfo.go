package bench

import (
	"time"

	"tcpvsudp/results"
)

// PathInfo is what a transport has learnt of a flow's path by itself, over the life of the flow.
type PathInfo struct {
	// Retransmitted segments are those that were sent again.
	Retransmitted uint64
	// SRTT is the smoothed round trip and RTTVar its mean deviation (RFC 6298), as they stand; MinRTT is the smallest that was seen.
	// 0 is not known.
	SRTT, RTTVar, MinRTT time.Duration
}

// A PathInformer is a flow that can tell what its transport has learnt; known is false where this system does not say so.
type PathInformer interface {
	PathInfo() (info PathInfo, known bool)
}

// A Framer is a flow that can tell what headers, those of IP included, take beside the messages of size bytes that it has sent: headers
// bytes to every data bytes. known is false where that is not exact.
type Framer interface {
	Headers(size int) (headers, data uint64, known bool)
}

// PathInfos sums up what the flows of one side have told when they were done.
type PathInfos struct {
	Flows         uint64 `json:"flows"` // that told
	Retransmitted uint64 `json:"retransmitted_segments"`
	// SRTTSumNs and RTTVarSumNs are over Measured flows; MinRTTNs is the smallest of all, 0 where none told.
	Measured    uint64 `json:"measured_flows"`
	SRTTSumNs   int64  `json:"srtt_sum_ns"`
	RTTVarSumNs int64  `json:"rttvar_sum_ns"`
	MinRTTNs    int64  `json:"min_rtt_ns"`
	// HeaderBytes were sent with DataBytes of messages.
	HeaderBytes uint64 `json:"header_bytes"`
	DataBytes   uint64 `json:"data_bytes"`
}

// askHeaders adds what f, a flow of messages of size bytes that is done, tells of its headers.
func (p *PathInfos) askHeaders(f any, size int) {
	if framer, ok := f.(Framer); ok {
		if headers, data, known := framer.Headers(size); known {
			p.add(PathInfos{HeaderBytes: headers, DataBytes: data})
		}
	}
}

// ask adds what f, a flow that is done, tells of its path.
func (p *PathInfos) ask(f any) {
	asked, ok := f.(PathInformer)
	if !ok {
		return
	}
	info, known := asked.PathInfo()
	if !known {
		return
	}
	one := PathInfos{Flows: 1, Retransmitted: info.Retransmitted, MinRTTNs: int64(info.MinRTT)}
	if info.SRTT > 0 {
		one.Measured, one.SRTTSumNs, one.RTTVarSumNs = 1, int64(info.SRTT), int64(info.RTTVar)
	}
	p.add(one)
}

func (p *PathInfos) add(other PathInfos) {
	p.HeaderBytes += other.HeaderBytes
	p.DataBytes += other.DataBytes
	p.Flows += other.Flows
	p.Retransmitted += other.Retransmitted
	p.Measured += other.Measured
	p.SRTTSumNs += other.SRTTSumNs
	p.RTTVarSumNs += other.RTTVarSumNs
	if p.MinRTTNs == 0 || other.MinRTTNs > 0 && other.MinRTTNs < p.MinRTTNs {
		p.MinRTTNs = other.MinRTTNs
	}
}

// retransmitted is the number of segments that were sent again.
func (p PathInfos) retransmitted() results.Value {
	if p.Flows == 0 {
		return results.Value{}
	}
	return results.Known(float64(p.Retransmitted))
}

// wire is what goodput takes on the wire, of messages that this side has sent.
func (p PathInfos) wire(goodput results.Value) results.Value {
	bps, known := goodput.Get()
	if !known {
		return results.Value{}
	}
	return results.Ratio(bps*float64(p.HeaderBytes+p.DataBytes), float64(p.DataBytes))
}

// roundTrip is the mean of the flows' round trips, and the smallest of all.
func (p PathInfos) roundTrip() (r results.PathRTT) {
	if p.MinRTTNs > 0 {
		r.MinUs = results.Known(float64(p.MinRTTNs) / 1000)
	}
	r.SmoothedUs = results.Ratio(float64(p.SRTTSumNs)/1000, float64(p.Measured))
	r.VariationUs = results.Ratio(float64(p.RTTVarSumNs)/1000, float64(p.Measured))
	return r
}

package link

import (
	"encoding/binary"
	"os"

	"tcpvsudp/bench"
	"tcpvsudp/results"
)

// An Account is what a link did since it was set.
type Account struct {
	Up   Count `json:"up"`
	Down Count `json:"down"`
}

// Count is what a link did to the packets of one direction. Packets are those of the wire; each has come once and is counted
// in exactly one of Released, Lost, Overflowed, Dropped, Failed and Waiting.
type Count struct {
	// Packets came, and Bytes of IP packets with them.
	Packets uint64 `csv:"packets" json:"packets"`
	Bytes   uint64 `csv:"bytes" json:"bytes"`
	// Released packets were handed on, Corrupted ones among them with a bit flipped; Waiting ones are on their way.
	Released  uint64 `csv:"released" json:"released"`
	Corrupted uint64 `csv:"corrupted" json:"corrupted"`
	Waiting   uint64 `csv:"waiting" json:"waiting"`
	// Lost packets were lost as the seed decides. Overflowed ones found the queue full. Dropped ones CoDel took out.
	Lost       uint64 `csv:"lost" json:"lost"`
	Overflowed uint64 `csv:"overflowed" json:"overflowed"`
	Dropped    uint64 `csv:"dropped" json:"dropped"`
	// Duplicates is how many copies were released beside. Reordered packets were released after one that came later.
	Duplicates uint64 `csv:"duplicates" json:"duplicates"`
	Reordered  uint64 `csv:"reordered" json:"reordered"`
	// Failed packets were to be released, and the receiving host's device did not take them, or the forwarder had no memory for them; Missed ones the sending host's device had
	// no room for. The forwarder was too slow, and neither was decided by the seed.
	Failed uint64 `csv:"failed" json:"failed"`
	Missed uint64 `csv:"missed" json:"missed"`
	// LateP50Us, LateP99Us and LateMaxUs are how much later than planned packets were released. Behind is how many were
	// more than BehindAfter late.
	LateP50Us results.Value `csv:"late_p50_us" json:"late_p50_us"`
	LateP99Us results.Value `csv:"late_p99_us" json:"late_p99_us"`
	LateMaxUs results.Value `csv:"late_max_us" json:"late_max_us"`
	Behind    uint64        `csv:"behind" json:"behind"`
}

// BehindAfter is how many ns a packet must be late for the forwarder to have fallen behind.
const BehindAfter = 1_000_000

// Fates of a packet in the log.
const (
	Released   = "released"
	Lost       = "lost"
	Overflowed = "overflowed"
	Dropped    = "dropped"
	Corrupted  = "corrupted"
)

// An Entry of the log is one packet of the wire at the end of its way. The entries are in the order in which that was.
type Entry struct {
	// Direction is up or down. Packet is its number in it, from 1; Copy is 1 for a duplicate that the link made.
	Direction string `csv:"direction"`
	Packet    uint64 `csv:"packet"`
	Copy      int    `csv:"copy"`
	Fate      string `csv:"fate"`
	// ArrivedNs, DueNs and ReleasedNs are the system's monotonic clock, the latter two 0 for what was not released.
	ArrivedNs  int64  `csv:"arrived_ns"`
	DueNs      int64  `csv:"due_ns"`
	ReleasedNs int64  `csv:"released_ns"`
	Bytes      int    `csv:"ip_bytes"`
	Transport  string `csv:"transport"`
	// TCPSeq is the first byte's number of a TCP segment. The others are of a message of this program's in a datagram, and empty
	// for all else.
	TCPSeq  *uint32 `csv:"tcp_seq"`
	Session *uint64 `csv:"session"`
	Flow    *uint32 `csv:"flow"`
	Seq     *uint64 `csv:"seq"`
	Kind    *uint8  `csv:"kind"`
}

// record is an Entry as it is kept: no pointers, no words.
type record struct {
	index                  uint64
	arrived, due, released int64
	bytes                  uint16
	fate, proto            byte
	way, copy, message     bool
	head                   [bench.HeaderSize]byte
	tcpSeq                 uint32
}

var fates = [...]string{Released, Lost, Overflowed, Dropped, Corrupted}

const (
	released = iota
	lost
	overflowed
	dropped
	corrupted
)

// journal keeps what happened to the packets, as many as it has room for.
type journal struct {
	records []record
	missing uint64 // those for which it had none
}

// add notes the end of p, which is one packet of the wire or several, at time at.
func (j *journal) add(way bool, p *Packet, fate byte, at int64) {
	if j == nil {
		return
	}
	l := parse(p.Data)
	for i := range p.Wire {
		if len(j.records) == cap(j.records) {
			j.missing++
			continue
		}
		r := record{index: p.Index + uint64(i), arrived: p.Arrived, fate: fate, proto: l.proto, way: way, copy: p.Copy}
		if fate == released {
			r.due, r.released = p.Due, at
			if p.Corrupted {
				r.fate = corrupted
			}
		}
		payload := p.Data[l.payload:]
		if p.Wire > 1 {
			payload = payload[i*int(p.Segment) : min((i+1)*int(p.Segment), len(payload))]
		}
		r.bytes = uint16(l.payload + len(payload))
		switch {
		case l.proto == protoTCP && l.first && len(p.Data) >= l.l4+20:
			r.tcpSeq = binary.BigEndian.Uint32(p.Data[l.l4+4:]) + uint32(i)*uint32(p.Segment)
		case l.proto == protoUDP && l.first && len(payload) >= bench.HeaderSize:
			r.message = true
			copy(r.head[:], payload)
		}
		j.records = append(j.records, r)
	}
}

// entries returns the log.
func (j *journal) entries() []Entry {
	var list []Entry
	for _, r := range j.records {
		e := Entry{Direction: "up", Packet: r.index, Fate: fates[r.fate], ArrivedNs: r.arrived, DueNs: r.due, ReleasedNs: r.released,
			Bytes: int(r.bytes), Transport: "other"}
		if r.way {
			e.Direction = "down"
		}
		if r.copy {
			e.Copy = 1
		}
		switch r.proto {
		case protoTCP:
			e.Transport, e.TCPSeq = "tcp", &r.tcpSeq
		case protoUDP:
			e.Transport = "udp"
		case protoICMP:
			e.Transport = "icmp"
		}
		if h, ok := bench.ParseHeader(r.head[:]); ok && r.message {
			kind := uint8(h.Kind)
			e.Session, e.Flow, e.Seq, e.Kind = &h.Session, &h.Flow, &h.Seq, &kind
		}
		list = append(list, e)
	}
	return list
}

// ReadLog reads a file that WriteLog has written.
func ReadLog(path string) (entries []Entry, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = results.DecodeCSV(f, path, func(e Entry) error {
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

package link

import (
	"encoding/binary"
	"math/bits"
	"time"
)

// A Packet is an IPv4 packet on its way, or several of one flow in a row that a host's segmentation offload has left in one.
type Packet struct {
	// Data is the IP packet, a part of buf that has headroom before it.
	Data []byte
	Offload
	// Wire is how many packets it is on the wire, and Index the number of the first, from 1 in its direction.
	Wire  int
	Index uint64
	// Copy is a duplicate that the link has made; Corrupted has a bit flipped; Exempt is nothing to the link.
	Copy, Corrupted, Exempt bool
	// Arrived is when it came, and Due when it is to be released; Now of package clock.
	Arrived, Due int64

	jitter time.Duration

	held  bool  // to be overtaken by
	left  int   // so many more packets, though no longer than
	until int64 // this

	buf   []byte
	order uint64
}

// Offload is what hosts leave to their devices: virtio's header (virtio_net_hdr, OASIS virtio 1.2 section 5.1.6).
type Offload struct {
	Flags, Kind          byte
	HeaderLen, Segment   uint16
	CsumStart, CsumField uint16
}

const (
	needsCsum  = 1 // the checksum is to be completed from CsumStart on
	kindTCP    = 1 // VIRTIO_NET_HDR_GSO_TCPV4
	kindUDP    = 5 // VIRTIO_NET_HDR_GSO_UDP_L4
	kindECN    = 0x80
	offloadLen = 10

	etherLen = 14
	headroom = offloadLen + etherLen

	protoICMP, protoTCP, protoUDP = 1, 6, 17
)

// layout is where the parts of an IPv4 packet begin; ok is false for what is none, or is cut short.
type layout struct {
	proto        byte
	l4, payload  int
	first        bool // no fragment, or the first one
	ok           bool
	source, dest [4]byte
}

func parse(b []byte) (l layout) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return l
	}
	l.l4 = int(b[0]&15) * 4
	if l.l4 < 20 || len(b) < l.l4 {
		return l
	}
	fragment := binary.BigEndian.Uint16(b[6:])
	l.first = fragment&0x1fff == 0
	l.proto, l.ok = b[9], true
	copy(l.source[:], b[12:])
	copy(l.dest[:], b[16:])
	l.payload = len(b)
	if !l.first {
		l.payload = l.l4
		return l
	}
	switch {
	case l.proto == protoTCP && len(b) >= l.l4+20:
		l.payload = min(max(l.l4+int(b[l.l4+12]>>4)*4, l.l4+20), len(b))
	case l.proto == protoUDP && len(b) >= l.l4+8, l.proto == protoICMP && len(b) >= l.l4+8:
		l.payload = l.l4 + 8
	}
	return l
}

// segments is how many packets of the wire p is.
func (p *Packet) segments(l layout) int {
	kind := p.Kind &^ kindECN
	fits := kind == kindTCP && l.proto == protoTCP || kind == kindUDP && l.proto == protoUDP
	if !fits || p.Segment == 0 || !l.ok || !l.first || l.payload == l.l4 || l.payload == len(p.Data) {
		return 1 // for whatever else it says, there is nothing to cut
	}
	return max(1, (len(p.Data)-l.payload+int(p.Segment)-1)/int(p.Segment))
}

// cut copies segments [from, from+n) of p, whose layout is l, into q.
func (p *Packet) cut(q *Packet, l layout, from, n int) {
	size := int(p.Segment)
	begin := l.payload + from*size
	end := min(begin+n*size, len(p.Data))
	q.Data = append(append(q.Data[:0], p.Data[:l.payload]...), p.Data[begin:end]...)
	q.Offload = p.Offload
	q.Wire, q.Index, q.Arrived = n, p.Index+uint64(from), p.Arrived
	b := q.Data
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[4:], binary.BigEndian.Uint16(b[4:])+uint16(from))
	b[10], b[11] = 0, 0
	binary.BigEndian.PutUint16(b[10:], ^fold(sum(0, b[:l.l4])))
	last := end == len(p.Data)
	switch l.proto {
	case protoTCP:
		t := b[l.l4:]
		binary.BigEndian.PutUint32(t[4:], binary.BigEndian.Uint32(t[4:])+uint32(from*size))
		if !last {
			t[13] &^= 0x09 // FIN and PSH belong to the last segment
		}
		if from > 0 {
			t[13] &^= 0x80 // CWR to the first
		}
	case protoUDP:
		binary.BigEndian.PutUint16(b[l.l4+4:], uint16(len(b)-l.l4))
	}
	if n == 1 {
		q.Kind, q.Segment, q.HeaderLen = 0, 0, 0
	}
	// The host completes the checksum from the one of the pseudo-header, which has the length in it.
	q.Flags |= needsCsum
	q.CsumStart, q.CsumField = uint16(l.l4), csumField(l.proto)
	binary.BigEndian.PutUint16(b[l.l4+int(q.CsumField):], fold(pseudo(b, l)))
}

// csumField is where a transport's header has its checksum.
func csumField(proto byte) uint16 {
	if proto == protoTCP {
		return 16
	}
	return 6
}

// corrupt flips a bit of what p carries, after it has completed the checksum that shows it (RFC 1071): the one that a host
// left to its device would be made to fit.
func (p *Packet) corrupt(bit uint32) {
	l := parse(p.Data)
	if p.Flags&needsCsum != 0 && int(p.CsumStart)+int(p.CsumField)+2 <= len(p.Data) {
		field := p.Data[p.CsumStart+p.CsumField:]
		// The field holds the pseudo-header's sum: what follows is added to it.
		c := ^fold(sum(0, p.Data[p.CsumStart:]))
		if c == 0 && l.proto == protoUDP {
			c = 0xffff // RFC 768: 0 means that there is none
		}
		binary.BigEndian.PutUint16(field, c)
	}
	p.Offload = Offload{}
	p.Corrupted = true
	begin := l.payload
	if !l.ok || begin >= len(p.Data) {
		begin = min(l.l4, len(p.Data)-1)
	}
	at := int(bit % uint32((len(p.Data)-begin)*8))
	p.Data[begin+at/8] ^= 1 << (at % 8)
}

// pseudo is the sum over the pseudo-header of TCP and UDP (RFC 9293 section 3.1, RFC 768).
func pseudo(b []byte, l layout) uint64 {
	return sum(uint64(l.proto)+uint64(len(b)-l.l4), b[12:20])
}

// sum adds the 16-bit words of b to s.
func sum(s uint64, b []byte) uint64 {
	for len(b) >= 8 {
		var carry uint64
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b), 0)
		s += carry
		b = b[8:]
	}
	for len(b) >= 2 {
		var carry uint64
		s, carry = bits.Add64(s, uint64(binary.BigEndian.Uint16(b)), 0)
		s += carry
		b = b[2:]
	}
	if len(b) == 1 {
		var carry uint64
		s, carry = bits.Add64(s, uint64(b[0])<<8, 0)
		s += carry
	}
	return s
}

// fold makes 16 bits of a sum in ones' complement.
func fold(s uint64) uint16 {
	for s>>16 != 0 {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

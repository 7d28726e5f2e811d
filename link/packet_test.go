package link

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// train makes n segments of size bytes in one packet, as a host hands them to its device.
func train(rng *rand.Rand, proto byte, n, size, last int) *Packet {
	header := 20 + 8
	if proto == protoTCP {
		header = 20 + 32
	}
	payload := (n-1)*size + last
	p := (&pool{}).get(header + payload)
	p.Data = append(p.Data, make([]byte, header+payload)...)
	b := p.Data
	for i := range b[header:] {
		b[header+i] = byte(rng.Uint32())
	}
	b[0], b[9] = 0x45, proto
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[4:], 0xfffe)
	copy(b[12:], []byte{10, 77, 0, 2, 10, 77, 0, 1})
	if proto == protoTCP {
		binary.BigEndian.PutUint32(b[20+4:], 0xffffff00)
		b[20+12], b[20+13] = 8<<4, 0x80|0x10|0x08|0x01 // CWR, ACK, PSH, FIN
		p.Offload = Offload{Flags: needsCsum, Kind: kindTCP | kindECN, HeaderLen: uint16(header), Segment: uint16(size), CsumStart: 20, CsumField: 16}
	} else {
		p.Offload = Offload{Flags: needsCsum, Kind: kindUDP, HeaderLen: uint16(header), Segment: uint16(size), CsumStart: 20, CsumField: 6}
		binary.BigEndian.PutUint16(b[20+4:], uint16(len(b)-20))
	}
	p.Index = 100
	return p
}

// valid tells whether a packet's checksums are right, after the host has completed what was left to it.
func valid(p *Packet) bool {
	b := bytes.Clone(p.Data)
	l := parse(b)
	if p.Flags&needsCsum != 0 {
		binary.BigEndian.PutUint16(b[p.CsumStart+p.CsumField:], ^fold(sum(0, b[p.CsumStart:])))
	}
	return l.ok && fold(sum(0, b[:l.l4])) == 0xffff && fold(sum(pseudo(b, l), b[l.l4:])) == 0xffff && int(binary.BigEndian.Uint16(b[2:])) == len(b)
}

// A packet is cut as the device would have cut it: the parts carry all bytes in order, with headers and checksums that fit.
func TestCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		proto, n, size := []byte{protoTCP, protoUDP}[rng.IntN(2)], 1+rng.IntN(40), 1+rng.IntN(1448)
		p := train(rng, proto, n, size, 1+rng.IntN(size))
		l := parse(p.Data)
		if got := p.segments(l); got != n {
			t.Fatalf("%d segments, want %d", got, n)
		}
		var all []byte
		for from := 0; from < n; {
			count := min(1+rng.IntN(3), n-from)
			q := (&pool{}).get(l.payload + count*size)
			p.cut(q, l, from, count)
			if !valid(q) || q.Index != 100+uint64(from) || q.Wire != count || q.segments(parse(q.Data)) != count {
				t.Fatalf("segments %d to %d of %d: %+v", from, from+count, n, q.Offload)
			}
			if id := binary.BigEndian.Uint16(q.Data[4:]); id != uint16(0xfffe+from) {
				t.Fatalf("identification %d of segment %d", id, from)
			}
			if proto == protoTCP {
				seq, flags := binary.BigEndian.Uint32(q.Data[24:]), q.Data[33]
				if base := uint32(0xffffff00); seq != base+uint32(from*size) || flags&0x09 != 0 != (from+count == n) || flags&0x80 != 0 != (from == 0) || flags&0x10 == 0 {
					t.Fatalf("segment %d: number %d, flags %#x", from, seq, flags)
				}
			} else if got := int(binary.BigEndian.Uint16(q.Data[24:])); got != len(q.Data)-20 {
				t.Fatalf("a datagram of %d B says %d", len(q.Data)-20, got)
			}
			all = append(all, q.Data[l.payload:]...)
			from += count
		}
		if !bytes.Equal(all, p.Data[l.payload:]) {
			t.Fatal("bytes are missing, or not in order")
		}
	}
}

// A bit that was flipped shows in the checksum, whoever was to compute it, and nothing else is changed.
func TestCorrupt(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		proto := []byte{protoTCP, protoUDP}[rng.IntN(2)]
		whole := train(rng, proto, 1, 1+rng.IntN(1000), 1)
		l := parse(whole.Data)
		p := (&pool{}).get(len(whole.Data))
		whole.cut(p, l, 0, 1)
		before := bytes.Clone(p.Data)
		p.corrupt(rng.Uint32())
		if valid(p) || p.Flags != 0 || !p.Corrupted {
			t.Fatalf("%+v", p.Offload)
		}
		different := 0
		for i := l.payload; i < len(before); i++ {
			for x := before[i] ^ p.Data[i]; x != 0; x &= x - 1 {
				different++
			}
		}
		if different != 1 {
			t.Fatalf("%d bits differ", different)
		}
	}
}

// A train of segments loses those that the seed says, as single packets do, and what is left goes on in as few pieces as can be.
func TestRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	side := Side{LossList: []uint64{3, 4, 9}, MTU: DefaultMTU}
	d, err := newDirection(side, false, 1, 0, &pool{}, &journal{records: make([]record, 0, 100)})
	if err != nil {
		t.Fatal(err)
	}
	p := train(rng, protoTCP, 10, 1000, 10)
	original := bytes.Clone(p.Data[52:])
	d.arrive(p)
	var got [][2]uint64
	for p := d.due(0); p != nil; p = d.due(0) {
		if !valid(p) {
			t.Errorf("%+v", p.Offload)
		}
		begin := (p.Index - 1) * 1000
		if !bytes.Equal(p.Data[52:], original[begin:min(int(begin)+len(p.Data)-52, len(original))]) {
			t.Errorf("segment %d has other bytes", p.Index)
		}
		got = append(got, [2]uint64{p.Index, uint64(p.Wire)})
		d.done(p, 0, true)
	}
	if len(got) != 3 || got[0] != [2]uint64{1, 2} || got[1] != [2]uint64{5, 4} || got[2] != [2]uint64{10, 1} {
		t.Errorf("%v", got)
	}
	if c := d.account(); c.Packets != 10 || c.Lost != 3 || c.Released != 7 || c.Bytes != uint64(9*1052+62) {
		t.Errorf("%+v", c)
	}
	if entries := d.journal.entries(); len(entries) != 10 || entries[0].Fate != Lost || *entries[3].TCPSeq != 0xffffff00 {
		t.Errorf("%+v", entries)
	}
}

func FuzzPacket(f *testing.F) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, p := range []*Packet{train(rng, protoTCP, 3, 100, 50), train(rng, protoUDP, 3, 100, 50)} {
		f.Add(p.Data, p.Flags, p.Kind, p.Segment, p.CsumStart, p.CsumField)
	}
	f.Add([]byte{0x45}, byte(1), byte(1), uint16(1), uint16(65535), uint16(65535))
	f.Fuzz(func(t *testing.T, data []byte, flags, kind byte, segment, start, field uint16) {
		if len(data) == 0 || len(data) > 1<<16-1 {
			return
		}
		for _, name := range []string{"clean", "loss=30%,duplicate=30%,corrupt=30%,reorder=30%,jitter=1ms", "loss=30%,corrupt=30%", "rate=1gbit"} {
			specs, err := Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			d, err := newDirection(specs[0].Up, false, 1, 0, &pool{}, &journal{records: make([]record, 0, 100)})
			if err != nil {
				t.Fatal(err)
			}
			p := d.pool.get(len(data))
			p.Data = append(p.Data, data...)
			p.Offload = Offload{Flags: flags, Kind: kind, Segment: segment, CsumStart: start, CsumField: field}
			d.arrive(p)
			for d.next() != never {
				now := max(d.next(), 0)
				for p := d.due(now); p != nil; p = d.due(now) {
					d.done(p, now, true)
				}
			}
			if c := d.account(); c.Packets != c.Lost+c.Released+c.Overflowed || c.Waiting != 0 {
				t.Errorf("%s: %+v", name, c)
			}
		}
	})
}

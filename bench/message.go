package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"tcpvsudp/internal/clock"
)

// HeaderSize is the size in bytes of the header that every message starts with, and so the size of
// the smallest message.
const HeaderSize = 32

// Kind says what a message is for.
type Kind uint8

const (
	// Request is a message that is measured: a server echoes it or counts it.
	Request Kind = 1 + iota
	// Reply is a server's answer. A server never answers a reply, so two servers can't be set to
	// echo each other.
	Reply
	// Hello asks whether anybody is there. It is answered in every session and never counted.
	Hello
	// Done says that a flow has sent all of its requests. It is answered in every session and never
	// counted.
	Done
)

// magic and version are the first three bytes of every message. No HTTP method and no TLS record
// starts with magic, so one TCP port can serve data and control by the first byte.
const (
	magic   = 0xB57C
	version = 1
)

// FirstByte is the first byte of every message on the wire.
const FirstByte = magic >> 8

// noSeq is the number of no message.
const noSeq = 1<<64 - 1

// WarmUp is the bit of Header.Seq that marks a message of the warm-up: it is echoed or swallowed like
// any other and never counted.
const WarmUp = 1 << 63

// Header is the first 32 bytes of a message, big endian on the wire:
//
//	 0  magic   2   0xB5 0x7C
//	 2  version 1
//	 3  kind    1
//	 4  flow    4
//	 8  session 8
//	16  seq     8
//	24  sent    8
//
// The answer to a message of 40 bytes or more has, in the eight bytes after its header, the server's monotonic clock in
// nanoseconds when the message arrived: its stamp.
type Header struct {
	Kind    Kind
	Flow    uint32
	Session uint64
	// Seq numbers the messages of one flow from 0. With 64 bits it never rolls over.
	Seq uint64
	// Sent is the sender's monotonic clock in nanoseconds when the message was meant to leave.
	Sent int64
}

// Put writes h to the first HeaderSize bytes of msg.
func (h Header) Put(msg []byte) {
	_ = msg[HeaderSize-1]
	binary.BigEndian.PutUint32(msg[0:], magic<<16|version<<8|uint32(h.Kind))
	binary.BigEndian.PutUint32(msg[4:], h.Flow)
	binary.BigEndian.PutUint64(msg[8:], h.Session)
	binary.BigEndian.PutUint64(msg[16:], h.Seq)
	binary.BigEndian.PutUint64(msg[24:], uint64(h.Sent))
}

// ParseHeader reads the header of msg; ok is false when msg is no message of ours: too short, of
// another magic or version, or of an unknown kind.
func ParseHeader(msg []byte) (h Header, ok bool) {
	if len(msg) < HeaderSize {
		return Header{}, false
	}
	start := binary.BigEndian.Uint32(msg[0:])
	h = Header{
		Kind:    Kind(start),
		Flow:    binary.BigEndian.Uint32(msg[4:]),
		Session: binary.BigEndian.Uint64(msg[8:]),
		Seq:     binary.BigEndian.Uint64(msg[16:]),
		Sent:    int64(binary.BigEndian.Uint64(msg[24:])),
	}
	return h, start>>8 == magic<<8|version && h.Kind >= Request && h.Kind <= Done
}

// setKind and setSeqSent rewrite a part of a header in place: what changes from one message to the
// next, and when a request becomes its reply.
func setKind(msg []byte, k Kind) { msg[3] = byte(k) }

func setSeqSent(msg []byte, seq uint64, sent int64) {
	binary.BigEndian.PutUint64(msg[16:], seq)
	binary.BigEndian.PutUint64(msg[24:], uint64(sent))
}

// stampBlock numbers the messages of block from seq on. They leave at time now; with each set, every one has the time that it
// is then.
func stampBlock(block []byte, size int, seq uint64, now int64, each bool) {
	for off := 0; off < len(block); off += size {
		if each {
			now = clock.Now()
		}
		setSeqSent(block[off:], seq, now)
		seq++
	}
}

// addressBlock has the messages of block be those of a flow.
func addressBlock(block []byte, size int, flow uint32) {
	for off := 0; off < len(block); off += size {
		binary.BigEndian.PutUint32(block[off+4:], flow)
	}
}

func seqOf(msg []byte) uint64 { return binary.BigEndian.Uint64(msg[16:]) }

// inRow returns how many messages at the beginning of block are like h, but for the time and with numbers that rise by one from
// that of h. It is all that most messages of a stream need to be looked at.
func inRow(block []byte, size int, h Header) (n int) {
	start := uint64(magic<<16|version<<8|uint32(h.Kind))<<32 | uint64(h.Flow)
	seq := h.Seq
	for len(block) >= size {
		m := block[:24:24]
		if binary.BigEndian.Uint64(m) != start || binary.BigEndian.Uint64(m[8:]) != h.Session || binary.BigEndian.Uint64(m[16:]) != seq {
			break
		}
		seq++
		block = block[size:]
	}
	return int(min(seq-h.Seq, (h.Seq|(WarmUp-1))-h.Seq+1)) // no further than to the end of the warm-up's numbers, or the others
}

// NewBlock returns a block of n messages of size bytes, zeroed.
func NewBlock(n, size int) []byte { return make([]byte, n*size) }

// pattern is what follows the header of every message: 251 is prime, so that no power-of-two shift of
// the stream looks like itself.
func pattern(size int) []byte {
	p := make([]byte, size-HeaderSize)
	for i := range p {
		p[i] = byte(i % 251)
	}
	return p
}

// fillBlock writes the header and the pattern of every message of block; each is then ready to send
// but for its seq and sent.
func fillBlock(block []byte, size int, h Header) {
	body := pattern(size)
	for off := 0; off < len(block); off += size {
		h.Put(block[off:])
		copy(block[off+HeaderSize:off+size], body)
	}
}

// intact tells whether the bytes after msg's header are body, which is pattern(len(msg)); with stamped set those
// of a stamp are let pass. A nil body asks for no check.
func intact(msg, body []byte, stamped bool) bool {
	if body == nil {
		return true
	}
	rest := msg[HeaderSize:]
	if stamped && len(rest) >= stampSize {
		rest, body = rest[stampSize:], body[stampSize:]
	}
	return bytes.Equal(rest, body)
}

// stampSize is the size of a stamp in bytes.
const stampSize = 8

// setStamp notes in an answer when its message arrived, if there is room.
func setStamp(msg []byte, at int64) {
	if len(msg) >= HeaderSize+stampSize {
		binary.BigEndian.PutUint64(msg[HeaderSize:], uint64(at))
	}
}

// stamp is what setStamp has noted; ok is false where there was no room.
func stamp(msg []byte) (at int64, ok bool) {
	if len(msg) < HeaderSize+stampSize {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(msg[HeaderSize:])), true
}

func (k Kind) String() string {
	switch k {
	case Request:
		return "request"
	case Reply:
		return "reply"
	case Hello:
		return "hello"
	case Done:
		return "done"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

package udp

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"tcpvsudp/bench"
)

// numbered returns n bytes that are all different from their neighbours, so that the wrong ones are noticed.
func numbered(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// Of what a call receives the messages of the right size are given out, and all others are counted as what they are.
func TestWhole(t *testing.T) {
	const size = 64
	for _, test := range []struct {
		name                 string
		length, segment      int
		cut                  bool
		from, to             int // those that are given out
		truncated, malformed uint64
	}{
		{name: "right", length: 64, to: 64},
		{name: "too long", length: 65, truncated: 1},
		{name: "twice too long", length: 128, truncated: 1},
		{name: "too short", length: 63, malformed: 1},
		{name: "empty", length: 0, malformed: 1},
		{name: "cut to the right size", length: 64, cut: true, truncated: 1},
		{name: "cut to less", length: 10, cut: true, truncated: 1},
		{name: "cut to nothing", length: 0, cut: true, truncated: 1},

		{name: "joined, one alone", length: 64, segment: 64, to: 64},
		{name: "joined, right", length: 5 * 64, segment: 64, to: 5 * 64},
		{name: "joined, the last shorter", length: 4*64 + 63, segment: 64, to: 4 * 64, malformed: 1},
		{name: "joined, the last of a byte", length: 4*64 + 1, segment: 64, to: 4 * 64, malformed: 1},
		{name: "joined, the last cut at the right size", length: 5 * 64, segment: 64, cut: true, to: 4 * 64, truncated: 1},
		{name: "joined, the last cut to less", length: 4*64 + 7, segment: 64, cut: true, to: 4 * 64, truncated: 1},
		{name: "joined, two", length: 2 * 64, segment: 64, to: 2 * 64},

		{name: "joined, too long", length: 4 * 100, segment: 100, truncated: 4},
		{name: "joined, too long, the last right", length: 3*100 + 64, segment: 100, from: 300, to: 364, truncated: 3},
		{name: "joined, too long, the last cut at the right size", length: 3*100 + 64, segment: 100, cut: true, truncated: 4},
		{name: "joined, too long, the last too short", length: 3*100 + 63, segment: 100, truncated: 3, malformed: 1},
		{name: "joined, too long, the last too long", length: 3*100 + 65, segment: 100, truncated: 4},
		{name: "joined, too short", length: 4 * 63, segment: 63, malformed: 4},
		{name: "joined, too short, the last shorter", length: 4*63 + 1, segment: 63, malformed: 5},
		{name: "joined, as many bytes as a message", length: 64, segment: 32, malformed: 2},
		{name: "joined, too short, the last cut", length: 4 * 63, segment: 63, cut: true, malformed: 3, truncated: 1},
		{name: "less than a segment, right", length: 64, segment: 100, to: 64},
		{name: "less than a segment, too short", length: 63, segment: 100, malformed: 1},
		{name: "empty, with a segment", length: 0, segment: 64, malformed: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			block := numbered(test.length)
			before := bench.Traffic{SendCalls: 1, RecvCalls: 2, Truncated: 30, Malformed: 40}
			got, want := before, before
			want.Truncated += test.truncated
			want.Malformed += test.malformed
			messages := whole(block, test.segment, size, test.cut, &got)
			if !bytes.Equal(messages, block[test.from:test.to]) {
				t.Errorf("%d bytes are given out, want those from %d to %d: % x", len(messages), test.from, test.to, messages)
			}
			if got != want {
				t.Errorf("counted %+v, want %+v", got, want)
			}
		})
	}
}

// wholeOneByOne is whole by its definition: the datagrams are looked at one after the other.
func wholeOneByOne(block []byte, segment, size int, cut bool, t *bench.Traffic) (messages []byte) {
	for first := true; first || len(block) > 0; first = false {
		n := len(block)
		if segment > 0 {
			n = min(n, segment)
		}
		datagram, isLast := block[:n], n == len(block)
		block = block[n:]
		switch {
		case len(datagram) > size || cut && isLast:
			t.Truncated++
		case len(datagram) < size:
			t.Malformed++
		default:
			messages = append(messages, datagram...)
		}
	}
	return messages
}

// Whatever comes, whole gives out and counts what a look at every datagram by itself would.
func TestWholeAgainstTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	block := numbered(4096)
	for try := range 50_000 {
		size := 1 + rng.IntN(100)
		segment := 0
		switch rng.IntN(4) {
		case 0, 1:
			segment = size
		case 2:
			segment = 1 + rng.IntN(150)
		}
		unit := max(segment, 1)
		if rng.IntN(4) == 0 {
			unit = size
		}
		length := min(unit*rng.IntN(12)+rng.IntN(2)*rng.IntN(unit+2), len(block))
		if segment > 0 && rng.IntN(4) == 0 {
			length = min(segment*rng.IntN(5)+size, len(block)) // the last may be right by itself
		}
		cut := rng.IntN(4) == 0
		var got, want bench.Traffic
		given := whole(block[:length], segment, size, cut, &got)
		expected := wholeOneByOne(block[:length], segment, size, cut, &want)
		if !bytes.Equal(given, expected) || got != want {
			t.Fatalf("try %d: %d bytes in segments of %d, messages of %d, cut %v: %d bytes and %+v, want %d bytes and %+v",
				try, length, segment, size, cut, len(given), got, len(expected), want)
		}
	}
}

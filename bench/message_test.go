package bench

import (
	"bytes"
	"testing"
)

func TestHeaderOnTheWire(t *testing.T) {
	msg := make([]byte, HeaderSize)
	Header{Kind: Done, Flow: 0x01020304, Session: 0x1112131415161718, Seq: 0x2122232425262728, Sent: 0x3132333435363738}.Put(msg)
	want := []byte{0xB5, 0x7C, 1, 4, 1, 2, 3, 4,
		0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
		0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
		0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38}
	if !bytes.Equal(msg, want) {
		t.Errorf("% x, want % x", msg, want)
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	good := make([]byte, HeaderSize)
	Header{Kind: Request}.Put(good)
	if _, ok := ParseHeader(good); !ok {
		t.Fatal("a good header is refused")
	}
	if _, ok := ParseHeader(good[:HeaderSize-1]); ok {
		t.Error("a short header is taken")
	}
	for i, b := range map[int]byte{0: 'G', 1: 0x7D, 2: 2, 3: 0} {
		bad := bytes.Clone(good)
		bad[i] = b
		if _, ok := ParseHeader(bad); ok {
			t.Errorf("byte %d = %#x is taken", i, b)
		}
	}
	good[3] = byte(Done) + 1
	if _, ok := ParseHeader(good); ok {
		t.Error("an unknown kind is taken")
	}
}

func TestIntactNoticesEveryByte(t *testing.T) {
	const size = 300
	block := NewBlock(2, size)
	fillBlock(block, size, Header{Kind: Request})
	body := pattern(size)
	for off := 0; off < len(block); off += size {
		if !intact(block[off:off+size], body, false) {
			t.Fatalf("the message at %d is not intact", off)
		}
	}
	for i := HeaderSize; i < size; i++ {
		block[i] ^= 1
		if intact(block[:size], body, false) {
			t.Fatalf("a change of byte %d is not noticed", i)
		}
		if inStamp := i < HeaderSize+stampSize; intact(block[:size], body, true) != inStamp {
			t.Fatalf("a change of byte %d of a reply: in its stamp %v", i, inStamp)
		}
		block[i] ^= 1
	}
}

// A message has a stamp if it has room for all of it.
func TestStamp(t *testing.T) {
	for size, room := range map[int]bool{HeaderSize: false, HeaderSize + 7: false, HeaderSize + 8: true, 1400: true} {
		msg := NewBlock(1, size)
		setStamp(msg, -7)
		if at, ok := stamp(msg); ok != room || ok && at != -7 {
			t.Errorf("%d B: stamped %d, %v", size, at, ok)
		}
	}
}

func FuzzHeader(f *testing.F) {
	good := make([]byte, HeaderSize)
	Header{Kind: Reply, Flow: 1, Session: 2, Seq: 3, Sent: -4}.Put(good)
	f.Add(good)
	f.Add([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, msg []byte) {
		h, ok := ParseHeader(msg)
		if !ok {
			return
		}
		again := make([]byte, HeaderSize)
		h.Put(again)
		if !bytes.Equal(again, msg[:HeaderSize]) {
			t.Errorf("% x is read as %+v", msg[:HeaderSize], h)
		}
	})
}

func BenchmarkHeader(b *testing.B) {
	b.ReportAllocs()
	msg := make([]byte, HeaderSize)
	h := Header{Kind: Request, Flow: 1, Session: 2}
	for b.Loop() {
		h.Seq++
		h.Put(msg)
		if _, ok := ParseHeader(msg); !ok {
			b.Fatal("refused")
		}
	}
}

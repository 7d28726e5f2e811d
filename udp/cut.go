package udp

import "tcpvsudp/bench"

// whole returns the messages of size bytes that a datagram is, end to end, and counts in t what is none. With segment not 0
// it is several datagrams that the kernel has joined: all of segment bytes, but the last, which may be shorter. cut says that
// the last one was longer than what is here of it.
func whole(bytes []byte, segment, size int, cut bool, t *bench.Traffic) []byte {
	if segment <= 0 {
		segment = max(len(bytes), 1)
	}
	last := len(bytes) % segment // of the last one, where it is shorter
	count := len(bytes) / segment
	if last == 0 && count > 0 || len(bytes) == 0 {
		last, count = len(bytes)-max(count-1, 0)*segment, max(count-1, 0)
	}
	// count datagrams of segment bytes, and one of last.
	odd := func(length, n int, cut bool) {
		switch {
		case length > size || cut:
			t.Truncated += uint64(n)
		case length < size:
			t.Malformed += uint64(n)
		}
	}
	odd(segment, count, false)
	odd(last, 1, cut)
	from, to := 0, count*segment
	if segment != size {
		from = to
	}
	if last == size && !cut {
		to += last
	}
	return bytes[from:to]
}

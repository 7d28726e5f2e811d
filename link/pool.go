package link

// pool hands out packets and takes them back. It belongs to one thread.
type pool struct {
	small, large []*Packet
	// out is how much memory the packets on their way take.
	out int64
}

const (
	smallBuffer = 2048
	largeBuffer = headroom + 1<<16
	// mostHeld is how much memory the packets on their way may take: what comes on top is dropped, and counted.
	mostHeld = 1 << 30
)

// get returns a packet that has room for size bytes of data, and has none.
func (p *pool) get(size int) *Packet {
	list, capacity := &p.small, smallBuffer
	if headroom+size > smallBuffer {
		list, capacity = &p.large, largeBuffer
	}
	p.out += int64(capacity)
	if n := len(*list); n > 0 {
		q := (*list)[n-1]
		*list = (*list)[:n-1]
		return q
	}
	q := &Packet{buf: make([]byte, capacity)}
	q.Data = q.buf[headroom:headroom]
	return q
}

// put takes a packet back.
func (p *pool) put(q *Packet) {
	p.out -= int64(len(q.buf))
	buf := q.buf
	*q = Packet{buf: buf, Data: buf[headroom:headroom]}
	if len(buf) == smallBuffer {
		p.small = append(p.small, q)
	} else {
		p.large = append(p.large, q)
	}
}

// full tells whether there is no memory for more.
func (p *pool) full() bool { return p.out > mostHeld }

package link

// queue is the bottleneck of a direction: packets wait for their turn, are sent one after the other, and what finds no room
// is dropped. Time is given to it; it has no clock.
type queue struct {
	rate         float64 // bits/s, or
	trace        *Trace  // whose time begins at
	begin        int64
	limitPackets int
	limitBytes   int64
	aqm          *codel

	waiting ring
	bytes   int64 // those that wait

	busy        int64   // rate: until when a packet is on the line
	opportunity uint64  // trace: the next one, and
	sending     *Packet // the packet of which it delivers the next part
	rest        int     // bytes of it
}

func newQueue(s Side, begin int64) (*queue, error) {
	q := &queue{rate: s.Rate, begin: begin, limitPackets: s.LimitPackets, limitBytes: s.LimitBytes}
	if s.CoDel {
		q.aqm = &codel{maxPacket: int64(max(s.MTU, OpportunityBytes))}
	}
	if s.Trace != "" {
		var err error
		if q.trace, err = ReadTrace(s.Trace); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// add tells whether the queue has room for p, and takes it then.
func (q *queue) add(p *Packet) bool {
	if q.limitPackets > 0 && q.waiting.len() >= q.limitPackets || q.limitBytes > 0 && q.bytes+int64(len(p.Data)) > q.limitBytes {
		return false
	}
	if q.trace != nil && q.waiting.len() == 0 && q.sending == nil {
		q.opportunity = q.trace.from(q.opportunity, p.Arrived-q.begin) // those before it delivered nothing
	}
	q.waiting.push(p)
	q.bytes += int64(len(p.Data))
	return true
}

// take is the next packet to be sent, at time now; those that CoDel drops go to dropped. It is nil when none is left.
func (q *queue) take(now int64, dropped func(*Packet)) *Packet {
	for q.waiting.len() > 0 {
		p := q.waiting.pop()
		q.bytes -= int64(len(p.Data))
		if q.aqm == nil || !q.aqm.drop(q.aqm.above(p.Arrived, now, q.bytes), now) {
			return p
		}
		dropped(p)
	}
	return nil
}

// advance sends what can be sent until time now: sent is told of every packet and of when its last bit has left.
func (q *queue) advance(now int64, sent func(p *Packet, at int64), dropped func(*Packet)) {
	if q.trace != nil {
		q.deliver(now, sent, dropped)
		return
	}
	for q.waiting.len() > 0 {
		start := max(q.busy, q.waiting.first().Arrived)
		if start > now {
			return
		}
		p := q.take(start, dropped)
		if p == nil {
			return
		}
		q.busy = max(start, p.Arrived) + int64(float64(len(p.Data))*8e9/q.rate)
		sent(p, q.busy)
	}
}

func (q *queue) deliver(now int64, sent func(*Packet, int64), dropped func(*Packet)) {
	for q.waiting.len() > 0 || q.sending != nil {
		at := q.begin + q.trace.opportunity(q.opportunity)
		if at > now {
			return
		}
		q.opportunity++
		for room := OpportunityBytes; room > 0; {
			if q.sending == nil {
				if q.waiting.len() == 0 || q.waiting.first().Arrived > at {
					break
				}
				if q.sending = q.take(at, dropped); q.sending == nil {
					break
				}
				q.rest = len(q.sending.Data)
			}
			part := min(room, q.rest)
			room, q.rest = room-part, q.rest-part
			if q.rest == 0 {
				p := q.sending
				q.sending = nil
				sent(p, at)
			}
		}
	}
}

// next is when advance has something to do, never for never.
func (q *queue) next() int64 {
	switch {
	case q.waiting.len() == 0 && q.sending == nil:
		return never
	case q.trace != nil:
		return q.begin + q.trace.opportunity(q.opportunity)
	}
	return max(q.busy, q.waiting.first().Arrived)
}

// ring is a queue of packets that grows as needed.
type ring struct {
	list       []*Packet
	head, size int
}

func (r *ring) len() int { return r.size }

func (r *ring) first() *Packet { return r.list[r.head] }

func (r *ring) push(p *Packet) {
	if r.size == len(r.list) {
		grown := make([]*Packet, max(64, 2*len(r.list)))
		for i := range r.size {
			grown[i] = r.list[(r.head+i)%len(r.list)]
		}
		r.list, r.head = grown, 0
	}
	r.list[(r.head+r.size)%len(r.list)] = p
	r.size++
}

func (r *ring) pop() *Packet {
	p := r.list[r.head]
	r.list[r.head] = nil
	r.head = (r.head + 1) % len(r.list)
	r.size--
	return p
}

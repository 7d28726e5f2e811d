package link

import (
	"tcpvsudp/results"
)

// direction is one way of a link: packets come in (arrive) and are due for release (due). It has no clock and no device, so
// that it can be given any time and any packets.
type direction struct {
	way     bool // down
	side    Side
	dice    *dice
	queue   *queue
	line    timeline
	held    []*Packet
	lastDue int64
	pool    *pool
	journal *journal
	count   Count
	waiting int64
	newest  uint64 // the largest number that was released
	late    *results.Histogram

	sent    func(*Packet, int64) // the queue's, made once
	dropped func(*Packet)
	dropAt  int64
}

// newDirection makes a direction whose trace begins at time begin.
func newDirection(side Side, way bool, seed uint64, begin int64, pool *pool, j *journal) (*direction, error) {
	d := &direction{way: way, side: side, pool: pool, journal: j, late: results.NewHistogram()}
	number := uint64(1)
	if way {
		number = 2
	}
	var err error
	if d.dice, err = newDice(side, seed, number); err != nil {
		return nil, err
	}
	if side.bottleneck() {
		if d.queue, err = newQueue(side, begin); err != nil {
			return nil, err
		}
	}
	d.sent = func(p *Packet, at int64) { d.delay(p, at) }
	d.dropped = func(p *Packet) {
		if !p.Copy {
			d.count.Dropped++
		}
		d.discard(p, dropped, d.dropAt)
	}
	return d, nil
}

// arrive takes p, which has come at p.Arrived and is the direction's from now on.
func (d *direction) arrive(p *Packet) {
	if p.Exempt {
		p.Due = p.Arrived
		d.line.push(p)
		return
	}
	d.advance(p.Arrived)
	l := parse(p.Data)
	p.Wire = p.segments(l)
	p.Index = d.count.Packets + 1
	d.count.Packets += uint64(p.Wire)
	d.count.Bytes += uint64(len(p.Data) + (p.Wire-1)*l.payload)
	d.waiting += int64(p.Wire)
	switch {
	case d.pool.full():
		d.count.Failed += uint64(p.Wire)
		d.discard(p, overflowed, p.Arrived)
	case !d.side.single() && !d.side.chancy():
		d.delay(p, p.Arrived)
	case p.Wire == 1:
		d.one(p, d.dice.next())
	case d.side.single():
		for i := range p.Wire {
			d.one(d.part(p, l, i, 1), d.dice.next())
		}
		d.pool.put(p)
	default:
		d.runs(p, l)
	}
}

// part is a packet of p's segments [from, from+n).
func (d *direction) part(p *Packet, l layout, from, n int) *Packet {
	q := d.pool.get(l.payload + n*int(p.Segment))
	p.cut(q, l, from, n)
	return q
}

// runs decides for each segment of p, and leaves those in a row together to which nothing happens.
func (d *direction) runs(p *Packet, l layout) {
	begin, plain := 0, fate{}
	flush := func(end int) {
		switch {
		case begin == end:
		case begin == 0 && end == p.Wire:
			d.delay(p, p.Arrived)
		default:
			d.delay(d.part(p, l, begin, end-begin), p.Arrived)
		}
	}
	for i := range p.Wire {
		f := d.dice.next()
		if f == plain {
			continue
		}
		flush(i)
		d.one(d.part(p, l, i, 1), f)
		begin = i + 1
	}
	flush(p.Wire)
	if begin > 0 {
		d.pool.put(p)
	}
}

// one carries out what is decided for a packet of the wire.
func (d *direction) one(p *Packet, f fate) {
	if f.lost {
		d.count.Lost++
		d.discard(p, lost, p.Arrived)
		return
	}
	var twin *Packet
	if f.twice {
		twin = d.pool.get(len(p.Data))
		twin.Data = append(twin.Data, p.Data...)
		twin.Offload, twin.Wire, twin.Index, twin.Arrived, twin.Copy = p.Offload, 1, p.Index, p.Arrived, true
	}
	if f.corrupt {
		p.corrupt(f.bit)
	}
	if f.held {
		p.held, p.left = true, d.side.Distance
	}
	d.enqueue(p, f)
	if twin != nil {
		d.enqueue(twin, f)
	}
}

// enqueue puts p at the end of the queue, if there is one.
func (d *direction) enqueue(p *Packet, f fate) {
	p.jitter = f.jitter
	if d.queue == nil {
		d.delay(p, p.Arrived)
		return
	}
	if !d.queue.add(p) {
		if !p.Copy {
			d.count.Overflowed++
		}
		d.discard(p, overflowed, p.Arrived)
		return
	}
	d.advance(p.Arrived)
}

// delay makes p due some time after at.
func (d *direction) delay(p *Packet, at int64) {
	p.Due = at + max(int64(d.side.Delay+p.jitter), 0)
	if !d.side.Free {
		p.Due = max(p.Due, d.lastDue)
		d.lastDue = p.Due
	}
	d.line.push(p)
}

// advance moves the queue on to time now.
func (d *direction) advance(now int64) {
	if d.queue != nil {
		d.dropAt = now
		d.queue.advance(now, d.sent, d.dropped)
	}
}

// discard ends p without a release.
func (d *direction) discard(p *Packet, fate byte, at int64) {
	d.journal.add(d.way, p, fate, at)
	if !p.Copy {
		d.waiting -= int64(p.Wire)
	}
	d.pool.put(p)
}

// due returns the next packet to be released by time now, nil if there is none. After its release, done is to be called.
func (d *direction) due(now int64) *Packet {
	d.advance(now)
	if len(d.held) > 0 && (d.held[0].left <= 0 || d.held[0].until <= now) {
		p := d.held[0]
		p.Due = max(p.Due, min(p.until, now))
		d.held = append(d.held[:0], d.held[1:]...)
		return p
	}
	for {
		p := d.line.first()
		if p == nil || p.Due > now {
			return nil
		}
		d.line.pop()
		if !p.held {
			return p
		}
		p.until = p.Due + int64(HoldTime)
		d.held = append(d.held, p)
	}
}

// done notes that p was released at time at, or that the device did not take it, and takes it back.
func (d *direction) done(p *Packet, at int64, taken bool) {
	if p.Exempt {
		d.pool.put(p)
		return
	}
	if !p.held {
		for _, h := range d.held {
			h.left--
		}
	}
	if !taken {
		if !p.Copy {
			d.count.Failed += uint64(p.Wire)
		}
		d.discard(p, overflowed, at)
		return
	}
	if p.Copy {
		d.count.Duplicates++
	} else {
		d.count.Released += uint64(p.Wire)
	}
	if p.Corrupted {
		d.count.Corrupted++
	}
	last := p.Index + uint64(p.Wire) - 1
	if last < d.newest && !p.Copy {
		d.count.Reordered++
	}
	d.newest = max(d.newest, last)
	late := at - p.Due
	d.late.Record(late)
	if late > BehindAfter {
		d.count.Behind += uint64(p.Wire)
	}
	d.discard(p, released, at)
}

// next is when there is something to do, never for never.
func (d *direction) next() int64 {
	at := int64(never)
	if p := d.line.first(); p != nil {
		at = p.Due
	}
	if len(d.held) > 0 {
		at = min(at, d.held[0].until)
		if d.held[0].left <= 0 {
			at = 0
		}
	}
	if d.queue != nil {
		at = min(at, d.queue.next())
	}
	return at
}

// account returns what the direction did.
func (d *direction) account() Count {
	c := d.count
	c.Waiting = uint64(max(d.waiting, 0))
	l := d.late.Latency()
	c.LateP50Us, c.LateP99Us, c.LateMaxUs = l.P50Us, l.P99Us, l.MaxUs
	return c
}

package link

import "math"

// never is later than every time.
const never = math.MaxInt64

// timeline holds packets by when they are due; of those due at the same time, the first that came is the first. It is a
// binary heap.
type timeline struct {
	heap  []*Packet
	count uint64 // packets so far, to keep their order
}

func (t *timeline) push(p *Packet) {
	p.order = t.count
	t.count++
	t.heap = append(t.heap, p)
	for i := len(t.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !t.heap[i].before(t.heap[parent]) {
			break
		}
		t.heap[i], t.heap[parent] = t.heap[parent], t.heap[i]
		i = parent
	}
}

func (t *timeline) first() *Packet {
	if len(t.heap) == 0 {
		return nil
	}
	return t.heap[0]
}

func (t *timeline) pop() *Packet {
	p, last := t.heap[0], len(t.heap)-1
	t.heap[0] = t.heap[last]
	t.heap[last] = nil
	t.heap = t.heap[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && t.heap[child+1].before(t.heap[child]) {
			child++
		}
		if !t.heap[child].before(t.heap[i]) {
			break
		}
		t.heap[i], t.heap[child] = t.heap[child], t.heap[i]
		i = child
	}
	return p
}

func (p *Packet) before(q *Packet) bool {
	if p.Due != q.Due {
		return p.Due < q.Due
	}
	return p.order < q.order
}

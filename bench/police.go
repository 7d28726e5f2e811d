package bench

import (
	"sync"
	"sync/atomic"
)

// police watches what arrives for a session whose rate is limited: a bucket that leaks at the limit. It has room for a
// second of it and for what a path's buffers may let go of at once, so that no client which keeps to the limit is
// caught.
type police struct {
	mu         sync.Mutex
	bytesPerNs float64
	room       float64
	level      float64
	at         int64
	caught     atomic.Bool
	exceeded   func() // called once
}

// policeSlack is how much more than the limit leaks, policeRoom the bytes beyond a second of it.
const (
	policeSlack = 1.05
	policeRoom  = 4 << 20
)

func newPolice(bps float64, exceeded func()) *police {
	if bps <= 0 {
		return nil
	}
	bytesPerNs := bps / 8e9 * policeSlack
	return &police{bytesPerNs: bytesPerNs, room: bytesPerNs*1e9 + policeRoom, exceeded: exceeded}
}

// passed notes n bytes that arrived at time at.
func (p *police) passed(n int, at int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.level > 0 {
		p.level = max(p.level-float64(at-p.at)*p.bytesPerNs, 0)
	}
	p.level += float64(n)
	p.at = at
	if p.level > p.room && p.caught.CompareAndSwap(false, true) {
		p.exceeded()
	}
}

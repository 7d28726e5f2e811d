package link

import "math"

// codel is the queue management of RFC 8289: it drops what has waited for more than codelTarget when something has for all of
// codelInterval, and then ever sooner, by the square root of how many it has dropped, until the queue is short.
// The names are those of the pseudo-code in section 5.
type codel struct {
	firstAbove int64 // when a packet that still waits too long is to be dropped, 0 for never
	dropNext   int64
	count      int
	lastCount  int
	dropping   bool
	again      bool // a packet was dropped while dropping: whether the next one waits too long decides how to go on
	maxPacket  int64
}

const (
	codelTarget   = int64(5e6)   // ns, section 4.3
	codelInterval = int64(100e6) // ns, section 4.2
)

// above tells whether a packet that came at time arrived, and is taken from the queue at time now with left bytes behind it, belongs to a
// queue that has been too long for an interval (dodequeue).
func (c *codel) above(arrived, now, left int64) bool {
	if now-arrived < codelTarget || left <= c.maxPacket {
		c.firstAbove = 0
		return false
	}
	if c.firstAbove == 0 {
		c.firstAbove = now + codelInterval
		return false
	}
	return now >= c.firstAbove
}

// drop tells whether a packet of which above holds is to be dropped (dequeue). It is asked of one after the other until it
// says no.
func (c *codel) drop(above bool, now int64) bool {
	if c.dropping {
		again := c.again
		c.again = false
		if !above {
			c.dropping = false
			return false
		}
		if again {
			c.dropNext = controlLaw(c.dropNext, c.count)
		}
		if now < c.dropNext {
			return false
		}
		c.count++
		c.again = true
		return true
	}
	if !above {
		return false
	}
	c.dropping = true
	delta := c.count - c.lastCount
	c.count = 1
	if delta > 1 && now-c.dropNext < 16*codelInterval {
		c.count = delta
	}
	c.dropNext = controlLaw(now, c.count)
	c.lastCount = c.count
	return true
}

func controlLaw(t int64, count int) int64 {
	return t + int64(float64(codelInterval)/math.Sqrt(float64(count)))
}

package bench

import "sync"

// blocks are blocks that many flows send in turn: each would find its own gone from the processor's cache by the time that it
// sends again.
type blocks struct {
	size   int
	header Header // of every message, but for flow, seq and sent
	free   sync.Pool
}

// take returns a block of so many messages, which are ready to send but for flow, seq and sent. All of a trial's are of one
// length.
func (b *blocks) take(batch int) []byte {
	if block, ok := b.free.Get().(*[]byte); ok {
		return *block
	}
	block := NewBlock(batch, b.size)
	fillBlock(block, b.size, b.header)
	return block
}

func (b *blocks) put(block []byte) { b.free.Put(&block) }

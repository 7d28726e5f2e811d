package link

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dice decide what happens to the packets of one direction, in the order in which they come. Nothing else has a say: the
// same seed and number of packets gives the same fates.
type dice struct {
	side  Side
	rng   *rand.Rand
	n     uint64 // packets so far
	bad   bool   // the state of Gilbert's channel
	table []int16
}

// A fate is what is to happen to one packet.
type fate struct {
	lost, corrupt, twice, held bool
	bit                        uint32 // the one to flip, to be taken modulo the packet's bits
	jitter                     time.Duration
}

// newDice makes the dice of a side; way tells the two directions of a link apart.
func newDice(side Side, seed, way uint64) (*dice, error) {
	d := &dice{side: side, rng: rand.New(rand.NewPCG(seed, way))}
	switch side.Distribution {
	case "", "uniform", "normal":
		return d, nil
	}
	var err error
	d.table, err = readTable(side.Distribution)
	return d, err
}

// next decides for the next packet.
func (d *dice) next() (f fate) {
	d.n++
	s := &d.side
	f.lost = d.lost()
	if s.Duplicate > 0 {
		f.twice = d.rng.Float64() < s.Duplicate
	}
	if s.Corrupt > 0 {
		f.corrupt = d.rng.Float64() < s.Corrupt
		if bit := d.rng.Uint32(); f.corrupt { // drawn for all, so that they all take as much
			f.bit = bit
		}
	}
	if s.Reorder > 0 {
		f.held = d.rng.Float64() < s.Reorder
	}
	if s.Jitter > 0 {
		f.jitter = time.Duration(d.deviation() * float64(s.Jitter))
	}
	return f
}

func (d *dice) lost() (lost bool) {
	s := &d.side
	if s.Loss > 0 {
		lost = d.rng.Float64() < s.Loss
	}
	if g := s.Gilbert; g != nil {
		turn := d.rng.Float64()
		if d.bad {
			d.bad = turn >= g.R
		} else {
			d.bad = turn < g.P
		}
		p := g.Good
		if d.bad {
			p = g.Bad
		}
		lost = d.rng.Float64() < p || lost
	}
	if s.LossEvery > 0 && d.n%s.LossEvery == 0 {
		lost = true
	}
	if len(s.LossList) > 0 {
		_, listed := slices.BinarySearch(s.LossList, d.n)
		lost = lost || listed
	}
	return lost
}

// deviation draws from the distribution.
func (d *dice) deviation() float64 {
	switch {
	case d.table != nil:
		return float64(d.table[d.rng.IntN(len(d.table))]) / tableScale
	case d.side.Distribution == "normal":
		return d.rng.NormFloat64()
	}
	return 2*d.rng.Float64() - 1
}

// tableScale is what stands for one standard deviation in a table of tc-netem's.
const tableScale = 8192

// readTable reads a table of tc-netem's: whole numbers, apart by blanks, and lines that begin with "#".
func readTable(path string) ([]int16, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("distribution: use uniform, normal, or a file with a table of tc-netem's: %w", err)
	}
	defer f.Close()
	var table []int16
	lines := bufio.NewScanner(f)
	for number := 1; lines.Scan(); number++ {
		line := lines.Text()
		if len(line) > 0 && line[0] == '#' {
			continue
		}
		for _, word := range strings.Fields(line) {
			v, err := strconv.ParseInt(word, 10, 16)
			if err != nil {
				return nil, fmt.Errorf("distribution %s, line %d: %q is no number from -32768 to 32767", path, number, word)
			}
			table = append(table, int16(v))
			if len(table) > 1<<16 {
				return nil, fmt.Errorf("distribution %s: more than %d numbers", path, 1<<16)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("distribution %s: %w", path, err)
	}
	if len(table) == 0 {
		return nil, fmt.Errorf("distribution %s: it holds no numbers", path)
	}
	return table, nil
}

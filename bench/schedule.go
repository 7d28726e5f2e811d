package bench

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"tcpvsudp/results"
)

// cell is one set of parameters that the transports are compared under.
type cell struct {
	workload  workload
	size      int
	flows     int
	direction string
	batch     int // 0 for as many as serve best
	// congestion is the algorithm that TCP is to use.
	congestion string
	link       string // its name, empty for none
	// goal is the share of messages that may be lost at the rate which is searched for.
	goal float64
}

// mode is what the server does with the requests.
func (c cell) mode() Mode {
	if c.workload.mode != Sink {
		return c.workload.mode
	}
	return directions[c.direction]
}

// directions are the ways in which messages may go where they are not echoed.
var directions = map[string]Mode{"up": Sink, "down": Source, "both": Duplex}

// echoed is the direction of a workload whose messages come back.
const echoed = "echo"

// searched is the direction of a search.
const searched = "up"

// cells lays out the plan's parameters in the order of the table.
func (p Plan) cells() []cell {
	var all []cell
	for _, name := range p.Workloads {
		w, err := workloadNamed(name)
		if err != nil {
			continue // Validate tells
		}
		ways, batches, goals := []string{echoed}, []int{1}, []float64{0}
		if w.mode != Echo {
			ways, batches = p.Directions, p.Batches
		}
		if w.searches {
			ways, goals = []string{searched}, p.LossGoals
		}
		for _, size := range p.Sizes {
			for _, flows := range p.Flows {
				for _, direction := range ways {
					for _, batch := range batches {
						for _, congestion := range p.Congestion {
							for _, link := range p.links() {
								for _, goal := range goals {
									all = append(all, cell{w, size, flows, direction, batch, congestion, link.Name, goal})
								}
							}
						}
					}
				}
			}
		}
	}
	return all
}

// PlannedCell says how often one set of parameters is going to be measured.
type PlannedCell struct {
	Workload  string `csv:"workload" json:"workload"`
	SizeBytes int    `csv:"size_bytes" json:"size_bytes"`
	Flows     int    `csv:"flows" json:"flows"`
	Direction string `csv:"direction" json:"direction"`
	Batch     string `csv:"batch" json:"batch"`
	// Congestion is that of TCP.
	Congestion string `csv:"congestion_control_asked" json:"congestion_control_asked"`
	Link       string `csv:"link" json:"link"`
	// LossGoal is that of a search, empty for others.
	LossGoal results.Value `csv:"loss_goal_ratio" json:"loss_goal_ratio"`
	// Trials counts those of all transports.
	Trials int `csv:"trials" json:"trials"`
}

// Cells lists what the plan measures, in the order of the tables.
func (p Plan) Cells() []PlannedCell {
	var list []PlannedCell
	for _, c := range p.cells() {
		var goal results.Value
		if c.workload.searches {
			goal = results.Known(c.goal)
		}
		list = append(list, PlannedCell{c.workload.name, c.size, c.flows, c.direction, c.batchName(), c.congestion, c.link, goal, p.Trials * len(p.Protos) * p.halves()})
	}
	return list
}

// batchName is how a batch is called where people read it.
func (c cell) batchName() string {
	if c.batch == 0 {
		return "auto"
	}
	return strconv.Itoa(c.batch)
}

// scheduled is one trial of the schedule.
type scheduled struct {
	cell
	transport Transport
	pair      int
	compared  bool          // several algorithms of congestion control are
	rtt       time.Duration // of the link, and
	loses     bool          // whether it does
	step      int           // which measurement of a search this is, from 1 on; 0 where there is none
}

// schedule lays out all trials: round after round, each with every cell once, in an order drawn by the
// seed; and in a cell every transport once, one right after the other, in an order drawn too. A drift of
// the machine then meets all cells and both transports alike. Trials of one cell and round are a pair.
func (p Plan) schedule(transports []Transport) []scheduled {
	rng := rand.New(rand.NewPCG(p.Seed, 0))
	cells := p.cells()
	byName := map[string]Transport{}
	for _, t := range transports {
		byName[t.Name()] = t
	}
	var all []scheduled
	pair := 0
	for range p.Trials {
		for _, i := range rng.Perm(len(cells)) {
			pair++
			for n, j := range p.round(rng) {
				if p.SameTwice && n > 0 && n%2 == 0 {
					pair++
				}
				s := scheduled{cell: cells[i], transport: byName[p.Protos[j]], pair: pair, compared: len(p.Congestion) > 1}
				for _, link := range p.Links {
					if link.Name == s.link {
						s.rtt, s.loses = link.RTT, link.Loses
					}
				}
				all = append(all, s)
			}
		}
	}
	return all
}

// round draws the order of the transports, each of which comes twice where it is measured against itself.
func (p Plan) round(rng *rand.Rand) (order []int) {
	for _, j := range rng.Perm(len(p.Protos)) {
		order = append(order, slices.Repeat([]int{j}, p.halves())...)
	}
	return order
}

// estimate is how long the trial takes.
func (s scheduled) estimate(p Plan) time.Duration {
	each := p.Warmup + overhead + linkRTTs*s.rtt
	drain := time.Duration(0)
	if (s.workload.unpaced || s.loses) && s.transport.Lossy() {
		drain = tmax(p.Drain, s.rtt)
	}
	switch {
	case !s.workload.searches:
		return each + p.Duration + drain
	case drain == 0: // what loses nothing meets the goal at once, in each phase
		return shortestSearch.estimate(p.Duration, each, 0)
	}
	return usualSearch.estimate(p.Duration, each, drain)
}

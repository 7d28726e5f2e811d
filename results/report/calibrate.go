package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/montanaflynn/stats"

	"tcpvsudp/results"
)

// How many tables are simulated to find the noise floor, and to see whether verdicts are false.
const (
	floorTables = 400
	checkTables = 100
)

// NoiseFloor is by how much a transport differs from itself, by the run s, whose pairs are of the same transport. For each
// metric, series as long as the run's are drawn from the pairs, with replacement and either trial as the first; of the ratios that they show, 95 % are
// nearer to 1 than the floor. With the same seed the floor is the same to the last digit.
func NoiseFloor(s *results.Set, seed uint64) *results.NoiseFloor {
	n := &results.NoiseFloor{Run: s.Run.ID, Made: s.Run.Started, Client: s.Run.Client, Server: s.Run.Server}
	type key struct {
		workload, link, metric string
	}
	largest := map[key]float64{}
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, group := range sameGroups(s) {
		seen := map[key]map[results.Cell][]float64{}
		for range floorTables {
			for _, row := range Summarize(group.draw(rng, nil)) {
				ratio, known := row.Ratio.Get()
				if !known || row.Over != overTrials {
					continue
				}
				k := key{row.Workload, row.Link, row.Metric}
				if seen[k] == nil {
					seen[k] = map[results.Cell][]float64{}
				}
				seen[k][row.Cell] = append(seen[k][row.Cell], math.Abs(math.Log(ratio)))
			}
		}
		for k, byCell := range seen {
			for _, sample := range byCell {
				if p95, err := stats.Percentile(sample, 95); err == nil {
					largest[k] = max(largest[k], math.Expm1(p95))
				}
			}
		}
	}
	for _, t := range s.Trials {
		n.DurationMs, n.Wait = t.DurationMs, t.WaitAsked
	}
	for _, group := range sameGroups(s) {
		for _, pairs := range group.pairs {
			n.Pairs = max(n.Pairs, len(pairs))
		}
	}
	rank := func(name string) int {
		return slices.IndexFunc(metrics, func(m metric) bool { return m.name == name })
	}
	for _, k := range slices.SortedFunc(maps.Keys(largest), func(a, b key) int {
		return cmp.Or(cmp.Compare(slices.Index(all, a.workload), slices.Index(all, b.workload)), cmp.Compare(a.link, b.link), cmp.Compare(rank(a.metric), rank(b.metric)))
	}) {
		n.Floors = append(n.Floors, results.Floor{Workload: k.workload, Link: k.link, Metric: k.metric, Ratio: largest[k]})
	}
	return n
}

// FalseVerdicts draws tables from the pairs of s in the same way, and returns how many of them name a difference where there is none.
func FalseVerdicts(s *results.Set, n *results.NoiseFloor, seed uint64) (wrong, tables int) {
	rng := rand.New(rand.NewPCG(seed, 2))
	for _, group := range sameGroups(s) {
		for range checkTables {
			tables++
			if slices.ContainsFunc(Summarize(group.draw(rng, n)), func(r results.Summary) bool { return r.Winner != "" }) {
				wrong++
			}
		}
	}
	return wrong, tables
}

// sameGroup is what one table is drawn from: the pairs of one transport, by cell.
type sameGroup struct {
	pairs [][][2]results.Trial
}

// sameGroups are those of every transport and table.
func sameGroups(s *results.Set) (groups []sameGroup) {
	for _, proto := range protos(s) {
		for _, name := range all {
			var g sameGroup
			for _, cell := range cells(s) {
				if tableFor(cell.Workload) != name {
					continue
				}
				if pairs := pairsOf(side(s, cell, proto).trials); len(pairs) > 0 {
					g.pairs = append(g.pairs, pairs)
				}
			}
			if len(g.pairs) > 0 {
				groups = append(groups, g)
			}
		}
	}
	return groups
}

// pairsOf are the trials that ran next to each other, two of each.
func pairsOf(trials []results.Trial) (pairs [][2]results.Trial) {
	first := map[int]results.Trial{}
	for _, t := range trials {
		if other, found := first[t.Pair]; found {
			pairs = append(pairs, [2]results.Trial{other, t})
		}
		first[t.Pair] = t
	}
	return pairs
}

// draw makes a run of two transports that are the same one.
func (g sameGroup) draw(rng *rand.Rand, n *results.NoiseFloor) *results.Set {
	s := &results.Set{Run: results.Run{NoiseFloor: n}}
	number := 0
	for _, pairs := range g.pairs {
		for range pairs {
			number++
			pair := pairs[rng.IntN(len(pairs))]
			first := rng.IntN(2)
			for i, proto := range transports {
				t := pair[(first+i)%2]
				t.Proto, t.Pair = proto, number
				s.Trials = append(s.Trials, t)
			}
		}
	}
	return s
}

// Calibration is what bench calibrate tells.
type Calibration struct {
	Run         string          `json:"run"`
	File        string          `json:"file"`
	Floors      []results.Floor `json:"floors"`
	Pairs       int             `json:"pairs"`
	Tables      int             `json:"simulated_tables"`
	FalseTables int             `json:"tables_with_a_false_verdict"`
}

// Write prints the calibration in format f.
func (c Calibration) Write(w io.Writer, f Format) error {
	return document[results.Floor]{rows: c.Floors, json: c, text: c.writeText}.write(w, f)
}

func (c Calibration) writeText(w *bytes.Buffer, markdown bool) error {
	t := Table{Title: "Noise floor: by how much a transport differs from itself", Header: []string{"workload", "metric", "noise floor, %"}, Text: 2}
	for _, floor := range c.Floors {
		workload := floor.Workload
		if floor.Link != "" {
			workload += ", " + readable(floor.Link)
		}
		t.Rows = append(t.Rows, []string{workload, floor.Metric, short2(100 * floor.Ratio)})
	}
	if err := t.Render(w, markdown); err != nil {
		return err
	}
	fmt.Fprintln(w)
	writeParagraph(w, "Of series as long as these, drawn from their pairs, 95 % differ by less. A verdict needs this much, and 2 % at least.", markdown)
	if c.Pairs < enoughTrials {
		writeParagraph(w, fmt.Sprintf("Only %s: such a floor is that of a few trials. Use --trials %d or more.", Count(c.Pairs, "pair"), enoughTrials), markdown)
	}
	writeParagraph(w, fmt.Sprintf("%d of %d simulated tables of a transport against itself name a difference, which there is none of (5 %% are to be borne).", c.FalseTables, c.Tables), markdown)
	return nil
}

package bench

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"tcpvsudp/results"
)

// A path says what comes of n messages that are offered at a load for so long.
type path func(load float64, length time.Duration, n uint64) (received uint64, arrivals time.Duration)

// seek searches with first measurements of 250 ms, on a path and for a sender who manages full messages/s at most.
func seek(t *testing.T, goal, full float64, p path) (*search, found) {
	t.Helper()
	s := newSearch(goal, 250*time.Millisecond, math.Inf(1))
	for {
		load, length, more := s.next()
		if !more {
			return s, s.result()
		}
		if n := len(s.steps); n > mostSteps {
			t.Fatalf("no end after %d steps", n)
		}
		if load <= 0 || load > full && load != unpaced || length < 250*time.Millisecond || length > time.Second {
			t.Fatalf("a measurement at %v for %v", load, length)
		}
		intended := uint64(min(load, 1e12) * length.Seconds())
		sent := min(uint64(full*length.Seconds()), intended)
		f := finding{sent: sent, sends: length, offered: float64(sent) / length.Seconds()}
		if load != unpaced {
			f.unsent = intended - sent
		}
		f.unique, f.arrivals = p(float64(sent)/length.Seconds(), length, sent)
		f.received = float64(f.unique) / f.arrivals.Seconds()
		s.add(load, length, f)
	}
}

// mostSteps is more than any search takes: in each of three phases a few strides that double, bisections from there, and up to three
// measurements of a load.
const mostSteps = 80

// carries is a path that carries so many messages/s, and drops the rest.
func carries(limit float64) path {
	return func(load float64, length time.Duration, n uint64) (uint64, time.Duration) {
		return min(n, uint64(math.Ceil(limit*length.Seconds()))), length
	}
}

// drops is p with another share lost at random.
func drops(p path, share float64, rng *rand.Rand) path {
	return func(load float64, length time.Duration, n uint64) (uint64, time.Duration) {
		received, arrivals := p(load, length, n)
		mean := float64(received) * share
		lost := uint64(0)
		if mean < 50 { // by Poisson's distribution
			for sum := rng.ExpFloat64(); sum < mean; sum += rng.ExpFloat64() {
				lost++
			}
		} else {
			lost = uint64(max(mean+math.Sqrt(mean)*rng.NormFloat64(), 0))
		}
		return received - min(lost, received), arrivals
	}
}

func wantRate(t *testing.T, s *search, f found, least, most float64) {
	t.Helper()
	if f.end != results.Bounded || f.lower < least || f.lower > most || f.upper > f.lower*(1+finalWidth) || f.upper <= f.lower {
		t.Errorf("%+v after %d steps, want from %v to %v", f, len(s.steps), least, most)
	}
	if got := s.steps[f.of]; got.load != f.lower || !got.met || got.length != time.Second {
		t.Errorf("step %d stands for the result: %+v", f.of, got)
	}
}

func TestSearchFindsAStep(t *testing.T) {
	for _, goal := range []float64{0, 0.001, 0.05} {
		for _, limit := range []float64{100, 446, 1785, 123_456, 5e6} {
			for _, full := range []float64{limit * 1.02, limit * 1.5, limit * 40} {
				if limit > full*(1-goal) {
					continue // then full load meets the goal
				}
				s, f := seek(t, goal, full, carries(limit))
				// With a goal, so much more may be offered.
				wantRate(t, s, f, limit*0.989, limit/(1-goal)*1.01)
				if len(s.steps) > 30 {
					t.Errorf("%v/s of %v/s: %d steps", limit, full, len(s.steps))
				}
			}
		}
	}
}

// A loss now and then that has nothing to do with the load, in one of ten measurements, changes little.
func TestSearchBearsSporadicLoss(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		good := carries(50_000)
		s, f := seek(t, 0.001*float64(seed%2), 200_000, func(load float64, length time.Duration, n uint64) (uint64, time.Duration) {
			received, arrivals := good(load, length, n)
			if rng.IntN(10) == 0 {
				received -= received / 50
			}
			return received, arrivals
		})
		if f.end != results.Bounded || f.lower < 50_000*0.95 || f.lower > 50_000*1.011 {
			t.Errorf("seed %d: %+v after %d steps", seed, f, len(s.steps))
		}
	}
}

// Where the path loses more than the goal at any load, there is no rate.
func TestSearchFindsNoRate(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		for _, goal := range []float64{0, 0.001} {
			if s, f := seek(t, goal, 200_000, drops(carries(50_000), 0.01, rng)); f.end != results.MinLoad || f.lower != 0 || s.steps[f.of].met {
				t.Errorf("seed %d, goal %v: %+v after %d steps", seed, goal, f, len(s.steps))
			}
		}
	}
	s, f := seek(t, 0, 1000, carries(0))
	if f.end != results.MinLoad || f.lower != 0 || f.upper != 0 || len(s.steps) > 3 {
		t.Errorf("nothing arrives: %+v after %d steps", f, len(s.steps))
	}
}

// What loses less than the goal at full load has the sender's rate.
func TestSearchHitsFullLoad(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for name, test := range map[string]struct {
		goal float64
		path path
	}{
		"nothing is lost":         {0, carries(1e9)},
		"less is lost than may":   {0.001, drops(carries(1e9), 0.0001, rng)},
		"a queue grows, unlosing": {0, func(_ float64, length time.Duration, n uint64) (uint64, time.Duration) { return n, 2 * length }},
	} {
		s, f := seek(t, test.goal, 300_000, test.path)
		if got := s.steps[f.of]; f.end != results.MaxLoad || f.lower != unpaced || f.upper != 0 || !got.met || got.length != time.Second {
			t.Errorf("%s: %+v after %d steps, step %+v", name, f, len(s.steps), got)
		}
		if cost := shortestSearch; len(s.steps) != cost.steps {
			t.Errorf("%s: %d steps, and the estimate takes %d", name, len(s.steps), cost.steps)
		}
	}
}

// A sender who keeps fewer messages to their times than it sends without a pace is what limits a load, not the path.
func TestSearchEndsAtTheSendersOwnRate(t *testing.T) {
	s := newSearch(0, 250*time.Millisecond, math.Inf(1))
	for {
		load, length, more := s.next()
		if !more {
			break
		}
		n := uint64(min(load, 100_000) * length.Seconds())
		f := finding{sent: n, unique: n, sends: length, arrivals: length, offered: min(load, 100_000), received: min(load, 100_000)}
		switch {
		case load == unpaced: // outruns the receiver
			f.unique -= n / 5
			f.received *= 0.8
		case load > 90_000:
			f.sent = uint64(90_000 * length.Seconds())
			f.unique, f.unsent, f.offered, f.received = f.sent, n-f.sent, 90_000, 90_000
		}
		s.add(load, length, f)
	}
	if f := s.result(); f.end != results.MaxLoad || f.lower < 89_000 || f.lower > 90_000 || f.upper != 0 {
		t.Errorf("%+v", f)
	}
}

// Whoever had no time when the search began is not held to what it did then.
func TestSearchIsNotBoundByItsFirstMeasurement(t *testing.T) {
	first := true
	s := newSearch(0, 250*time.Millisecond, math.Inf(1))
	for {
		load, length, more := s.next()
		if !more {
			break
		}
		offered := min(load, 100_000)
		if first {
			offered, first = 20_000, false
		}
		received := min(offered, 60_000)
		s.add(load, length, finding{
			sent: uint64(offered * length.Seconds()), unique: uint64(received * length.Seconds()),
			sends: length, arrivals: length, offered: offered, received: received,
		})
	}
	wantRate(t, s, s.result(), 59_400, 60_000)
}

// A queue with room for what a measurement sends too much loses nothing, and is no capacity: the load is told to be too much by
// the time that the arrivals take.
func TestSearchSeesAQueue(t *testing.T) {
	const limit, room = 10_000.0, 400.0
	s, f := seek(t, 0, 80_000, func(load float64, length time.Duration, n uint64) (uint64, time.Duration) {
		received := min(n, uint64(limit*length.Seconds()+room))
		return received, max(length, time.Duration(float64(received)/limit*1e9))
	})
	if f.end != results.Bounded || f.lower < limit*0.99 || f.lower > limit*1.025 {
		t.Errorf("%+v after %d steps", f, len(s.steps))
	}
	if got := s.steps[f.of].received; got < limit*0.99 || got > limit*1.001 {
		t.Errorf("%v/s were received, and the path carries %v", got, limit)
	}
}

// A path that is worse at some lower load (RFC 9971, Loss Inversion): the bounds are the smallest upper one that was met, and a lower
// one right below it.
func TestSearchBearsLossInversion(t *testing.T) {
	s, f := seek(t, 0, 200_000, func(load float64, length time.Duration, n uint64) (uint64, time.Duration) {
		if load > 40_000 && load < 70_000 || load > 90_000 {
			return n - n/10, length
		}
		return n, length
	})
	if f.end != results.Bounded || f.upper > f.lower*(1+finalWidth) || !(f.lower > 39_000 && f.lower <= 40_000 || f.lower > 89_000 && f.lower <= 90_000) {
		t.Errorf("%+v after %d steps", f, len(s.steps))
	}
}

// Whatever is answered, a search ends.
func TestSearchEnds(t *testing.T) {
	longest := 0
	for seed := range uint64(5000) {
		rng := rand.New(rand.NewPCG(seed, 4))
		lossy := rng.Float64()
		s, f := seek(t, 0.001, math.Pow(10, 1+6*rng.Float64()), func(load float64, length time.Duration, n uint64) (uint64, time.Duration) {
			received := n
			if rng.Float64() < lossy {
				received = uint64(float64(n) * rng.Float64())
			}
			return received, time.Duration(float64(length) * (0.5 + rng.Float64()))
		})
		longest = max(longest, len(s.steps))
		switch {
		case f.of < 0 || f.of >= len(s.steps):
			t.Fatalf("seed %d: %+v of %d steps", seed, f, len(s.steps))
		case f.end == results.Bounded && f.upper > f.lower*(1+finalWidth):
			t.Fatalf("seed %d: %+v", seed, f)
		}
	}
	t.Logf("the longest search took %d steps", longest)
}

// The examples of how sums of lengths make a bound: two good ones of full length do, or two bad ones.
func TestLoadIsClassifiedBySums(t *testing.T) {
	const s, q = time.Second, time.Second / 4
	for _, test := range []struct {
		good, bad []time.Duration
		want      class
	}{
		{nil, nil, undecided},
		{[]time.Duration{s}, nil, undecided},
		{[]time.Duration{s, s}, nil, lowerBound},
		{nil, []time.Duration{s, s}, upperBound},
		{[]time.Duration{s}, []time.Duration{s}, undecided},
		{[]time.Duration{s, s}, []time.Duration{s}, lowerBound},
		{[]time.Duration{s}, []time.Duration{s, s}, upperBound},
		{[]time.Duration{q, q, q, q, q, q, q, q}, nil, undecided}, // short ones make no lower bound
		{[]time.Duration{s}, []time.Duration{q, s}, undecided},
		{[]time.Duration{q}, []time.Duration{q, q, s, q}, undecided},
		{nil, []time.Duration{q, q, s, q}, upperBound},
	} {
		search := newSearch(0, q, math.Inf(1))
		search.now = 2
		for _, d := range test.good {
			search.steps = append(search.steps, step{load: 7, length: d, met: true})
		}
		for _, d := range test.bad {
			search.steps = append(search.steps, step{load: 7, length: d})
		}
		if got := search.class(7); got != test.want {
			t.Errorf("good %v, bad %v: class %v, want %v", test.good, test.bad, got, test.want)
		}
	}
}

// No load is above what a server allows.
func TestSearchKeepsToALimit(t *testing.T) {
	s := newSearch(0, 250*time.Millisecond, 1000)
	for {
		load, length, more := s.next()
		if !more {
			break
		}
		if load != unpaced && load > 1000 {
			t.Fatalf("a load of %v", load)
		}
		n := uint64(min(load, 1003) * length.Seconds())
		s.add(load, length, finding{sent: n, unique: n - n/100, sends: length, arrivals: length, offered: min(load, 1003), received: 1001})
		if len(s.steps) > mostSteps {
			t.Fatal("no end")
		}
	}
}

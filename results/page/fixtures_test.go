package page

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"tcpvsudp/internal/host"
	"tcpvsudp/results"
)

var known = results.Known

// began is when all runs of the tests did.
var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// newSet is a run that has no trials yet.
func newSet() *results.Set {
	facts := host.Facts{Name: "here", OS: "linux", Kernel: "6.1", Cores: 2, Go: "go1.26"}
	return &results.Set{Run: results.Run{
		Schema: results.Schema, ID: "20260102-030405", Status: results.Finished, Started: began,
		Plan: json.RawMessage(`{"protos":["tcp","udp"],"trials":10}`), Client: facts, Server: facts,
	}}
}

// add adds a trial of a cell: messages of which every one takes around so many microseconds, and a few much longer.
func add(s *results.Set, c results.Cell, proto string, pair, messages int, us float64) *results.Trial {
	t := results.Trial{Schema: results.Schema, Number: len(s.Trials) + 1, Pair: pair, Proto: proto, Cell: c, WaitAsked: "block", Wait: "block",
		Started: began.Add(time.Duration(len(s.Trials)) * 300 * time.Millisecond), WarmupMs: 50, DurationMs: 250, Attempts: 1}
	t.Sent, t.Unique, t.Received = uint64(messages), uint64(messages), uint64(messages)
	t.CPUPerMessageUs = known(us * (1 + 0.01*float64(pair)))
	t.CongestionControl, t.ClientPath = "cubic", "own"
	h := results.NewHistogram()
	for i := range messages {
		spread := 1 + 0.3*math.Sin(float64(i*7+pair)) + 0.001/(1.0001-float64(i)/float64(messages))
		h.Record(int64(us * 1000 * spread))
	}
	row := results.Bucket{Schema: results.Schema, Trial: t.Number, Proto: proto, Cell: c}
	switch c.Workload {
	case "latency", "paced":
		t.RTT, row.Metric = h.Latency(), "rtt"
	case "connect":
		t.Connect, row.Metric = h.Latency(), "connect"
	default:
		t.GoodputBps = known(1e9 / us * (1 + 0.01*float64(pair)))
	}
	if row.Metric != "" {
		s.Buckets = append(s.Buckets, h.Buckets(row)...)
	}
	for i := range 10 {
		s.Intervals = append(s.Intervals, results.Interval{Schema: results.Schema, Trial: t.Number, Proto: proto, Cell: c,
			StartMs: float64(25 * i), LengthMs: 25, Messages: uint64(messages / 10), GoodputBps: 1e9 / us * (1 + 0.05*math.Sin(float64(i+pair)))})
	}
	s.Trials = append(s.Trials, t)
	s.Run.Planned, s.Run.Kept = len(s.Trials), len(s.Trials)
	return &s.Trials[len(s.Trials)-1]
}

// full has every workload, so many pairs of each: UDP answers faster, TCP moves more, and UDP loses, repeats and reorders some.
func full(pairs, messages int) *results.Set {
	s := newSet()
	pair := 0
	for range pairs {
		for _, c := range []results.Cell{
			{Workload: "latency", SizeBytes: 64, Flows: 1, Direction: "echo", Batch: "1"},
			{Workload: "paced", SizeBytes: 64, Flows: 1, Direction: "echo", Batch: "1", RateAsked: known(2000)},
			{Workload: "throughput", SizeBytes: 64, Flows: 1, Direction: "up", Batch: "1"},
			{Workload: "throughput", SizeBytes: 1400, Flows: 1, Direction: "up", Batch: "auto"},
			{Workload: "connect", SizeBytes: 64, Flows: 1, Direction: "echo", Batch: "1"},
		} {
			pair++
			base := 50 + float64(c.SizeBytes)/100 + float64(pair%7)
			tcp, udp := base, base*0.8
			if c.Workload == "throughput" {
				udp = base * 3
			}
			add(s, c, "tcp", pair, messages, tcp)
			u := add(s, c, "udp", pair, messages, udp)
			if c.Batch == "auto" {
				u.Lost, u.Unique = uint64(pair%3), uint64(messages)-uint64(pair%3)
				u.Reordered, u.Duplicated = uint64(pair%2), uint64(pair%4/3)
			}
		}
	}
	return s
}

// sweep crosses links of two delays and three losses; messages have a deadline.
func sweep() *results.Set {
	s := newSet()
	for pair := range 10 {
		for _, link := range []string{"delay=20ms;loss=0", "delay=20ms;loss=1%", "delay=20ms;loss=5%", "delay=100ms;loss=0", "delay=100ms;loss=1%", "delay=100ms;loss=5%"} {
			c := results.Cell{Workload: "paced", SizeBytes: 200, Flows: 1, Direction: "echo", Batch: "1", Link: link, RateAsked: known(500)}
			loss := map[byte]float64{'0': 0, '1': 10, '5': 50}[link[slices.Index([]byte(link), ';')+6]]
			for _, proto := range []string{"tcp", "udp"} {
				t := add(s, c, proto, len(s.Trials)/2+1, 1000, 40_000)
				t.DeadlineMs, t.Judged, t.Missed = known(100), known(1000), known(loss)
				if proto == "tcp" {
					t.Missed = known(3*loss + float64(pair%2))
				} else {
					t.Lost, t.Unique, t.LostRequests, t.LostReplies = uint64(loss), 1000-uint64(loss), known(loss), known(0)
				}
				missed, _ := t.Missed.Get()
				t.MissRatio = known(missed / 1000)
			}
		}
	}
	return s
}

// allLost is a run in which nothing came back.
func allLost() *results.Set {
	s := full(2, 100)
	s.Buckets, s.Intervals = nil, nil
	for i := range s.Trials {
		t := &s.Trials[i]
		t.RTT, t.Connect, t.GoodputBps, t.CPUPerMessageUs = results.Latency{}, results.Latency{}, results.Value{}, results.Value{}
		t.Lost, t.Unique, t.Received, t.Reordered, t.Duplicated = t.Sent, 0, 0, 0, 0
	}
	return s
}

// hostile has whatever a host, a link or a plan may be called by someone who means ill.
func hostile() *results.Set {
	s := sweep()
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>' javascript:{{.}}` + "\x00\x1b]\u2028</svg></style></title>"
	s.Run.ID, s.Run.Client.Name, s.Run.Server.Name, s.Run.Client.CPU, s.Run.Error = evil, evil, evil+"2", evil, evil
	text, err := json.Marshal(map[string]string{"links": evil, evil: "x"})
	if err != nil {
		panic(err)
	}
	s.Run.Plan = text
	s.Run.Status = results.Failed
	for i := range s.Trials {
		s.Trials[i].CongestionControl, s.Trials[i].ClientPath, s.Trials[i].CongestionAsked = evil, evil, evil
		s.Trials[i].Link += ";name=" + evil
		if i > 40 {
			s.Trials[i].Link += "2;delay=" + evil + ";loss=" + evil
		}
	}
	for i := range s.Buckets {
		s.Buckets[i].Cell = s.Trials[s.Buckets[i].Trial-1].Cell
	}
	for i := range s.Intervals {
		s.Intervals[i].Cell = s.Trials[s.Intervals[i].Trial-1].Cell
	}
	return s
}

// keep leaves a run those of its trials, with all that belongs to them.
func keep(s *results.Set, wanted func(results.Trial) bool) {
	kept := map[int]bool{}
	for _, t := range s.Trials {
		kept[t.Number] = wanted(t)
	}
	s.Trials = slices.DeleteFunc(s.Trials, func(t results.Trial) bool { return !kept[t.Number] })
	s.Buckets = slices.DeleteFunc(s.Buckets, func(b results.Bucket) bool { return !kept[b.Trial] })
	s.Intervals = slices.DeleteFunc(s.Intervals, func(i results.Interval) bool { return !kept[i.Trial] })
	s.Run.Kept = len(s.Trials)
}

// runs are all kinds of runs that there may be.
func runs() map[string]*results.Set {
	one := full(1, 500)
	keep(one, func(t results.Trial) bool { return t.Number == 1 })
	one.Run.Planned = 1
	alone := full(7, 500)
	keep(alone, func(t results.Trial) bool { return t.Proto == "udp" })
	alone.Run.Planned = alone.Run.Kept
	interrupted := full(2, 500)
	keep(interrupted, func(t results.Trial) bool { return t.Number <= 3 })
	interrupted.Run.Status = results.Interrupted
	same := full(6, 500)
	same.Run.SameTwice = true
	empty := newSet()
	empty.Run.Status, empty.Run.Planned = results.Running, 3
	return map[string]*results.Set{
		"full": full(10, 2000), "one-trial": one, "udp-alone": alone, "all-lost": allLost(), "sweep": sweep(), "interrupted": interrupted,
		"same-twice": same, "empty": empty, "hostile": hostile(),
	}
}

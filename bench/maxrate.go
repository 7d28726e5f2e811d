package bench

import (
	"context"
	"math"
	"time"

	"tcpvsudp/internal/clock"
	"tcpvsudp/results"
)

// search carries out the search s, whose measurements are trials with sessions of their own. It begins with the sender as fast as it goes.
func (m measurer) search(ctx context.Context, s scheduled, number int) (results.Record, error) {
	m.tell(0)
	begin := clock.Now()
	most := math.Inf(1)
	if m.Limits.RateBps > 0 {
		most = m.Limits.RateBps / float64(8*s.size)
	}
	search := newSearch(s.goal, m.Plan.Duration, most)
	var steps []results.Step
	var records []results.Record
	repeats := 0
	for {
		load, length, more := search.next()
		if !more {
			break
		}
		one, at := m, s
		one.Plan.Duration = length
		at.step = len(steps) + 1
		if load != unpaced {
			one.Plan.Rate = load
			at.workload.run, at.workload.paced, at.workload.unpaced = runLoad, true, false
		}
		t, attempts, err := one.measure(ctx, at)
		if err != nil {
			return results.Record{}, err
		}
		repeats += attempts - 1
		record, o := t.records(number), t.finding()
		met := search.add(load, length, o)
		records = append(records, record)
		steps = append(steps, results.Step{
			Trial: number, Proto: record.Trial.Proto, Cell: record.Trial.Cell,
			Step:         at.step,
			Load:         results.Known(load), // an infinite one is none
			DurationMs:   milliseconds(length),
			Sent:         o.sent,
			Unsent:       o.unsent,
			Received:     record.Trial.Received,
			Lost:         record.Trial.Lost,
			LossRatio:    results.Known(o.lossRatio()),
			ReceivedPerS: record.Trial.MessagesPerS,
			SpanRatio:    results.Ratio(float64(o.arrivals), float64(o.sends)),
			Met:          met,
		})
	}
	f := search.result()
	record := records[f.of]
	row := &record.Trial
	row.Started, row.Attempts = records[0].Trial.Started, 1+repeats
	row.MaxRate = results.MaxRate{
		End:     f.end,
		Steps:   results.Known(float64(len(steps))),
		Seconds: results.Known(float64(clock.Now()-begin) / 1e9),
	}
	if f.lower > 0 {
		row.MaxRate.Bps, row.MaxRate.MessagesPerS = row.GoodputBps, row.MessagesPerS
		row.MaxRate.Lower = results.Known(f.lower)
	}
	if f.upper > 0 {
		row.MaxRate.Upper = results.Known(f.upper)
	}
	record.Steps = steps
	return record, nil
}

// finding is what the trial found as a measurement of a search.
func (t *trial) finding() finding {
	o := finding{unsent: t.unsent, unique: t.server.Unique, arrivals: time.Duration(t.server.LastNs - t.server.FirstNs)}
	sends := t.sends()
	o.sent, o.sends = sends.Sent, time.Duration(sends.EndNs-sends.BeginNs)
	perSecond := func(bps results.Value) float64 {
		v, _ := bps.Get()
		return v / float64(8*t.size)
	}
	o.offered = perSecond(t.offered(sends))
	o.received = perSecond(t.goodput(t.server))
	return o
}

// runLoad sends at the plan's rate, one way. What counts is what the server received.
func runLoad(t *trial) error {
	heard := make([]answer, len(t.workers))
	for i, w := range t.workers {
		heard[i] = w.expect(Done)
		w.sendUntil(t.stop + int64(sendPatience))
	}
	// A sender that was held up for a moment at the end has not failed: what it is late then shows in the spans.
	late := t.plan.Duration/100 + time.Millisecond
	t.fail(t.sendPaced(false, t.stop+int64(late), (*worker).pushDue))
	end := clock.Now()
	return t.each(func(w *worker) error {
		w.sendEnd = end
		if w.flow.Granted().Path == PathOwn {
			w.cpus = t.sender
		}
		if t.failed.Load() {
			_, _ = w.dismiss(heard[w.id])
			return nil
		}
		_, err := w.say(Done, heard[w.id], doneTries, doneInterval)
		return err
	})
}

// pushDue sends a whole block. It is due when the first of its messages is, so that no burst is longer than a block.
func (w *worker) pushDue(due int64) (messages int, err error) {
	if w.sent == 0 {
		w.sendBegin = clock.Now()
	}
	return w.batch, w.sendBlock(due)
}

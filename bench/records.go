package bench

import (
	"time"

	"tcpvsudp/results"
)

// records turns what a finished trial counted into its rows.
func (t *trial) records(number int) results.Record {
	client, latency := t.client()
	received := client // of an echo, all that counts is what came back
	if t.spec.Mode != Echo {
		received.Add(t.server) // one way each flow has one receiver
	}
	row := results.Trial{
		Number:      number,
		Pair:        t.pair,
		Proto:       t.transport.Name(),
		Cell:        t.cellRecord(t.plan),
		WaitAsked:   t.plan.Wait.String(),
		Wait:        t.waited(client).String(),
		Started:     t.began,
		WarmupMs:    milliseconds(t.plan.Warmup),
		DurationMs:  milliseconds(t.plan.Duration),
		DrainedMs:   milliseconds(t.drained),
		Loss:        t.loss(received, client),
		Order:       order(received.Counts),
		Throughput:  t.throughput(client),
		Cost:        t.cost(received, client),
		LinkAccount: t.link,
		Deadlines:   t.deadlines(),

		Retransmissions: results.Retransmissions{Client: client.Path.retransmitted(), Server: t.server.Path.retransmitted()},
		ClientPathRTT:   client.Path.roundTrip(),
		ServerPathRTT:   t.server.Path.roundTrip(),
		Noise:           t.noise(client),
		Granted:         granted(client.Granted, t.server.Granted),
		Asked: results.Asked{
			Offload: offloadAsked(t.plan.NoOffload), Portable: t.plan.Portable, Pin: string(t.plan.Pin), Stamp: stampAsked(t.plan.StampEach),
		},
	}
	for _, w := range t.workers {
		row.TmaxMs = max(row.TmaxMs, milliseconds(w.tmax()))
	}

	bucket := results.Bucket{Trial: number, Proto: row.Proto, Cell: row.Cell}
	var buckets []results.Bucket
	keep := func(h *results.Histogram, metric string, into *results.Latency) {
		if h == nil {
			return
		}
		*into = h.Latency()
		bucket.Metric = metric
		buckets = append(buckets, h.Buckets(bucket)...)
	}
	if t.workload.opensFlows {
		keep(latency, "connect", &row.Connect)
	} else {
		keep(latency, "rtt", &row.RTT)
	}
	keep(t.lag, "send_lag", &row.SendLag)
	up, down := t.oneWay()
	keep(up, "owd_up", &row.OneWayUp)
	keep(down, "owd_down", &row.OneWayDown)
	row.VariationUp, row.VariationDown = t.variations()
	if t.clocks.known() {
		row.ClockOffsetUs = results.Known(float64(t.clocks.offset(t.clocks.after.at)) / 1000)
		row.ClockErrorUs = results.Known(float64(t.clocks.bound()) / 1000)
	}
	return results.Record{Trial: row, Buckets: buckets, Intervals: t.intervals(number, received.Series)}
}

// client sums the workers' accounts.
func (t *trial) client() (sum Account, latency *results.Histogram) {
	if t.spec.Mode == Echo {
		latency = results.NewHistogram()
	}
	for _, w := range t.workers {
		one := w.tally.account(w.expected())
		one.Traffic, one.Granted, one.Path, one.BufferFull = w.traffic, w.granted, w.path, w.full
		sum.Add(one)
		if latency != nil {
			latency.Merge(w.latency)
		}
	}
	sum.BufferFull = sum.BufferFull.without(t.faulty)
	return sum, latency
}

// waited is the way in which those who receive what is measured waited: of two, spin only if both did.
func (t *trial) waited(client Account) Wait {
	switch t.spec.Mode {
	case Sink:
		return t.server.Granted.Wait
	case Source:
		return client.Granted.Wait
	}
	return min(client.Granted.Wait, t.server.Granted.Wait)
}

func (s scheduled) cellRecord(p Plan) results.Cell {
	c := results.Cell{
		Workload: s.workload.name, SizeBytes: s.size, Flows: s.flows, Direction: s.direction,
		Batch: s.batchName(), CongestionAsked: s.congestion, Link: s.cell.link,
	}
	if s.workload.rated() {
		c.RateAsked = results.Known(p.Rate)
	}
	if s.workload.searches {
		c.LossGoal = results.Known(s.goal)
	}
	return c
}

func (t *trial) loss(received, client Account) results.Loss {
	c := received.Counts
	l := results.Loss{
		Sent:             c.Sent,
		Received:         c.Received,
		Unique:           c.Unique,
		Lost:             c.Lost(),
		LossRatio:        ratio(c.Lost(), c.Sent),
		LossPeriods:      c.LossPeriods.LossPeriods,
		LossPeriodMax:    c.LongestLossPeriod,
		LossPeriodMean:   ratio(c.Lost(), c.LossPeriods.LossPeriods),
		LossDistanceMean: ratio(c.InterLossSum, c.InterLosses),
		Duplicated:       c.Duplicated(),
		DuplicationRatio: ratio(c.Duplicated(), c.Unique),
		ReplicatedRatio:  ratio(c.Replicated, c.Unique),
		Truncated:        client.Truncated + t.server.Truncated,
		Malformed:        client.Malformed + t.server.Malformed,
		Foreign:          client.Foreign + t.server.Foreign,
	}
	l.SendErrors = t.server.Source.SendErrors
	for _, w := range t.workers {
		l.TimedOut += w.timedOut
		l.SendErrors += w.sendErrors
	}
	if t.workload.paced {
		l.Unsent = results.Known(float64(t.unsent))
	}
	if t.spec.Mode == Echo {
		// A reply that is missing although its request arrived was lost on the way back.
		requests := t.server.Lost()
		l.LostRequests = results.Known(float64(requests))
		l.LostReplies = results.Known(float64(l.Lost - min(requests, l.Lost)))
	}
	l.WhereLost = t.whereLost(received, client)
	if t.plan.Verify {
		l.Corrupt = results.Known(float64(client.Corrupt + t.server.Corrupt))
	}
	return l
}

func order(c Counts) results.Order {
	o := results.Order{
		Reordered:         c.Reordered,
		ReorderedRatio:    ratio(c.Reordered, c.Unique),
		ExtentUnknown:     c.ExtentUnknown,
		N1Ratio:           ratio(c.NReordered[0], c.Unique),
		N2Ratio:           ratio(c.NReordered[1], c.Unique),
		N3Ratio:           ratio(c.NReordered[2], c.Unique),
		FreeRunMean:       ratio(c.FreeRunMessages, c.FreeRuns),
		GapMean:           ratio(c.DiscontinuityGaps, c.Discontinuities),
		BeyondWindowCount: c.BeyondWindow,
	}
	if known := c.Reordered - c.ExtentUnknown; known > 0 {
		o.ExtentMean = ratio(c.ExtentSum, known)
		o.ExtentMax = results.Known(float64(c.ExtentMax))
		o.LateMeanUs = results.Ratio(float64(c.LateSumNs)/1000, float64(known))
		o.LateMaxUs = results.Known(float64(c.LateMaxNs) / 1000)
	}
	return o
}

// throughput is what the client received, in an echo and from a source, and what the server did as a sink; each by its
// own clock, and both together where messages went both ways.
func (t *trial) throughput(client Account) results.Throughput {
	var r results.Throughput
	size := float64(t.size) * 8
	if t.spec.Mode != Sink {
		r.DownBps = t.goodput(client)
	}
	if t.spec.Mode == Sink || t.spec.Mode == Duplex {
		r.UpBps = t.goodput(t.server)
	}
	r.GoodputBps = sum(r.UpBps, r.DownBps)
	if t.spec.RateBps > 0 && !t.workload.rated() {
		r.RateLimitBps = results.Known(t.spec.RateBps)
	}
	switch {
	case t.workload.opensFlows: // a flow of one message has other packets, and as many
	case t.spec.Mode == Echo:
		r.WireBps = t.server.Path.wire(r.GoodputBps)
	default:
		up, down := client.Path.wire(r.UpBps), t.server.Path.wire(r.DownBps)
		if known(up) == known(r.UpBps) && known(down) == known(r.DownBps) {
			r.WireBps = sum(up, down)
		}
	}
	if bps, known := r.GoodputBps.Get(); known {
		r.MessagesPerS = results.Known(bps / size)
	}
	if t.spec.Mode == Echo {
		r.UpBps, r.DownBps = results.Value{}, results.Value{} // an echo is no throughput of a direction
		return r
	}
	r.OfferedBps = sum(t.offered(t.sends()), t.offered(t.server.Source))
	return r
}

// sends is what the client sent one way.
func (t *trial) sends() (up SourceAccount) {
	for _, w := range t.workers {
		if w.mode == Sink {
			up.Add(SourceAccount{Sent: w.sent, BeginNs: w.sendBegin, EndNs: w.sendEnd})
		}
	}
	return up
}

// offered is what a sender gave to the kernel, in bit/s of its own clock.
func (t *trial) offered(a SourceAccount) results.Value {
	return results.Ratio(float64(a.Sent)*float64(t.size)*8, float64(a.EndNs-a.BeginNs)/1e9)
}

// goodput counts the intervals between arrivals: what came with the first block took none. One way, it is not told where
// the arrivals span less than half of the time for which messages were sent: what a queue lets go of at once is no rate. Where
// nothing arrived it is 0.
func (t *trial) goodput(received Account) results.Value {
	if received.Bytes == 0 && received.Sent > 0 {
		return results.Known(0)
	}
	span := received.LastNs - received.FirstNs
	if t.spec.Mode != Echo && span < int64(t.plan.Duration/2) {
		return results.Value{}
	}
	return results.Ratio(float64(received.Bytes-received.FirstBytes)*8, float64(span)/1e9)
}

func known(v results.Value) bool {
	_, known := v.Get()
	return known
}

// sum adds what is known of a and b.
func sum(a, b results.Value) results.Value {
	x, known := a.Get()
	if !known {
		return b
	}
	y, _ := b.Get()
	return results.Known(x + y)
}

func (t *trial) cost(received, client Account) results.Cost {
	c := results.Cost{}
	for _, w := range t.workers {
		c.MessagesPerBlock = max(c.MessagesPerBlock, w.batch)
	}
	if t.batch > 0 {
		c.MessagesPerBlock = t.batch
	}
	delivered, bytes := float64(received.Unique), float64(received.Bytes)
	if t.cpuFrom.known && t.cpuTo.known {
		c.ClientCPUs = results.Known((t.cpuTo.spent - t.cpuFrom.spent).Seconds())
	}
	if t.server.CPUNs != nil {
		c.ServerCPUs = results.Known(float64(*t.server.CPUNs) / 1e9)
	}
	if t.server.BytesPerFlow != nil {
		c.ServerBytesPerFlow = results.Known(float64(*t.server.BytesPerFlow))
	}
	a, aKnown := c.ClientCPUs.Get()
	b, bKnown := c.ServerCPUs.Get()
	if aKnown && bKnown {
		c.CPUPerMessageUs = results.Ratio((a+b)*1e6, delivered)
		c.CPUPerGigabyteS = results.Ratio(a+b, bytes/1e9)
	}
	c.ClientCPUPerMessageUs = perMessage(c.ClientCPUs, delivered)
	c.ServerCPUPerMessageUs = perMessage(c.ServerCPUs, delivered)
	// The flows' calls include those of the warm-up, and so do the messages.
	var messages float64
	for _, w := range t.workers {
		messages += float64(w.sent + w.warm) // a source does not tell its warm-up's
	}
	c.ClientCallsPerM = results.Ratio(float64(client.SendCalls+client.RecvCalls), messages)
	c.ServerCallsPerM = results.Ratio(float64(t.server.SendCalls+t.server.RecvCalls), messages)
	return c
}

// perMessage is s seconds divided among so many messages, in µs.
func perMessage(s results.Value, messages float64) results.Value {
	seconds, known := s.Get()
	if !known {
		return results.Value{}
	}
	return results.Ratio(seconds*1e6, messages)
}

func offloadAsked(off bool) string {
	if off {
		return "off"
	}
	return "auto"
}

func stampAsked(each bool) string {
	if each {
		return "message"
	}
	return "block"
}

func granted(client, server Granted) results.Granted {
	bytes := func(n int) results.Value {
		if n == 0 {
			return results.Value{}
		}
		return results.Known(float64(n))
	}
	return results.Granted{
		ClientSendBufferAsked: bytes(client.SendBufferAsked),
		ClientSendBuffer:      bytes(client.SendBuffer),
		ClientRecvBufferAsked: bytes(client.RecvBufferAsked),
		ClientRecvBuffer:      bytes(client.RecvBuffer),
		ServerSendBufferAsked: bytes(server.SendBufferAsked),
		ServerSendBuffer:      bytes(server.SendBuffer),
		ServerRecvBufferAsked: bytes(server.RecvBufferAsked),
		ServerRecvBuffer:      bytes(server.RecvBuffer),
		CongestionControl:     client.CongestionControl,
		ServerCongestion:      server.CongestionControl,
		ClientOffload:         string(client.Offload),
		ServerOffload:         string(server.Offload),
		ClientPath:            string(client.Path),
		ServerPath:            string(server.Path),
		ClientPinned:          client.CPUs,
		ServerPinned:          server.CPUs,
	}
}

// intervals turns the receiver's time series into rows, up to the last interval in which something came
// and at least to the end of the measurement.
func (t *trial) intervals(number int, series []SeriesBucket) []results.Interval {
	length := t.interval()
	last := int((t.plan.Duration + length - 1) / length)
	for i, b := range series {
		if b.Messages > 0 {
			last = max(last, i+1)
		}
	}
	var rows []results.Interval
	for i, b := range series[:min(last, len(series))] {
		start, length := time.Duration(i)*length, length
		if start < t.plan.Duration {
			length = min(length, t.plan.Duration-start) // the trial may end inside an interval
		}
		row := results.Interval{
			Trial: number, Proto: t.transport.Name(), Cell: t.cellRecord(t.plan),
			StartMs:    milliseconds(start),
			LengthMs:   milliseconds(length),
			Messages:   b.Messages,
			GoodputBps: float64(b.Messages) * float64(t.size) * 8 / length.Seconds(),
		}
		if t.spec.Mode == Echo && b.Messages > 0 {
			row.LatencyMeanUs = results.Ratio(float64(b.LatencySumNs)/1000, float64(b.Messages))
			row.LatencyMaxUs = results.Known(float64(b.LatencyMaxNs) / 1000)
		}
		rows = append(rows, row)
	}
	return rows
}

func ratio(a, b uint64) results.Value { return results.Ratio(float64(a), float64(b)) }

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

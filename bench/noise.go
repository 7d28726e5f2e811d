package bench

import (
	"time"

	"tcpvsudp/internal/clock"
	"tcpvsudp/internal/host"
	"tcpvsudp/results"
)

// noiseReading is what the host had done at one moment, and what of it was this process.
type noiseReading struct {
	at       int64
	host     host.Activity
	own      cpuReading
	carried  uint64 // by the interface to the server
	nicKnown bool
}

// readNoise reads what the host has done. It reads files of the system, which takes time: nothing may be timed meanwhile.
func (t *trial) readNoise() (r noiseReading) {
	r.at = clock.Now()
	r.host = host.ReadActivity()
	spent, known := host.CPUTime()
	r.own = cpuReading{spent, known}
	if t.nic != "" {
		r.carried, r.nicKnown = host.Carried(t.nic)
	}
	return r
}

// noise is what others did at the host meanwhile. Where it can't be told from what the trial did, it is empty.
func (t *trial) noise(client Account) (n results.Noise) {
	from, to := t.noiseFrom, t.noiseTo
	if from.host.LoadAverageKnown {
		n.LoadAverage = results.Known(from.host.LoadAverage)
	}
	if from.host.DatagramsKnown && to.host.DatagramsKnown {
		n.BufferErrors = results.Known(float64(since(to.host.Datagrams.BufferErrors, from.host.Datagrams.BufferErrors)))
	}
	if from.host.CPUKnown && to.host.CPUKnown {
		all := (to.host.CPU.All - from.host.CPU.All).Seconds()
		n.StealRatio = results.Ratio((to.host.CPU.Stolen - from.host.CPU.Stolen).Seconds(), all)
		if ours, known := t.ownCPU(); known {
			used := to.host.CPU.Processes - from.host.CPU.Processes
			n.OtherCPURatio = results.Ratio(max(used-ours, 0).Seconds(), all)
		}
	}
	if from.nicKnown && to.nicKnown && t.cell.link == "" {
		others := float64(since(to.carried, from.carried)) - t.mostCarried(client)
		n.OtherTrafficBps = results.Ratio(max(others, 0)*8, float64(to.at-from.at)/1e9)
	}
	return n
}

// wholeShare is how many times as long as the measurement the time is that noise is read over: the warm-up is in it.
func (t *trial) wholeShare() float64 {
	return float64(t.plan.Warmup+t.plan.Duration) / float64(t.plan.Duration)
}

// ownCPU is the CPU time of the client from one reading of the noise to the other, and of the server if it is on the same host: what that
// spent on the measurement, in proportion. Across an emulated link there is a forwarder too, whose time is nobody's account.
func (t *trial) ownCPU() (spent time.Duration, known bool) {
	if !t.noiseFrom.own.known || !t.noiseTo.own.known || t.cell.link != "" {
		return 0, false
	}
	spent = t.noiseTo.own.spent - t.noiseFrom.own.spent
	if !t.spec.OneHost {
		return spent, true
	}
	if t.server.CPUNs == nil {
		return 0, false
	}
	return spent + time.Duration(float64(*t.server.CPUNs)*t.wholeShare()), true
}

// mostCarried is more than what the trial can have had the interface carry, in bytes: every message in packets of its own with an
// acknowledgement for each, what was sent again, and a half more. On the loopback interface whatever is sent is received there too.
func (t *trial) mostCarried(client Account) float64 {
	const (
		packet   = 1200    // bytes of a message that a packet takes at least, if they are there
		around   = 250     // bytes of a packet's headers, and of its acknowledgement
		longest  = 1 << 16 // bytes of a segment at most
		control  = 1 << 18 // bytes of control's
		generous = 1.5
	)
	messages := 0.0
	for _, w := range t.workers {
		switch w.mode {
		case Echo:
			messages += 2 * float64(w.sent+w.warm)
		case Sink:
			messages += float64(w.sent + w.warm)
		}
	}
	// What a source sent for the warm-up is not told.
	messages += float64(t.server.Source.Sent) * t.wholeShare() * generous
	each := float64(t.size) + around*(1+float64(t.size)/packet)
	again := float64(client.Path.Retransmitted+t.server.Path.Retransmitted) * min(each, longest)
	bytes := messages*each + again
	if t.workload.opensFlows {
		bytes += messages * 10 * around // to connect and to part
	}
	return generous*2*bytes + control
}

package bench

import (
	"testing"
	"time"

	"tcpvsudp/internal/host"
	"tcpvsudp/results"
)

// noisyTrial had two processors for 10 s: 4 s of their time were used, 1 s stolen. The client used 1.5 s, and the server 0.5 s of the
// measured 8 s, to which 2 s of warm-up come.
func noisyTrial() *trial {
	cpu := int64(500 * time.Millisecond)
	t := &trial{plan: Plan{Warmup: 2 * time.Second, Duration: 8 * time.Second}, spec: Spec{OneHost: true}, server: Account{CPUNs: &cpu}}
	t.cell.size = 1000
	t.noiseFrom = noiseReading{
		at: 5e9, carried: 1e6, nicKnown: true, own: cpuReading{time.Second, true},
		host: host.Activity{
			CPU: host.CPU{All: 100 * time.Second, Processes: 50 * time.Second, Stolen: time.Second}, CPUKnown: true,
			Datagrams: host.DatagramCounts{BufferErrors: 70}, DatagramsKnown: true, LoadAverage: 0.52, LoadAverageKnown: true,
		},
	}
	t.noiseTo = noiseReading{
		at: 15e9, carried: 1e6 + 1e9, nicKnown: true, own: cpuReading{2500 * time.Millisecond, true},
		host: host.Activity{
			CPU: host.CPU{All: 120 * time.Second, Processes: 54 * time.Second, Stolen: 2 * time.Second}, CPUKnown: true,
			Datagrams: host.DatagramCounts{BufferErrors: 75}, DatagramsKnown: true,
		},
	}
	return t
}

func TestNoiseKnownAnswer(t *testing.T) {
	tr := noisyTrial()
	n := tr.noise(Account{})
	for name, check := range map[string][2]results.Value{
		"stolen":        {n.StealRatio, results.Known(1.0 / 20)},
		"others":        {n.OtherCPURatio, results.Known((4 - 1.5 - 0.625) / 20)},
		"load":          {n.LoadAverage, results.Known(0.52)},
		"buffer errors": {n.BufferErrors, results.Known(5)},
		"traffic":       {n.OtherTrafficBps, results.Known((1e9 - 1<<18) * 8 / 10)}, // the trial has sent nothing
	} {
		if check[0] != check[1] {
			t.Errorf("%s: %v, want %v", name, check[0], check[1])
		}
	}
	// A million messages of 1000 B are more than all that was carried.
	tr.workers = []*worker{{mode: Sink, sent: 1_000_000}}
	if got := tr.noise(Account{}).OtherTrafficBps; got != results.Known(0) {
		t.Errorf("the trial's own traffic is told as others': %v", got)
	}
	// Less than nothing, by the error of the clocks, is nothing.
	tr.noiseTo.own.spent += time.Minute
	if got := tr.noise(Account{}).OtherCPURatio; got != results.Known(0) {
		t.Errorf("others %v", got)
	}
}

// What can't be told is empty.
func TestNoiseThatIsNotKnown(t *testing.T) {
	if got := (&trial{plan: Plan{Duration: time.Second}}).noise(Account{}); got != (results.Noise{}) {
		t.Errorf("of a system that tells nothing: %+v", got)
	}
	tr := noisyTrial()
	tr.server.CPUNs = nil // it was not alone there
	if v, known := tr.noise(Account{}).OtherCPURatio.Get(); known {
		t.Errorf("others %v, and the server's share is not known", v)
	}
	tr.spec.OneHost = false
	if got := tr.noise(Account{}).OtherCPURatio; got != results.Known(2.5/20) {
		t.Errorf("others %v beside a client whose server is elsewhere", got)
	}
	tr.cell.link = "lossy"
	n := tr.noise(Account{})
	if _, known := n.OtherCPURatio.Get(); known {
		t.Error("across an emulated link others are told")
	}
	if _, known := n.OtherTrafficBps.Get(); known {
		t.Error("across an emulated link other traffic is told")
	}
}

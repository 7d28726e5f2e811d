package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tcpvsudp/results"
)

// found are the findings of s that contain word.
func found(s *results.Set, word string) (list []string) {
	for _, f := range Findings(s, Summarize(s)) {
		if strings.Contains(f.Text, word) {
			list = append(list, f.String())
		}
	}
	return list
}

// lossy is a run in which TCP had to send again what UDP lost.
func lossy() *results.Set {
	return trialsOf("latency", 10, func(t *results.Trial, proto string, i int) {
		t.RTT.P50Us, t.RTT.P999Us = known(20000), known(20500)
		t.Sent, t.Unique = 10000, 10000
		if proto == "tcp" {
			t.RTT.P999Us = known(212000)
			t.Retransmissions.Client, t.Retransmissions.Server = known(10), known(0)
			return
		}
		t.Lost, t.Unique = 102, 9898
		t.Sender, t.Buffer, t.Network = known(0), known(0), known(102)
	})
}

func TestFindingTail(t *testing.T) {
	want := "TCP's p99.9 in latency of 64 B is 212.0 ms, because 100 segments were sent again; UDP lost 1.02 % instead." +
		" [rtt_p999_us, client_retransmitted_segments, server_retransmitted_segments, loss_ratio]"
	if got := found(lossy(), "sent again"); !slices.Equal(got, []string{want}) {
		t.Errorf("%q", got)
	}
	for name, change := range map[string]func(*results.Trial){
		"nothing was sent again": func(t *results.Trial) { t.Retransmissions.Client = known(0) },
		"too little for so many": func(t *results.Trial) { t.Retransmissions.Client = known(0.5) },
		"it can't be told":       func(t *results.Trial) { t.Retransmissions.Client = results.Value{} },
		"UDP is as slow":         func(t *results.Trial) { t.RTT.P999Us = known(212000) },
		"the tail is short":      func(t *results.Trial) { t.RTT.P999Us = known(40000) },
	} {
		s := lossy()
		for i := range s.Trials {
			if strings.HasPrefix(name, "UDP") || s.Trials[i].Proto == "tcp" {
				change(&s.Trials[i])
			}
		}
		if got := found(s, "sent again"); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	// What UDP lost is told only where it lost something.
	s := lossy()
	for i := range s.Trials {
		s.Trials[i].Lost = 0
	}
	if got := found(s, "sent again"); len(got) != 1 || strings.Contains(got[0], "instead") || strings.Contains(got[0], "loss_ratio") {
		t.Errorf("%q", got)
	}
}

// flooded is a run whose UDP receiver was too slow for its sender.
func flooded(asked, given float64) *results.Set {
	return trialsOf("throughput", 6, func(t *results.Trial, proto string, i int) {
		t.GoodputBps = known(1e9)
		if proto == "udp" {
			t.Lost, t.Unique = 200, 800
			t.Sender, t.Buffer, t.Network = known(0), known(200), known(0)
			t.ServerRecvBufferAsked, t.ServerRecvBuffer = known(asked), known(given)
		}
	})
}

func TestFindingWhereLost(t *testing.T) {
	const columns = " [loss_ratio, lost_buffer_messages, lost_sender_messages, lost_network_messages"
	const at = "All that UDP lost in throughput of 64 B, one by one (20 %) "
	set := func(sender, buffer, network results.Value) *results.Set {
		s := flooded(1, 1)
		for i := range s.Trials {
			if t := &s.Trials[i]; t.Proto == "udp" {
				t.Sender, t.Buffer, t.Network = sender, buffer, network
			}
		}
		return s
	}
	for name, test := range map[string]struct {
		set  *results.Set
		want []string
	}{
		"a buffer that is too small": {flooded(4194304, 212992), []string{at +
			"was lost in the receiver's socket buffer (212,992 B granted of 4,194,304 B asked): raise net.core.rmem_max there." + columns + ", server_recv_buffer_bytes, server_recv_buffer_asked_bytes]"}},
		"a buffer as asked": {flooded(4194304, 8388608), []string{at +
			"was lost in the receiver's socket buffer (8,388,608 B), because it was sent to faster than it read; the network lost none of it." + columns + ", server_recv_buffer_bytes, server_recv_buffer_asked_bytes]"}},
		"the network": {set(known(0), known(0), known(200)), []string{at + "was lost in the network, and none in a socket's buffer." + columns + "]"}},
		"the sender":  {set(known(200), known(0), known(0)), []string{at + "never left: the sender's own queue was full, or there was no way." + columns + "]"}},
		"several":     {set(known(0), known(50), known(150)), []string{"UDP lost in more than one place: throughput of 64 B, one by one (20 %), of which 25 % in the receiver's socket buffer, 0 % in the sender's queue and 75 % in the network." + columns + "]"}},
		"not known":   {set(known(0), results.Value{}, results.Value{}), nil},
	} {
		if got := found(test.set, "UDP lost"); !slices.Equal(got, test.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, test.want)
		}
	}
	nothing := flooded(1, 1)
	for i := range nothing.Trials {
		nothing.Trials[i].Lost = 0
	}
	if got := found(nothing, "lost"); got != nil {
		t.Errorf("%q", got)
	}
}

func TestFindingWakeUps(t *testing.T) {
	make := func(p50, wakeUp float64) *results.Set {
		s := trialsOf("latency", 6, func(t *results.Trial, proto string, i int) { t.RTT.P50Us = known(p50) })
		s.Run.WakeUpUs = known(wakeUp)
		return s
	}
	want := "Round trips are for the most part waking up a sleeping thread, twice 18 µs here. That leaves of TCP's 44 µs (64 B) some 8; and UDP's 44 µs (64 B) some 8: --wait spin shows the transports' own. [rtt_p50_us, wait, run.json: wake_up_us]"
	if got := found(make(44, 18), "waking"); !slices.Equal(got, []string{want}) {
		t.Errorf("%q", got)
	}
	spinning, linked, unknown := make(44, 18), make(44, 18), make(44, 18)
	unknown.Run.WakeUpUs = results.Value{}
	for i := range spinning.Trials {
		spinning.Trials[i].Wait = "spin"
		linked.Trials[i].Link = "delay=1us"
	}
	for name, s := range map[string]*results.Set{"spinning": spinning, "a link": linked, "not measured": unknown, "a small part": make(100, 18), "more than all": make(30, 18)} {
		if got := found(s, "waking"); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestFindingLateSender(t *testing.T) {
	make := func(p50, p99, lag float64) *results.Set {
		return trialsOf("paced", 6, func(t *results.Trial, proto string, i int) {
			t.RTT.P50Us, t.RTT.P99Us, t.SendLag.P99Us = known(50), known(60), known(1)
			if proto == "udp" {
				t.RTT.P50Us, t.RTT.P99Us, t.SendLag.P99Us = known(p50), known(p99), known(lag)
			}
		})
	}
	want := "The paced tail is more than half the sender's own lateness (send lag p99 of RTT p99: UDP of 64 B 900 of 1000 µs): the host, not the transport. [rtt_p99_us, send_lag_p99_us]"
	if got := found(make(50, 1000, 900), "lateness"); !slices.Equal(got, []string{want}) {
		t.Errorf("%q", got)
	}
	for name, s := range map[string]*results.Set{"punctual": make(50, 1000, 10), "no tail": make(50, 60, 55)} {
		if got := found(s, "lateness"); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestFindingBusySender(t *testing.T) {
	make := func(cpu float64) *results.Set {
		return trialsOf("throughput", 6, func(t *results.Trial, proto string, i int) {
			t.GoodputBps, t.DurationMs = known(1e9), 250
			if proto == "tcp" {
				t.ClientCPUs = known(cpu)
			}
		})
	}
	want := "TCP's throughput of 64 B, one by one is limited by the sender's processor, of which it used 95 % or more of one. [client_cpu_s, duration_ms, loss_ratio]"
	if got := found(make(0.245), "limited"); !slices.Equal(got, []string{want}) {
		t.Errorf("%q", got)
	}
	if got := found(make(0.2), "limited"); got != nil {
		t.Errorf("%q", got)
	}
}

func TestBusyHostNotes(t *testing.T) {
	quiet := trialsOf("latency", 6, func(t *results.Trial, proto string, i int) {
		t.Noise = results.Noise{StealRatio: known(0), OtherCPURatio: known(0.02), LoadAverage: known(0.3), OtherTrafficBps: known(0)}
	})
	quiet.Run.Client.Cores = 2
	if got := busyHost(quiet); got != nil {
		t.Errorf("%q", got)
	}
	quiet.Trials[0].LoadAverage = known(3.5)
	quiet.Trials[1].StealRatio = known(0.05)
	quiet.Trials[2].OtherCPURatio, quiet.Trials[3].OtherCPURatio = known(0.2), known(0.4)
	quiet.Trials[4].OtherTrafficBps = known(2.5e9)
	want := []string{
		"Steal: in 1 trial the hypervisor gave more than 1 % of the processors' time to others, in the worst 5 % (steal_ratio).",
		"Busy host: in 2 trials other processes used more than 10 % of the processors' time, in the worst 40 % (other_cpu_ratio).",
		"Other traffic: in 1 trial the interface carried more than 1 Mbit/s beside the trial's own, in the worst 2.5 Gbit/s (other_traffic_bps).",
		"Busy host: the load average was 3.5 on 2 cores when the run began (load_average_1min).",
	}
	if got := busyHost(quiet); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q", got)
	}
}

func TestDriftNotes(t *testing.T) {
	make := func(step float64) []results.Summary {
		return Summarize(trialsOf("latency", 10, func(t *results.Trial, proto string, i int) {
			t.RTT.P50Us = known(30 * (1 + step*float64(i)) * noise(3*i))
		}))
	}
	if got := driftNotes(make(0)); got != nil {
		t.Errorf("%q", got)
	}
	if got := driftNotes(make(0.05)); len(got) != 2 || !strings.HasPrefix(got[0], "Drift: TCP's rtt_p50_us of latency (64 B) changed by +") {
		t.Errorf("%q", got)
	}
}

package report

import (
	"slices"
	"strings"
	"testing"

	"tcpvsudp/results"
)

func TestParseAssertionErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "use METRIC<LIMIT",
		"rtt_p50_us":               "use METRIC<LIMIT",
		"rtt_p50_us=5":             "use METRIC<LIMIT",
		"rtt_p50_us<five":          "use METRIC<LIMIT",
		"rtt_p50_us<1e999":         `"1e999" is no number`,
		"sctp.rtt_p50_us<5":        `"sctp" is no transport`,
		"rtt_p51_us<5":             `nothing is called "rtt_p51_us"`,
		"rtt_p50_us regress<5%":    "use it with \"bench compare\"",
		"udp.loss_ratio[size=1]<1": `filter "size=1": use COLUMN=VALUE`,
		"rtt_p50_us<5%":            "rtt_p50_us is no share, which per cent are of",
		"ratio.client_cpu_s<1":     "only metrics of summary.csv have a ratio",
	} {
		if _, err := ParseAssertion(text, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"rtt_p50_us regress>5%":       "a regress has a most",
		"rtt_p50_us regress<5":        "in per cent",
		"offered_bps regress<5%":      "that can be worse",
		"ratio.rtt_p50_us regress<5%": "that can be worse",
	} {
		if _, err := ParseAssertion(text, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// example has RTT p50 of 20 and 12 µs, a UDP loss of 3 in 3000 for latency and of half of all for throughput.
func TestAssertionsOfARun(t *testing.T) {
	for text, want := range map[string][]string{
		"tcp.rtt_p50_us<500":                          {"met: TCP latency of 64 B has 20"},
		"tcp.rtt_p50_us<20":                           {"missed: TCP latency of 64 B has 20, which is 0 too much (+0 %)"},
		"tcp.rtt_p50_us<=20":                          {"met: TCP latency of 64 B has 20"},
		"rtt_p50_us < 15":                             {"missed: TCP latency of 64 B has 20, which is 5 too much (+33.3 %)", "met: UDP latency of 64 B has 12"},
		"udp.loss_ratio<0.01%":                        {"missed: UDP latency of 64 B has 0.1 %, which is 0.09 % too much (+900 %)", "missed: UDP throughput of 64 KiB, 4 flows has 50 %, which is 50 % too much (+5e+05 %)", "missed: not measured in UDP connect of 64 B"},
		"udp.loss_ratio[workload=latency]<0.2%":       {"met: UDP latency of 64 B has 0.1 %"},
		"udp.loss_ratio[workload=latency,flows=2]<1%": {"missed: not measured in any row"},
		"udp.goodput_bps>5e9":                         {"missed: UDP throughput of 64 KiB, 4 flows has 4000000000, which is 1000000000 too little (-20 %)"},
		"ratio.goodput_bps<0.6":                       {"met: UDP/TCP throughput of 64 KiB, 4 flows has 0.5"},
		"cpu_us_per_message[workload=latency]<1":      {"missed: not measured in TCP latency of 64 B", "missed: not measured in UDP latency of 64 B"},
		"udp.lost_messages[workload=throughput]<=50":  {"met: UDP throughput of 64 KiB, 4 flows has 50"},
		"udp.client_cpu_s[workload=latency]<1":        {"missed: not measured in UDP latency of 64 B"},
		"tcp.rtt_p50_us[workload=paced]<1":            {"missed: not measured in any row"},
	} {
		a, err := ParseAssertion(text, false)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for _, o := range a.CheckRun(example()) {
			got = append(got, strings.TrimPrefix(o.Text, text+": "))
			if o.Met != strings.HasPrefix(got[len(got)-1], "met") {
				t.Errorf("%+v", o)
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestAssertionsOfAComparison(t *testing.T) {
	old, new := versionsOf()
	for i := range new.Trials {
		if new.Trials[i].Proto == "udp" {
			new.Trials[i].Lost, new.Trials[i].Unique = 1, 999
		}
	}
	c := Compare([]*results.Set{old}, []*results.Set{new})
	for text, want := range map[string]string{
		"tcp.rtt_p50_us regress<5%":  "missed: TCP latency of 64 B has 20.1 %, which is 15.1 % too much",
		"tcp.rtt_p50_us regress<30%": "met: TCP latency of 64 B has 20.1 %",
		"tcp.rtt_p99_us<500":         "met: TCP latency of 64 B has 200",
		"tcp.loss_ratio regress<5%":  "met: TCP latency of 64 B has 0 %",
		"udp.loss_ratio regress<5%":  "missed: UDP latency of 64 B had none and has some",
		"goodput_bps regress<5%":     "missed: not measured in any row",
	} {
		a, err := ParseAssertion(text, true)
		if err != nil {
			t.Error(err)
			continue
		}
		outcomes := a.CheckComparison(c)
		if got := strings.TrimPrefix(outcomes[0].Text, text+": "); len(outcomes) != 1 || got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// What is not whole proves nothing.
func TestAssertionsOfWhatIsNotWhole(t *testing.T) {
	a, err := ParseAssertion("udp.loss_ratio<100%", false)
	if err != nil {
		t.Fatal(err)
	}
	interrupted, damaged, silent := example(), example(), example()
	interrupted.Run.Status = results.Interrupted
	damaged.Run.Kept = 100
	for want, s := range map[string]*results.Set{
		"the run is not whole: interrupted, 21 of 21 trials":  interrupted,
		"the run is damaged: trials.csv has 21 of 100 trials": damaged,
	} {
		if got := a.CheckRun(s); len(got) != 1 || got[0].Met || got[0].Text != a.text+": missed: "+want {
			t.Errorf("%+v, want %q", got, want)
		}
		if got := a.CheckComparison(Compare([]*results.Set{example()}, []*results.Set{s})); len(got) != 1 || got[0].Met || !strings.Contains(got[0].Text, want) {
			t.Errorf("%+v, want %q", got, want)
		}
	}
	// Of seven trials, one has no goodput.
	for i := range silent.Trials {
		if t := &silent.Trials[i]; t.Workload == "throughput" && t.Proto == "udp" {
			t.GoodputBps = results.Value{}
			break
		}
	}
	a, _ = ParseAssertion("udp.goodput_bps>1", false)
	if got := a.CheckRun(silent); len(got) != 1 || got[0].Text != "udp.goodput_bps>1: missed: not measured in 1 of 7 trials of UDP throughput of 64 KiB, 4 flows" {
		t.Errorf("%+v", got)
	}
	if notes := strings.Join(incomplete(silent), "\n"); notes != "UDP's goodput_bps in throughput of 64 KiB, 4 flows leaves out 1 of 7 trials, which have none." {
		t.Errorf("%q", notes)
	}
	// A transport that only one of two results has is missed.
	alone := example()
	alone.Trials = slices.DeleteFunc(alone.Trials, func(t results.Trial) bool { return t.Proto == "udp" })
	a, _ = ParseAssertion("goodput_bps regress<5%", true)
	got := a.CheckComparison(Compare([]*results.Set{example()}, []*results.Set{alone}))
	if len(got) != 2 || !got[0].Met || got[1].Text != "goodput_bps regress<5%: missed: not measured in UDP throughput of 64 KiB, 4 flows" {
		t.Errorf("%+v", got)
	}
}

func TestFilterOfALink(t *testing.T) {
	a, err := ParseAssertion("tcp.deadline_miss_ratio[link=delay=20ms,loss=5%,size_bytes=200]<1%", false)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.CheckRun(linked()); len(got) != 1 || got[0].Row != "TCP paced of 200 B, 500.0/s, delay 20ms, loss 5%" {
		t.Errorf("%+v", got)
	}
}

// Where all of a row's old figures are not above 0, a regress is by the medians.
func TestWorseWithoutARatio(t *testing.T) {
	for _, test := range []struct {
		old, new float64
		want     float64
	}{{115, 11.5, -0.9}, {0, 0, 0}, {10, 11, 0.1}} {
		row := results.Change{Figure: results.Figure{Better: "lower"}, Old: results.Side{Value: known(test.old)}, New: results.Side{Value: known(test.new)}}
		if got := worse(row); !near(known(test.want+1), results.Known(1+first(got.Get()))) {
			t.Errorf("%v to %v: %v", test.old, test.new, got)
		}
	}
}

func first(v float64, _ bool) float64 { return v }

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"tcpvsudp/bench"
)

// planFlags binds the fields of plan to flags whose defaults are what plan holds.
func planFlags(f *pflag.FlagSet, plan *bench.Plan) {
	f.StringSliceVar(&plan.Protos, "proto", plan.Protos, "transports to measure")
	f.StringSliceVar(&plan.Workloads, "workload", plan.Workloads, "workloads to measure")
	f.Var((*sizes)(&plan.Sizes), "size", "message sizes, 32 B at least (KiB is 1024, kB is 1000)")
	f.Var((*counts)(&plan.Flows), "flows", "numbers of flows at the same time")
	f.StringSliceVar(&plan.Directions, "direction", plan.Directions, "which way throughput goes: up to the server, down from it, or both at once; maxrate goes up")
	f.DurationVar(&plan.Duration, "duration", plan.Duration, "how long a trial sends, after its warm-up")
	f.DurationVar(&plan.Warmup, "warmup", plan.Warmup, "how long a trial sends before it counts")
	f.DurationVar(&plan.Drain, "drain", plan.Drain, "how long a missing message is waited for; 0: the larger of 1s and 4 round trips")
	f.IntVar(&plan.Trials, "trials", plan.Trials, "trials for every workload, size and transport")
	f.Float64Var(&plan.Rate, "rate", plan.Rate, "messages/s of the paced workload, all flows together")
	f.Var((*goals)(&plan.LossGoals), "loss-goal", "shares of messages that may be lost at the rates which maxrate searches for, like 0.001 or 0.1%")
	f.DurationVar(&plan.Deadline, "deadline", plan.Deadline, "how long a message may take one way (latency and paced) before it is too late")
	f.Var((*waiting)(&plan.Wait), "wait", "how receivers wait: block (sleep) or spin (ask without end)")
	f.Var((*batches)(&plan.Batches), "batch", "messages that throughput and maxrate give to the kernel at once: numbers, or auto for as many as serve best")
	f.Var((*switched)(&plan.NoOffload), "offload", "segmentation offload of UDP (UDP_SEGMENT, UDP_GRO) for batches: auto or off")
	f.StringSliceVar(&plan.Congestion, "cc", plan.Congestion, "congestion control of TCP, one or several to compare; \"default\" is the system's")
	f.StringVar((*string)(&plan.Pin), "pin", string(plan.Pin), "processors of the two ends: apart, same, none, or lists of the client's and the server's like 0-3:4-7")
	f.Var((*stamping)(&plan.StampEach), "stamp", "for what throughput reads the clock when it sends: every block, or every message")
	f.BoolVar(&plan.Portable, "portable", plan.Portable, "use the sockets that Go has on every system, not this one's fast paths")
	f.BoolVar(&plan.DontFragment, "df", plan.DontFragment, "fail when a UDP message does not fit into one packet of the path; else it is fragmented")
	f.BoolVar(&plan.Verify, "verify", plan.Verify, "check every byte of every message")
	f.Uint64Var(&plan.Seed, "seed", plan.Seed, "decides the order of trials; 0 draws one, which is recorded")
}

// sizes is a list of message sizes with units: 64,1400,64KiB.
type sizes []int

func (s *sizes) Set(text string) error {
	var list []int
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		n, err := parseBytes(word)
		if err != nil || n > math.MaxInt {
			return fmt.Errorf("%q is no message size: use a number of bytes, or one with a unit, like 64, 1400, 64KiB", word)
		}
		list = append(list, int(n))
	}
	*s = list
	return nil
}

// parseBytes reads a whole number of bytes, with a unit or without.
func parseBytes(word string) (int64, error) {
	n, err := humanize.ParseBytes(word)
	_, fraction := strconv.ParseInt(word, 10, 64)
	if err != nil || fraction != nil && strings.Trim(word, "0123456789.") == "" || n > math.MaxInt64 {
		return 0, fmt.Errorf("%q is no number of bytes", word)
	}
	return int64(n), nil
}

func (s *sizes) Type() string { return "sizes" }

func (s *sizes) String() string { return (*counts)(s).String() }

// counts is a list of whole numbers.
type counts []int

func (c *counts) Set(text string) error {
	var list []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil {
			return fmt.Errorf("%q is no whole number: use one or a list, like 1 or 1,10,100", word)
		}
		list = append(list, n)
	}
	*c = list
	return nil
}

func (c *counts) Type() string { return "numbers" }

func (c *counts) String() string {
	words := make([]string, len(*c))
	for i, n := range *c {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ",")
}

// goals is a list of shares, as numbers or in per cent: 0,0.001,0.1%.
type goals []float64

func (g *goals) Set(text string) error {
	var list []float64
	for word := range strings.SplitSeq(text, ",") {
		digits, percent := strings.CutSuffix(strings.TrimSpace(word), "%")
		share, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return fmt.Errorf("%q is no share: use a number or a percentage, like 0.001 or 0.1%%", word)
		}
		if percent {
			share /= 100
		}
		list = append(list, share)
	}
	*g = list
	return nil
}

func (g *goals) Type() string { return "shares" }

func (g *goals) String() string {
	words := make([]string, len(*g))
	for i, share := range *g {
		words[i] = percentage(share)
	}
	return strings.Join(words, ",")
}

// percentage is a share as people write it.
func percentage(share float64) string {
	if share == 0 {
		return "0"
	}
	return strconv.FormatFloat(share*100, 'g', 6, 64) + "%"
}

// batches is a list of numbers of messages; auto is 0.
type batches []int

func (b *batches) Set(text string) error {
	var list []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		switch {
		case strings.TrimSpace(word) == "auto":
			n = 0
		case err != nil || n < 1:
			return fmt.Errorf("%q is no number of messages: use auto, a number from 1 on, or a list like 1,64,auto", word)
		}
		list = append(list, n)
	}
	*b = list
	return nil
}

func (b *batches) Type() string { return "numbers" }

func (b *batches) String() string {
	words := make([]string, len(*b))
	for i, n := range *b {
		words[i] = strconv.Itoa(n)
		if n == 0 {
			words[i] = "auto"
		}
	}
	return strings.Join(words, ",")
}

// switched is what is off as a flag of two words: auto and off.
type switched bool

func (s *switched) Set(text string) error { return oneOf((*bool)(s), text, "auto", "off") }
func (s *switched) Type() string          { return "auto|off" }
func (s *switched) String() string        { return wordOf(bool(*s), "auto", "off") }

// stamping is whether every message is stamped as a flag.
type stamping bool

func (s *stamping) Set(text string) error { return oneOf((*bool)(s), text, "block", "message") }
func (s *stamping) Type() string          { return "block|message" }
func (s *stamping) String() string        { return wordOf(bool(*s), "block", "message") }

func oneOf(b *bool, text, no, yes string) error {
	if text != no && text != yes {
		return fmt.Errorf("%q: use %s or %s", text, no, yes)
	}
	*b = text == yes
	return nil
}

func wordOf(b bool, no, yes string) string {
	if b {
		return yes
	}
	return no
}

// byteCount is a number of bytes with a unit: 64, 16KiB, 1GB.
type byteCount int64

func (b *byteCount) Set(text string) error {
	n, err := parseBytes(text)
	if err != nil {
		return fmt.Errorf("%q is no number of bytes: use one, with a unit or without, like 1400, 16KiB, 1GB", text)
	}
	*b = byteCount(n)
	return nil
}

func (b *byteCount) Type() string { return "bytes" }

func (b *byteCount) String() string {
	switch {
	case *b >= 1024 && *b%1024 == 0:
		return strings.ReplaceAll(humanize.IBytes(uint64(*b)), " ", "")
	case *b >= 1000 && *b%1000 == 0:
		return strings.ReplaceAll(humanize.Bytes(uint64(*b)), " ", "")
	}
	return strconv.FormatInt(int64(*b), 10)
}

// bitrate is a number of bits a second with a decimal unit: 5e6, 100M, 1G, 2.5Gbit/s.
type bitrate float64

func (b *bitrate) Set(text string) error {
	n, unit, err := humanize.ParseSI(text)
	if err != nil || unit != "" && unit != "bit/s" && unit != "bps" && unit != "bit" {
		return fmt.Errorf("%q is no bit rate: use a number of bits a second, like 5e6, 100M, 2.5Gbit/s", text)
	}
	*b = bitrate(n)
	return nil
}

func (b *bitrate) Type() string { return "bit/s" }

func (b *bitrate) String() string { return strconv.FormatFloat(float64(*b), 'g', -1, 64) }

// waiting is a bench.Wait as a flag.
type waiting bench.Wait

func (w *waiting) Set(text string) error { return (*bench.Wait)(w).UnmarshalText([]byte(text)) }
func (w *waiting) Type() string          { return "block|spin" }
func (w *waiting) String() string        { return bench.Wait(*w).String() }

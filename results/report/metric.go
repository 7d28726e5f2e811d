package report

import (
	"math"
	"slices"
	"strings"

	"tcpvsudp/results"
)

// A metric is a row of the tables: what it is called, where it comes from, and how trials make one figure.
type metric struct {
	// name is its word in summary.csv, that of the column of trials.csv where there is one.
	name  string
	label string
	unit  unit
	// better is lower, higher, or empty where neither is.
	better string
	// workloads are those in whose table it stands, in order.
	workloads []string
	// quality is in what the better half of a row is better.
	quality quality
	// twin is another metric of the same table that is a multiple of this one: they are tested once.
	twin string
	// untested says that chance is not asked about: one message's figure, or the sender's own.
	untested bool
	// optional leaves the row out where no trial has a value, linked where there was no emulated link.
	optional, linked bool

	// Exactly one of these is set. value is taken of every trial, and the median over them is told; with
	// percentile set, trials with too few messages for it have none, and all trials' messages are merged.
	value      func(results.Trial) results.Value
	percentile float64
	histogram  string
	// largest is taken of every trial, and the largest is told.
	largest func(results.Trial) results.Value
	// share is a part and a whole, each summed over the trials.
	share func(results.Trial) (part, whole uint64)
}

var (
	loops     = []string{"latency", "paced"}
	connects  = []string{"connect"}
	oneWay    = []string{"throughput"}
	paced     = []string{"paced"}
	all       = []string{"latency", "paced", "throughput", "connect"}
	searches  = []string{"maxrate"}
	flowsLast = []string{"latency", "paced", "throughput"}
)

// metrics is in the order of the rows.
var metrics = slices.Concat(
	percentiles("rtt", "RTT", loops, func(t results.Trial) results.Latency { return t.RTT }),
	percentiles("connect", "reply", connects, func(t results.Trial) results.Latency { return t.Connect }),
	[]metric{
		{name: "owd_up_p50_us", label: "one way up p50", unit: microseconds, better: "lower", quality: speed, workloads: loops, optional: true,
			value: func(t results.Trial) results.Value { return t.OneWayUp.P50Us }},
		linkedTail("p99", 99, func(l results.Latency) results.Value { return l.P99Us }),
		linkedTail("p999", 99.9, func(l results.Latency) results.Value { return l.P999Us }),
		{name: "owd_up_max_us", label: "one way up max", unit: microseconds, better: "lower", quality: speed, untested: true, workloads: loops, optional: true, linked: true,
			largest: func(t results.Trial) results.Value { return t.OneWayUp.MaxUs }},
		{name: "deadline_miss_ratio", label: "deadline missed", unit: shareOf, better: "lower", quality: missing, workloads: loops, optional: true, linked: true,
			share: func(t results.Trial) (uint64, uint64) { return whole(t.Missed), whole(t.Judged) }},
		{name: "held_up_ratio", label: "held up", unit: shareOf, better: "lower", quality: holding, workloads: loops, optional: true, linked: true,
			share: func(t results.Trial) (uint64, uint64) { return whole(t.HeldUp), whole(t.OneWayUp.Count) }},
		{name: "longest_stall_ms", label: "longest stall", unit: milliseconds, better: "lower", quality: length, untested: true, workloads: loops, optional: true, linked: true,
			largest: func(t results.Trial) results.Value { return t.LongestStallMs }},
		{name: "owd_down_p50_us", label: "one way down p50", unit: microseconds, better: "lower", quality: speed, workloads: loops, optional: true,
			value: func(t results.Trial) results.Value { return t.OneWayDown.P50Us }},
		{name: "send_lag_p99_us", label: "send lag p99", unit: microseconds, better: "lower", quality: length, untested: true, workloads: paced,
			percentile: 99, histogram: "send_lag",
			value: func(t results.Trial) results.Value { return t.SendLag.P99Us }},
		{name: "goodput_bps", label: "goodput", unit: bitsPerSecond, better: "higher", quality: speed, workloads: oneWay,
			value: func(t results.Trial) results.Value { return t.GoodputBps }},
		{name: "goodput_up_bps", label: "of it up", unit: bitsPerSecond, better: "higher", quality: speed, workloads: oneWay, optional: true,
			value: func(t results.Trial) results.Value { return ofBoth(t, t.UpBps) }},
		{name: "goodput_down_bps", label: "of it down", unit: bitsPerSecond, better: "higher", quality: speed, workloads: oneWay, optional: true,
			value: func(t results.Trial) results.Value { return ofBoth(t, t.DownBps) }},
		{name: "max_rate_bps", label: "max rate", unit: bitsPerSecond, better: "higher", quality: speed, workloads: searches,
			value: func(t results.Trial) results.Value { return t.MaxRate.Bps }},
		{name: "max_rate_msg_per_s", label: "messages", unit: perSecond, better: "higher", quality: speed, twin: "max_rate_bps", workloads: searches,
			value: func(t results.Trial) results.Value { return t.MaxRate.MessagesPerS }},
		{name: "messages_per_s", label: "messages", unit: perSecond, better: "higher", quality: speed, twin: "goodput_bps", workloads: flowsLast,
			value: func(t results.Trial) results.Value { return t.MessagesPerS }},
		{name: "messages_per_s", label: "connections", unit: perSecond, better: "higher", quality: speed, workloads: connects,
			value: func(t results.Trial) results.Value { return t.MessagesPerS }},
		{name: "offered_bps", label: "offered", unit: bitsPerSecond, workloads: oneWay,
			value: func(t results.Trial) results.Value { return t.OfferedBps }},
		{name: "loss_ratio", label: "lost", unit: shareOf, better: "lower", quality: losing, workloads: all,
			share: func(t results.Trial) (uint64, uint64) { return t.Lost, t.Sent }},
		{name: "duplication_ratio", label: "duplicated", unit: shareOf, better: "lower", quality: doubling, workloads: flowsLast,
			share: func(t results.Trial) (uint64, uint64) { return t.Duplicated, t.Unique }},
		{name: "reordered_ratio", label: "reordered", unit: shareOf, better: "lower", quality: ordering, workloads: flowsLast,
			share: func(t results.Trial) (uint64, uint64) { return t.Reordered, t.Unique }},
		{name: "client_retransmitted_segments", label: "sent again", unit: segments, better: "lower", quality: size, workloads: all, optional: true, linked: true,
			value: func(t results.Trial) results.Value { return t.Retransmissions.Client }},
		{name: "cpu_us_per_message", label: "CPU per message", unit: microseconds, better: "lower", quality: price, workloads: all,
			value: func(t results.Trial) results.Value { return t.CPUPerMessageUs }},
		{name: "server_bytes_per_flow", label: "memory per flow", unit: bytesEach, better: "lower", quality: size, workloads: all, optional: true,
			value: func(t results.Trial) results.Value { return t.ServerBytesPerFlow }},
		{name: "cpu_s_per_gigabyte", label: "CPU per GB", unit: seconds, better: "lower", quality: price, twin: "cpu_us_per_message", workloads: oneWay,
			value: func(t results.Trial) results.Value { return t.CPUPerGigabyteS }},
	},
)

// linkedTail is a percentile of the way up, where it is the link that makes it.
func linkedTail(word string, p float64, of func(results.Latency) results.Value) metric {
	return metric{name: "owd_up_" + word + "_us", label: "one way up " + strings.Replace(word, "999", "99.9", 1), unit: microseconds, better: "lower", quality: speed,
		workloads: loops, optional: true, linked: true, percentile: p, histogram: "owd_up",
		value: func(t results.Trial) results.Value { return of(t.OneWayUp) }}
}

// whole is a count, 0 where it is not known.
func whole(v results.Value) uint64 {
	n, _ := v.Get()
	return uint64(math.Round(n))
}

// ofBoth is the share of one direction, where there were two.
func ofBoth(t results.Trial, v results.Value) results.Value {
	if t.Direction != "both" {
		return results.Value{}
	}
	return v
}

// percentiles are the rows of a latency whose columns begin with prefix.
func percentiles(prefix, label string, workloads []string, of func(results.Trial) results.Latency) []metric {
	row := func(suffix, word string, p float64, value func(results.Latency) results.Value) metric {
		return metric{name: prefix + "_" + suffix + "_us", label: label + " " + word, unit: microseconds, better: "lower", quality: speed,
			workloads: workloads, percentile: p, histogram: prefix,
			value: func(t results.Trial) results.Value { return value(of(t)) }}
	}
	return []metric{
		row("p50", "p50", 50, func(l results.Latency) results.Value { return l.P50Us }),
		row("p90", "p90", 90, func(l results.Latency) results.Value { return l.P90Us }),
		row("p99", "p99", 99, func(l results.Latency) results.Value { return l.P99Us }),
		row("p999", "p99.9", 99.9, func(l results.Latency) results.Value { return l.P999Us }),
		{name: prefix + "_max_us", label: label + " max", unit: microseconds, better: "lower", quality: speed, untested: true, workloads: workloads,
			largest: func(t results.Trial) results.Value { return of(t).MaxUs }},
	}
}

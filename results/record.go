package results

import "time"

// Schema is the version of the files that this package writes; it reads no other.
const Schema = 5

// Trial is a row of trials.csv: one workload, one transport, one set of parameters, measured once. Its
// fields are in the order of the columns. Ratios are shares from 0 to 1.
type Trial struct {
	Schema int `csv:"schema" json:"schema"`
	// Number counts the run's trials from 1 in the order in which they ran. Trials of one Pair ran next
	// to each other and differ in Proto alone.
	Number int    `csv:"trial" json:"trial"`
	Pair   int    `csv:"pair" json:"pair"`
	Proto  string `csv:"proto" json:"proto"`
	Cell
	// Wait is the way in which whoever receives what is measured waited, block or spin: of two, spin only if
	// both did.
	WaitAsked string    `csv:"wait_asked" json:"wait_asked"`
	Wait      string    `csv:"wait" json:"wait"`
	Started   time.Time `csv:"started_utc" json:"started_utc"`
	// WarmupMs was not counted. DurationMs is the time for which messages were sent. TmaxMs is how long a
	// message was waited for after the last send, or the last arrival if that was later, before it counted as
	// lost (RFC 7680); DrainedMs how long it took in fact until nothing was missing and the line was silent.
	WarmupMs   float64 `csv:"warmup_ms" json:"warmup_ms"`
	DurationMs float64 `csv:"duration_ms" json:"duration_ms"`
	TmaxMs     float64 `csv:"tmax_ms" json:"tmax_ms"`
	DrainedMs  float64 `csv:"drained_ms" json:"drained_ms"`
	// Attempts is more than 1 where the trial had failed before, because the connection or the server was lost.
	Attempts int `csv:"attempts" json:"attempts"`

	Loss
	Order

	// RTT is the round trip from send to reply: from the actual send in a closed loop (service time), from
	// the intended one in an open loop. Connect is from nothing to the first echoed reply. SendLag is the
	// actual minus the intended send time.
	RTT     Latency `csv:"rtt_,inline" json:"rtt"`
	Connect Latency `csv:"connect_,inline" json:"connect"`
	SendLag Latency `csv:"send_lag_,inline" json:"send_lag"`
	// OneWayUp and OneWayDown are the delays to the server and back, in an open loop from the intended send. Between two
	// hosts they rest on an estimate of the clocks' offset, which may be off by ClockErrorUs (0 where both read one
	// clock); they are empty where that is more than the delay. ClockOffsetUs is by how much the server's clock was ahead.
	OneWayUp      Latency `csv:"owd_up_,inline" json:"owd_up"`
	OneWayDown    Latency `csv:"owd_down_,inline" json:"owd_down"`
	ClockOffsetUs Value   `csv:"clock_offset_us" json:"clock_offset_us"`
	ClockErrorUs  Value   `csv:"clock_error_us" json:"clock_error_us"`
	// VariationUp and VariationDown need no more than that both clocks run alike: they are told where the delays themselves are
	// withheld, too.
	VariationUp   Variation `csv:"up_,inline" json:"up"`
	VariationDown Variation `csv:"down_,inline" json:"down"`

	Deadlines
	Retransmissions
	// ClientPathRTT and ServerPathRTT are what each end's transport took the round trip for.
	ClientPathRTT PathRTT `csv:"client_,inline" json:"client_path_rtt"`
	ServerPathRTT PathRTT `csv:"server_,inline" json:"server_path_rtt"`
	Throughput
	MaxRate MaxRate `csv:",inline" json:"max_rate"`
	Cost
	Noise
	LinkAccount Link `csv:"link_,inline" json:"link_account"`
	Asked
	Granted
}

// Cell is the set of parameters that one median is taken over: all that two trials of different
// transports have in common.
type Cell struct {
	Workload  string `csv:"workload" json:"workload"`
	SizeBytes int    `csv:"size_bytes" json:"size_bytes"`
	Flows     int    `csv:"flows" json:"flows"`
	// Direction is echo, or for messages that go one way up (to the server), down, or both at once.
	Direction string `csv:"direction" json:"direction"`
	// Batch is how many messages were given to the kernel at once, auto for as many as serve the transport best.
	Batch string `csv:"batch" json:"batch"`
	// CongestionAsked is the congestion control asked of TCP, empty for the system's.
	CongestionAsked string `csv:"congestion_control_asked" json:"congestion_control_asked"`
	// Link is the emulated network between client and server, empty for none.
	Link string `csv:"link" json:"link"`
	// RateAsked is the rate asked of a paced workload, all flows together.
	RateAsked Value `csv:"rate_asked_msg_per_s" json:"rate_asked_msg_per_s"`
	// LossGoal is the share of messages that may be lost at the rate which a search is for.
	LossGoal Value `csv:"loss_goal_ratio" json:"loss_goal_ratio"`
}

// Loss is what came and what did not. See bench.Counts for the definitions and their RFCs.
type Loss struct {
	Sent uint64 `csv:"sent_messages" json:"sent_messages"`
	// Unsent messages of a paced workload were meant to be sent, and the sender had no time for them.
	Unsent        Value  `csv:"unsent_messages" json:"unsent_messages"`
	Received      uint64 `csv:"received_messages" json:"received_messages"`
	Unique        uint64 `csv:"unique_messages" json:"unique_messages"`
	Lost          uint64 `csv:"lost_messages" json:"lost_messages"`
	LossRatio     Value  `csv:"loss_ratio" json:"loss_ratio"`
	LostRequests  Value  `csv:"lost_request_messages" json:"lost_request_messages"`
	LostReplies   Value  `csv:"lost_reply_messages" json:"lost_reply_messages"`
	LossPeriods   uint64 `csv:"loss_periods" json:"loss_periods"`
	LossPeriodMax uint64 `csv:"loss_period_max_messages" json:"loss_period_max_messages"`
	// LossPeriodMean is the mean length of a loss period, empty without one. LossDistanceMean is the mean inter-period loss distance, from
	// the last loss of a period to the first of the next; empty where no flow has two periods (RFC 3357 section 4).
	LossPeriodMean   Value  `csv:"loss_period_mean_messages" json:"loss_period_mean_messages"`
	LossDistanceMean Value  `csv:"loss_distance_mean_messages" json:"loss_distance_mean_messages"`
	TimedOut         uint64 `csv:"timed_out_messages" json:"timed_out_messages"`
	SendErrors       uint64 `csv:"send_queue_full_messages" json:"send_queue_full_messages"`
	WhereLost
	Duplicated       uint64 `csv:"duplicated_messages" json:"duplicated_messages"`
	DuplicationRatio Value  `csv:"duplication_ratio" json:"duplication_ratio"`
	ReplicatedRatio  Value  `csv:"replicated_ratio" json:"replicated_ratio"`
	// Truncated and Malformed datagrams were longer and shorter than a message; Foreign messages belonged
	// to another session; Corrupt ones did not hold what was sent (known with --verify only).
	Truncated uint64 `csv:"truncated_datagrams" json:"truncated_datagrams"`
	Malformed uint64 `csv:"malformed_datagrams" json:"malformed_datagrams"`
	Foreign   uint64 `csv:"foreign_messages" json:"foreign_messages"`
	Corrupt   Value  `csv:"corrupt_messages" json:"corrupt_messages"`
}

// WhereLost says where the lost messages were lost: the three add up to lost_messages, and all are 0 where nothing was lost. Buffer and
// Network are empty where something was lost and the receiver's buffer can't be asked: on some systems, and where a session was
// not alone on its server; and of what came down, where each flow lasts for one exchange.
type WhereLost struct {
	// Sender messages never left: the sender's queue was full (ENOBUFS), or there was no way to the peer.
	Sender Value `csv:"lost_sender_messages" json:"lost_sender_messages"`
	// Buffer messages found the receiving socket's buffer full: the server's, for what went up, and the client's. Exact where one datagram is
	// one message and nothing was dropped about the end of the warm-up. Else the kernel's counts leave a range, and as much of the loss
	// as lies within it is put down to the buffer; Network is then at least so much.
	Buffer Value `csv:"lost_buffer_messages" json:"lost_buffer_messages"`
	// Network messages were lost in neither place.
	Network Value `csv:"lost_network_messages" json:"lost_network_messages"`
	// ServerBufferFull and ClientBufferFull are the kernel's own counts, of the whole session with its warm-up. Several messages that
	// the kernel has joined, or has not yet cut, are one datagram there.
	ServerBufferFull Value `csv:"server_buffer_full_datagrams" json:"server_buffer_full_datagrams"`
	ClientBufferFull Value `csv:"client_buffer_full_datagrams" json:"client_buffer_full_datagrams"`
}

// Order is the reordering family of RFC 4737.
type Order struct {
	Reordered      uint64 `csv:"reordered_messages" json:"reordered_messages"`
	ReorderedRatio Value  `csv:"reordered_ratio" json:"reordered_ratio"`
	ExtentMean     Value  `csv:"reorder_extent_mean_messages" json:"reorder_extent_mean_messages"`
	ExtentMax      Value  `csv:"reorder_extent_max_messages" json:"reorder_extent_max_messages"`
	ExtentUnknown  uint64 `csv:"reorder_extent_unknown_messages" json:"reorder_extent_unknown_messages"`
	N1Ratio        Value  `csv:"reordered_n1_ratio" json:"reordered_n1_ratio"`
	N2Ratio        Value  `csv:"reordered_n2_ratio" json:"reordered_n2_ratio"`
	N3Ratio        Value  `csv:"reordered_n3_ratio" json:"reordered_n3_ratio"`
	LateMeanUs     Value  `csv:"reorder_late_mean_us" json:"reorder_late_mean_us"`
	LateMaxUs      Value  `csv:"reorder_late_max_us" json:"reorder_late_max_us"`
	FreeRunMean    Value  `csv:"reorder_free_run_mean_messages" json:"reorder_free_run_mean_messages"`
	// GapMean is the mean gap between reordering discontinuities, in positions of arrivals (RFC 4737 section 4.4); empty with fewer than two.
	GapMean           Value  `csv:"reorder_gap_mean_messages" json:"reorder_gap_mean_messages"`
	BeyondWindowCount uint64 `csv:"beyond_window_messages" json:"beyond_window_messages"`
}

// Latency describes one histogram. A percentile is empty where too few samples lie beyond it, see
// Percentile; the minimum and the maximum are exact.
type Latency struct {
	Count  Value `csv:"count" json:"count"`
	MinUs  Value `csv:"min_us" json:"min_us"`
	MeanUs Value `csv:"mean_us" json:"mean_us"`
	P50Us  Value `csv:"p50_us" json:"p50_us"`
	P90Us  Value `csv:"p90_us" json:"p90_us"`
	P99Us  Value `csv:"p99_us" json:"p99_us"`
	P999Us Value `csv:"p999_us" json:"p999_us"`
	MaxUs  Value `csv:"max_us" json:"max_us"`
	// Outside is how many values lay outside the histogram's range and were counted as its nearest end.
	Outside Value `csv:"outside_range_count" json:"outside_range_count"`
}

// Variation is how the one-way delays D of one direction vary, over the messages whose round trip was completed; long trials keep runs
// of 64 consecutive messages, spread over the trial. A percentile is empty where too few samples lie beyond it.
type Variation struct {
	// IPDV is D(i) - D(i-1) in the order of sending, not defined across a lost message (RFC 3393); pooled over the flows. Its
	// percentiles are those of its amount.
	IPDVCount    Value `csv:"ipdv_count" json:"ipdv_count"`
	IPDVMinUs    Value `csv:"ipdv_min_us" json:"ipdv_min_us"`
	IPDVMaxUs    Value `csv:"ipdv_max_us" json:"ipdv_max_us"`
	IPDVAbsP50Us Value `csv:"ipdv_abs_p50_us" json:"ipdv_abs_p50_us"`
	IPDVAbsP99Us Value `csv:"ipdv_abs_p99_us" json:"ipdv_abs_p99_us"`
	// PDV is D - Dmin, the smallest of the flow in the trial (RFC 5481).
	PDVP50Us  Value `csv:"pdv_p50_us" json:"pdv_p50_us"`
	PDVP99Us  Value `csv:"pdv_p99_us" json:"pdv_p99_us"`
	PDVP999Us Value `csv:"pdv_p999_us" json:"pdv_p999_us"`
	// Jitter is the interarrival jitter at the end of the trial, in the order of arrival (RFC 3550 section 6.4.1); the mean over the
	// flows. It needs every message, and is empty where a trial was too long to keep them all.
	JitterUs Value `csv:"jitter_us" json:"jitter_us"`
}

// Throughput is counted by the receiver, by its clock, between the first and the last measured arrival:
// whole messages with our header and without the headers of UDP, TCP and IP. OfferedBps is what the
// sender gave to the kernel, by its own clock. Decimal bits.
type Throughput struct {
	MessagesPerS Value `csv:"messages_per_s" json:"messages_per_s"`
	GoodputBps   Value `csv:"goodput_bps" json:"goodput_bps"`
	OfferedBps   Value `csv:"offered_bps" json:"offered_bps"`
	// WireBps is the goodput with the headers of its packets, IP's included: of a stream, those of the segments that it was sent in on the
	// average; of datagrams, empty where one does not fit into a packet. Acknowledgements and what was lost are not in it.
	WireBps Value `csv:"wire_bps" json:"wire_bps"`
	// RateLimitBps is what the server allowed in each direction; empty where it set no limit, or the workload has a rate of
	// its own.
	RateLimitBps Value `csv:"rate_limit_bps" json:"rate_limit_bps"`
	// UpBps and DownBps are the goodput of each direction, of which GoodputBps is the sum.
	UpBps   Value `csv:"goodput_up_bps" json:"goodput_up_bps"`
	DownBps Value `csv:"goodput_down_bps" json:"goodput_down_bps"`
}

// MaxRate is what a search for the highest rate with no more loss than Cell.LossGoal found (RFC 9971); empty for other workloads. A
// search is made of many measurements, each a Step. The other columns of its row are those of one of them: of the measurements
// that met the goal, at Lower and of the final length, the one with the least goodput; where no load met the goal, of the last one.
type MaxRate struct {
	// Bps and MessagesPerS are what the receiver received in that measurement, by its clock: the goodput, and never more
	// than the path carried. They are empty where no load met the goal.
	Bps          Value `csv:"max_rate_bps" json:"max_rate_bps"`
	MessagesPerS Value `csv:"max_rate_msg_per_s" json:"max_rate_msg_per_s"`
	// Lower and Upper are the offered loads that the search ended with, the highest that met the goal and the lowest above it that
	// did not; empty where there is none, and Lower where it is the sender without a pace.
	Lower Value  `csv:"max_rate_lower_msg_per_s" json:"max_rate_lower_msg_per_s"`
	Upper Value  `csv:"max_rate_upper_msg_per_s" json:"max_rate_upper_msg_per_s"`
	End   string `csv:"max_rate_end" json:"max_rate_end"`
	// Steps is how many measurements the search took, and Seconds how long all of it.
	Steps   Value `csv:"search_steps" json:"search_steps"`
	Seconds Value `csv:"search_s" json:"search_s"`
}

// How a search may end, in the words of MaxRate.End.
const (
	// Bounded: the two bounds are as close as they were to be.
	Bounded = "bounded"
	// MaxLoad: no load was found that the sender could offer and the path did not carry.
	MaxLoad = "max_load"
	// MinLoad: the smallest load that was to be tried did not meet the goal.
	MinLoad = "min_load"
)

// Cost is the CPU time, user and system, of both processes, and the system calls that moved data. A
// message of a closed or open loop is a request and its reply.
type Cost struct {
	ClientCPUs      Value `csv:"client_cpu_s" json:"client_cpu_s"`
	ServerCPUs      Value `csv:"server_cpu_s" json:"server_cpu_s"`
	CPUPerMessageUs Value `csv:"cpu_us_per_message" json:"cpu_us_per_message"`
	// The next two are of one end alone.
	ClientCPUPerMessageUs Value `csv:"client_cpu_us_per_message" json:"client_cpu_us_per_message"`
	ServerCPUPerMessageUs Value `csv:"server_cpu_us_per_message" json:"server_cpu_us_per_message"`
	CPUPerGigabyteS       Value `csv:"cpu_s_per_gigabyte" json:"cpu_s_per_gigabyte"`
	ClientCallsPerM       Value `csv:"client_calls_per_message" json:"client_calls_per_message"`
	ServerCallsPerM       Value `csv:"server_calls_per_message" json:"server_calls_per_message"`
	// MessagesPerBlock is how many messages the sender gave to the kernel at once, at most.
	MessagesPerBlock int `csv:"messages_per_block" json:"messages_per_block"`
	// ServerBytesPerFlow is by how much the server's resident memory had grown in the trial, by flow; empty for few flows, where it
	// tells of other things, and where it can't be told.
	ServerBytesPerFlow Value `csv:"server_bytes_per_flow" json:"server_bytes_per_flow"`
}

// Deadlines are about the messages of an echo on their way up to the server, where both clocks are one: a message that is lost and
// one that comes too late miss the same deadline.
type Deadlines struct {
	// DeadlineMs is what was asked. Missed counts the messages that were lost on the way or were late, of Judged.
	DeadlineMs Value `csv:"deadline_ms" json:"deadline_ms"`
	Judged     Value `csv:"deadline_judged_messages" json:"deadline_judged_messages"`
	Missed     Value `csv:"deadline_missed_messages" json:"deadline_missed_messages"`
	MissRatio  Value `csv:"deadline_miss_ratio" json:"deadline_miss_ratio"`
	// HeldUp counts the delivered messages that took longer than the trial's median by more than its median round trip: behind a loss, where a
	// stream keeps its order.
	HeldUp      Value `csv:"held_up_messages" json:"held_up_messages"`
	HeldUpRatio Value `csv:"held_up_ratio" json:"held_up_ratio"`
	// LongestStallMs is the longest time without an arrival at the server between the first and the last.
	LongestStallMs Value `csv:"longest_stall_ms" json:"longest_stall_ms"`
}

// Retransmissions are the segments that TCP sent again, of both ends, as far as they are known (RFC 4898, tcpEStatsPerfSegsRetrans).
type Retransmissions struct {
	Client Value `csv:"client_retransmitted_segments" json:"client_retransmitted_segments"`
	Server Value `csv:"server_retransmitted_segments" json:"server_retransmitted_segments"`
}

// PathRTT is what one end's transport has learnt of the round trip of its flows by itself, up to their end (of TCP: tcpi_rtt,
// tcpi_rttvar and tcpi_min_rtt): the mean over the flows of the smoothed round trip and of its mean deviation (RFC 6298), and the
// smallest of all. It is of segments and their acknowledgements, and may lie outside of the measured time.
type PathRTT struct {
	SmoothedUs  Value `csv:"srtt_us" json:"srtt_us"`
	VariationUs Value `csv:"rttvar_us" json:"rttvar_us"`
	MinUs       Value `csv:"min_rtt_us" json:"min_rtt_us"`
}

// Noise is what else went on at the client's host, from before the warm-up to the end of the sending.
type Noise struct {
	// StealRatio is the share of all processors' time that the hypervisor gave to others. OtherCPURatio is the share that was used by
	// other processes than the client, and the server where that is on the same host; without the time of interrupts, which is
	// nobody's. Both are told in steps of 10 ms of one processor.
	StealRatio    Value `csv:"steal_ratio" json:"steal_ratio"`
	OtherCPURatio Value `csv:"other_cpu_ratio" json:"other_cpu_ratio"`
	// LoadAverage is that of the last minute, at the beginning.
	LoadAverage Value `csv:"load_average_1min" json:"load_average_1min"`
	// OtherTrafficBps is what the interface to the server carried, in both directions together, beyond the most that the trial can have
	// caused: a lower bound of what was others'.
	OtherTrafficBps Value `csv:"other_traffic_bps" json:"other_traffic_bps"`
	// BufferErrors are the datagrams for which any socket's receive buffer of the host had no room (RcvbufErrors), the trial's own
	// included.
	BufferErrors Value `csv:"host_udp_buffer_errors_datagrams" json:"host_udp_buffer_errors_datagrams"`
}

// Link is what the emulated link did to the trial's packets, retransmissions, acknowledgements and the first greetings included;
// empty without one. Packets are those of the wire.
type Link struct {
	Up   LinkWay `csv:"up_,inline" json:"up"`
	Down LinkWay `csv:"down_,inline" json:"down"`
	// LateP50Us and LateP99Us are how much later than planned packets were released, of the worse direction; Behind is how many
	// were late by more than 1 ms, and Missed how many the emulation itself had no room for: figures of a trial that has some
	// are not to be trusted.
	LateP50Us Value `csv:"late_p50_us" json:"late_p50_us"`
	LateP99Us Value `csv:"late_p99_us" json:"late_p99_us"`
	Behind    Value `csv:"behind_packets" json:"behind_packets"`
	Missed    Value `csv:"missed_packets" json:"missed_packets"`
}

// LinkWay is one direction of a Link. Lost packets were lost as the seed decided, corrupted ones included; Overflowed ones found a
// queue full, or were taken out of it because it had been full for too long.
type LinkWay struct {
	Packets    Value `csv:"packets" json:"packets"`
	Lost       Value `csv:"lost_packets" json:"lost_packets"`
	Overflowed Value `csv:"overflowed_packets" json:"overflowed_packets"`
	Duplicated Value `csv:"duplicated_packets" json:"duplicated_packets"`
	Reordered  Value `csv:"reordered_packets" json:"reordered_packets"`
}

// Asked is by which means the messages were to be carried. Offload is auto or off; Pin none, apart, same, or two lists of
// processors; Stamp says for what the sender of throughput read the clock, a block or every message.
type Asked struct {
	Offload  string `csv:"offload_asked" json:"offload_asked"`
	Portable bool   `csv:"portable_asked" json:"portable_asked"`
	Pin      string `csv:"pin_asked" json:"pin_asked"`
	Stamp    string `csv:"stamp" json:"stamp"`
}

// Granted is what the kernel gave where something could be asked, beside what it was asked; an empty ask left it to
// the kernel. Linux doubles what it is asked for a buffer, for its own bookkeeping.
type Granted struct {
	ClientSendBufferAsked Value  `csv:"client_send_buffer_asked_bytes" json:"client_send_buffer_asked_bytes"`
	ClientSendBuffer      Value  `csv:"client_send_buffer_bytes" json:"client_send_buffer_bytes"`
	ClientRecvBufferAsked Value  `csv:"client_recv_buffer_asked_bytes" json:"client_recv_buffer_asked_bytes"`
	ClientRecvBuffer      Value  `csv:"client_recv_buffer_bytes" json:"client_recv_buffer_bytes"`
	ServerSendBufferAsked Value  `csv:"server_send_buffer_asked_bytes" json:"server_send_buffer_asked_bytes"`
	ServerSendBuffer      Value  `csv:"server_send_buffer_bytes" json:"server_send_buffer_bytes"`
	ServerRecvBufferAsked Value  `csv:"server_recv_buffer_asked_bytes" json:"server_recv_buffer_asked_bytes"`
	ServerRecvBuffer      Value  `csv:"server_recv_buffer_bytes" json:"server_recv_buffer_bytes"`
	CongestionControl     string `csv:"congestion_control" json:"congestion_control"`
	ServerCongestion      string `csv:"server_congestion_control" json:"server_congestion_control"`
	// The offloads are off, on (UDP_SEGMENT, UDP_GRO) or refused, empty for a stream, which the kernel always cuts. The paths are
	// portable, shared (a poller for all flows) or own (a thread for each); the CPUs those that the flows' threads were bound to.
	ClientOffload string `csv:"client_offload" json:"client_offload"`
	ServerOffload string `csv:"server_offload" json:"server_offload"`
	ClientPath    string `csv:"client_path" json:"client_path"`
	ServerPath    string `csv:"server_path" json:"server_path"`
	ClientPinned  string `csv:"client_cpus" json:"client_cpus"`
	ServerPinned  string `csv:"server_cpus" json:"server_cpus"`
}

// Bucket is a row of latency.csv: count values of a trial's metric lie in [FromNs, ToNs].
type Bucket struct {
	Schema int    `csv:"schema"`
	Trial  int    `csv:"trial"`
	Proto  string `csv:"proto"`
	Cell
	// Metric is rtt, connect or send_lag: the prefix of the columns of trials.csv.
	Metric string `csv:"metric"`
	FromNs int64  `csv:"from_ns"`
	ToNs   int64  `csv:"to_ns"`
	Count  int64  `csv:"count"`
	// CumulativeRatio is the share of the trial's values up to ToNs.
	CumulativeRatio float64 `csv:"cumulative_ratio"`
}

// Interval is a row of intervals.csv: what the receiver counted in a part of a trial, [StartMs, StartMs +
// LengthMs) after the measurement began.
type Interval struct {
	Schema int    `csv:"schema"`
	Trial  int    `csv:"trial"`
	Proto  string `csv:"proto"`
	Cell
	StartMs    float64 `csv:"start_ms"`
	LengthMs   float64 `csv:"length_ms"`
	Messages   uint64  `csv:"received_messages"`
	GoodputBps float64 `csv:"goodput_bps"`
	// LatencyMeanUs and LatencyMaxUs are those of the trial's rtt or connect.
	LatencyMeanUs Value `csv:"latency_mean_us"`
	LatencyMaxUs  Value `csv:"latency_max_us"`
}

// Step is a row of search.csv: one measurement of a search, in the order in which they were made.
type Step struct {
	Schema int    `csv:"schema"`
	Trial  int    `csv:"trial"`
	Proto  string `csv:"proto"`
	Cell
	// Step counts from 1 in each search.
	Step int `csv:"step"`
	// Load is the offered load, all flows together; empty where the sender had no pace.
	Load       Value   `csv:"load_msg_per_s"`
	DurationMs float64 `csv:"duration_ms"`
	// Unsent messages were part of the load, and the sender had no time for them. They count in LossRatio.
	Sent         uint64 `csv:"sent_messages"`
	Unsent       uint64 `csv:"unsent_messages"`
	Received     uint64 `csv:"received_messages"`
	Lost         uint64 `csv:"lost_messages"`
	LossRatio    Value  `csv:"loss_ratio"`
	ReceivedPerS Value  `csv:"received_msg_per_s"`
	// SpanRatio is how much time the arrivals took, as a multiple of the sends.
	SpanRatio Value `csv:"arrival_to_send_span_ratio"`
	// Met tells whether the load counts as carried.
	Met bool `csv:"met"`
}

// Record is all that one trial leaves behind.
type Record struct {
	Trial     Trial
	Buckets   []Bucket
	Intervals []Interval
	Steps     []Step
}

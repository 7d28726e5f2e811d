package results

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"tcpvsudp/internal/host"
)

// fill gives every field of v, at any depth, a random value of its type.
func fill(rng *rand.Rand, v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *Value:
		*x = Value{}
		if rng.IntN(3) > 0 {
			*x = Known(math.Ldexp(rng.Float64()-0.5, rng.IntN(80)-40))
		}
		return
	case *time.Time:
		*x = time.Unix(rng.Int64N(1<<33), rng.Int64N(1e9)).UTC()
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rng, v.Field(i))
		}
	case reflect.Int, reflect.Int64:
		v.SetInt(rng.Int64N(1 << 53))
	case reflect.Uint64:
		v.SetUint(rng.Uint64())
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Float64:
		v.SetFloat(rng.NormFloat64() * 1e6)
	case reflect.String:
		words := []string{"", "tcp", "a,b", `"quoted"`, "two\nlines", "=1+1", "'=1", "ü–×", " blanks "}
		v.SetString(words[rng.IntN(len(words))])
	default:
		panic("no random value for " + v.Type().String())
	}
}

func roundTrip[T comparable](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([]T, 200)
	for i := range rows {
		fill(rng, reflect.ValueOf(&rows[i]).Elem())
	}
	text, err := EncodeCSV(rows, true)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	err = DecodeCSV(strings.NewReader(string(text)), "rows", func(got T) error {
		if got != rows[i] {
			t.Fatalf("row %d was\n%+v, read back\n%+v", i, rows[i], got)
		}
		i++
		return nil
	})
	if err != nil || i != len(rows) {
		t.Fatalf("%d of %d rows, %v", i, len(rows), err)
	}
	again, err := EncodeCSV(rows, true)
	if err != nil || string(again) != string(text) {
		t.Error("the same rows are not always the same text")
	}
}

func TestCSVRoundTrip(t *testing.T) {
	t.Run("trial", roundTrip[Trial])
	t.Run("bucket", roundTrip[Bucket])
	t.Run("interval", roundTrip[Interval])
	t.Run("step", roundTrip[Step])
	t.Run("summary", roundTrip[Summary])
}

func TestJSONRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		var s, back Summary
		fill(rng, reflect.ValueOf(&s).Elem())
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Fatalf("%s read back as %+v, %v", text, back, err)
		}
	}
}

// A number that is none is never written.
func TestValueIsNeverNaN(t *testing.T) {
	for _, v := range []Value{Known(math.NaN()), Known(math.Inf(1)), Known(math.Inf(-1)), Ratio(1, 0), Ratio(0, 0), {}} {
		text, _ := v.MarshalText()
		jsonText, _ := v.MarshalJSON()
		if _, known := v.Get(); known || len(text) > 0 || string(jsonText) != "null" {
			t.Errorf("%v is written as %q and %s", v, text, jsonText)
		}
	}
	for _, text := range []string{"NaN", "Inf", "-inf", "1e999", "one", "1 "} {
		var v Value
		if err := v.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %v", text, v)
		}
	}
}

// The names of the columns are a contract: whoever plots them counts on these.
func TestColumnNames(t *testing.T) {
	for name, test := range map[string]struct {
		header func() ([]byte, error)
		want   string
	}{
		TrialsFile: {func() ([]byte, error) { return EncodeCSV[Trial](nil, true) },
			"schema,trial,pair,proto,workload,size_bytes,flows,direction,batch,congestion_control_asked,link,rate_asked_msg_per_s,loss_goal_ratio,wait_asked,wait,started_utc,warmup_ms,duration_ms,tmax_ms,drained_ms,attempts," +
				"sent_messages,unsent_messages,received_messages,unique_messages,lost_messages,loss_ratio,lost_request_messages,lost_reply_messages," +
				"loss_periods,loss_period_max_messages,loss_period_mean_messages,loss_distance_mean_messages,timed_out_messages,send_queue_full_messages," +
				"lost_sender_messages,lost_buffer_messages,lost_network_messages,server_buffer_full_datagrams,client_buffer_full_datagrams," +
				"duplicated_messages,duplication_ratio," +
				"replicated_ratio,truncated_datagrams,malformed_datagrams,foreign_messages,corrupt_messages," +
				"reordered_messages,reordered_ratio,reorder_extent_mean_messages,reorder_extent_max_messages,reorder_extent_unknown_messages," +
				"reordered_n1_ratio,reordered_n2_ratio,reordered_n3_ratio,reorder_late_mean_us,reorder_late_max_us,reorder_free_run_mean_messages,reorder_gap_mean_messages,beyond_window_messages," +
				"rtt_count,rtt_min_us,rtt_mean_us,rtt_p50_us,rtt_p90_us,rtt_p99_us,rtt_p999_us,rtt_max_us,rtt_outside_range_count," +
				"connect_count,connect_min_us,connect_mean_us,connect_p50_us,connect_p90_us,connect_p99_us,connect_p999_us,connect_max_us,connect_outside_range_count," +
				"send_lag_count,send_lag_min_us,send_lag_mean_us,send_lag_p50_us,send_lag_p90_us,send_lag_p99_us,send_lag_p999_us,send_lag_max_us,send_lag_outside_range_count," +
				"owd_up_count,owd_up_min_us,owd_up_mean_us,owd_up_p50_us,owd_up_p90_us,owd_up_p99_us,owd_up_p999_us,owd_up_max_us,owd_up_outside_range_count," +
				"owd_down_count,owd_down_min_us,owd_down_mean_us,owd_down_p50_us,owd_down_p90_us,owd_down_p99_us,owd_down_p999_us,owd_down_max_us,owd_down_outside_range_count," +
				"clock_offset_us,clock_error_us," +
				"up_ipdv_count,up_ipdv_min_us,up_ipdv_max_us,up_ipdv_abs_p50_us,up_ipdv_abs_p99_us,up_pdv_p50_us,up_pdv_p99_us,up_pdv_p999_us,up_jitter_us," +
				"down_ipdv_count,down_ipdv_min_us,down_ipdv_max_us,down_ipdv_abs_p50_us,down_ipdv_abs_p99_us,down_pdv_p50_us,down_pdv_p99_us,down_pdv_p999_us,down_jitter_us," +
				"deadline_ms,deadline_judged_messages,deadline_missed_messages,deadline_miss_ratio,held_up_messages,held_up_ratio,longest_stall_ms," +
				"client_retransmitted_segments,server_retransmitted_segments," +
				"client_srtt_us,client_rttvar_us,client_min_rtt_us,server_srtt_us,server_rttvar_us,server_min_rtt_us," +
				"messages_per_s,goodput_bps,offered_bps,wire_bps,rate_limit_bps,goodput_up_bps,goodput_down_bps,max_rate_bps,max_rate_msg_per_s,max_rate_lower_msg_per_s,max_rate_upper_msg_per_s,max_rate_end,search_steps,search_s,client_cpu_s,server_cpu_s,cpu_us_per_message,client_cpu_us_per_message,server_cpu_us_per_message,cpu_s_per_gigabyte," +
				"client_calls_per_message,server_calls_per_message,messages_per_block,server_bytes_per_flow," +
				"steal_ratio,other_cpu_ratio,load_average_1min,other_traffic_bps,host_udp_buffer_errors_datagrams," +
				"link_up_packets,link_up_lost_packets,link_up_overflowed_packets,link_up_duplicated_packets,link_up_reordered_packets," +
				"link_down_packets,link_down_lost_packets,link_down_overflowed_packets,link_down_duplicated_packets,link_down_reordered_packets," +
				"link_late_p50_us,link_late_p99_us,link_behind_packets,link_missed_packets," +
				"offload_asked,portable_asked,pin_asked,stamp," +
				"client_send_buffer_asked_bytes,client_send_buffer_bytes,client_recv_buffer_asked_bytes,client_recv_buffer_bytes," +
				"server_send_buffer_asked_bytes,server_send_buffer_bytes,server_recv_buffer_asked_bytes,server_recv_buffer_bytes," +
				"congestion_control,server_congestion_control,client_offload,server_offload,client_path,server_path,client_cpus,server_cpus\n"},
		LatencyFile: {func() ([]byte, error) { return EncodeCSV[Bucket](nil, true) },
			"schema,trial,proto,workload,size_bytes,flows,direction,batch,congestion_control_asked,link,rate_asked_msg_per_s,loss_goal_ratio,metric,from_ns,to_ns,count,cumulative_ratio\n"},
		IntervalsFile: {func() ([]byte, error) { return EncodeCSV[Interval](nil, true) },
			"schema,trial,proto,workload,size_bytes,flows,direction,batch,congestion_control_asked,link,rate_asked_msg_per_s,loss_goal_ratio,start_ms,length_ms,received_messages,goodput_bps,latency_mean_us,latency_max_us\n"},
		SearchFile: {func() ([]byte, error) { return EncodeCSV[Step](nil, true) },
			"schema,trial,proto,workload,size_bytes,flows,direction,batch,congestion_control_asked,link,rate_asked_msg_per_s,loss_goal_ratio,step,load_msg_per_s,duration_ms," +
				"sent_messages,unsent_messages,received_messages,lost_messages,loss_ratio,received_msg_per_s,arrival_to_send_span_ratio,met\n"},
		SummaryFile: {func() ([]byte, error) { return EncodeCSV[Summary](nil, true) },
			"schema,workload,size_bytes,flows,direction,batch,congestion_control_asked,link,rate_asked_msg_per_s,loss_goal_ratio,metric,unit,better,over," +
				"tcp_value,tcp_min,tcp_max,tcp_low,tcp_high,tcp_trials,tcp_of_messages,tcp_drift_ratio,tcp_drift_p," +
				"udp_value,udp_min,udp_max,udp_low,udp_high,udp_trials,udp_of_messages,udp_drift_ratio,udp_drift_p," +
				"ratio,ratio_low,ratio_high,pairs,p,p_holm,rows_tested,threshold_ratio,winner,trials_needed,verdict\n"},
	} {
		got, err := test.header()
		if err != nil || string(got) != test.want {
			t.Errorf("%s:\n got %s\nwant %s%v", name, got, test.want, err)
		}
	}
}

func TestDecodeErrorsNameFileAndLine(t *testing.T) {
	const header = "schema,trial,proto,workload,size_bytes,flows,direction,batch,congestion_control_asked,link,rate_asked_msg_per_s,loss_goal_ratio,start_ms,length_ms,received_messages,goodput_bps,latency_mean_us,latency_max_us\n"
	const row = "2,1,tcp,latency,64,1,echo,1,cubic,,,,0,25,3,1,,\n"
	for _, test := range []struct{ text, want string }{
		{"", "f.csv:1: empty"},
		{"schema,trial\n1,1\n", "f.csv:1: "},
		{header + row + "1,one,tcp,latency,64,1,echo,1,cubic,,,,0,25,3,1,,\n", "f.csv:3: column trial: "},
		{header + row + row + "1,1,tcp,latency,64,1,echo,1,cubic,,,,0,25,3,1,NaN,\n", "f.csv:4: column latency_mean_us: "},
		{header + row + "1,2\n", "f.csv:3: "},
		{header + row + "1,1,\"tcp,latency,64,1,echo,1,cubic,,,,0,25,3,1,,\n", "f.csv:3: "},
	} {
		err := DecodeCSV(strings.NewReader(test.text), "f.csv", func(Interval) error { return nil })
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %s…", test.text, err, test.want)
		}
	}
	own := errors.New("no")
	err := DecodeCSV(strings.NewReader(header+row), "f.csv", func(Interval) error { return own })
	if !errors.Is(err, own) || !strings.HasPrefix(err.Error(), "f.csv:2: ") {
		t.Errorf("the caller's error: %v", err)
	}
}

// A later version may add columns; this one passes over them.
func TestDecodePassesOverUnknownColumns(t *testing.T) {
	text, err := EncodeCSV([]Interval{{Schema: 1, Trial: 7}}, true)
	if err != nil {
		t.Fatal(err)
	}
	wider := strings.ReplaceAll(string(text), "\n", ",9\n")
	wider = strings.Replace(wider, ",9\n", ",new_column\n", 1)
	found := 0
	if err := DecodeCSV(strings.NewReader(wider), "f.csv", func(i Interval) error { found = i.Trial; return nil }); err != nil || found != 7 {
		t.Errorf("trial %d, %v", found, err)
	}
}

func testRun() Run {
	return Run{Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Planned: 3, Version: "test",
		Command: []string{"bench", "run"}, Plan: json.RawMessage(`{"trials":3}`), Client: host.Facts{Name: "here"}}
}

func testTrial(n int) Record {
	return Record{Trial{Number: n, Proto: "udp"}, []Bucket{{Trial: n, FromNs: 1, ToNs: 2, Count: 3}}, []Interval{{Trial: n}}, []Step{{Trial: n}, {Trial: n}}}
}

func TestWriteAndRead(t *testing.T) {
	out := filepath.Join(t.TempDir(), "new", "results")
	var last string
	for i, want := range []string{"20260102-030405", "20260102-030405-2", "20260102-030405-3"} {
		w, err := Create(out, testRun())
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= i; n++ {
			if err := w.Add(testTrial(n)); err != nil {
				t.Fatal(err)
			}
			// The rows are there as soon as Add returns, whatever happens next.
			if set, err := Read(w.Dir()); err != nil || len(set.Trials) != n || set.Run.Status != Running {
				t.Fatalf("after trial %d: %+v, %v", n, set, err)
			}
		}
		if err := w.Close(Interrupted, errors.New("enough")); err != nil {
			t.Fatal(err)
		}
		last = filepath.Base(w.Dir())
		if last != want {
			t.Errorf("the run's folder is %s, want %s", last, want)
		}
	}
	if _, err := Read(filepath.Join(out, last, TrialsFile)); err == nil || !strings.Contains(err.Error(), "is a file: name the folder of a run") {
		t.Errorf("a file instead of a folder: %v", err)
	}
	set, err := Read(filepath.Join(out, "latest"))
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(set.Dir) != last || len(set.Trials) != 2 || len(set.Buckets) != 2 || len(set.Intervals) != 2 || len(set.Steps) != 4 ||
		set.Run.Status != Interrupted || set.Run.Error != "enough" || set.Run.Kept != 2 || set.Run.Planned != 3 || set.Run.Ended == nil {
		t.Errorf("%+v", set)
	}
}

// Where the system has no links for ordinary users, a file holds the name.
func TestLatestAsAFile(t *testing.T) {
	out := t.TempDir()
	w, err := Create(out, testRun())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close(Finished, nil)
	latest := filepath.Join(out, "latest")
	if err := os.WriteFile(latest, []byte(filepath.Base(w.Dir())+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(latest); err != nil {
		t.Error(err)
	}
}

// What a crash left behind is read up to its last whole trial.
func TestReadAfterACrash(t *testing.T) {
	w, err := Create(t.TempDir(), testRun())
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 2; n++ {
		if err := w.Add(testTrial(n)); err != nil {
			t.Fatal(err)
		}
	}
	trials := filepath.Join(w.Dir(), TrialsFile)
	text, err := os.ReadFile(trials)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(trials, text[:len(text)-10], 0o644); err != nil {
		t.Fatal(err)
	}
	set, err := Read(w.Dir())
	if err != nil || len(set.Trials) != 1 || len(set.Buckets) != 1 || len(set.Intervals) != 1 || len(set.Steps) != 2 {
		t.Errorf("%+v, %v", set, err)
	}
}

// A run may have its histograms packed, or none.
func TestReadPacked(t *testing.T) {
	w, err := Create(t.TempDir(), Run{Started: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(testTrial(1)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(Finished, nil); err != nil {
		t.Fatal(err)
	}
	plain, err := Read(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	latency := filepath.Join(w.Dir(), LatencyFile)
	text, err := os.ReadFile(latency)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	out := gzip.NewWriter(&packed)
	if _, err := out.Write(text); err != nil || out.Close() != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(latency+".gz", packed.Bytes(), 0o644), os.Remove(latency)); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(w.Dir()); err != nil || !reflect.DeepEqual(got, plain) || len(got.Buckets) == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.WriteFile(latency+".gz", []byte("no gzip"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(w.Dir()); err == nil || !strings.Contains(err.Error(), LatencyFile+".gz") {
		t.Errorf("%v", err)
	}
	if err := os.Remove(latency + ".gz"); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(w.Dir()); err != nil || len(got.Buckets) != 0 || len(got.Trials) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadErrors(t *testing.T) {
	damage := func(file, text string) func(dir string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644) }
	}
	for name, test := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"no run":       {os.RemoveAll, "no results at "},
		"no run.json":  {func(dir string) error { return os.Remove(filepath.Join(dir, RunFile)) }, "is not the folder of a run"},
		"half of run":  {damage(RunFile, "{\n\"schema\": 2,\n"), "run.json:3: "},
		"other schema": {damage(RunFile, `{"schema": 1}`), "schema 1, and this version of bench reads schema 5"},
		"no trials":    {func(dir string) error { return os.Remove(filepath.Join(dir, TrialsFile)) }, "trials.csv"},
		"no header":    {damage(LatencyFile, ""), "latency.csv:1: empty"},
		"wrong number": {damage(LatencyFile, "schema,trial,proto,workload,size_bytes,flows,direction,batch,congestion_control_asked,link,rate_asked_msg_per_s,loss_goal_ratio,metric,from_ns,to_ns,count,cumulative_ratio\n1,1,tcp,latency,64,1,echo,1,cubic,,,,rtt,x,2,3,1\n"),
			"latency.csv:2: column from_ns: "},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := Create(t.TempDir(), testRun())
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Close(Finished, nil); err != nil {
				t.Fatal(err)
			}
			if err := test.damage(w.Dir()); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(w.Dir()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want …%s…", err, test.want)
			}
		})
	}
}

func TestCreateWhereNothingCanBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(file, testRun()); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v does not name %s", err, file)
	}
}

func TestHistogram(t *testing.T) {
	h := NewHistogram()
	for i := int64(1); i <= 10_000; i++ {
		h.Record(i * 1000)
	}
	l := h.Latency()
	for _, check := range []struct {
		name string
		got  Value
		want float64
	}{{"count", l.Count, 10_000}, {"min", l.MinUs, 1}, {"mean", l.MeanUs, 5000.5}, {"p50", l.P50Us, 5000}, {"p90", l.P90Us, 9000}, {"p99", l.P99Us, 9900}, {"p99.9", l.P999Us, 9990}, {"max", l.MaxUs, 10_000}} {
		if v, known := check.got.Get(); !known || math.Abs(v-check.want) > check.want*0.001 {
			t.Errorf("%s = %v, want %v within 0.1 %%", check.name, check.got, check.want)
		}
	}
	if h.Latency().MaxUs != Known(10_000) || h.Latency().MinUs != Known(1) {
		t.Error("the extremes are not exact")
	}

	// The file's buckets make the same histogram again, and histograms merge by adding.
	back, other := NewHistogram(), NewHistogram()
	for i, b := range h.Buckets(Bucket{}) {
		if i%2 == 0 {
			back.AddBucket(b)
		} else {
			other.AddBucket(b)
		}
	}
	back.Merge(other)
	back.Merge(NewHistogram())
	for _, p := range []float64{1, 50, 90, 99, 99.9} {
		if a, b := h.PercentileUs(p), back.PercentileUs(p); a != b {
			t.Errorf("p%v is %v, and %v from the buckets", p, a, b)
		}
	}
	last := h.Buckets(Bucket{})[len(h.Buckets(Bucket{}))-1]
	if last.CumulativeRatio != 1 {
		t.Errorf("the last cumulative share is %v", last.CumulativeRatio)
	}
}

// A percentile is told only where five samples lie beyond it.
func TestPercentilesNeedSamples(t *testing.T) {
	for _, test := range []struct {
		n    int
		p    float64
		told bool
	}{{9, 50, false}, {10, 50, true}, {499, 99, false}, {500, 99, true}, {4999, 99.9, false}, {5000, 99.9, true}, {0, 50, false}} {
		h := NewHistogram()
		for range test.n {
			h.Record(1000)
		}
		if _, told := h.PercentileUs(test.p).Get(); told != test.told {
			t.Errorf("p%v of %d: told %v", test.p, test.n, told)
		}
	}
	if l := NewHistogram().Latency(); l != (Latency{}) {
		t.Errorf("the latency of nothing is %+v", l)
	}
}

func TestHistogramOutsideItsRange(t *testing.T) {
	h := NewHistogram()
	for _, ns := range []int64{-5, 5, 200e9} {
		h.Record(ns)
	}
	if h.Latency().Outside != Known(2) || h.Count() != 3 || h.Max() != 200e9 || h.Latency().MinUs != Known(-0.005) {
		t.Errorf("outside %d of %d, max %d, min %v", h.outside, h.Count(), h.Max(), h.Latency().MinUs)
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	h := NewHistogram()
	i := int64(0)
	if n := testing.AllocsPerRun(1000, func() { h.Record(i); i += 12345 }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	b.ReportAllocs()
	h := NewHistogram()
	i := int64(0)
	for b.Loop() {
		h.Record(i)
		i = (i + 12345) % 1e9
	}
}

func FuzzDecodeCSV(f *testing.F) {
	rng := rand.New(rand.NewPCG(5, 6))
	rows := make([]Bucket, 3)
	for i := range rows {
		fill(rng, reflect.ValueOf(&rows[i]).Elem())
	}
	text, err := EncodeCSV(rows, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("")
	f.Add("schema\n1\n")
	f.Fuzz(func(t *testing.T, text string) {
		// Whatever is read without an error is written and read the same.
		var rows []Bucket
		if DecodeCSV(strings.NewReader(text), "f", func(b Bucket) error { rows = append(rows, b); return nil }) != nil {
			return
		}
		again, err := EncodeCSV(rows, true)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		err = DecodeCSV(strings.NewReader(string(again)), "f", func(b Bucket) error {
			if b != rows[i] && !math.IsNaN(b.CumulativeRatio) {
				t.Errorf("%+v became %+v", rows[i], b)
			}
			i++
			return nil
		})
		if err != nil || i != len(rows) {
			t.Errorf("%d of %d rows, %v", i, len(rows), err)
		}
	})
}

// What a server says of itself is no formula in the client's spreadsheet; numbers below 0 stay what they are.
func TestNoFormulas(t *testing.T) {
	for _, word := range []string{"=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "cubic", "", "'=1", "1-2"} {
		trial := Trial{Schema: Schema, ClockOffsetUs: Known(-5)}
		trial.ServerCongestion, trial.ServerOffload, trial.ServerPath, trial.ServerPinned, trial.Link = word, word, word, word, word
		text, err := EncodeCSV([]Trial{trial}, true)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := Table(text)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for i, cell := range rows[1] {
			if strings.TrimPrefix(cell, "'") == word && word != "" {
				found++
			}
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && rows[0][i] != "clock_offset_us" {
				t.Errorf("%q: column %s begins like a formula: %q", word, rows[0][i], cell)
			}
		}
		if word != "" && found < 5 {
			t.Errorf("%q stands in %d cells, want 5", word, found)
		}
	}
}

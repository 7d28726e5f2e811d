package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"tcpvsudp/results"
)

// Benchfmt is the Go benchmark format (https://go.dev/design/14313-benchmark-format), which benchstat reads: a line a trial, with the
// columns of trials.csv as units. Only trials are in it, and no verdicts.
const Benchfmt Format = "benchfmt"

// WriteBenchfmt writes the trials of a run in the Go benchmark format. The number of iterations is that of the messages that arrived.
func WriteBenchfmt(w io.Writer, s *results.Set) error {
	out := benchfmt.NewWriter(w)
	var told []string
	for _, m := range metrics {
		if m.better == "" || slices.Contains(told, m.name) {
			continue
		}
		told = append(told, m.name)
		if err := out.Write(&benchfmt.UnitMetadata{UnitMetadataKey: benchfmt.UnitMetadataKey{Unit: m.name, Key: "better"}, OrigUnit: m.name, Value: m.better}); err != nil {
			return err
		}
	}
	for _, t := range s.Trials {
		r := &benchfmt.Result{Config: benchConfig(s.Run), Name: benchfmt.Name(benchName(t)), Iters: int(max(t.Unique, 1))}
		for _, m := range metrics {
			if v, known := m.figure(t).Get(); known && slices.Contains(m.workloads, t.Workload) {
				r.Values = append(r.Values, benchfmt.Value{Value: v, Unit: m.name})
			}
		}
		if len(r.Values) == 0 {
			continue
		}
		if err := out.Write(r); err != nil {
			return err
		}
	}
	return nil
}

func benchConfig(r results.Run) (list []benchfmt.Config) {
	for _, pair := range [][2]string{
		{"goos", r.Client.OS}, {"goarch", r.Client.Arch}, {"pkg", "tcpvsudp"}, {"cpu", r.Client.CPU}, {"kernel", r.Client.Kernel}, {"client", r.Client.Name}, {"server", r.Server.Name},
	} {
		if pair[1] != "" {
			list = append(list, benchfmt.Config{Key: pair[0], Value: []byte(strings.Map(oneLine, pair[1])), File: true})
		}
	}
	return list
}

// benchName is the name of a trial's benchmark: its cell, and last of all the transport, so that "benchstat -col /proto" sets them side by side.
func benchName(t results.Trial) string {
	name := capital(t.Workload)
	for _, part := range [][2]string{
		{"size", strconv.Itoa(t.SizeBytes)}, {"flows", strconv.Itoa(t.Flows)}, {"direction", t.Direction}, {"batch", t.Batch},
		{"rate", t.RateAsked.String()}, {"goal", t.LossGoal.String()}, {"cc", t.CongestionAsked}, {"link", t.Link}, {"wait", t.Wait}, {"proto", t.Proto},
	} {
		if part[1] != "" {
			name += fmt.Sprintf("/%s=%s", part[0], strings.Map(oneWord, part[1]))
		}
	}
	return name
}

// oneLine makes what would end a line a blank, oneWord what would end a name, or a part of it, an underscore.
func oneLine(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

func oneWord(r rune) rune {
	if r <= ' ' || r == '/' {
		return '_'
	}
	return r
}

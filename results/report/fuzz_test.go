package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"tcpvsudp/results"
)

// FuzzReport reads a run whose files hold anything: it is either refused with an error, or every report of it can be
// written.
func FuzzReport(f *testing.F) {
	for _, s := range []*results.Set{example(), twoHosts()} {
		run, err := json.Marshal(s.Run)
		if err != nil {
			f.Fatal(err)
		}
		trials, err := results.EncodeCSV(s.Trials, true)
		if err != nil {
			f.Fatal(err)
		}
		latency, err := results.EncodeCSV(s.Buckets, true)
		if err != nil {
			f.Fatal(err)
		}
		intervals, err := results.EncodeCSV([]results.Interval{{Schema: results.Schema, Trial: 1, Proto: "tcp", Cell: s.Trials[0].Cell, LengthMs: 25}}, true)
		if err != nil {
			f.Fatal(err)
		}
		steps, err := results.EncodeCSV([]results.Step{{Schema: results.Schema, Trial: 1, Proto: "tcp", Cell: s.Trials[0].Cell, Step: 1}}, true)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(run, trials, latency, intervals, steps)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, run, trials, latency, intervals, steps []byte) {
		for name, text := range map[string][]byte{results.RunFile: run, results.TrialsFile: trials, results.LatencyFile: latency, results.IntervalsFile: intervals, results.SearchFile: steps} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := results.Read(dir)
		if err != nil {
			return
		}
		for _, format := range Formats {
			var out bytes.Buffer
			if err := Write(&out, s, format, 80); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	})
}

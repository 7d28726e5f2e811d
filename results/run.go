package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tcpvsudp/internal/host"
)

// The names of the files of a run.
const (
	RunFile       = "run.json"
	TrialsFile    = "trials.csv"
	LatencyFile   = "latency.csv"
	IntervalsFile = "intervals.csv"
	SearchFile    = "search.csv"
	SummaryFile   = "summary.csv"
)

// IsFile tells whether a run keeps something in a file of that name, packed or not.
func IsFile(name string) bool {
	return slices.Contains([]string{RunFile, TrialsFile, LatencyFile, IntervalsFile, SearchFile, SummaryFile}, strings.TrimSuffix(name, ".gz"))
}

// latestName is the entry beside the runs that points to the newest one.
const latestName = "latest"

// Status says how far a run came.
type Status string

// A run is Running until it has ended; one that is Running and whose process is gone has crashed.
const (
	Running     Status = "running"
	Finished    Status = "finished"
	Interrupted Status = "interrupted"
	Failed      Status = "failed"
)

// Run is run.json.
type Run struct {
	Schema  int        `json:"schema"`
	ID      string     `json:"id"`
	Status  Status     `json:"status"`
	Error   string     `json:"error,omitempty"`
	Started time.Time  `json:"started_utc"`
	Ended   *time.Time `json:"ended_utc,omitempty"`
	// Planned and Kept count trials.
	Planned int `json:"planned_trials"`
	Kept    int `json:"kept_trials"`
	// Version is the program's, Command its arguments, Plan all that was asked, the seed included.
	Version string          `json:"version"`
	Command []string        `json:"command"`
	Plan    json.RawMessage `json:"plan"`
	Client  host.Facts      `json:"client"`
	Server  host.Facts      `json:"server"`
	// WakeUpUs is how long it took to wake up a sleeping thread of the other end when the run began, where both ends are on one host and
	// receivers sleep.
	WakeUpUs Value `json:"wake_up_us"`
	// SameTwice says that every pair of trials was of one transport, to see by how much what is the same differs (bench calibrate).
	SameTwice bool `json:"same_twice,omitempty"`
	// NoiseFloor is what was known of the noise of these hosts when the run began, nil for nothing.
	NoiseFloor *NoiseFloor `json:"noise_floor,omitempty"`
	// FloorUnfit says why one that was there did not count.
	FloorUnfit string `json:"noise_floor_unfit,omitempty"`
}

// Write writes r to run.json in dir, whole or not at all.
func (r Run) Write(dir string) error { return writeWhole(dir, RunFile, r) }

// writeWhole writes v as JSON to a file in dir, whole or not at all.
func writeWhole(dir, name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// ReadRun reads run.json in dir, the folder of a run, and nothing else.
func ReadRun(dir string) (Run, error) {
	path := filepath.Join(dir, RunFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Run{}, err
	}
	var r Run
	if err := json.Unmarshal(text, &r); err != nil {
		return Run{}, fmt.Errorf("%s:%d: %w", path, jsonLine(text, err), err)
	}
	if err := wrongSchema(r.Schema); err != nil {
		return Run{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// jsonLine is the line of text at which err occurred.
func jsonLine(text []byte, err error) int {
	offset := int64(0)
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &wrong):
		offset = wrong.Offset
	}
	line := 1
	for _, b := range text[:min(offset, int64(len(text)))] {
		if b == '\n' {
			line++
		}
	}
	return line
}

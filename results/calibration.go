package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tcpvsudp/internal/host"
)

// CalibrationFile is the file beside the runs that holds the noise floor of this host.
const CalibrationFile = "calibration.json"

// NoiseFloor is by how much two series of trials differed that measured the same: a transport against itself. A difference
// that is less is none of the transports'.
type NoiseFloor struct {
	Schema int `json:"schema"`
	// File is where it was found, empty in the file itself. Run is the folder of the run that it was made from.
	File string    `json:"file,omitempty"`
	Run  string    `json:"run"`
	Made time.Time `json:"made_utc"`
	// Client and Server are the hosts on which it was measured.
	Client host.Facts `json:"client"`
	Server host.Facts `json:"server"`
	// Pairs is how many pairs of trials a series had, DurationMs how long each trial was, Wait how its receivers waited.
	Pairs      int     `json:"pairs"`
	DurationMs float64 `json:"duration_ms"`
	Wait       string  `json:"wait"`
	Floors     []Floor `json:"floors"`
}

// Floor is the noise floor of one metric: of simulated series, 95 % differed by less than Ratio, as a share.
type Floor struct {
	Workload string  `csv:"workload" json:"workload"`
	Link     string  `csv:"link" json:"link"`
	Metric   string  `csv:"metric" json:"metric"`
	Ratio    float64 `csv:"noise_ratio" json:"noise_ratio"`
}

// For is the noise floor of a metric in a cell; 0 where none is known, and of a nil NoiseFloor.
func (n *NoiseFloor) For(cell Cell, metric string) float64 {
	if n == nil {
		return 0
	}
	for _, f := range n.Floors {
		if f.Workload == cell.Workload && f.Link == cell.Link && f.Metric == metric {
			return f.Ratio
		}
	}
	return 0
}

// SameHosts tells whether it was measured between such hosts as these: of the same name, processor and kernel.
func (n *NoiseFloor) SameHosts(client, server host.Facts) bool {
	same := func(a, b host.Facts) bool {
		return a.Name == b.Name && a.CPU == b.CPU && a.Cores == b.Cores && a.Kernel == b.Kernel
	}
	return same(n.Client, client) && same(n.Server, server)
}

// Write writes n below out, whole or not at all.
func (n *NoiseFloor) Write(out string) error {
	n.Schema = Schema
	return writeWhole(out, CalibrationFile, n)
}

// ReadNoiseFloor reads the noise floor below out, of whichever schema; nil where there is none.
func ReadNoiseFloor(out string) (*NoiseFloor, error) {
	path := filepath.Join(out, CalibrationFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n := &NoiseFloor{}
	if err := json.Unmarshal(text, n); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", path, jsonLine(text, err), err)
	}
	n.File = path
	return n, nil
}

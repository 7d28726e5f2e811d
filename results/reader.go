package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Set is all that one run left behind.
type Set struct {
	Dir       string
	Run       Run
	Trials    []Trial
	Buckets   []Bucket
	Intervals []Interval
	Steps     []Step
}

// Read reads the run in dir; dir may be a link, or the file that stands for one. An error names the
// file and the line.
func Read(dir string) (*Set, error) {
	dir, err := resolve(dir)
	if err != nil {
		return nil, err
	}
	s := &Set{Dir: dir}
	if s.Run, err = ReadRun(dir); err != nil {
		return nil, err
	}
	finished := map[int]bool{}
	path := filepath.Join(dir, TrialsFile)
	err = readCSV(path, func(t Trial) error {
		finished[t.Number] = true
		s.Trials = append(s.Trials, t)
		return wrongSchema(t.Schema)
	})
	if err != nil {
		return nil, err
	}
	// What is not there has not been kept: a report does with less.
	err = readIfThere(filepath.Join(dir, LatencyFile), func(b Bucket) error {
		if finished[b.Trial] {
			s.Buckets = append(s.Buckets, b)
		}
		return wrongSchema(b.Schema)
	})
	if err != nil {
		return nil, err
	}
	err = readIfThere(filepath.Join(dir, IntervalsFile), func(i Interval) error {
		if finished[i.Trial] {
			s.Intervals = append(s.Intervals, i)
		}
		return wrongSchema(i.Schema)
	})
	if err != nil {
		return nil, err
	}
	return s, readIfThere(filepath.Join(dir, SearchFile), func(step Step) error {
		if finished[step.Trial] {
			s.Steps = append(s.Steps, step)
		}
		return wrongSchema(step.Schema)
	})
}

// readIfThere is readCSV, of path.gz where path is not there, and of no rows where neither is: histograms are the most of a run, and who
// keeps one may pack them.
func readIfThere[T any](path string, row func(T) error) error {
	err := readCSV(path, row)
	if errors.Is(err, os.ErrNotExist) {
		if err = readPacked(path+".gz", row); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	return err
}

func wrongSchema(schema int) error {
	if schema != Schema {
		return fmt.Errorf("schema %d, and this version of bench reads schema %d", schema, Schema)
	}
	return nil
}

// resolve follows dir to the folder of a run.
func resolve(dir string) (string, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("no results at %s: run \"bench run\" first, or name a run's folder", dir)
	}
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		if filepath.Base(dir) != latestName {
			return "", fmt.Errorf("%s is a file: name the folder of a run", dir)
		}
		id, err := os.ReadFile(dir)
		if err != nil {
			return "", err
		}
		dir = filepath.Join(filepath.Dir(dir), strings.TrimSpace(string(id)))
	}
	if _, err := os.Stat(filepath.Join(dir, RunFile)); err != nil {
		return "", fmt.Errorf("%s is not the folder of a run: %w", dir, err)
	}
	return filepath.EvalSymlinks(dir)
}

package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A Writer writes a run trial by trial.
type Writer struct {
	dir                                string
	run                                Run
	trials, latency, intervals, search *table
}

// Create makes the folder of a new run below out, named after run.Started, with its files. It sets run's ID and
// Status. With the first trial, out/latest points to the run.
func Create(out string, run Run) (*Writer, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for results: %w", err)
	}
	id, err := makeRunFolder(out, run.Started)
	if err != nil {
		return nil, err
	}
	run.Schema, run.ID, run.Status = Schema, id, Running
	w := &Writer{dir: filepath.Join(out, id), run: run}
	if err := w.open(); err != nil {
		w.closeTables()
		os.RemoveAll(w.dir) // nothing has been measured yet
		return nil, err
	}
	return w, nil
}

func (w *Writer) open() (err error) {
	if w.trials, err = createTable[Trial](filepath.Join(w.dir, TrialsFile)); err != nil {
		return err
	}
	if w.latency, err = createTable[Bucket](filepath.Join(w.dir, LatencyFile)); err != nil {
		return err
	}
	if w.intervals, err = createTable[Interval](filepath.Join(w.dir, IntervalsFile)); err != nil {
		return err
	}
	if w.search, err = createTable[Step](filepath.Join(w.dir, SearchFile)); err != nil {
		return err
	}
	return w.run.Write(w.dir)
}

// makeRunFolder makes out/<started>, or out/<started>-2 where a run began in the same second.
func makeRunFolder(out string, started time.Time) (id string, err error) {
	base := started.UTC().Format("20060102-150405")
	id = base
	for n := 2; ; n++ {
		err := os.Mkdir(filepath.Join(out, id), 0o755)
		if !errors.Is(err, os.ErrExist) {
			return id, err
		}
		id = fmt.Sprintf("%s-%d", base, n)
	}
}

// pointLatest makes out/latest lead to the run id: a symbolic link, or where the system has none for
// ordinary users a file that holds the name.
func pointLatest(out, id string) error {
	// Another run may do the same: the entry is made under a name of its own and moved.
	latest, own := filepath.Join(out, latestName), filepath.Join(out, id, latestName+".new")
	if os.Symlink(id, own) != nil {
		if err := os.WriteFile(own, []byte(id+"\n"), 0o644); err != nil {
			return err
		}
	}
	return os.Rename(own, latest)
}

// Dir is the run's folder.
func (w *Writer) Dir() string { return w.dir }

// Kept is the number of trials written so far.
func (w *Writer) Kept() int { return w.run.Kept }

// Add writes one finished trial. On an error nothing of it counts, and the trials before it are kept.
func (w *Writer) Add(r Record) error {
	r.Trial.Schema = Schema
	for i := range r.Buckets {
		r.Buckets[i].Schema = Schema
	}
	for i := range r.Intervals {
		r.Intervals[i].Schema = Schema
	}
	for i := range r.Steps {
		r.Steps[i].Schema = Schema
	}
	if err := appendRows(w.latency, r.Buckets); err != nil {
		return err
	}
	if err := appendRows(w.intervals, r.Intervals); err != nil {
		return err
	}
	if err := appendRows(w.search, r.Steps); err != nil {
		return err
	}
	if err := appendRows(w.trials, []Trial{r.Trial}); err != nil {
		return err
	}
	w.run.Kept++
	if w.run.Kept == 1 {
		return pointLatest(filepath.Dir(w.dir), w.run.ID)
	}
	return nil
}

// Close ends the run with a status and the error that ended it early, if there was one.
func (w *Writer) Close(status Status, cause error) error {
	now := time.Now().UTC()
	w.run.Status, w.run.Ended = status, &now
	if cause != nil {
		w.run.Error = cause.Error()
	}
	return errors.Join(w.closeTables(), w.run.Write(w.dir))
}

func (w *Writer) closeTables() error {
	var errs []error
	for _, t := range []*table{w.trials, w.latency, w.intervals, w.search} {
		if t != nil {
			errs = append(errs, t.file.Close())
		}
	}
	return errors.Join(errs...)
}

// WriteSummary writes summary.csv in dir.
func WriteSummary(dir string, rows []Summary) error {
	for i := range rows {
		rows[i].Schema = Schema
	}
	text, err := EncodeCSV(rows, true)
	if err != nil {
		return fmt.Errorf("write %s: %w", SummaryFile, err)
	}
	return os.WriteFile(filepath.Join(dir, SummaryFile), text, 0o644)
}

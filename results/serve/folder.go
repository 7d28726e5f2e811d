package serve

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tcpvsudp/results"
)

// A folder is one that holds the folders of runs. Of each it reads run.json alone, and again only when that has changed.
type folder struct {
	dir  string
	root *os.Root // what leads out of it, by a link too, is not opened

	mu   sync.Mutex
	seen map[string]entry
}

func openFolder(dir string) (*folder, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no results at %s: run \"bench run\" first, or name the folder that holds runs", dir)
	}
	if err != nil {
		return nil, err
	}
	return &folder{dir: dir, root: root, seen: map[string]entry{}}, nil
}

// An entry is a run as a list shows it.
type entry struct {
	Name      string
	Run       results.Run
	Broken    string // why it can't be read
	Workloads string
	Links     string
	text      string // what is searched
	changed   time.Time
	size      int64
}

// runs are those of the folder, the newest first. A folder with neither run.json nor trials is not a run's.
func (f *folder) runs() ([]entry, error) {
	list, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var runs []entry
	for _, item := range list {
		if !item.IsDir() { // nor what is linked: latest is one of the others
			continue
		}
		if e, is := f.entry(item.Name()); is {
			runs = append(runs, e)
		}
	}
	for name := range f.seen {
		if !slices.ContainsFunc(list, func(item fs.DirEntry) bool { return item.Name() == name }) {
			delete(f.seen, name)
		}
	}
	slices.SortFunc(runs, func(a, b entry) int {
		return cmp.Or(b.Run.Started.Compare(a.Run.Started), cmp.Compare(b.Name, a.Name))
	})
	return runs, nil
}

func (f *folder) entry(name string) (e entry, is bool) {
	info, err := f.root.Stat(filepath.Join(name, results.RunFile))
	if err != nil {
		if _, none := f.root.Stat(filepath.Join(name, results.TrialsFile)); none != nil {
			return entry{}, false
		}
		return entry{Name: name, Broken: "it has no " + results.RunFile, text: strings.ToLower(name + " broken")}, true
	}
	if e, known := f.seen[name]; known && e.changed.Equal(info.ModTime()) && e.size == info.Size() {
		return e, true
	}
	e = entry{Name: name, changed: info.ModTime(), size: info.Size()}
	if e.Run, err = results.ReadRun(filepath.Join(f.dir, name)); err != nil {
		e.Broken, e.Run = err.Error(), results.Run{}
	}
	e.describe()
	f.seen[name] = e
	return e, true
}

// describe fills in what is shown and searched.
func (e *entry) describe() {
	var plan struct {
		Protos    []string `json:"protos"`
		Workloads []string `json:"workloads"`
		Links     []struct {
			Name string `json:"name"`
		} `json:"links"`
	}
	_ = json.Unmarshal(e.Run.Plan, &plan) // of a plan that can't be read nothing is said
	e.Workloads = strings.Join(plan.Workloads, ", ")
	var links []string
	for _, l := range plan.Links {
		links = append(links, l.Name)
	}
	e.Links = strings.Join(links, ", ")
	r := e.Run
	words := []string{e.Name, r.Client.Name, r.Client.OS, r.Client.Kernel, r.Client.CPU, r.Server.Name, string(r.Status), r.Error, r.Version,
		strings.Join(r.Command, " "), strings.Join(plan.Protos, " "), e.Workloads, e.Links}
	if e.Broken == "" {
		words = append(words, r.Started.UTC().Format(dateFormat))
	} else {
		words = append(words, "broken", e.Broken)
	}
	e.text = strings.ToLower(strings.Join(words, " "))
}

// dateFormat is how the pages show when a run began, in UTC.
const dateFormat = "2006-01-02 15:04:05"

// matching are the runs that have every word of query somewhere.
func matching(runs []entry, query string) (list []entry) {
	words := strings.Fields(strings.ToLower(query))
	for _, e := range runs {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(e.text, word) }) {
			list = append(list, e)
		}
	}
	return list
}

// find looks a run up by its name among those that there are: no other path is ever made from what was asked.
func (f *folder) find(name string) (entry, bool) {
	runs, err := f.runs()
	if err != nil {
		return entry{}, false
	}
	i := slices.IndexFunc(runs, func(e entry) bool { return e.Name == name })
	if i < 0 {
		return entry{}, false
	}
	return runs[i], true
}

// read reads all of a run.
func (f *folder) read(e entry) (*results.Set, error) {
	if e.Broken != "" {
		return nil, errors.New(e.Broken)
	}
	return results.Read(filepath.Join(f.dir, e.Name))
}

// offered are the files of a run that can be had, in the order in which they are shown.
var offered = []struct{ Name, What string }{
	{results.RunFile, "plan, hosts, how far the run came"},
	{results.TrialsFile, "a row for each trial"},
	{results.LatencyFile, "the buckets of the trials' histograms"},
	{results.IntervalsFile, "parts of trials: time series"},
	{results.SearchFile, "the measurements of searches"},
	{results.SummaryFile, "the rows of the tables"},
	{"map.csv", "the map of delay and loss"},
}

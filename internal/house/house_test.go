// Package house holds the structure of the project: which package may import which, and why.
package house

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "tcpvsudp"

// arrows are all imports between the packages of the project, each with its why. An import that is not here
// is an error, and so is an arrow that nothing uses.
var arrows = map[string]map[string]string{
	"cmd/bench": {
		"bench":          "the plan and the runner",
		"tcp":            "the command alone knows both transports",
		"udp":            "the command alone knows both transports",
		"control":        "agreeing sessions, on both sides",
		"demo":           "the story",
		"results":        "writing a run, reading it back",
		"results/report": "printing it",
		"results/plot":   "drawing it",
		"results/page":   "drawing it as a page",
		"results/serve":  "all runs in a browser",
		"internal/child": "the server that a run starts",
		"link":           "what lies between client and server",
		"internal/host":  "host facts for run.json",
	},
	"tcp": {
		"bench":           "the contract that it satisfies",
		"internal/socket": "what package net does not show",
	},
	"udp": {
		"bench":           "the contract that it satisfies",
		"internal/clock":  "when a datagram arrived at a socket of all",
		"internal/socket": "what package net does not show",
	},
	"bench": {
		"results":        "the records that a trial becomes",
		"internal/clock": "pacing, stamping",
		"internal/host":  "CPU time",
		"internal/cpu":   "which processor a flow runs on",
	},
	"bench/benchtest": {
		"bench":          "the contract that it checks",
		"internal/clock": "when a message arrived at the fake server",
	},
	"control": {
		"bench":         "the sessions that are agreed",
		"internal/host": "a server tells what it runs on",
	},
	"demo": {},
	"link": {
		"bench":          "a log tells messages by their header",
		"results":        "what it did becomes columns of a trial; how late it was",
		"internal/child": "the forwarder is a process of its own",
		"internal/clock": "when packets come and are due",
		"internal/netns": "the two hosts",
	},
	"results": {
		"internal/host": "run.json holds host facts",
	},
	"results/report": {
		"results":       "the records are all that a report knows",
		"results/stats": "medians, intervals and tests over trials",
		"internal/host": "host facts, to find what differs between two results",
	},
	"results/plot": {
		"results":        "the records are all that a picture knows",
		"results/report": "what the tables tell, by the names and scales of the tables",
		"results/stats":  "medians and intervals of columns that no table has",
	},
	"results/page": {
		"results":        "the records that are drawn",
		"results/report": "the page says and judges nothing but what the report does",
		"results/stats":  "medians over trials at one moment",
	},
	"results/serve": {
		"results":        "the runs of a folder",
		"results/report": "their tables",
		"results/page":   "their pages",
	},
	"results/stats":   {}, // knows nothing of networks
	"internal/child":  {},
	"internal/clock":  {},
	"internal/host":   {},
	"internal/cpu":    {},
	"internal/socket": {"internal/clock": "deadlines of those who wait by themselves"},
	"internal/house":  {},
	"internal/netns":  {},
}

// imports returns what the non-test files of every package import from the project.
func imports(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "tools" || strings.HasPrefix(entry.Name(), ".") && file != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		if _, known := found[dir]; !known {
			found[dir] = nil
		}
		if strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(name, module+"/"); ok && !slices.Contains(found[dir], own) {
				found[dir] = append(found[dir], own)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestArrows(t *testing.T) {
	found := imports(t, filepath.Join("..", ".."))
	if len(found["cmd/bench"]) == 0 {
		t.Fatal("no imports were found: is this the project?")
	}
	for from, list := range found {
		allowed, known := arrows[from]
		if !known {
			t.Errorf("package %s is not in the picture: say in arrows what it may import, and why", from)
		}
		for _, to := range list {
			if allowed[to] == "" {
				t.Errorf("%s imports %s, and no arrow says why", from, to)
			}
		}
	}
	for from, allowed := range arrows {
		for to := range allowed {
			if !slices.Contains(found[from], to) {
				t.Errorf("the arrow from %s to %s is not used: take it out", from, to)
			}
		}
	}
}

// tcp and udp are mirror images: the same files, but for those that say what only one of them needs.
func TestMirrorImages(t *testing.T) {
	alone := []string{"tcp/handoff.go", "tcp/strays.go", "udp/cut.go", "udp/door.go", "udp/door_linux.go", "udp/door_other.go"}
	for _, pair := range [][2]string{{"tcp", "udp"}, {"udp", "tcp"}} {
		files, err := filepath.Glob(filepath.Join("..", "..", pair[0], "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("files %v, %v", files, err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if strings.HasSuffix(name, "_test.go") || slices.Contains(alone, path.Join(pair[0], name)) {
				continue
			}
			twin, err := filepath.Glob(filepath.Join("..", "..", pair[1], name))
			if err != nil || len(twin) != 1 {
				t.Errorf("%s/%s has no twin in %s", pair[0], name, pair[1])
			}
		}
	}
}

// No workload asks which transport it runs on, and package bench does not know their names.
func TestBenchIsBlind(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "bench", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, literal := range stringLiterals(parsed) {
			if literal == "tcp" || literal == "udp" {
				if filepath.Base(file) != "plan.go" { // the default plan names both
					t.Errorf("%s names a transport: %q", file, literal)
				}
			}
		}
	}
}

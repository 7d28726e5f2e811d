package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tcpvsudp/internal/host"
	"tcpvsudp/results"
	"tcpvsudp/results/page"
)

// hostile is what no page may carry as it is.
const hostile = `<script>alert("x")</script>`

// makeRun writes a run in dir and returns its name.
func makeRun(t *testing.T, dir string, started time.Time, workload, client, link string) string {
	t.Helper()
	plan, err := json.Marshal(map[string]any{"workloads": []string{workload}, "links": []map[string]string{{"name": link}}})
	if err != nil {
		t.Fatal(err)
	}
	facts := host.Facts{Name: client, OS: "linux", Kernel: "6.1", Cores: 2}
	w, err := results.Create(dir, results.Run{Started: started, Planned: 4, Plan: plan, Client: facts, Server: facts, Command: []string{"bench", "run"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		trial := results.Trial{Number: i + 1, Pair: i/2 + 1, Proto: []string{"tcp", "udp"}[i%2], Wait: "block", Attempts: 1}
		trial.Cell = results.Cell{Workload: "latency", SizeBytes: 64, Flows: 1, Direction: "echo", Link: link}
		trial.RTT.P50Us, trial.Sent, trial.Unique, trial.Received = results.Known(float64(50+i)), 100, 100, 100
		if err := w.Add(results.Record{Trial: trial}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(results.Finished, nil); err != nil {
		t.Fatal(err)
	}
	return filepath.Base(w.Dir())
}

// example is a folder with two runs, a hostile one, two broken ones, and what is no run.
func example(t *testing.T) (dir string, names []string) {
	dir = filepath.Join(t.TempDir(), "results")
	day := func(n int) time.Time { return time.Date(2026, 1, n, 3, 4, 5, 0, time.UTC) }
	names = []string{
		makeRun(t, dir, day(2), "latency", "alpha", ""),
		makeRun(t, dir, day(3), "throughput", "beta", "delay=20ms;loss=1%"),
		makeRun(t, dir, day(4), hostile, hostile, hostile),
	}
	for name, text := range map[string]string{
		"broken/run.json": "{\n\"schema\": }", "old/run.json": `{"schema": 1}`, "headless/trials.csv": "schema\n", "notes/readme.txt": "", "secret.txt": "secret",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "..", "outside.csv"), []byte("outside"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, names
}

// ask asks the pages of dir for a path, as it is.
func ask(t *testing.T, pages http.Handler, method, path, name string) (int, string, http.Header) {
	t.Helper()
	server := httptest.NewServer(pages)
	defer server.Close()
	request, err := http.NewRequest(method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if name != "" {
		request.Host = name
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

func TestPages(t *testing.T) {
	dir, names := example(t)
	pages, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path   string
		status int
		want   []string
		not    []string
	}{
		{"/", 200, []string{"6 of 6 runs", "/runs/" + names[0], "/runs/" + names[1], "alpha", "delay=20ms;loss=1%", "2026-01-03 03:04:05",
			"broken: ", "run.json:2: invalid character", "schema 1, and this version of bench reads schema 5", "it has no run.json"}, []string{"notes", "latest", "secret"}},
		{"/?q=ALPHA", 200, []string{"1 of 6 runs", names[0]}, []string{names[1]}},
		{"/?q=throughput+2026-01-03+loss%3D1%25+finished", 200, []string{"1 of 6 runs", names[1]}, []string{names[0]}},
		{"/?q=broken", 200, []string{"3 of 6 runs"}, names},
		{"/?q=%3Cscript%3E&page=-7", 200, []string{"1 of 6 runs", `value="&lt;script&gt;"`}, nil},
		{"/?q=nowhere&page=99", 200, []string{"No run has all of these words"}, nil},
		{"/runs/" + names[0], 200, []string{"RTT p50, µs", "64 B", "Run " + names[0] + " on alpha"}, nil},
		{"/runs/" + names[2], 200, []string{"on &lt;script&gt;"}, nil},
		{"/runs/broken", 422, []string{"invalid character"}, nil},
		{"/runs/headless", 422, []string{"it has no run.json"}, nil},
		{"/runs/notes", 404, []string{"there is no run"}, nil},
		{"/runs/latest", 404, []string{"there is no run"}, nil},
		{"/runs/" + names[0] + "/files", 200, []string{"trials.csv", "run.json", "alpha: linux 6.1"}, []string{"map.csv", "summary.csv"}},
		{"/runs/" + names[2] + "/files", 200, []string{"&lt;script&gt;"}, nil},
		{"/runs/broken/files", 200, []string{"This run is broken", "run.json"}, []string{"trials.csv"}},
		{"/runs/" + names[0] + "/files/trials.csv", 200, []string{"schema,trial,pair,proto"}, nil},
		{"/runs/" + names[0] + "/files/run.json", 200, []string{`"status": "finished"`}, nil},
		{"/runs/" + names[0] + "/files/map.csv", 404, []string{"no such file"}, nil},
		{"/compare?old=" + names[0] + "&new=" + names[1], 200, []string{"Old: Run " + names[0], "Only in one of the two"}, nil},
		{"/compare?old=" + names[0] + "&new=" + names[0], 400, []string{"the same run"}, nil},
		{"/compare?old=" + names[0], 400, []string{"choose two runs"}, nil},
		{"/compare?old=" + names[0] + "&new=../outside", 404, []string{"there is no run"}, nil},
		{"/compare?old=" + names[0] + "&new=broken", 422, []string{"invalid character"}, nil},
		{"/style.css", 200, []string{"prefers-color-scheme: dark"}, nil},
		{"/favicon.ico", 404, []string{"no such page"}, nil},
	} {
		status, body, header := ask(t, pages, "GET", c.path, "")
		if status != c.status {
			t.Errorf("%s: status %d, want %d:\n%s", c.path, status, c.status, body)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in\n%s", c.path, want, body)
			}
		}
		for _, not := range c.not {
			if strings.Contains(body, not) {
				t.Errorf("%s: %q in\n%s", c.path, not, body)
			}
		}
		shown := policy
		if strings.Contains(body, "Content-Security-Policy") { // the page of a run, with a style and a script of its own
			shown = page.Policy + "; frame-ancestors 'none'"
		}
		if !strings.Contains(c.path, "/files/") && shown == policy && strings.Contains(body, "<script") {
			t.Errorf("%s carries a script:\n%s", c.path, body)
		}
		if header.Get("Content-Security-Policy") != shown || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", c.path, header)
		}
		if strings.Contains(c.path, "/files/") && status == 200 && !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s is shown, not saved: %v", c.path, header)
		}
	}
}

// Two runs with something in common make tables.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	a := makeRun(t, dir, time.Unix(1e9, 0), "latency", "alpha", "")
	b := makeRun(t, dir, time.Unix(1e9+9, 0), "latency", "alpha", "")
	pages, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	status, body, _ := ask(t, pages, "GET", "/compare?old="+a+"&new="+b, "")
	for _, want := range []string{"<caption>Latency: closed loop", `<th scope="col" class="n">new/old</th>`, `colspan="5">TCP, 64 B</th>`, `<th scope="row">RTT p50, µs</th><td class="n">51.00`} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("status %d, no %q in\n%s", status, want, body)
		}
	}
}

// No path leads out of the folder, or to a file that is not a run's.
func TestTraversal(t *testing.T) {
	dir, names := example(t)
	if err := os.Symlink(filepath.Join("..", "..", "outside.csv"), filepath.Join(dir, names[0], "map.csv")); err != nil {
		t.Log("no links here:", err)
	}
	pages, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/runs/../../etc/passwd", "/runs/..%2f..%2fetc%2fpasswd", "/runs/%2e%2e/files/outside.csv", "/runs/%2e%2e%2foutside.csv/files",
		"/runs/" + names[0] + "/files/..%2f..%2foutside.csv", "/runs/" + names[0] + "/files/..%5c..%5coutside.csv", "/runs/" + names[0] + "/files/map.csv",
		"/runs/.", "/runs/..", "/runs/%2e%2e/files", "/runs/%2fetc/files", "/runs/" + names[0] + "%2ffiles", "/runs/" + names[0] + "%00/files", "/runs//", "//etc/passwd", "/secret.txt", "/runs/secret.txt",
		"/runs/" + names[0] + "/files/latest", "/compare?old=" + names[0] + "&new=%2fetc",
	} {
		status, body, header := ask(t, pages, "GET", path, "")
		if status == 200 || strings.Contains(body, "outside\n") || body == "outside" || strings.Contains(body, "root:") {
			t.Errorf("%s: status %d %v\n%s", path, status, header, body)
		}
	}
}

// Other names and other methods are refused, on every path.
func TestGuard(t *testing.T) {
	dir, names := example(t)
	pages, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/runs/" + names[0], "/runs/" + names[0] + "/files/trials.csv", "/none"} {
		for _, name := range []string{"evil.example.net", "evil.example.net:8787", "192.0.2.1", "localhost.evil.example.net", "127.0.0.1.evil.example.net", "[2001:db8::1]:8787", "0.0.0.0:8787"} {
			if status, body, _ := ask(t, pages, "GET", path, name); status != http.StatusMisdirectedRequest || strings.Contains(body, "alpha") {
				t.Errorf("%s by the name of %s: status %d", path, name, status)
			}
		}
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"} {
			if status, _, header := ask(t, pages, method, path, ""); status != http.StatusMethodNotAllowed || header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: status %d", method, path, status)
			}
		}
	}
	for _, name := range []string{"localhost", "localhost:8787", "127.0.0.1", "127.0.0.1:8787", "[::1]", "[::1]:8787"} {
		if status, _, _ := ask(t, pages, "GET", "/", name); status != http.StatusOK {
			t.Errorf("by the name of %s: status %d", name, status)
		}
	}
	if status, body, _ := ask(t, pages, "HEAD", "/", ""); status != http.StatusOK || body != "" {
		t.Errorf("HEAD: status %d, %q", status, body)
	}
}

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:8787": true, "localhost:0": true, "[::1]:1": true, "127.9.9.9:1": true, "[::ffff:127.0.0.1]:1": true,
		":8787": false, "0.0.0.0:1": false, "[::]:1": false, "192.0.2.1:1": false, "example.net:1": false, "localhost": false, "": false, "localhost.:1": false,
	} {
		if err := Loopback(addr); (err == nil) != want {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

// A long list has pages, and a search goes through all of them. A run that changes is read again.
func TestManyRuns(t *testing.T) {
	dir := t.TempDir()
	for i := range 250 {
		path := filepath.Join(dir, fmt.Sprintf("run%03d", i))
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		run := results.Run{Schema: results.Schema, Status: results.Running, Started: time.Unix(int64(1e9+i), 0), Planned: 1, Client: host.Facts{Name: fmt.Sprintf("host%d", i%5)}}
		if err := run.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	pages, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	count := func(path string) (int, string) {
		_, body, _ := ask(t, pages, "GET", path, "")
		return strings.Count(body, `<th scope="row">`), body
	}
	for path, want := range map[string]int{"/": 100, "/?page=1": 100, "/?page=2": 50, "/?page=9": 50, "/?q=host3": 50, "/?q=run24": 10} {
		if n, body := count(path); n != want {
			t.Errorf("%s: %d runs, want %d\n%s", path, n, want, body[:min(len(body), 2000)])
		}
	}
	if _, body := count("/"); !strings.Contains(body, "page 1 of 3") || !strings.Contains(body, `<a href="/?q=&amp;page=1">older</a>`) || strings.Contains(body, "newer") {
		t.Error("the first page does not lead to the next")
	}
	again := results.Run{Schema: results.Schema, Status: results.Finished, Client: host.Facts{Name: "elsewhere.example.net"}}
	if err := again.Write(filepath.Join(dir, "run000")); err != nil {
		t.Fatal(err)
	}
	if n, _ := count("/?q=elsewhere"); n != 1 {
		t.Errorf("a run that has changed is found %d times", n)
	}
	if err := os.RemoveAll(filepath.Join(dir, "run000")); err != nil {
		t.Fatal(err)
	}
	if n, _ := count("/?q=elsewhere"); n != 0 {
		t.Error("a run that is gone is found")
	}
}

func TestServeEnds(t *testing.T) {
	dir, _ := example(t)
	pages, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Serve(ctx, l, pages) }()
	answer, err := http.Get("http://" + l.Addr().String() + "/")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer, err)
	}
	answer.Body.Close()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not end")
	}
	if _, err := Open(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "no results at") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// A folder may have any name: its links lead to it, and its page leads back.
func TestOddNames(t *testing.T) {
	dir := t.TempDir()
	run := makeRun(t, dir, time.Unix(1e9, 0), "latency", "alpha", "")
	const odd = "a?b#c %41 & <b>"
	if err := os.Rename(filepath.Join(dir, run), filepath.Join(dir, odd)); err != nil {
		t.Skip(err) // this system has no such names
	}
	pages, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := ask(t, pages, "GET", "/", "")
	const want = "/runs/a%3Fb%23c%20%2541%20&amp;%20%3Cb%3E"
	if !strings.Contains(list, `href="`+want+`"`) {
		t.Fatalf("no link to %s in\n%s", want, list)
	}
	status, page, _ := ask(t, pages, "GET", strings.ReplaceAll(want, "&amp;", "&"), "")
	if status != 200 || !strings.Contains(page, `<a href="/">All runs</a>`) {
		t.Errorf("status %d: %.300s", status, page)
	}
}

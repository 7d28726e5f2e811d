package page

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var shots = flag.String("shots", "", "leave pictures of the pages in this folder")

// complaints collects what a browser has to complain of.
type complaints struct {
	sync.Mutex
	list []string
}

func (c *complaints) add(text string) {
	c.Lock()
	defer c.Unlock()
	c.list = append(c.list, text)
}

func (c *complaints) take() []string {
	c.Lock()
	defer c.Unlock()
	list := c.list
	c.list = nil
	return list
}

// hear listens for errors, and for requests that leave the page.
func (c *complaints) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		c.add("exception: " + e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		c.add("console: " + string(e.Type))
	case *log.EventEntryAdded:
		c.add(string(e.Entry.Level) + ": " + e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file:") {
			c.add("request: " + e.Request.URL)
		}
	}
}

// browser starts one with its network off.
func browser(t *testing.T) (context.Context, *complaints) {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no chromium is installed here, to open pages with")
	}
	profile, err := os.MkdirTemp("", "page")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // it may still be written to
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"))
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, late := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(late)
	heard := &complaints{}
	if err := chromedp.Listen(ctx, heard.hear); err != nil {
		t.Fatal(err)
	}
	call(t, ctx, network.Enable, network.EnableParams{})
	call(t, ctx, runtime.Enable, cdp.Empty{})
	call(t, ctx, log.Enable, cdp.Empty{})
	return ctx, heard
}

// call gives the browser a command.
func call[P, R any](t *testing.T, ctx context.Context, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		t.Fatalf("%s: %v", command.Method, err)
	}
}

// ask returns what an action does.
func ask[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	answer, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// faults is what is wrong with the drawings of a page: no marks, or what lies outside of its drawing or of the window.
const faults = `(() => {
  const list = [];
  for (const svg of document.querySelectorAll("svg.chart")) {
    const name = svg.querySelector("title").textContent;
    const marks = [...svg.querySelectorAll(".mark")];
    if (marks.length === 0) list.push(name + ": no marks");
    const view = svg.viewBox.baseVal;
    for (const e of [...marks, ...svg.querySelectorAll("path.line, path.sample, text")]) {
      const b = e.getBBox();
      if (b.width + b.height === 0 && e.tagName === "path") list.push(name + ": nothing drawn by " + e.getAttribute("class"));
      if (b.x < -1 || b.y < -1 || b.x + b.width > view.width + 1 || b.y + b.height > view.height + 1)
        list.push(name + ": outside: " + (e.textContent || e.getAttribute("data-tip") || e.getAttribute("class")));
    }
    if (getComputedStyle(svg).display === "none") list.push(name + ": not shown");
  }
  const wide = document.documentElement.scrollWidth, room = document.documentElement.clientWidth;
  if (wide > room) list.push("the page is " + wide + " wide in a window of " + room);
  return list;
})()`

func TestInBrowser(t *testing.T) {
	ctx, heard := browser(t)
	dir := t.TempDir()
	for name, s := range runs() {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name+".html")
			if err := os.WriteFile(file, []byte(render(t, s)), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, look := range []struct {
				name, scheme string
				width        int64
			}{{"desktop", "light", 1280}, {"phone", "light", 390}, {"dark", "dark", 1280}} {
				call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
				ask(t, ctx, chromedp.EmulateViewport(look.width, 900))
				ask(t, ctx, chromedp.Navigate("file://"+filepath.ToSlash(file)))
				for _, fault := range append(ask(t, ctx, chromedp.Evaluate[[]string](faults)), heard.take()...) {
					t.Errorf("%s: %s", look.name, fault)
				}
				picture(t, ctx, name+"-"+look.name)
			}
		})
	}
}

// picture leaves a picture of the page in the folder that was asked for.
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if *shots == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), ask(t, ctx, chromedp.FullScreenshot(100)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The pointer and the keys tell values.
func TestMarksTellTheirValues(t *testing.T) {
	ctx, heard := browser(t)
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(render(t, full(6, 1000))), 0o600); err != nil {
		t.Fatal(err)
	}
	ask(t, ctx, chromedp.EmulateViewport(1280, 900))
	ask(t, ctx, chromedp.Navigate("file://"+filepath.ToSlash(file)))
	told := chromedp.Evaluate[string](`document.getElementById("tip").hidden ? "" : document.getElementById("tip").textContent`)

	ask(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("svg.chart").focus()`))
	settle(t, ctx)
	for _, step := range [][2]string{{kb.ArrowRight, "TCP p50: "}, {kb.ArrowRight, "TCP p90: "}, {kb.ArrowDown, "UDP p90: "}, {kb.ArrowLeft, "UDP p50: "}, {kb.Escape, ""}} {
		ask(t, ctx, chromedp.KeyEvent(step[0]))
		if got := ask(t, ctx, told); !strings.HasPrefix(got, step[1]) || step[1] == "" && got != "" {
			t.Errorf("a key told %q, want %q", got, step[1])
		}
	}

	at := ask(t, ctx, chromedp.Evaluate[[2]float64](`(() => {
		const mark = document.querySelector("#cost .mark");
		mark.scrollIntoView({block: "center"});
		const r = mark.getBoundingClientRect();
		return [r.left + r.width / 2, r.top + r.height / 2];
	})()`))
	settle(t, ctx)
	ask(t, ctx, chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]))
	if got := ask(t, ctx, told); !strings.HasPrefix(got, "TCP, latency, 64 B: ") {
		t.Errorf("the pointer told %q", got)
	}
	ask(t, ctx, chromedp.MouseEvent(chromedp.MouseMoved, 1, 1))
	if got := ask(t, ctx, told); got != "" {
		t.Errorf("away from all marks the pointer told %q", got)
	}
	for _, fault := range heard.take() {
		t.Error(fault)
	}
}

// settle waits until what has scrolled is drawn: only then the page hears of it, and closes what it told.
func settle(t *testing.T, ctx context.Context) {
	t.Helper()
	ask(t, ctx, chromedp.Evaluate[chromedp.Void](`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))`, chromedp.EvalAwaitPromise))
}

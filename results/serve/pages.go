package serve

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tcpvsudp/results"
	"tcpvsudp/results/page"
	"tcpvsudp/results/report"
)

//go:embed *.html
var sources embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"date": func(r results.Run) string { return r.Started.UTC().Format(dateFormat) },
	// group tells whether a row of a table is the name of those below it.
	"group": func(row []string) bool {
		return !slices.ContainsFunc(row[1:], func(cell string) bool { return cell != "" })
	},
	// path is a name as a part of an address, whatever signs it has.
	"path":  url.PathEscape,
	"trim":  strings.TrimSpace,
	"bytes": func(n int64) string { return strconv.FormatInt(n, 10) },
}).ParseFS(sources, "*.html"))

// pages answers what is asked of a folder.
type pages struct{ folder *folder }

// show writes a page, whole or not at all.
func show(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "make the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // whoever has gone does not want it
}

// fail says what did not work.
func fail(w http.ResponseWriter, status int, why string) {
	show(w, status, "fail.html", struct{ Title, Why string }{http.StatusText(status), why})
}

// runsPerPage is how many runs a list shows at once.
const runsPerPage = 100

func (p *pages) list(w http.ResponseWriter, r *http.Request) {
	runs, err := p.folder.runs()
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	query := r.URL.Query().Get("q")
	found := matching(runs, query)
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	last := max((len(found)-1)/runsPerPage, 0)
	page = min(max(page, 0), last)
	part := found[page*runsPerPage : min((page+1)*runsPerPage, len(found))]
	show(w, http.StatusOK, "list.html", struct {
		Folder, Query       string
		Runs                []entry
		All, Found          int
		Page, Pages         int
		Before, After       int
		HasBefore, HasAfter bool
	}{p.folder.dir, query, part, len(runs), len(found), page + 1, last + 1, page - 1, page + 1, page > 0, page < last})
}

// run reads the run that is asked for by its name, or says why that is not possible.
func (p *pages) run(w http.ResponseWriter, name string) (*results.Set, bool) {
	e, found := p.folder.find(name)
	if !found {
		fail(w, http.StatusNotFound, fmt.Sprintf("there is no run %q in %s", name, p.folder.dir))
		return nil, false
	}
	set, err := p.folder.read(e)
	if err != nil {
		fail(w, http.StatusUnprocessableEntity, fmt.Sprintf("run %s can't be read: %v", name, err))
		return nil, false
	}
	return set, true
}

func (p *pages) report(w http.ResponseWriter, r *http.Request) {
	set, ok := p.run(w, r.PathValue("name"))
	if !ok {
		return
	}
	var text bytes.Buffer
	if err := page.Write(&text, set, "/"); err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", page.Policy+"; frame-ancestors 'none'")
	_, _ = text.WriteTo(w)
}

func (p *pages) compare(w http.ResponseWriter, r *http.Request) {
	names := [2]string{r.URL.Query().Get("old"), r.URL.Query().Get("new")}
	if names[0] == "" || names[1] == "" {
		fail(w, http.StatusBadRequest, "choose two runs in the list: an old one and a new one")
		return
	}
	if names[0] == names[1] {
		fail(w, http.StatusBadRequest, "the two are the same run: what is the same does not differ")
		return
	}
	var sets [2][]*results.Set
	for i, name := range names {
		set, ok := p.run(w, name)
		if !ok {
			return
		}
		sets[i] = []*results.Set{set}
	}
	heads, tables, notes := report.Compare(sets[0], sets[1]).Parts(true)
	show(w, http.StatusOK, "compare.html", struct {
		Old, New     string
		Heads, Notes []string
		Tables       []report.Table
	}{names[0], names[1], heads, notes, tables})
}

func (p *pages) files(w http.ResponseWriter, r *http.Request) {
	e, found := p.folder.find(r.PathValue("name"))
	if !found {
		fail(w, http.StatusNotFound, fmt.Sprintf("there is no run %q in %s", r.PathValue("name"), p.folder.dir))
		return
	}
	type file struct {
		Name, What string
		Bytes      int64
	}
	var files []file
	for _, o := range offered {
		if info, err := p.folder.root.Stat(filepath.Join(e.Name, o.Name)); err == nil && info.Mode().IsRegular() {
			files = append(files, file{o.Name, o.What, info.Size()})
		}
	}
	show(w, http.StatusOK, "files.html", struct {
		Entry entry
		Files []file
	}{e, files})
}

func (p *pages) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	e, found := p.folder.find(r.PathValue("name"))
	known := slices.ContainsFunc(offered, func(o struct{ Name, What string }) bool { return o.Name == name })
	if !found || !known {
		fail(w, http.StatusNotFound, "there is no such file of a run")
		return
	}
	f, err := p.folder.root.Open(filepath.Join(e.Name, name))
	if err != nil {
		fail(w, http.StatusNotFound, "there is no such file of a run")
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		fail(w, http.StatusNotFound, "there is no such file of a run")
		return
	}
	kind := "text/csv; charset=utf-8"
	if name == results.RunFile {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	http.ServeContent(w, r, name, info.ModTime(), f)
}

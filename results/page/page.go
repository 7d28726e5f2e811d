// Package page draws the results of a run as one HTML page that needs nothing else: it makes no request, and opens from a disk with no
// network. What it says and judges is results/report's; what it draws it draws itself, as SVG.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's own template, style and script
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"

	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

var (
	//go:embed template.html
	layout string
	//go:embed style.css
	style string
	//go:embed script.js
	script string
)

// All text goes through html/template, that of the drawings too: a host may be called <script>.
var page = template.Must(template.New("page").Parse(layout))

// document is what the template sets out.
type document struct {
	Title string
	Home  string
	// Policy forbids the page to load anything, and to run any script but its own.
	Policy    string
	Style     template.CSS
	Script    template.JS
	Verdict   []string
	Heading   []string
	Tables    []table
	Sections  []section
	Findings  []report.Finding
	Footnotes []string
	Plan      string
	Client    string
	Server    string
	Knobs     table
}

// section is a chapter of drawings. Missing says why there are none.
type section struct {
	ID, Title string
	Notes     []string
	Charts    []*chart
	Missing   string
}

// Write writes the page of a run. home is the address of a list of runs to go back to, empty for a page that stands alone.
func Write(w io.Writer, s *results.Set, home string) error {
	rows := report.Summarize(s)
	plan, err := indented(s.Run.Plan)
	if err != nil {
		return err
	}
	client, err := indented(s.Run.Client)
	if err != nil {
		return err
	}
	server, err := indented(s.Run.Server)
	if err != nil {
		return err
	}
	knobs, err := knobs(s)
	if err != nil {
		return err
	}
	d := document{
		Home:   home,
		Title:  "TCP and UDP: run " + s.Run.ID,
		Policy: Policy,
		Style:  template.CSS(style), Script: template.JS(script),
		Verdict: verdict(s, rows), Heading: report.Heading(s), Findings: report.Findings(s, rows), Footnotes: report.Footnotes(s, rows),
		Plan: plan, Client: client, Server: server, Knobs: knobs,
	}
	for _, t := range report.Tables(s, rows, true) {
		d.Tables = append(d.Tables, comparison(t))
	}
	for _, draw := range []func(*results.Set, []results.Summary) section{cdfs, byTrial, overTime, strips, lossMaps, costs} {
		part := draw(s, rows)
		for i, c := range part.Charts {
			c.ID = part.ID + "-" + itoa(i+1)
		}
		if len(part.Charts) > 0 || part.Missing != "" {
			d.Sections = append(d.Sections, part)
		}
	}
	// It is made in memory first: a page that is cut off is no page.
	var text bytes.Buffer
	if err := page.Execute(&text, d); err != nil {
		return err
	}
	_, err = w.Write(bytes.Map(printable, text.Bytes()))
	return err
}

// Policy is the Content-Security-Policy of a page: it forbids all but the page's own style and script.
var Policy = "default-src 'none'; style-src " + hash(style) + "; script-src " + hash(script) + "; base-uri 'none'; form-action 'none'"

// hash names an inline style or script in a Content-Security-Policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// printable leaves out what must not stand in a drawing, which is XML, whoever may have put it into a name.
func printable(r rune) rune {
	if r < ' ' && r != '\n' || r == 0x7f || r == 0xfffe || r == 0xffff {
		return -1
	}
	return r
}

// indented is v as JSON for people; nothing where there is nothing.
func indented(v any) (string, error) {
	if raw, ok := v.(json.RawMessage); ok && len(raw) == 0 {
		return "", nil
	}
	text, err := json.MarshalIndent(v, "", "  ")
	return string(text), err
}

package link

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// plain is a side that does nothing.
func plain() Side { return Side{MTU: DefaultMTU} }

func TestParse(t *testing.T) {
	dir := t.TempDir()
	down, up := filepath.Join(dir, "x.down"), filepath.Join(dir, "x.up")
	for _, path := range []string{down, up} {
		if err := os.WriteFile(path, []byte("1\n2\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	both := func(change func(*Side)) Spec {
		s := Spec{Up: plain(), Down: plain()}
		change(&s.Up)
		change(&s.Down)
		return s
	}
	for text, want := range map[string]Spec{
		"delay=20ms,jitter=2ms,loss=1%": both(func(s *Side) { s.Delay, s.Jitter, s.Loss = 20*time.Millisecond, 2*time.Millisecond, 0.01 }),
		"delay=0":                       both(func(*Side) {}),
		"clean":                         both(func(*Side) {}),
		"lossy":                         both(func(s *Side) { s.Delay, s.Loss = 20*time.Millisecond, 0.01 }),
		"lossy,loss=3%":                 both(func(s *Side) { s.Delay, s.Loss = 20*time.Millisecond, 0.03 }),
		"rate=100mbit":                  both(func(s *Side) { s.Rate, s.LimitPackets = 100e6, DefaultLimit }),
		"rate=1.5Gbit,limit=64KiB":      both(func(s *Side) { s.Rate, s.LimitBytes = 1.5e9, 65536 }),
		"rate=8kbit,limit=10p,codel=1":  both(func(s *Side) { s.Rate, s.LimitPackets, s.CoDel = 8000, 10, true }),
		"gemodel=1%/10%/70%/0.1%":       both(func(s *Side) { s.Gilbert = &Gilbert{0.01, 0.1, 0.7, 0.001} }),
		"gemodel=1%":                    both(func(s *Side) { s.Gilbert = &Gilbert{0.01, 0.99, 1, 0} }),
		"loss-every=7,loss-list=9/3":    both(func(s *Side) { s.LossEvery, s.LossList = 7, []uint64{3, 9} }),
		"reorder=1%,distance=3":         both(func(s *Side) { s.Reorder, s.Distance = 0.01, 3 }),
		"reorder=1%":                    both(func(s *Side) { s.Reorder, s.Distance = 0.01, 1 }),
		"duplicate=2%,corrupt=0.5%":     both(func(s *Side) { s.Duplicate, s.Corrupt = 0.02, 0.005 }),
		"jitter=1ms,distribution=normal,order=free": both(func(s *Side) {
			s.Jitter, s.Distribution, s.Free = time.Millisecond, "normal", true
		}),
		"mtu=1280": both(func(s *Side) { s.MTU = 1280 }),
		"delay=1ms,up.delay=3ms,down.loss=5%": {
			Up: Side{Delay: 3 * time.Millisecond, MTU: DefaultMTU}, Down: Side{Delay: time.Millisecond, Loss: 0.05, MTU: DefaultMTU},
		},
		"trace=" + down + ",up=" + up + ",delay=20ms": {
			Up:   Side{Delay: 20 * time.Millisecond, Trace: up, LimitPackets: DefaultLimit, MTU: DefaultMTU},
			Down: Side{Delay: 20 * time.Millisecond, Trace: down, LimitPackets: DefaultLimit, MTU: DefaultMTU},
		},
	} {
		got, err := Parse(text)
		if err != nil || len(got) != 1 || !got[0].Up.equal(want.Up) || !got[0].Down.equal(want.Down) || got[0].Name != strings.ReplaceAll(strings.Replace(text, ",up=", ",up.trace=", 1), ",", Separator) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, name := range Presets() {
		if got, err := Parse(name); err != nil || len(got) != 1 || got[0].Name != name {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestParseSweep(t *testing.T) {
	for text, want := range map[string][]string{
		"loss=0,0.1%,1%,5%":       {"loss=0", "loss=0.1%", "loss=1%", "loss=5%"},
		"delay=1ms,2ms,loss=0,1%": {"delay=1ms;loss=0", "delay=1ms;loss=1%", "delay=2ms;loss=0", "delay=2ms;loss=1%"},
		"lan, wifi,loss=0,1%":     {"lan;loss=0", "lan;loss=1%", "wifi;loss=0", "wifi;loss=1%"},
	} {
		specs, err := Parse(text)
		var names []string
		for _, s := range specs {
			names = append(names, s.Name)
		}
		if err != nil || !slices.Equal(names, want) {
			t.Errorf("%s: %q, %v", text, names, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	dir := t.TempDir()
	bad, falling := filepath.Join(dir, "bad"), filepath.Join(dir, "falling")
	for path, text := range map[string]string{bad: "1\nx\n", falling: "5\n3\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{
		"":                            "a value is missing",
		"delay":                       "neither a preset",
		"dsl":                         "neither a preset (3g, bufferbloat, clean, lan, lossy, lte, satellite, transatlantic, wifi)",
		"delay=":                      "a value is missing",
		"delay=20":                    "is no duration",
		"delay=-1ms":                  "delay=-1ms: use from 0",
		"delay=2h":                    "use from 0 to 2s",
		"delay=1ms,delay=2ms":         "delay is given twice",
		"delay=1ms,1ms":               `"delay=1ms" is given twice`,
		"lag=1ms":                     "unknown setting \"lag\": use codel, corrupt, delay",
		"sideways.delay=1ms":          "unknown setting",
		"loss=1":                      "a share of what? use per cent",
		"loss=101%":                   "use from 0% to 100%",
		"loss=x%":                     "is no share",
		"loss=nan%":                   "is no share",
		"loss-every=0":                "use one from 1 on",
		"gemodel=1%/2%/3%/4%/5%":      "no more than four",
		"rate=10":                     "use one with a unit of tc's",
		"rate=10bit":                  "use from 1kbit",
		"rate=nanmbit":                "is no rate",
		"limit=10p":                   "give a rate or a trace too",
		"rate=1mbit,limit=10":         "is no size of a queue",
		"rate=1mbit,limit=0p":         "is no size of a queue",
		"rate=1mbit,trace=" + falling: "3 ms is before the line above it",
		"trace=" + bad:                "line 2: \"x\" is no number",
		"trace=/nowhere":              "no such file",
		"mtu=100":                     "use from 576",
		"mtu=x":                       "is no whole number",
		"order=free":                  "about jitter",
		"jitter=1ms,order=any":        "use keep or free",
		"jitter=1ms,distribution=/no": "use uniform, normal, or a file",
		"distance=5":                  "give a share for reorder",
		"reorder=1%,distance=0":       "use from 1",
		"codel=maybe,rate=1mbit":      "use true or false",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"lte", "delay=20ms,loss=0,1%", "rate=1mbit,limit=10p,codel=true", "gemodel=1%/2%", "up.delay=1ms,down=x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "/.") && (strings.Contains(text, "trace") || strings.Contains(text, "up=") || strings.Contains(text, "down=") || strings.Contains(text, "distribution")) {
			return // it might name a file
		}
		specs, err := Parse(text)
		if err != nil {
			return
		}
		for _, s := range specs {
			again, err := Parse(s.Name)
			if err != nil || len(again) != 1 || !again[0].Up.equal(s.Up) || !again[0].Down.equal(s.Down) {
				t.Errorf("%q: %q reads back as %+v, %v", text, s.Name, again, err)
			}
		}
	})
}

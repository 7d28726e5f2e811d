package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/control"
	"tcpvsudp/internal/host"
	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// create makes the folder of the run.
func (o *runOptions) create(stderr io.Writer, here host.Facts, about control.Server) (*results.Writer, error) {
	plan, err := json.Marshal(o.plan)
	if err != nil {
		return nil, err
	}
	var floor *results.NoiseFloor
	why := ""
	if !o.plan.SameTwice { // which makes it anew
		floor, why = o.noiseFloor(here, about.Host)
	}
	if why != "" {
		fmt.Fprintln(stderr, why)
	}
	return results.Create(o.out, results.Run{
		SameTwice:  o.plan.SameTwice,
		NoiseFloor: floor,
		FloorUnfit: why,
		Started:    time.Now().UTC(),
		Planned:    o.plan.TrialCount(),
		Version:    version(),
		Command:    append([]string{"bench"}, os.Args[1:]...),
		Plan:       plan,
		Client:     here,
		Server:     about.Host,
		WakeUpUs:   o.wakeUp(here, about),
	})
}

// noiseFloor is the noise floor that counts for a run between such hosts, nil for none: why says why one that is there does not.
func (o *runOptions) noiseFloor(client, server host.Facts) (floor *results.NoiseFloor, why string) {
	floor, err := results.ReadNoiseFloor(o.out)
	switch {
	case err != nil:
		why = err.Error()
	case floor == nil:
		return nil, ""
	default:
		if why = unfit(floor, client, server, o.plan.Wait); why == "" {
			return floor, ""
		}
		why = floor.File + ": " + why
	}
	return nil, fmt.Sprintf("The noise floor does not count (%s): \"bench calibrate\" makes it anew.", why)
}

// unfit says why a noise floor is not that of a run between such hosts; "" where it is.
func unfit(floor *results.NoiseFloor, client, server host.Facts, wait bench.Wait) string {
	switch {
	case floor.Schema != results.Schema:
		return fmt.Sprintf("it has schema %d, and this version of bench reads schema %d", floor.Schema, results.Schema)
	case !floor.SameHosts(client, server):
		return "it was measured on other hosts, or with another kernel"
	case floor.Wait != wait.String():
		return fmt.Sprintf("it was measured with --wait %s", floor.Wait)
	}
	return ""
}

// wakeUp measures what waking up a sleeping receiver costs here, where that is part of what is measured.
func (o *runOptions) wakeUp(here host.Facts, about control.Server) results.Value {
	if o.plan.Wait != bench.Block || here.Clock == "" || here.Clock != about.Host.Clock || !slices.Contains(o.plan.Workloads, "latency") {
		return results.Value{}
	}
	d, known := o.plan.Pin.WakeUp()
	if !known {
		return results.Value{}
	}
	return results.Known(float64(d) / 1000)
}

// finish writes the end of the run, which err ended unless it is nil, and reads all of it back.
func finish(w *results.Writer, err error) (*results.Set, error) {
	status := results.Finished
	switch {
	case errors.Is(err, errInterrupted):
		status = results.Interrupted
	case err != nil:
		status = results.Failed
	}
	if closed := w.Close(status, err); err == nil {
		err = closed
	}
	set, unread := results.Read(w.Dir())
	if unread != nil {
		return nil, errors.Join(err, unread)
	}
	return set, errors.Join(err, results.WriteSummary(w.Dir(), report.Summarize(set)))
}

// kept says how many trials are where.
func kept(set *results.Set) string {
	n, planned := len(set.Trials), set.Run.Planned
	if n == planned {
		return fmt.Sprintf("\n%s in %s", report.Count(n, "trial"), set.Dir)
	}
	text := fmt.Sprintf("\n%d of %s kept in %s", n, report.Count(planned, "trial"), set.Dir)
	if n > 0 {
		text += fmt.Sprintf("; \"bench report %s\" shows them", set.Dir)
	}
	return text
}

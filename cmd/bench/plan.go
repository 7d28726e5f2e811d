package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tcpvsudp/bench"
	"tcpvsudp/results"
	"tcpvsudp/results/report"
)

// writeJSON writes v for people and machines.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printPlan prints what would be run.
func printPlan(w io.Writer, plan bench.Plan, format report.Format) error {
	cells := plan.Cells()
	switch format {
	case report.JSON:
		return writeJSON(w, struct {
			Plan      bench.Plan          `json:"plan"`
			Cells     []bench.PlannedCell `json:"cells"`
			Trials    int                 `json:"trials"`
			EstimateS float64             `json:"estimate_s"`
		}{plan, cells, plan.TrialCount(), plan.Estimate(transports).Seconds()})
	case report.CSV:
		text, err := results.EncodeCSV(cells, true)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}
	table := report.Table{
		Title:  "Plan",
		Header: []string{"workload", "transports", "size, B", "flows", "direction", "batch", "cc of tcp", "trials"},
		Text:   2,
	}
	search := slices.ContainsFunc(cells, func(c bench.PlannedCell) bool { return c.LossGoal != results.Value{} })
	if search {
		table.Header = append(table.Header, "loss goal")
	}
	if len(plan.Links) > 0 {
		table.Header = append(table.Header, "link")
	}
	for _, c := range cells {
		table.Rows = append(table.Rows, []string{
			c.Workload, strings.Join(plan.Protos, ","), fmt.Sprint(c.SizeBytes), fmt.Sprint(c.Flows), c.Direction, c.Batch, cmp.Or(c.Congestion, "default"), fmt.Sprint(c.Trials),
		})
		if last := &table.Rows[len(table.Rows)-1]; search {
			goal := ""
			if share, some := c.LossGoal.Get(); some {
				goal = percentage(share)
			}
			*last = append(*last, goal)
		}
		if last := &table.Rows[len(table.Rows)-1]; len(plan.Links) > 0 {
			*last = append(*last, c.Link)
		}
	}
	if err := table.Render(w, format == report.Markdown); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d trials of %v after %v of warm-up, seed %d: about %v.\n",
		plan.TrialCount(), plan.Duration, plan.Warmup, plan.Seed, plan.Estimate(transports).Round(100*time.Millisecond))
	return err
}

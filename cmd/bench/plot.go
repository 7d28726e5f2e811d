package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tcpvsudp/results"
	"tcpvsudp/results/plot"
)

// plotOptions are the flags of bench plot.
type plotOptions struct {
	kinds, formats, where []string
	metric, x, by         string
	out, size             string
}

func newPlot() *cobra.Command {
	var o plotOptions
	cmd := &cobra.Command{
		Use:   "plot [RUN...]",
		Short: "Draw pictures of a run, or of several: PNG and SVG",
		Long: `plot draws pictures for slides and papers, from the files in the runs' folders alone; without RUN, of results/latest.
Several runs are drawn over each other.

The kinds are
  cdf      how latencies are distributed: percentiles up to 99.999 % on an axis of nines
  bars     medians over trials with their intervals of 95 % confidence, by cell
  series   throughput or latency in the course of a trial
  map      deadline misses by the delay and loss of the link, where a run has several
  lines    a column of trials.csv against another: --metric against --x, with lines for each value of --by

Without --kind, all but lines that the runs have data for; with --x or --by, lines. A kind without data says so. --metric is any
column of numbers in trials.csv for bars and lines; for cdf it is rtt, connect, owd_up, owd_down or send_lag, and for series
goodput_bps, received_messages, latency_mean_us or latency_max_us. TCP and UDP, and what else can't be compared, are never mixed: lines
and panels keep them apart.

--out is a folder, or a file if one picture is drawn; without it, pictures are put into the folder of the first run.`,
		Example: `  bench plot
  bench plot results/latest --kind cdf --out pictures --format svg
  bench plot results/new --kind bars --metric rtt_p50_us --where workload=latency --out p50.png --size 120x80
  bench plot results/new --metric rtt_p50_us --x size_bytes --out sizes.svg
  bench plot results/old results/new --kind cdf --out both`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&o.kinds, "kind", nil, "kinds of pictures: cdf, bars, series, map, lines")
	f.StringVar(&o.metric, "metric", "", "column to draw")
	f.StringVar(&o.x, "x", "", "column of the horizontal axis, for lines")
	f.StringVar(&o.by, "by", "", "column with a line for each of its values, for lines")
	f.StringArrayVar(&o.where, "where", nil, "draw only trials with this COLUMN=VALUE; may be repeated")
	f.StringVar(&o.out, "out", "", "folder to draw into, or a file that ends in .png or .svg")
	f.StringSliceVar(&o.formats, "format", []string{"png", "svg"}, "types of the files in a folder: png, svg")
	f.StringVar(&o.size, "size", "", "width in mm, or WIDTHxHEIGHT")
	return cmd
}

func (o *plotOptions) run(cmd *cobra.Command, dirs []string) error {
	kinds, errKinds := plot.ParseKinds(o.kinds)
	formats, errFormats := plot.ParseFormats(o.formats)
	size, errSize := plot.ParseSize(o.size)
	where, errWhere := plot.ParseConditions(o.where)
	single, errOut := o.file(cmd.Flags().Changed("format"))
	if err := errors.Join(errKinds, errFormats, errSize, errWhere, errOut); err != nil {
		return usage(cmd, err)
	}
	runs, err := readRuns(dirs)
	if err != nil {
		return err
	}
	pictures, missing, err := plot.Draw(runs, plot.Options{Kinds: kinds, Metric: o.metric, X: o.x, By: o.by, Where: where, Size: size})
	var wrong plot.OptionError
	if errors.As(err, &wrong) {
		return usage(cmd, err)
	}
	if err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Fprintln(cmd.ErrOrStderr(), "no picture of the kind", m)
	}
	if len(pictures) == 0 {
		return errors.New("there is nothing to draw")
	}
	if single != "" {
		if len(pictures) > 1 {
			return usage(cmd, fmt.Errorf("%s is one file, and there are %d pictures (%s): name a folder, or choose one by --kind and --where workload=NAME",
				o.out, len(pictures), pictureNames(pictures)))
		}
		return writePicture(cmd, o.out, pictures[0], single)
	}
	folder := o.out
	if folder == "" {
		folder = runs[0].Set.Dir
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, picture := range pictures {
		for _, format := range formats {
			if err := writePicture(cmd, filepath.Join(folder, picture.Name+"."+string(format)), picture, format); err != nil {
				return err
			}
		}
	}
	return nil
}

// file returns the format of --out where that is a file, and nothing where it is a folder.
func (o *plotOptions) file(formatGiven bool) (plot.Format, error) {
	ending := strings.TrimPrefix(filepath.Ext(o.out), ".")
	if info, err := os.Stat(o.out); ending == "" || err == nil && info.IsDir() || strings.HasSuffix(o.out, string(filepath.Separator)) {
		return "", nil
	}
	formats, err := plot.ParseFormats([]string{strings.ToLower(ending)})
	if err != nil {
		return "", fmt.Errorf("--out %s: %w", o.out, err)
	}
	if formatGiven && !slices.Contains(o.formats, string(formats[0])) {
		return "", fmt.Errorf("--out %s is no file of --format %s", o.out, strings.Join(o.formats, ","))
	}
	return formats[0], nil
}

// readRuns reads the runs in folders and names each by its folder or, where two have the same name, by its own number.
func readRuns(dirs []string) (runs []plot.Run, err error) {
	if len(dirs) == 0 {
		dirs = []string{filepath.Join(defaultOut, "latest")}
	}
	names := map[string]bool{}
	for _, dir := range dirs {
		set, err := results.Read(dir)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(runs, func(r plot.Run) bool { return r.Set.Dir == set.Dir }) {
			return nil, fmt.Errorf("%s is given twice: its lines would hide each other", dir)
		}
		name := filepath.Base(filepath.Clean(dir))
		names[name] = true
		runs = append(runs, plot.Run{Name: name, Set: set})
	}
	if len(names) == len(runs) {
		return runs, nil
	}
	ids := map[string]bool{}
	for i := range runs {
		runs[i].Name = runs[i].Set.Run.ID
		if ids[runs[i].Name] { // a copy
			runs[i].Name = filepath.ToSlash(filepath.Clean(dirs[i]))
		}
		ids[runs[i].Name] = true
	}
	return runs, nil
}

func pictureNames(list []plot.Picture) string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

// writePicture writes all of a file or, on an error, nothing that was not there.
func writePicture(cmd *cobra.Command, path string, p plot.Picture, format plot.Format) error {
	var picture bytes.Buffer
	if err := p.Write(&picture, format); err != nil {
		return err
	}
	if err := os.WriteFile(path, picture.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "wrote", path)
	return nil
}

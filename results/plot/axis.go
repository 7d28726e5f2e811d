package plot

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"

	"tcpvsudp/results/report"
)

// nines is where a share of messages stands on an axis whose steps are 90 %, 99 %, 99.9 % and so on: each a tenth of the messages of
// the one before. 1 has no place.
func nines(share float64) float64 { return -math.Log10(1 - share) }

// ninesTicks label an axis of nines up to the top.
func ninesTicks(top float64) plot.ConstantTicks {
	ticks := plot.ConstantTicks{{Value: 0, Label: "0 %"}, {Value: nines(0.5), Label: "50 %"}}
	for k := 1; float64(k) <= top+1e-9; k++ {
		label := "90 %"
		if k > 1 {
			label = "99 %"
		}
		if k > 2 {
			label = "99." + strings.Repeat("9", k-2) + " %"
		}
		ticks = append(ticks, plot.Tick{Value: float64(k), Label: label})
	}
	return ticks
}

// The least distance of two labels, as a share of an axis.
const (
	gapAcross = 0.17
	gapUp     = 0.09
)

// logTicks are those of a logarithmic axis from low to high, each with its own unit: 50 µs, 1 ms. As many have labels as leave a gap between
// two, the powers of ten first.
func logTicks(unit string, low, high, gap float64) plot.ConstantTicks {
	width := math.Log10(high / low)
	var ticks plot.ConstantTicks
	var labelled []float64
	for _, n := range []int{1, 5, 2, 3, 7, 4, 6, 8, 9} {
		for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
			value := float64(n) * math.Pow(10, power)
			if value < low*0.999999 || value > high*1.000001 {
				continue
			}
			tick := plot.Tick{Value: math.Log10(value)}
			if place := math.Log10(value) / width; !slices.ContainsFunc(labelled, func(other float64) bool { return math.Abs(place-other) < gap }) {
				labelled = append(labelled, place)
				tick.Label = quantity(unit, value)
			}
			ticks = append(ticks, tick)
		}
	}
	slices.SortFunc(ticks, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
	return ticks
}

// quantity writes a figure with the scale that suits it, as short as it may be.
func quantity(unit string, value float64) string {
	factor, symbol := report.Scale(unit, value)
	if factor == 1 && symbol == unit { // which has no scales
		symbol = ""
	}
	return strings.TrimSpace(short(value*factor) + " " + symbol)
}

// short writes a number without zeros behind the point.
func short(n float64) string { return strconv.FormatFloat(roundTo(n, 4)+0, 'f', -1, 64) } // -0 + 0 is 0

func roundTo(n float64, figures int) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(n, 'e', figures-1, 64), 64)
	if err != nil {
		return n
	}
	return rounded
}

// evenTicks are those of a linear axis of figures times factor, at round numbers.
func evenTicks(low, high float64) plot.ConstantTicks {
	span := high - low
	if !(span > 0) {
		return plot.ConstantTicks{{Value: low, Label: short(low)}}
	}
	step := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, factor := range []float64{5, 2} {
		if span/(step*factor) >= 3 {
			step *= factor
			break
		}
	}
	var ticks plot.ConstantTicks
	for i := math.Ceil(low/step - 1e-9); i*step <= high*(1+1e-9); i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: short(i * step)})
	}
	return ticks
}

// unitOf is the unit of a column, in the word of summary.csv, by the end of its name; empty where it has none.
func unitOf(column string) string {
	for _, end := range []struct{ suffix, unit string }{
		{"_per_s", "per_s"}, {"_bps", "bps"}, {"_us", "us"}, {"_us_per_message", "us"}, {"_ms", "ms"}, {"_ratio", "ratio"}, {"_bytes", "bytes"}, {"_bytes_per_flow", "bytes"},
		{"_cpu_s", "s"}, {"_s_per_gigabyte", "s"}, {"search_s", "s"}, {"_messages", "messages"}, {"_packets", "packets"}, {"_datagrams", "datagrams"}, {"_segments", "segments"},
	} {
		if strings.HasSuffix(column, end.suffix) {
			return end.unit
		}
	}
	return ""
}

// columnName is what an axis calls a column.
func columnName(workload, column string) string {
	if name := report.MetricName(workload, column); name != "" {
		return name
	}
	known := map[string]string{"size_bytes": "message size", "flows": "flows", "link": "link", "batch": "messages given to the kernel at once", "rate_asked_msg_per_s": "rate asked",
		"loss_goal_ratio": "loss goal", "trial": "number of the trial", "pair": "number of the pair", "proto": "transport",
		"latency_mean_us": "mean latency", "latency_max_us": "largest latency", "goodput_bps": "goodput", "received_messages": "received"}
	if name := known[column]; name != "" {
		return name
	}
	name := column
	for _, end := range []string{"_msg_per_s", "_per_s", "_bps", "_us", "_ms", "_ratio", "_bytes", "_messages", "_packets", "_datagrams", "_segments", "_s"} {
		if cut, found := strings.CutSuffix(name, end); found {
			name = cut
			break
		}
	}
	return strings.ReplaceAll(name, "_", " ")
}

// axisLabel is a name with the symbol of its unit.
func axisLabel(name, symbol string) string {
	if symbol == "" {
		return name
	}
	return name + ", " + symbol
}

// logAxis makes an axis one of logarithms to the base 10, from low to high. (plot.LogScale would put the name of the axis out of its
// middle, and leave room for it there.)
func logAxis(a *plot.Axis, unit string, low, high, gap float64) {
	a.Min, a.Max = math.Log10(low), math.Log10(high)
	a.Tick.Marker = logTicks(unit, low, high, gap)
}

// roundedOut moves a range of a logarithmic axis out to the next 1, 2 or 5, a short range to the next of all digits.
func roundedOut(low, high float64) (float64, float64) {
	steps := []float64{1, 2, 5, 10}
	if high/low < 5 {
		steps = []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	}
	down, up := math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Floor(math.Log10(high)))
	best := down
	for _, step := range steps {
		if down*step <= low*(1+1e-9) {
			best = down * step
		}
	}
	for _, step := range steps {
		if up*step >= high*(1-1e-9) {
			return best, up * step
		}
	}
	return best, high
}

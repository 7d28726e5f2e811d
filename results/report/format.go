package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"tcpvsudp/results"
)

// unit is the unit of a metric, in the word of summary.csv.
type unit string

const (
	microseconds  unit = "us"
	milliseconds  unit = "ms"
	seconds       unit = "s"
	bitsPerSecond unit = "bps"
	perSecond     unit = "per_s"
	shareOf       unit = "ratio"
	bytesEach     unit = "bytes"
	segments      unit = "segments"
)

// scale is how a unit is shown to people: a figure times factor is in symbol.
type scale struct {
	factor float64
	symbol string
}

// scaleFor chooses the scale of one row, so that the larger of its figures has one to three digits before
// the point.
func scaleFor(u unit, figures ...results.Value) scale {
	largest := 0.0
	for _, f := range figures {
		if v, known := f.Get(); known {
			largest = max(largest, math.Abs(v))
		}
	}
	var steps []scale
	switch u {
	case microseconds:
		steps = []scale{{1e-6, "s"}, {1e-3, "ms"}, {1, "µs"}, {1e3, "ns"}}
	case milliseconds:
		steps = []scale{{1e-3, "s"}, {1, "ms"}, {1e3, "µs"}}
	case seconds:
		steps = []scale{{1, "s"}, {1e3, "ms"}, {1e6, "µs"}}
	case bitsPerSecond:
		steps = []scale{{1e-9, "Gbit/s"}, {1e-6, "Mbit/s"}, {1e-3, "kbit/s"}, {1, "bit/s"}}
	case perSecond:
		steps = []scale{{1e-6, "M/s"}, {1e-3, "k/s"}, {1, "/s"}}
	case bytesEach:
		steps = []scale{{1.0 / (1 << 20), "MiB"}, {1.0 / (1 << 10), "KiB"}, {1, "B"}}
	case shareOf:
		return scale{100, "%"}
	default:
		return scale{1, string(u)}
	}
	for _, s := range steps {
		if largest*s.factor >= 1 {
			return s
		}
	}
	if largest == 0 && (u == microseconds || u == seconds) {
		return scale{1, strings.Replace(string(u), "us", "µs", 1)}
	}
	return steps[len(steps)-1]
}

// notMeasured stands in a table for a figure that is not known.
const notMeasured = "–"

// show returns a figure to four significant digits.
func (s scale) show(v results.Value) string {
	n, known := v.Get()
	if !known {
		return notMeasured
	}
	return digits(n * s.factor)
}

// digits returns n to four significant digits, never in exponents.
func digits(n float64) string {
	if n == 0 {
		return "0"
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(n, 'e', 3, 64), 64) // 999.96 has four digits before the point
	decimals := 3 - int(math.Floor(math.Log10(math.Abs(rounded))))
	return strconv.FormatFloat(n, 'f', min(max(decimals, 0), 9), 64)
}

// showShare returns a share in per cent. Of none in n it says that it is less than 3/n: with 95 % confidence,
// by the rule of three.
func showShare(side results.Side) string {
	v, known := side.Value.Get()
	of, _ := side.Of.Get()
	switch {
	case !known:
		return notMeasured
	case v == 0:
		return "<" + roundUp(min(300/of, 100))
	}
	return digits(v * 100)
}

// roundUp returns n to two significant digits, rounded up: it is a bound. A very small one has a power of ten.
func roundUp(n float64) string {
	if n < 0.001 {
		power := math.Floor(math.Log10(n))
		tenths := math.Ceil(n*math.Pow(10, 1-power) - 1e-9)
		if tenths == 100 {
			tenths, power = 10, power+1
		}
		return fmt.Sprintf("%.1fe%.0f", tenths/10, power)
	}
	power := math.Pow(10, 1-math.Floor(math.Log10(n)))
	n = math.Ceil(n*power-1e-9) / power
	return strings.TrimSuffix(strconv.FormatFloat(n, 'f', max(0, int(math.Log10(power))), 64), ".0")
}

// showSize returns a message size as people write it.
func showSize(bytes int) string {
	switch {
	case bytes >= 1<<20 && bytes%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", bytes>>20)
	case bytes >= 1<<10 && bytes%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d B", bytes)
}

// showRatio returns a ratio to two decimals, less where it is large, and to two significant digits where they would hide it.
func showRatio(n float64) string {
	switch {
	case math.Abs(n) >= 100:
		return strconv.FormatFloat(n, 'f', 0, 64)
	case math.Abs(n) >= 10:
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	if math.Abs(n) >= 0.1 || n == 0 {
		return strconv.FormatFloat(n, 'f', 2, 64)
	}
	decimals := 1 - int(math.Floor(math.Log10(math.Abs(n))))
	return strconv.FormatFloat(n, 'f', min(decimals, 9), 64)
}

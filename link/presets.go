package link

import "slices"

// presets are links by name. They are round figures of the order that such paths have, chosen to show how transports
// behave on them: none was measured. Delays are one way.
var presets = map[string]string{
	"lan":           "delay=100us,rate=1gbit",
	"wifi":          "delay=2ms,jitter=2ms,loss=0.1%,rate=100mbit,limit=500p",
	"lte":           "delay=25ms,jitter=5ms,rate=30mbit,up.rate=10mbit,limit=500p",
	"3g":            "delay=60ms,jitter=15ms,loss=0.5%,rate=4mbit,up.rate=1mbit,limit=200p",
	"satellite":     "delay=270ms,jitter=3ms,loss=0.2%,rate=25mbit,up.rate=5mbit",
	"transatlantic": "delay=40ms,loss=0.01%,rate=1gbit,limit=4000p",
	"lossy":         "delay=20ms,loss=1%",
	"bufferbloat":   "delay=10ms,rate=10mbit",
	"clean":         "delay=0",
}

// Presets are the names of the links that need no settings, in order.
func Presets() []string {
	var list []string
	for name := range presets {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Preset is what a name stands for, empty for none.
func Preset(name string) string { return presets[name] }

package host

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/stat: USER_HZ is 100 on the architectures that Go runs on.
const tick = time.Second / 100

func (a *Activity) readPlatform() {
	a.CPU, a.CPUKnown = cpuOf(procText("stat"))
	a.Datagrams, a.DatagramsKnown = datagrams()
	first, _, _ := strings.Cut(procText("loadavg"), " ")
	load, err := strconv.ParseFloat(first, 64)
	a.LoadAverage, a.LoadAverageKnown = load, err == nil
}

func datagrams() (DatagramCounts, bool) {
	return datagramsOf(procText("net/snmp"), procText("net/snmp6"))
}

func carried(nic string) (uint64, bool) { return carriedBy(nic, procText("net/dev")) }

// procText is the text of a file of /proc; empty if it can't be read.
func procText(name string) string {
	text, err := os.ReadFile("/proc/" + name)
	if err != nil {
		return ""
	}
	return string(text)
}

// cpuOf reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, and then the guests', which
// are in user and nice already.
func cpuOf(stat string) (c CPU, known bool) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return CPU{}, false
	}
	const nice, system, steal = 1, 2, 7
	for i, field := range fields[1:9] {
		n, err := strconv.ParseUint(field, 10, 63)
		if err != nil {
			return CPU{}, false
		}
		d := time.Duration(n) * tick
		c.All += d
		switch {
		case i <= nice || i == system:
			c.Processes += d
		case i == steal:
			c.Stolen = d
		}
	}
	return c, true
}

// datagramsOf reads /proc/net/snmp, where a line of names stands ahead of a line of numbers, and /proc/net/snmp6, which has a name and a
// number in each line and is not there without IPv6.
func datagramsOf(snmp, snmp6 string) (c DatagramCounts, known bool) {
	sums := map[string]uint64{}
	add := func(name, number string) {
		if n, err := strconv.ParseUint(number, 10, 64); err == nil {
			sums[name] += n
		}
	}
	var names []string
	for line := range strings.Lines(snmp) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i := 1; i < min(len(fields), len(names)); i++ {
			add(names[i], fields[i])
		}
		break
	}
	for line := range strings.Lines(snmp6) {
		fields := strings.Fields(line)
		if name, ok := strings.CutPrefix(line, "Udp6"); ok && len(fields) == 2 {
			add(strings.Fields(name)[0], fields[1])
		}
	}
	full, known := sums["RcvbufErrors"]
	c.BufferErrors = full
	if bad, less := sums["InErrors"], full+sums["MemErrors"]; bad > less {
		c.Faulty = bad - less
	}
	return c, known
}

// carriedBy reads /proc/net/dev: the first number after an interface's name is the bytes received, the ninth the bytes sent.
func carriedBy(nic, dev string) (bytes uint64, known bool) {
	for line := range strings.Lines(dev) {
		name, rest, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) != nic {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) < 9 {
			return 0, false
		}
		received, err := strconv.ParseUint(fields[0], 10, 64)
		sent, err2 := strconv.ParseUint(fields[8], 10, 64)
		return received + sent, err == nil && err2 == nil
	}
	return 0, false
}

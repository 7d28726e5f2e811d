package host

import (
	"os"
	"strconv"
	"strings"
)

// Resident returns this process's resident memory in bytes, now and at most since ForgetPeak; known is false where that can't
// be told.
func Resident() (now, peak int64, known bool) {
	fields := map[string]int64{}
	for line := range strings.Lines(readFile("/proc/self/status") + "\n") {
		name, value, _ := strings.Cut(line, ":")
		if n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err == nil {
			fields[name] = n << 10
		}
	}
	now, peak = fields["VmRSS"], fields["VmHWM"]
	return now, peak, now > 0 && peak > 0
}

// ForgetPeak has Resident's peak begin at what is resident now.
func ForgetPeak() error { return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

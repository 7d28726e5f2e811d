package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/safchain/ethtool"
	"golang.org/x/sys/unix"
)

// sysctls are the settings that change what a socket gets, below /proc/sys.
var sysctls = []string{
	"net.core.rmem_default", "net.core.rmem_max", "net.core.wmem_default", "net.core.wmem_max",
	"net.core.netdev_max_backlog", "net.core.busy_poll", "net.core.busy_read", "net.core.default_qdisc",
	"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.udp_mem", "net.ipv4.tcp_slow_start_after_idle",
	"net.ipv4.tcp_autocorking", "net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_tw_reuse",
	"net.ipv4.ip_local_port_range", "net.ipv4.tcp_ecn", "net.ipv4.tcp_sack",
}

func (f *Facts) readPlatform() {
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		f.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		f.MemoryBytes = uint64(info.Totalram) * uint64(info.Unit)
	}
	f.CPU = cpuModel(readFile("/proc/cpuinfo"))
	f.CongestionControl = readFile("/proc/sys/net/ipv4/tcp_congestion_control")
	f.CongestionControls = readFile("/proc/sys/net/ipv4/tcp_available_congestion_control")
	f.Clock = clockName(readFile("/proc/sys/kernel/random/boot_id"))
	f.LoadAverage, _, _ = strings.Cut(readFile("/proc/loadavg"), " ")
	f.Sysctls = map[string]string{}
	for _, name := range sysctls {
		if v := readFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/")); v != "" {
			f.Sysctls[name] = v
		}
	}
	if lo, err := net.InterfaceByName("lo"); err == nil {
		f.LoopbackMTU = lo.MTU
	}
	f.LoopbackOffloads = offloads("lo")
}

// clockName names the clock of this boot and time namespace, without telling which they are.
func clockName(boot string) string {
	namespace, err := os.Readlink("/proc/self/ns/time")
	if boot == "" || err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without time namespaces has one clock
		return ""
	}
	sum := sha256.Sum256([]byte(boot + namespace))
	return hex.EncodeToString(sum[:8])
}

// offloads are the segmentation, receive and checksum offloads of an interface that are on.
func offloads(nic string) (on []string) {
	tool, err := ethtool.NewEthtool()
	if err != nil {
		return nil
	}
	defer tool.Close()
	features, err := tool.Features(nic)
	if err != nil {
		return nil
	}
	for name, enabled := range features {
		if enabled && (strings.Contains(name, "segmentation") || strings.Contains(name, "gro") || strings.Contains(name, "checksum")) {
			on = append(on, name)
		}
	}
	slices.Sort(on)
	return on
}

// cpuModel is the first model name in the text of /proc/cpuinfo.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// readFile is the file's text on one line's terms: trimmed, tabs made spaces; empty if it can't be read.
func readFile(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(string(text), "\t", " "))
}

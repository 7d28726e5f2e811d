// Package host tells what a machine is and what a process has used of it.
package host

import (
	"os"
	"runtime"
	"time"
)

// Facts describe a host as far as they bear on a transport's speed. What this platform can't tell is
// empty.
type Facts struct {
	Name   string `json:"name"`
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Kernel string `json:"kernel,omitempty"`
	CPU    string `json:"cpu,omitempty"`
	Cores  int    `json:"cores"`
	// MemoryBytes is all of the host's memory.
	MemoryBytes uint64 `json:"memory_bytes,omitempty"`
	Go          string `json:"go"`
	// CongestionControls are those that TCP may use here, CongestionControl the default.
	CongestionControl  string `json:"congestion_control,omitempty"`
	CongestionControls string `json:"congestion_controls,omitempty"`
	// Sysctls are the kernel's settings of sockets and of TCP, as the kernel prints them.
	Sysctls map[string]string `json:"sysctls,omitempty"`
	// Clock names the monotonic clock that all processes with the same name of it read; empty where each has its own.
	Clock string `json:"clock,omitempty"`
	// LoopbackMTU is in bytes; LoopbackOffloads are the segmentation and checksum offloads that are on.
	LoopbackMTU      int      `json:"loopback_mtu_bytes,omitempty"`
	LoopbackOffloads []string `json:"loopback_offloads,omitempty"`
	// LoadAverage is that of the last minute when the facts were read.
	LoadAverage string `json:"load_average_1min,omitempty"`
}

// Read collects the facts of this host.
func Read() Facts {
	f := Facts{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	f.Name, _ = os.Hostname()
	f.readPlatform()
	return f
}

// CPUTime is the time, user and system, that this process has spent on all cores; known is false where the
// platform can't tell.
func CPUTime() (spent time.Duration, known bool) { return cpuTime() }

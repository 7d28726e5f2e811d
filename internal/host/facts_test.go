package host

import (
	"testing"
	"time"
)

func TestCPUTimeGrowsWithWork(t *testing.T) {
	before, known := CPUTime()
	if !known {
		t.Skip("this platform does not tell a process's CPU time")
	}
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
	}
	after, _ := CPUTime()
	if spent := after - before; spent < 5*time.Millisecond {
		t.Errorf("50 ms of work cost %v of CPU time", spent)
	}
}

func TestFactsNameTheHost(t *testing.T) {
	f := Read()
	if f.OS == "" || f.Arch == "" || f.Cores < 1 || f.Go == "" {
		t.Errorf("facts are missing: %+v", f)
	}
	if f.OS == "linux" && (f.Kernel == "" || f.MemoryBytes == 0 || f.CongestionControl == "" || f.Sysctls["net.core.rmem_max"] == "") {
		t.Errorf("Linux's facts are missing: %+v", f)
	}
}

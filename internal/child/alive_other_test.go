//go:build !linux

package child

import (
	"os"
	"syscall"
)

// alive tells whether process pid runs, as far as a signal of nothing finds out.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}

package child

import (
	"os/exec"
	"syscall"
)

// apart puts the child in a process group of its own, out of reach of the terminal's Ctrl-C.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

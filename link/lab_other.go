//go:build !linux

package link

import (
	"context"
	"io"
	"os/exec"
	"syscall"
)

// A Lab is a client's and a server's host on one machine, and a link between them: on Linux.
type Lab struct{}

// Enter does nothing here.
func Enter(*exec.Cmd) {}

// DieWithParent does nothing here.
func DieWithParent(*exec.Cmd) {}

// Lead does nothing here.
func Lead(*exec.Cmd) {}

// Signal does nothing here.
func Signal(*exec.Cmd, syscall.Signal) {}

// PID returns ErrUnsupported.
func PID() (int, error) { return 0, ErrUnsupported }

// Private returns ErrUnsupported.
func Private(string) error { return ErrUnsupported }

// OpenLab returns ErrUnsupported; without a Lab, no other method is called.
func OpenLab(LabOptions) (*Lab, error) { return nil, ErrUnsupported }

// Means says how packets are taken.
func (l *Lab) Means() string { return "" }

// OnServer calls f on the server's host.
func (l *Lab) OnServer(func() error) error { return ErrUnsupported }

// ServerPath is where the network namespace of the server's host is found.
func (l *Lab) ServerPath() string { return "" }

// Ended is closed when the forwarder has ended.
func (l *Lab) Ended() <-chan struct{} { return nil }

// Err is how the forwarder ended.
func (l *Lab) Err() error { return ErrUnsupported }

// Close ends the forwarder.
func (l *Lab) Close() {}

// Set makes the link be as spec says.
func (l *Lab) Set(context.Context, Spec, uint64, int) error { return ErrUnsupported }

// Account tells what the link did since it was set.
func (l *Lab) Account(context.Context) (Account, error) { return Account{}, ErrUnsupported }

// WriteLog writes what happened to the packets.
func (l *Lab) WriteLog(context.Context, string) (uint64, error) { return 0, ErrUnsupported }

// NameHosts makes the hosts' names known.
func NameHosts() error { return ErrUnsupported }

// Serve is the forwarder's process.
func Serve(string, io.Reader, io.Writer) error { return ErrUnsupported }

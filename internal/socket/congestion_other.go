//go:build !linux

package socket

import "errors"

// CongestionControl returns the name of the algorithm that a TCP socket uses, empty where not known.
func CongestionControl(Handle) string { return "" }

// AskCongestionControl asks for an algorithm by name, which Linux alone lets.
func AskCongestionControl(Handle, string) error { return errors.ErrUnsupported }

// KnowsCongestionControl tells whether this system has an algorithm of that name, which can't be asked here.
func KnowsCongestionControl(string) bool { return true }

//go:build !linux

package host

import "errors"

// Resident is there on Linux alone.
func Resident() (now, peak int64, known bool) { return 0, 0, false }

// ForgetPeak is there on Linux alone.
func ForgetPeak() error { return errors.ErrUnsupported }

//go:build !linux

package cpu

import (
	"errors"
	"time"
)

// Allowed returns nil: this platform does not tell.
func Allowed() []int { return nil }

// Bind is there on Linux alone.
func Bind(int) (release func(), err error) { return nil, errors.ErrUnsupported }

// BindAll is there on Linux alone.
func BindAll([]int) (release func(), err error) { return nil, errors.ErrUnsupported }

// WakeUp is how long it takes to wake up a sleeping thread; here it is not known.
func WakeUp(a, b []int) (median time.Duration, known bool) { return 0, false }

//go:build !linux

package cpu

import "errors"

// Allowed returns nil: this platform does not tell.
func Allowed() []int { return nil }

// Bind is there on Linux alone.
func Bind(int) (release func(), err error) { return nil, errors.ErrUnsupported }

// BindAll is there on Linux alone.
func BindAll([]int) (release func(), err error) { return nil, errors.ErrUnsupported }

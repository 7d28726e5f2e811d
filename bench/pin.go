package bench

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"tcpvsudp/internal/cpu"
)

// Pin says which processors the two ends' threads are bound to, flow by flow in turn. Where client and server share a host, it
// is a hidden factor of ten and more in a round trip: a sleeping core has to be woken up, and two threads that spin on one
// core keep each other from running.
type Pin string

// The Pins that have a name; another is two lists of processors, "0-3:4-7", of the client and of the server.
const (
	// PinNone leaves it to the system.
	PinNone Pin = "none"
	// PinApart gives either end processors of its own: half of the host's where they share one.
	PinApart Pin = "apart"
	// PinSame gives both ends the same ones.
	PinSame Pin = "same"
)

// maxPin is how long a Pin may be.
const maxPin = 256

// Validate returns an error where p can't be understood, or makes no sense for receivers that wait so.
func (p Pin) Validate(wait Wait) error {
	switch p {
	case PinNone, PinApart:
		return nil
	case PinSame:
		if wait == Spin {
			return fmt.Errorf("pin %s: two threads that spin on one processor keep each other from running: use %s, or wait by block", p, PinApart)
		}
		return nil
	}
	_, _, err := p.lists()
	return err
}

// WakeUp measures how long it takes to wake up a sleeping thread of the other end, with both ends on this host; known is false where it can't be
// measured.
func (p Pin) WakeUp() (median time.Duration, known bool) { return cpu.WakeUp(p.processors(true)) }

func (p Pin) lists() (client, server []int, err error) {
	a, b, both := strings.Cut(string(p), ":")
	if both {
		client, err = cpu.Parse(a)
		if err == nil {
			server, err = cpu.Parse(b)
		}
	}
	if !both || err != nil {
		return nil, nil, fmt.Errorf("unknown pin %q: use %s, %s, %s, or two lists of processors like 0-3:4-7", p, PinNone, PinApart, PinSame)
	}
	return client, server, nil
}

// client returns the processors of the client, and server those of the server; nil for all.
func (p Pin) client(oneHost bool) []int {
	list, _ := p.processors(oneHost)
	return list
}

// A server's operator may have left it less than the host's processors.
func (p Pin) server(oneHost bool) []int {
	_, list := p.processors(oneHost)
	allowed := cpu.Allowed()
	return slices.DeleteFunc(slices.Clone(list), func(n int) bool { return !slices.Contains(allowed, n) })
}

func (p Pin) processors(oneHost bool) (client, server []int) {
	all := cpu.Allowed()
	switch p {
	case PinNone, "":
		return nil, nil
	case PinApart:
		if oneHost {
			return cpu.Halves(all)
		}
		return all, all
	case PinSame:
		return all, all
	}
	client, server, _ = p.lists()
	return client, server
}

// bind binds the calling goroutine to the processor for flow number n of a list, and tells which that is: none where the list is
// empty, or the system refuses.
func bind(list []int, n int) (number string, release func()) {
	if len(list) > 0 {
		one := list[n%len(list)]
		if release, err := cpu.Bind(one); err == nil {
			return strconv.Itoa(one), release
		}
	}
	runtime.LockOSThread()
	return "", runtime.UnlockOSThread
}

// bindAll binds the whole process, for flows that have no threads of their own.
func bindAll(list []int) (numbers string, release func()) {
	if len(list) > 0 {
		if release, err := cpu.BindAll(list); err == nil {
			return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", "+"), "[]"), release
		}
	}
	return "", func() {}
}

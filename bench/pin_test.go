package bench

import (
	"slices"
	"testing"

	"tcpvsudp/internal/cpu"
)

// Who shares a host shares its processors out, and a server never leaves those that it was given.
func TestPinSharesOut(t *testing.T) {
	all := cpu.Allowed()
	for _, p := range []Pin{PinNone, ""} {
		if p.client(true) != nil || len(p.server(true)) != 0 {
			t.Errorf("pin %q binds", p)
		}
	}
	if !slices.Equal(PinSame.client(true), all) || !slices.Equal(PinSame.server(true), all) ||
		!slices.Equal(PinApart.client(false), all) || !slices.Equal(PinApart.server(false), all) {
		t.Error("of two hosts, and of the same processors, each has all")
	}
	client, server := PinApart.client(true), PinApart.server(true)
	if len(all) > 1 && (slices.ContainsFunc(client, func(n int) bool { return slices.Contains(server, n) }) || len(client)+len(server) != len(all)) {
		t.Errorf("apart: %v and %v of %v", client, server, all)
	}
	if got := Pin("1000-1001:1002").client(true); !slices.Equal(got, []int{1000, 1001}) {
		t.Errorf("a list of the client's own: %v", got)
	}
	if got := Pin("0:1000-1010").server(true); len(got) != 0 {
		t.Errorf("a server is bound to %v, which it may not use", got)
	}
}

func TestPinValidate(t *testing.T) {
	for p, wait := range map[Pin]Wait{PinNone: Spin, PinApart: Spin, PinSame: Block, "0:0": Spin, "0-3,5:4": Block} {
		if err := p.Validate(wait); err != nil {
			t.Errorf("pin %q: %v", p, err)
		}
	}
	for p, wait := range map[Pin]Wait{PinSame: Spin, "": Block, "0": Block, "0:": Block, ":1": Block, "0:1:2": Block, "-1:0": Block, "3-1:0": Block, "all": Block} {
		if p.Validate(wait) == nil {
			t.Errorf("pin %q, waiting by %v, is valid", p, wait)
		}
	}
}

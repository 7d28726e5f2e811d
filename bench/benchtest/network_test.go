package benchtest

import (
	"testing"

	"tcpvsudp/bench"
)

func TestNetworkConforms(t *testing.T) {
	n := &Network{}
	Conformance(t, Subject{
		Transport: n,
		Serve: func(_ *testing.T, sessions *bench.Table) string {
			n.Sessions = sessions
			return "nowhere:0"
		},
		Client:    fakeAddr,
		Allocates: true,
	})
}

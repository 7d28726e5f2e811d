package tcp

import (
	"net/netip"
	"runtime"
	"testing"

	"go.uber.org/goleak"

	"tcpvsudp/bench"
	"tcpvsudp/bench/benchtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	for _, loopback := range []string{"127.0.0.1", "::1"} {
		t.Run(loopback, func(t *testing.T) {
			client := netip.MustParseAddr(loopback)
			benchtest.Conformance(t, benchtest.Subject{
				Transport: Transport{},
				Fast:      runtime.GOOS == "linux",
				Serve:     func(t *testing.T, sessions *bench.Table) string { return serve(t, client, sessions).Addr().String() },
				Client:    client,
			})
		})
	}
}

// serve starts a server on a free port of addr that ends with the test.
func serve(t *testing.T, addr netip.Addr, sessions *bench.Table) *Server {
	s, err := Listen(netip.AddrPortFrom(addr, 0).String(), sessions)
	if err != nil {
		t.Skipf("%v can't be listened on here: %v", addr, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
	return s
}

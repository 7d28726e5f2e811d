package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tcpvsudp/bench"
	"tcpvsudp/control"
	"tcpvsudp/internal/host"
	"tcpvsudp/tcp"
	"tcpvsudp/udp"
)

// server is data and control on one port.
type server struct {
	addr     netip.AddrPort
	tcp      *tcp.Server
	udp      *udp.Server
	control  net.Listener
	http     *http.Server
	sessions *bench.Table
	log      *slog.Logger
}

// portTries is how often a port that is free for TCP is looked for when UDP has it taken.
const portTries = 20

// listen binds addr for both transports; nothing is served yet. o is completed by what only the server knows.
func listen(addr string, limits bench.Limits, security *tls.Config, o control.Options) (*server, error) {
	sessions := bench.NewTable(limits)
	for try := 1; ; try++ {
		t, err := tcp.Listen(addr, sessions)
		if err != nil {
			return nil, explainListen(err, "--listen")
		}
		// The name may stand for several addresses: both transports are to have the same one.
		u, err := udp.Listen(t.Addr().String(), sessions)
		if err == nil {
			s := &server{addr: t.Addr(), tcp: t, udp: u, control: t.Control(security), sessions: sessions, log: o.Log}
			if o.Secret != "" && security == nil && !s.addr.Addr().IsLoopback() {
				_, _ = t.Close(), u.Close()
				return nil, fmt.Errorf("listen on %s with a secret: it would cross the network in plain text: add --tls-auto, or --tls-cert and --tls-key", s.addr)
			}
			o.Sessions, o.TLS = sessions, security != nil
			o.About = control.Server{Version: version(), Host: host.Read()}
			o.Metrics = s.metrics()
			s.http = control.NewServer(o)
			return s, nil
		}
		t.Close()
		if _, port, _ := net.SplitHostPort(addr); port != "0" || try == portTries {
			return nil, explainListen(err, "--listen")
		}
	}
}

// explainListen says what to do about a port that is taken.
func explainListen(err error, flag string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; is another server running? choose another port with %s, or 0 for any free one", err, flag)
	}
	return err
}

// metrics are those of the process and of the data, and the sessions are counted and logged.
func (s *server) metrics() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	agreed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bench_sessions_agreed_total", Help: "Sessions that were agreed.",
	}, []string{"proto", "mode"})
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bench_sessions_ended_total", Help: "Sessions that have ended, by who ended them.",
	}, []string{"by"})
	dropped := func(reason string, count func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "bench_udp_dropped_datagrams_total", Help: "UDP datagrams that were dropped in silence.", ConstLabels: prometheus.Labels{"reason": reason},
		}, count)
	}
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), agreed, ended,
		dropped("no_message", func() float64 { malformed, _ := s.udp.Dropped(); return float64(malformed) }),
		dropped("no_session", func() float64 { _, foreign := s.udp.Dropped(); return float64(foreign) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "bench_udp_buffer_full_datagrams_total", Help: "UDP datagrams for which the socket's receive buffer had no room.",
		}, func() float64 { n, _ := s.udp.Overflowed(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "bench_connections_without_session", Help: "TCP connections that carry no flow of a session, control's included.",
		}, func() float64 { return float64(s.tcp.Conns()) }),
	)
	s.sessions.Agreed = func(b *bench.Session) {
		agreed.WithLabelValues(known(b.Spec.Proto), string(b.Spec.Mode)).Inc()
		s.log.Info("session agreed", "session", short(b.ID), "client", b.Client(), "proto", known(b.Spec.Proto), "mode", b.Spec.Mode,
			"size_bytes", b.Spec.Size, "flows", b.Spec.Flows, "duration_s", b.Spec.Duration.Seconds())
	}
	s.sessions.Ended = func(b *bench.Session, why error) {
		if why == nil {
			ended.WithLabelValues("client").Inc()
			s.log.Info("session ended", "session", short(b.ID), "client", b.Client())
			return
		}
		ended.WithLabelValues("server").Inc()
		s.log.Warn("session ended", "session", short(b.ID), "client", b.Client(), "why", why)
	}
	return registry
}

// short is half of a session's identity: enough to tell sessions apart, and too little to take part in one.
func short(id uint64) string { return control.ID(id).String()[:8] }

// known is the name of a transport, or other: a client may ask for anything.
func known(proto string) string {
	for _, t := range transports {
		if t.Name() == proto {
			return proto
		}
	}
	return "other"
}

// serve serves until ctx is done, tells all clients for as long as grace that it ends, and returns when all has ended.
func (s *server) serve(ctx context.Context, grace time.Duration) {
	var all sync.WaitGroup
	all.Go(func() { _ = s.tcp.Serve() }) // each ends with nil, when it is closed below
	all.Go(func() { _ = s.udp.Serve() })
	all.Go(func() { _ = s.http.Serve(s.control) })
	s.log.Info("listening", "addr", s.addr, "version", version())
	<-ctx.Done()
	s.log.Info("shutting down", "sessions", s.sessions.Open(), "waiting", s.sessions.Waiting())
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	s.sessions.Shutdown(patience, bench.ErrShutdown)
	if grace > 0 {
		answering, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = s.http.Shutdown(answering)
	}
	_ = s.http.Close()
	_ = s.udp.Close()
	_ = s.tcp.Close()
	all.Wait()
	s.log.Info("stopped")
}

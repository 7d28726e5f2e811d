package control

import (
	"github.com/prometheus/client_golang/prometheus"
)

// count registers the handler's own metrics.
func (h *handler) count() {
	h.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bench_refused_requests_total", Help: "Control requests that were not carried out, by the code of the answer.",
	}, []string{"code"})
	h.wrong = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "bench_wrong_secrets_total", Help: "Control requests with a wrong secret.",
	})
	h.Metrics.MustRegister(h.refused, h.wrong,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bench_sessions_open", Help: "Sessions that are open."},
			func() float64 { return float64(h.Sessions.Open()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bench_sessions_waiting", Help: "Clients that wait for a session."},
			func() float64 { return float64(h.Sessions.Waiting()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bench_sessions_memory_bytes", Help: "Memory that the sessions are charged for."},
			func() float64 { return float64(h.Sessions.Memory()) }),
	)
}

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tcpvsudp/bench"
)

// Options are what a server needs.
type Options struct {
	Sessions *bench.Table
	About    Server
	// Secret is what clients must know; empty for none.
	Secret Secret
	// TLS says that the server has a certificate: then who is not on its own host must use it.
	TLS bool
	// Metrics is what /metrics shows; the server's own are added.
	Metrics *prometheus.Registry
	// Log is told what an operator would want to know.
	Log *slog.Logger
}

// handler serves the sessions of a table.
type handler struct {
	Options
	refused *prometheus.CounterVec
	wrong   prometheus.Counter
	wrongs  penalties
	told    sync.Map // the sessions whose account is being answered: it is large, and once at a time will do
}

// maxBody is the size in bytes of the largest request that is read: a settlement of 20,000 flows.
const maxBody = 1 << 20

// The times that a client has to send a request, whatever is made of it, and to take an answer. Where the sessions' idle
// time is shorter, that is the first one; no request is kept waiting for as long.
const (
	requestTimeout = 10 * time.Second
	answerTimeout  = time.Minute
)

// maxHeader is the size in bytes of the largest header that is read.
const maxHeader = 8 << 10

// agreePoll is how long who waits for a session waits for an answer, at most.
const agreePoll = 2 * time.Second

// NewServer returns an HTTP server that is ready to Serve.
func NewServer(o Options) *http.Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	idle := o.Sessions.Limits().Idle
	return &http.Server{
		Handler:        Handler(o),
		ReadTimeout:    min(requestTimeout, idle),
		IdleTimeout:    idle,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
}

// Handler serves the sessions of a table.
func Handler(o Options) http.Handler {
	o.About.API, o.About.Limits, o.About.Exclusive = API, o.Sessions.Limits(), o.Sessions.Limits().Exclusive()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	h := &handler{Options: o}
	h.count()
	open := http.NewServeMux()
	open.HandleFunc("GET /healthz", h.health)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /v1/server", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, h.About) })
	mux.HandleFunc("POST /v1/sessions", h.agree)
	mux.HandleFunc("POST /v1/sessions/{id}/renew", h.renew)
	mux.HandleFunc("POST /v1/sessions/{id}/stop", h.stop)
	mux.HandleFunc("POST /v1/sessions/{id}/settle", h.settle)
	mux.HandleFunc("DELETE /v1/sessions/{id}", h.end)
	open.Handle("/", h.admit(mux))
	return open
}

func (h *handler) health(w http.ResponseWriter, _ *http.Request) {
	if h.Sessions.Closed() {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

func (h *handler) agree(w http.ResponseWriter, r *http.Request) {
	var spec bench.Spec
	if !h.understand(w, r, &spec) {
		return
	}
	client, err := remote(r)
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, "", err)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	ctx := r.Context()
	if key != "" { // else there is no place to come back to
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, min(agreePoll, h.Sessions.Limits().Poll()), errQueued)
		defer cancel()
	}
	s, err := h.Sessions.Agree(ctx, spec, client, key)
	switch {
	case errors.Is(err, errQueued):
		h.refuse(w, r, http.StatusServiceUnavailable, Queued, fmt.Errorf("it is taken, and %d others wait for their turn", h.Sessions.Waiting()))
	case err != nil:
		h.fail(w, r, err)
	default:
		answer(w, http.StatusCreated, Session{ID: ID(s.ID)})
	}
}

var errQueued = errors.New("queued")

func (h *handler) renew(w http.ResponseWriter, r *http.Request) {
	if id, ok := h.identify(w, r); ok {
		h.done(w, r, h.Sessions.Renew(r.Context(), id))
	}
}

func (h *handler) stop(w http.ResponseWriter, r *http.Request) {
	id, ok := h.identify(w, r)
	if !ok {
		return
	}
	sent, err := h.Sessions.Stop(id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, Stopped{Sent: sent})
}

func (h *handler) settle(w http.ResponseWriter, r *http.Request) {
	id, ok := h.identify(w, r)
	var end bench.Settlement
	if !ok || !h.understand(w, r, &end) {
		return
	}
	if _, already := h.told.LoadOrStore(id, nil); already {
		h.fail(w, r, bench.ErrSettling)
		return
	}
	defer h.told.Delete(id)
	account, err := h.Sessions.Settle(r.Context(), id, end)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, account)
}

func (h *handler) end(w http.ResponseWriter, r *http.Request) {
	if id, ok := h.identify(w, r); ok {
		h.done(w, r, h.Sessions.End(id))
	}
}

// done answers a request that has no other answer than that it was carried out.
func (h *handler) done(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// remote is the address that the client's connection has proven.
func remote(r *http.Request) (netip.Addr, error) {
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("client address: %w", err)
	}
	return client.Addr(), nil
}

func (h *handler) identify(w http.ResponseWriter, r *http.Request) (id uint64, ok bool) {
	var parsed ID
	if err := parsed.UnmarshalText([]byte(r.PathValue("id"))); err != nil {
		h.refuse(w, r, http.StatusBadRequest, "", err)
		return 0, false
	}
	client, err := remote(r)
	if err != nil || !h.Sessions.Owns(client, uint64(parsed)) {
		h.fail(w, r, bench.ErrNoSession)
		return 0, false
	}
	return uint64(parsed), true
}

// understand reads the request's body into v, and refuses what v does not know.
func (h *handler) understand(w http.ResponseWriter, r *http.Request, v any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil && dec.More() {
		err = errors.New("something follows the JSON value")
	}
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, "", fmt.Errorf("read the request: %w", err))
	}
	return err == nil
}

// fail answers with err, an error of the table.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			h.refuse(w, r, m.status, m.code, err)
			return
		}
	}
	h.refuse(w, r, http.StatusBadRequest, "", err)
}

// refuse says why a request was not carried out.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, status int, code Code, err error) {
	if code != Queued && code != Settling { // those are no refusals
		h.refused.WithLabelValues(string(code)).Inc()
		h.Log.Info("refused", "client", r.RemoteAddr, "request", fmt.Sprintf("%s %.100s", r.Method, r.URL.Path), "code", code, "error", err)
	}
	answer(w, status, Problem{Error: err.Error(), Code: code})
}

func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil { // of no type that is answered here
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer can't be written as JSON"}`)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that has gone asks again or not
}

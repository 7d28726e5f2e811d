// Package serve shows the runs of a folder as pages for the people of this host: it changes nothing, needs no script in the browser, and
// answers nobody who asks by another name than this host's own.
package serve

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Loopback returns an error unless addr, "host:port", is on the loopback interface. The pages ask for no password.
func Loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("address %q: use HOST:PORT, like 127.0.0.1:8787", addr)
	}
	if !ownName(host) {
		return fmt.Errorf("address %q is not on the loopback interface: pages are shown to this host alone; use 127.0.0.1:PORT, [::1]:PORT or localhost:PORT", addr)
	}
	return nil
}

// ownName tells whether host can mean no other host than this one.
func ownName(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// stopGrace is how long pages that are under way may take when the server ends.
const stopGrace = 3 * time.Second

// Serve serves pages on l until ctx ends.
func Serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: time.Minute,
		MaxHeaderBytes: 64 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // whoever has not read his page by now does not get it
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

//go:embed style.css
var style string

// policy forbids browsers all but our own style, our own forms, and to show a page within another.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Open makes the pages of the runs in dir.
func Open(dir string) (http.Handler, error) {
	folder, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	pages := &pages{folder}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", pages.list)
	mux.HandleFunc("GET /compare", pages.compare)
	mux.HandleFunc("GET /runs/{name}", pages.report)
	mux.HandleFunc("GET /runs/{name}/files", pages.files)
	mux.HandleFunc("GET /runs/{name}/files/{file}", pages.file)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write([]byte(style))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusNotFound, "there is no such page") })
	return guard(mux), nil
}

// guard lets through what a person of this host may ask. A name that leads here by the DNS of somebody else is his way to have a browser read the
// pages for him (DNS rebinding).
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.TrimSuffix(strings.TrimPrefix(r.Host, "["), "]")
		}
		switch {
		case !ownName(host):
			http.Error(w, "these pages are for this host alone: ask for them as localhost", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "these pages are for reading: use GET or HEAD", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

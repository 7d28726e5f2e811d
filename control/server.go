package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"

	"tcpvsudp/bench"
)

// maxBody is the size in bytes of the largest request that is read: a settlement of 10,000 flows.
const maxBody = 1 << 20

// Handler serves the sessions of a table; about is what it says of the server.
func Handler(sessions *bench.Table, about Server) http.Handler {
	about.API = API
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/server", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, about)
	})
	mux.HandleFunc("POST /v1/sessions", func(w http.ResponseWriter, r *http.Request) {
		var spec bench.Spec
		if !understand(w, r, &spec) {
			return
		}
		client, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			refuse(w, http.StatusBadRequest, fmt.Errorf("client address: %w", err))
			return
		}
		s, err := sessions.Agree(spec, client.Addr())
		if err != nil {
			refuse(w, status(err), err)
			return
		}
		answer(w, http.StatusCreated, Session{ID: ID(s.ID)})
	})
	mux.HandleFunc("POST /v1/sessions/{id}/settle", func(w http.ResponseWriter, r *http.Request) {
		var id ID
		var end bench.Settlement
		if !identify(w, r, &id) || !understand(w, r, &end) {
			return
		}
		account, err := sessions.Settle(r.Context(), uint64(id), end)
		if err != nil {
			refuse(w, status(err), err)
			return
		}
		answer(w, http.StatusOK, account)
	})
	mux.HandleFunc("DELETE /v1/sessions/{id}", func(w http.ResponseWriter, r *http.Request) {
		var id ID
		if !identify(w, r, &id) {
			return
		}
		if err := sessions.End(uint64(id)); err != nil {
			refuse(w, status(err), err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// status is the HTTP status for an error of a Table.
func status(err error) int {
	switch {
	case errors.Is(err, bench.ErrNoSession):
		return http.StatusNotFound
	case errors.Is(err, bench.ErrTooManySessions):
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

func identify(w http.ResponseWriter, r *http.Request, id *ID) bool {
	err := id.UnmarshalText([]byte(r.PathValue("id")))
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
	}
	return err == nil
}

// understand reads the request's body into v, and refuses what v does not know.
func understand(w http.ResponseWriter, r *http.Request, v any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil && dec.More() {
		err = errors.New("something follows the JSON value")
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("read the request: %w", err))
	}
	return err == nil
}

func refuse(w http.ResponseWriter, status int, err error) {
	answer(w, status, Problem{Error: err.Error()})
}

func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil { // of no type that is answered here
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer can't be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, string(text)+"\n") // a client that has gone asks again or not
}

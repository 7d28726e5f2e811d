// Package control is how a client agrees with a server on what is going to be measured: HTTP and JSON, on
// the TCP port that the data uses too, by TLS where the server has a certificate.
//
//	GET    /healthz                  whether the server takes clients          → "ok"
//	GET    /metrics                  its counters                              → Prometheus's text format
//	GET    /v1/server                what the server is and allows             → Server
//	POST   /v1/sessions              bench.Spec: agree a session               → Session
//	POST   /v1/sessions/{id}/renew   the client is still there; answered after
//	                                 a while, or when the session has ended
//	POST   /v1/sessions/{id}/stop    end the sending of the server             → Stopped
//	POST   /v1/sessions/{id}/settle  bench.Settlement: wait for what is still
//	                                 on its way, end the session               → bench.Account
//	DELETE /v1/sessions/{id}         end the session without an account
//
// An error is an HTTP status from 400 on and a Problem. A client that is told Queued or Settling asks again. Every request may be made again when its answer was lost: the
// header Idempotency-Key makes one session of two requests for one. A server with a secret wants it in the header
// Authorization, as "Bearer <secret>", from all but those who ask for /healthz.
package control

import (
	"fmt"
	"strconv"

	"tcpvsudp/bench"
	"tcpvsudp/internal/host"
)

// API is the version of this interface and of the messages. A client and a server of different versions don't work
// together.
const API = 2

// versionHeader bears the client's API.
const versionHeader = "Bench-Api"

// Server says what a server is and allows.
type Server struct {
	API     int          `json:"api"`
	Version string       `json:"version"`
	Limits  bench.Limits `json:"limits"`
	// Exclusive is set where sessions run one after the other.
	Exclusive bool       `json:"exclusive"`
	Host      host.Facts `json:"host"`
}

// Session is a session that was agreed.
type Session struct {
	ID ID `json:"session"`
}

// Stopped is how many measured messages each flow of a session was sent by the server.
type Stopped struct {
	Sent []uint64 `json:"sent"`
}

// Problem says why a request was not carried out.
type Problem struct {
	Error string `json:"error"`
	// Code is what a program goes by; empty where there is nothing to be done but to read Error.
	Code Code `json:"code,omitempty"`
}

// Code tells problems apart.
type Code string

// The codes.
const (
	NoSession    Code = "no-session"
	Ended        Code = "ended"
	BeyondLimits Code = "beyond-limits"
	Queued       Code = "queued"
	TooMany      Code = "too-many"
	Settling     Code = "settling"
	Shutdown     Code = "shutdown"
	WantsSecret  Code = "wants-secret"
	WrongSecret  Code = "wrong-secret"
	WantsTLS     Code = "wants-tls"
	WrongVersion Code = "wrong-version"
)

// meanings ties codes to the errors of package bench, the more special one first.
var meanings = []struct {
	code Code
	err  error
	// status is HTTP's.
	status int
}{
	{Ended, bench.ErrEnded, 410},
	{NoSession, bench.ErrNoSession, 404},
	{BeyondLimits, bench.ErrBeyondLimits, 422},
	{TooMany, bench.ErrTooMany, 503},
	{Settling, bench.ErrSettling, 503},
	{Shutdown, bench.ErrShutdown, 503},
}

// ID is the identity of a session, in JSON and in paths 16 hexadecimal digits: a JSON number of 64 bits
// does not survive every reader.
type ID uint64

// String returns the 16 digits.
func (id ID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil || len(text) != 16 {
		return fmt.Errorf("%q is no session: it has 16 hexadecimal digits", text)
	}
	*id = ID(n)
	return nil
}

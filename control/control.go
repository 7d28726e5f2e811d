// Package control is how a client agrees with a server on what is going to be measured: HTTP and JSON, on
// the TCP port that the data uses too.
//
//	GET    /v1/server                what the server is                        → Server
//	POST   /v1/sessions              bench.Spec: agree a session               → Session
//	POST   /v1/sessions/{id}/settle  bench.Settlement: wait for what is still
//	                                 on its way, end the session               → bench.Account
//	DELETE /v1/sessions/{id}         end the session without an account
//
// An error is an HTTP status from 400 on and a Problem.
package control

import (
	"fmt"
	"strconv"

	"tcpvsudp/internal/host"
)

// API is the version of this interface. A client and a server of different versions don't work together.
const API = 1

// Server says what a server is.
type Server struct {
	API     int        `json:"api"`
	Version string     `json:"version"`
	Host    host.Facts `json:"host"`
}

// Session is a session that was agreed.
type Session struct {
	ID ID `json:"session"`
}

// Problem says why a request was not carried out.
type Problem struct {
	Error string `json:"error"`
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

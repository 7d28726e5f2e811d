package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"tcpvsudp/bench"
)

// patience is how long a request may take, settlePatience one to settle a session beside its Tmax: a queue on the
// way may take long to empty.
const (
	patience       = 10 * time.Second
	settlePatience = 2 * time.Minute
)

// Client talks to the server at one address.
type Client struct {
	addr string
	http *http.Client
}

var _ bench.Control = (*Client)(nil)

// NewClient returns a Client of the server at addr, "host:port". It connects when it is first used.
func NewClient(addr string) *Client {
	// No proxy: the server must see the address that the messages are going to come from.
	return &Client{addr: addr, http: &http.Client{Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 1}}}
}

// Close gives back the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Server asks what the server is, and returns an error when this client can't work with it.
func (c *Client) Server(ctx context.Context) (Server, error) {
	var s Server
	if err := c.do(ctx, "GET", "/v1/server", nil, &s, patience); err != nil {
		return Server{}, err
	}
	if s.API != API {
		return Server{}, fmt.Errorf("the server at %s (bench %s) speaks version %d of the control interface, and this client version %d: use the same bench on both sides",
			c.addr, s.Version, s.API, API)
	}
	return s, nil
}

// Agree implements bench.Control.
func (c *Client) Agree(ctx context.Context, spec bench.Spec) (session uint64, err error) {
	var s Session
	err = c.do(ctx, "POST", "/v1/sessions", spec, &s, patience)
	return uint64(s.ID), err
}

// Settle implements bench.Control.
func (c *Client) Settle(ctx context.Context, session uint64, end bench.Settlement) (bench.Account, error) {
	var a bench.Account
	err := c.do(ctx, "POST", "/v1/sessions/"+ID(session).String()+"/settle", end, &a, settlePatience+end.Tmax)
	return a, err
}

// End implements bench.Control.
func (c *Client) End(ctx context.Context, session uint64) error {
	return c.do(ctx, "DELETE", "/v1/sessions/"+ID(session).String(), nil, nil, patience)
}

// do sends one request and reads its answer into v, within d.
func (c *Client) do(ctx context.Context, method, path string, body, v any, d time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d, fmt.Errorf("no answer from %s in %v", c.addr, d))
	defer cancel()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.addr+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err // a *url.Error: it says method, address and path
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		var p Problem
		if json.NewDecoder(resp.Body).Decode(&p) != nil || p.Error == "" {
			p.Error = resp.Status
		}
		return fmt.Errorf("%s %s: %w", method, req.URL, errors.New(p.Error))
	}
	if v == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return fmt.Errorf("read the answer to %s %s: %w; is that a bench server?", method, req.URL, err)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be used again
	return nil
}

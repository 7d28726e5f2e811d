package control

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tcpvsudp/bench"
)

const (
	// patience is how long the answer to one request may take, and outage how long the server may be silent before it is
	// lost: longer than it keeps the session of a silent client, by default.
	patience = 10 * time.Second
	outage   = 20 * time.Second
	// retryPause is the time between two tries.
	retryPause = 250 * time.Millisecond
	// farewell is how long an answer that changes nothing any more is waited for.
	farewell = time.Second
)

// Access is how a client gets in.
type Access struct {
	// TLS is nil for plain text.
	TLS *tls.Config
	// Secret is sent by TLS, and on loopback, alone; empty for none.
	Secret Secret
}

// Client talks to the server at one address.
type Client struct {
	// Outage is how long the server may be silent before it is lost, Queue how long the client waits for a session.
	Outage, Queue time.Duration
	// Queued, if not nil, is told whenever the server has no room yet, with what it says.
	Queued func(what string)

	addr   string
	scheme string
	secret Secret
	http   *http.Client
	met    bool // the server has answered once: silence may pass
}

var _ bench.Control = (*Client)(nil)

// NewClient returns a Client of the server at addr, "host:port" with an IP address as host. It connects when it is first
// used.
func NewClient(addr string, access Access) (*Client, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	c := &Client{Outage: outage, Queue: time.Hour, addr: addr, scheme: "http", secret: access.Secret}
	if access.TLS != nil {
		c.scheme = "https"
	} else if ip := net.ParseIP(host); access.Secret != "" && (ip == nil || !ip.IsLoopback()) {
		return nil, errors.New("a secret over plain text is no secret: use --tls, --tls-ca or --tls-pin with it")
	}
	// No proxy: the server must see the address that the messages are going to come from.
	c.http = &http.Client{Transport: &http.Transport{
		Proxy: nil, MaxIdleConnsPerHost: 2, TLSClientConfig: access.TLS, TLSHandshakeTimeout: patience,
		DialContext: (&net.Dialer{Timeout: patience}).DialContext,
	}}
	return c, nil
}

// Close gives back the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Server asks what the server is, and returns an error when this client can't work with it.
func (c *Client) Server(ctx context.Context) (Server, error) {
	var s Server
	if err := c.do(ctx, "GET", "/v1/server", nil, nil, &s); err != nil {
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
	headers := map[string]string{"Idempotency-Key": rand.Text()}
	for begin := time.Now(); ; {
		var s Session
		err := c.do(ctx, "POST", "/v1/sessions", headers, spec, &s)
		var p *problem
		if !errors.As(err, &p) || p.code != Queued && p.code != TooMany {
			return uint64(s.ID), err
		}
		if time.Since(begin) > c.Queue {
			return 0, fmt.Errorf("%w; it has been for %v", err, c.Queue.Round(time.Millisecond))
		}
		if c.Queued != nil {
			c.Queued(p.text)
		}
		if p.code == TooMany {
			if err := pause(ctx, time.Second); err != nil {
				return 0, err
			}
		}
	}
}

// Renew implements bench.Control. It makes one try: the next renewal is the next.
func (c *Client) Renew(ctx context.Context, session uint64) error {
	_, err := c.once(ctx, "POST", path(session, "/renew"), nil, nil, nil)
	return err
}

// Stop implements bench.Control.
func (c *Client) Stop(ctx context.Context, session uint64) ([]uint64, error) {
	var s Stopped
	err := c.do(ctx, "POST", path(session, "/stop"), nil, nil, &s)
	return s.Sent, err
}

// Settle implements bench.Control.
func (c *Client) Settle(ctx context.Context, session uint64, end bench.Settlement) (bench.Account, error) {
	for {
		var a bench.Account
		err := c.do(ctx, "POST", path(session, "/settle"), nil, end, &a)
		if !errors.Is(err, bench.ErrSettling) {
			return a, err
		}
		if err := pause(ctx, retryPause); err != nil {
			return a, err
		}
	}
}

// End implements bench.Control. It makes one try: a session that is not ended ends by itself.
func (c *Client) End(ctx context.Context, session uint64) error {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	_, err := c.once(ctx, "DELETE", path(session, ""), nil, nil, nil)
	return err
}

func path(session uint64, what string) string { return "/v1/sessions/" + ID(session).String() + what }

// problem is a Problem as an error.
type problem struct {
	text string
	code Code
}

func (p *problem) Error() string { return p.text }

// Is tells what the code means to package bench.
func (p *problem) Is(target error) bool {
	for _, m := range meanings {
		if m.code == p.code && m.err == target {
			return true
		}
	}
	return false
}

// do sends a request and reads its answer into v. While the server is silent it tries again, until it is lost; a server that has
// never answered is not waited for.
func (c *Client) do(ctx context.Context, method, path string, headers map[string]string, body, v any) error {
	for begin := time.Now(); ; {
		answered, err := c.once(ctx, method, path, headers, body, v)
		switch {
		case answered:
			c.met = true
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !c.met:
			return c.explain(err)
		case time.Since(begin) > c.Outage:
			return fmt.Errorf("%w: no answer from %s for %v: %w", bench.ErrServerLost, c.addr, c.Outage.Round(time.Second), c.explain(err))
		}
		if err := pause(ctx, retryPause); err != nil {
			return err
		}
	}
}

// pause waits for d, or returns why ctx has ended.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// once sends a request and reads its answer into v; answered tells whether there was one that is worth to be believed.
func (c *Client) once(ctx context.Context, method, path string, headers map[string]string, body, v any) (answered bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer in %v", patience))
	defer cancel()
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return true, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.scheme+"://"+strings.ReplaceAll(c.addr, "%", "%25")+path, bytes.NewReader(text))
	if err != nil {
		return true, err
	}
	req.Header.Set(versionHeader, strconv.Itoa(API))
	if c.secret != "" {
		req.Header.Set("Authorization", "Bearer "+string(c.secret))
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return false, cause
		}
		return false, err // a *url.Error: it says method, address and path
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		var p Problem
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody))
		if json.Unmarshal(text, &p) != nil || p.Error == "" {
			return true, fmt.Errorf("%s %s: %s; is that a bench server?", method, req.URL, resp.Status)
		}
		// A server that is ending may be followed by another.
		return p.Code != Shutdown || !c.met, &problem{text: fmt.Sprintf("the server at %s: %s", c.addr, p.Error), code: p.Code}
	}
	if v == nil {
		return true, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return false, fmt.Errorf("read the answer to %s %s: %w; is that a bench server?", method, req.URL, err)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be used again
	return true, nil
}

// explain says what to do about a TLS that the other side does not speak, or not as expected.
func (c *Client) explain(err error) error {
	var record tls.RecordHeaderError
	var unverified *tls.CertificateVerificationError
	switch {
	case errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%w; the server does not speak TLS: start it with --tls-auto, or --tls-cert and --tls-key", err)
	case errors.As(err, &unverified):
		return fmt.Errorf("%w; name its CA with --tls-ca, or its certificate with --tls-pin", err)
	}
	return err
}

package control

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"tcpvsudp/bench"
)

const (
	// patience is how long the answer to one request may take, longer than a server keeps one waiting; outage is how long
	// the server may be silent before it is lost: longer than it keeps the session of a silent client, by default.
	patience = 7 * time.Second
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
	// Waiting, if not nil, is told whenever the server has no room yet, or does not answer, with what is waited for; and
	// with "" when that is over.
	Waiting func(what string)

	addr   string
	scheme string
	secret Secret
	http   *http.Client
	met    bool         // the server has answered once: silence may pass
	heard  atomic.Int64 // when it last has, in ns since 1970
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
			c.tell("")
			return uint64(s.ID), err
		}
		if waited := time.Since(begin); waited > c.Queue {
			return 0, fmt.Errorf("%w; our own turn has not come in %v (--queue)", err, waited.Round(time.Second))
		}
		c.tell(p.text)
		if p.code == TooMany {
			if err := pause(ctx, time.Second); err != nil {
				return 0, err
			}
		}
	}
}

// Renew implements bench.Control. It makes one try: the next renewal is the next, until the server is lost.
func (c *Client) Renew(ctx context.Context, session uint64) error {
	answered, err := c.once(ctx, "POST", path(session, "/renew"), nil, nil, nil)
	if silence := time.Since(time.Unix(0, c.heard.Load())); !answered && silence > c.Outage {
		return c.lost(silence, err)
	}
	return err
}

// lost says that the server has been silent for too long.
func (c *Client) lost(silence time.Duration, err error) error {
	return fmt.Errorf("%w: no answer from %s for %v: %w", bench.ErrServerLost, c.addr, silence.Round(time.Second), c.explain(err))
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

// tell says what is waited for.
func (c *Client) tell(what string) {
	if c.Waiting != nil {
		c.Waiting(what)
	}
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
	begin := time.Now()
	for tries := 1; ; tries++ {
		answered, err := c.once(ctx, method, path, headers, body, v)
		switch {
		case answered:
			if c.met && tries > 1 {
				c.tell("")
			}
			c.met = true
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !c.met:
			if c.explain(err) == err {
				err = fmt.Errorf("ask the server at %s what it is: %w; is that a bench server?", c.addr, err)
			}
			return c.explain(err)
		case time.Since(begin) > c.Outage:
			return c.lost(time.Since(begin), err)
		}
		c.tell(fmt.Sprintf("no answer from %s; the run ends when there is none for %v (--outage)", c.addr, c.Outage))
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
	c.heard.Store(time.Now().UnixNano())
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
	var name x509.HostnameError
	switch {
	case errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%w; the server does not speak TLS: start it with --tls-auto, or --tls-cert and --tls-key", err)
	case errors.As(err, &name):
		return fmt.Errorf("%w; name the server by what its certificate is for, or give the certificate to --tls-pin", err)
	case errors.As(err, &unverified) && !errors.Is(err, errPin):
		return fmt.Errorf("%w; name its CA with --tls-ca, or its certificate with --tls-pin", err)
	}
	return err
}

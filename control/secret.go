package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"tcpvsudp/bench"
)

// Secret is what a server's clients must know; the empty one is none.
type Secret string

// The number of characters that a secret may have.
const minSecret, maxSecret = 12, 1024

// ReadSecret reads the secret that is the first line of a file.
func ReadSecret(path string) (Secret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	line, more, _ := strings.Cut(strings.TrimRight(string(text), "\r\n"), "\n")
	s := Secret(strings.TrimSpace(line))
	switch {
	case more != "":
		return "", fmt.Errorf("%s: a secret is one line", path)
	case len(s) < minSecret:
		return "", fmt.Errorf("%s: a secret of %d characters is too short: use %d or more, such as those of \"openssl rand -hex 16\"", path, len(s), minSecret)
	case len(s) > maxSecret:
		return "", fmt.Errorf("%s: a secret of %d characters is too long: use %d or less", path, len(s), maxSecret)
	}
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return "", fmt.Errorf("%s: a secret holds visible ASCII characters alone", path)
		}
	}
	return s, nil
}

// is tells whether given is the secret, in a time that tells nothing of how much of it is right.
func (s Secret) is(given string) bool {
	a, b := sha256.Sum256([]byte(s)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// A wrong secret is answered after wrongDelay. Until then, and for as long again for every further one, up to maxPenalty,
// nothing that comes from its address with a secret is looked at.
const (
	wrongDelay = time.Second
	maxPenalty = time.Minute
)

// penalties are the addresses that gave a wrong secret.
type penalties struct {
	mu    sync.Mutex
	until map[netip.Addr]time.Time
}

// left is how long an address must wait.
func (p *penalties) left(addr netip.Addr) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.until[bench.Network(addr)])
}

// add notes a wrong secret, and forgets old ones.
func (p *penalties) add(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for old, until := range p.until {
		if until.Before(now) {
			delete(p.until, old)
		}
	}
	until := p.until[bench.Network(addr)]
	if until.Before(now) {
		until = now
	}
	if until = until.Add(wrongDelay); until.Sub(now) > maxPenalty {
		until = now.Add(maxPenalty)
	}
	if p.until == nil {
		p.until = map[netip.Addr]time.Time{}
	}
	p.until[bench.Network(addr)] = until
}

// admit lets requests through to next that come from who may make them, in a version that is understood.
func (h *handler) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, err := remote(r)
		if err != nil {
			h.refuse(w, r, http.StatusBadRequest, "", err)
			return
		}
		plain := r.TLS == nil && !client.Unmap().IsLoopback()
		given, secret := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		version := r.Header.Get(versionHeader)
		switch {
		case version != "" && version != strconv.Itoa(API):
			h.refuse(w, r, http.StatusBadRequest, WrongVersion, fmt.Errorf(
				"this server (bench %s) speaks version %d of the control interface, and the client version %s: use the same bench on both sides", h.About.Version, API, version))
		case plain && h.TLS:
			h.refuse(w, r, http.StatusForbidden, WantsTLS, errors.New("this server wants TLS: use --tls, --tls-ca or --tls-pin"))
		case plain && (secret || h.Secret != ""):
			h.refuse(w, r, http.StatusForbidden, WantsTLS, errors.New("a secret over plain text is no secret: start the server with --tls-auto, or --tls-cert and --tls-key"))
		case h.Secret != "" && !secret:
			w.Header().Set("WWW-Authenticate", "Bearer")
			h.refuse(w, r, http.StatusUnauthorized, WantsSecret, errors.New("this server wants a secret: use --secret-file, or the header \"Authorization: Bearer SECRET\""))
		case h.Secret != "" && h.wrongs.left(client) > 0:
			h.wrong.Inc()
			h.refuse(w, r, http.StatusTooManyRequests, WrongSecret, fmt.Errorf("wrong secrets came from this address: try again in %v", h.wrongs.left(client).Round(time.Second)+time.Second))
		case h.Secret != "" && !h.Secret.is(given):
			h.refuseSecret(w, r, client)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// refuseSecret answers a wrong secret, slowly.
func (h *handler) refuseSecret(w http.ResponseWriter, r *http.Request, client netip.Addr) {
	h.wrong.Inc()
	h.wrongs.add(client)
	select {
	case <-time.After(wrongDelay):
	case <-r.Context().Done():
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	h.refuse(w, r, http.StatusUnauthorized, WrongSecret, errors.New("wrong secret"))
}

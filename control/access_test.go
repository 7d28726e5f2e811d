package control

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tcpvsudp/bench"
)

const secret = Secret("correct-horse-battery")

// serveTLS starts a server with a certificate of its own, and returns its address and fingerprint, and the
// certificate in a file.
func serveTLS(t *testing.T, o Options) (addr, fingerprint, file string) {
	t.Helper()
	config, fingerprint, err := SelfSignedTLS("test")
	if err != nil {
		t.Fatal(err)
	}
	o.TLS = true
	s := httptest.NewUnstartedServer(Handler(o))
	s.Listener = tls.NewListener(s.Listener, config)
	s.Config.ErrorLog = NewServer(o).ErrorLog
	s.Start()
	t.Cleanup(s.Close)
	file = filepath.Join(t.TempDir(), "cert.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: config.Certificates[0].Certificate[0]})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return s.Listener.Addr().String(), fingerprint, file
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func table() *bench.Table { return bench.NewTable(bench.DefaultLimits()) }

func TestTLS(t *testing.T) {
	addr, fingerprint, file := serveTLS(t, Options{Sessions: table(), Secret: secret})
	_, other, err := SelfSignedTLS("test")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		pin, ca, says string
	}{
		"pinned":          {pin: fingerprint},
		"pinned, typed":   {pin: strings.ToUpper(strings.TrimPrefix(fingerprint, "sha256:"))},
		"vouched for":     {ca: file},
		"another's pin":   {pin: other, says: "With --tls-auto a server has a new one"},
		"trusted by none": {says: "--tls-pin"},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := ClientTLS(test.pin, test.ca)
			if err != nil {
				t.Fatal(err)
			}
			_, err = client(t, addr, Access{TLS: config, Secret: secret}).Server(t.Context())
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want …%s…", err, test.says)
			}
		})
	}
	for says, args := range map[string][2]string{
		"64 hexadecimal digits": {"sha256:123", ""},
		"give one of them":      {fingerprint, file},
		"no such file":          {"", filepath.Join(t.TempDir(), "none")},
		"no certificate in PEM": {"", "access_test.go"},
	} {
		if _, err := ClientTLS(args[0], args[1]); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want …%s…", err, says)
		}
	}
}

// A client by TLS says what is wrong with a server without.
func TestTLSToPlainServer(t *testing.T) {
	s := httptest.NewServer(Handler(Options{Sessions: table()}))
	defer s.Close()
	config, err := ClientTLS("", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, s.Listener.Addr().String(), Access{TLS: config}).Server(t.Context()); err == nil || !strings.Contains(err.Error(), "start it with --tls-auto") {
		t.Errorf("error %v", err)
	}
}

func TestSecret(t *testing.T) {
	sessions, metrics := table(), prometheus.NewRegistry()
	s := httptest.NewServer(Handler(Options{Sessions: sessions, Secret: secret, Metrics: metrics}))
	defer s.Close()
	addr := s.Listener.Addr().String()
	if _, err := client(t, addr, Access{Secret: secret}).Server(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := client(t, addr, Access{}).Server(t.Context()); err == nil || !strings.Contains(err.Error(), "use --secret-file") {
		t.Errorf("with none: %v", err)
	}
	start := time.Now()
	if _, err := client(t, addr, Access{Secret: secret + "x"}).Agree(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "wrong secret") {
		t.Errorf("with a wrong one: %v", err)
	}
	if took := time.Since(start); took < wrongDelay {
		t.Errorf("a wrong secret is answered after %v", took)
	}
	if sessions.Open() != 0 {
		t.Error("a wrong secret has agreed a session")
	}
	for path, status := range map[string]int{"/healthz": 200, "/metrics": 401, "/v1/server": 401, "/v1/nothing": 401} {
		resp, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if n := gather(t, metrics, "bench_wrong_secrets_total"); n != 1 {
		t.Errorf("%v wrong secrets are counted", n)
	}
}

// gather is the value of a metric, summed over its labels.
func gather(t *testing.T, r *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// Guesses from an address are not looked at while it is paying for wrong ones, not even a right one: nothing is learnt
// from how they are answered. Who comes from elsewhere is not held up.
func TestManyWrongSecrets(t *testing.T) {
	metrics := prometheus.NewRegistry()
	h := Handler(Options{Sessions: table(), Secret: secret, Metrics: metrics})
	here, there := httptest.NewServer(h), httptest.NewServer(from("127.0.0.9:1234", h))
	defer here.Close()
	defer there.Close()
	if _, err := client(t, there.Listener.Addr().String(), Access{Secret: "a-wrong-guess"}).Server(t.Context()); err == nil {
		t.Error("a guess is let in")
	}
	var guesses sync.WaitGroup
	const n = 20
	for i := range n {
		guesses.Go(func() {
			guess := []Secret{"a-wrong-guess", secret}[i%2]
			_, err := client(t, there.Listener.Addr().String(), Access{Secret: guess}).Server(t.Context())
			if err == nil && guess != secret {
				t.Error("a guess is let in")
			}
		})
	}
	start := time.Now()
	if _, err := client(t, here.Listener.Addr().String(), Access{Secret: secret}).Server(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > wrongDelay {
		t.Errorf("the right secret from elsewhere took %v", took)
	}
	guesses.Wait()
	var p penalties
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	for range 100 {
		p.add(a)
	}
	if left := p.left(b); left < maxPenalty-time.Second || left > maxPenalty {
		t.Errorf("after 100 guesses an address of the subnet waits for %v", left)
	}
	if left := p.left(netip.MustParseAddr("2001:db8:0:1::1")); left > 0 {
		t.Errorf("another subnet waits for %v", left)
	}
}

// from has requests come from another address.
func from(addr string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = addr
		h.ServeHTTP(w, r)
	})
}

// A secret does not cross a network in plain text: neither side has it.
func TestSecretInPlainText(t *testing.T) {
	if _, err := NewClient("192.0.2.1:2121", Access{Secret: secret}); err == nil || !strings.Contains(err.Error(), "plain text") {
		t.Errorf("the client: %v", err)
	}
	for name, test := range map[string]struct {
		o    Options
		says string
	}{
		"server with a secret": {Options{Sessions: table(), Secret: secret}, "a secret over plain text is no secret"},
		"server with none":     {Options{Sessions: table()}, "a secret over plain text is no secret"},
		"server with TLS":      {Options{Sessions: table(), Secret: secret, TLS: true}, "this server wants TLS: use --tls"},
	} {
		s := httptest.NewServer(from("192.0.2.1:1234", Handler(test.o)))
		if _, err := client(t, s.Listener.Addr().String(), Access{Secret: secret}).Server(t.Context()); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want …%s…", name, err, test.says)
		}
		s.Close()
	}
}

func TestReadSecret(t *testing.T) {
	for text, says := range map[string]string{
		string(secret):            "",
		string(secret) + "\r\n":   "",
		"short\n":                 "5 characters is too short",
		"":                        "too short",
		"one line of it\nmore":    "one line",
		"with a blank\x01 in it":  "visible ASCII",
		strings.Repeat("x", 2000): "too long",
	} {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSecret(file)
		if says == "" && (err != nil || got != secret) || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%.30q is read as %q, %v; want %s", text, got, err, says)
		}
	}
	if _, err := ReadSecret(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// An old client is told what is wrong, in one sentence.
func TestClientOfAnotherVersion(t *testing.T) {
	s := httptest.NewServer(Handler(Options{Sessions: table(), About: Server{Version: "test"}}))
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/v1/server", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(versionHeader, "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text := body(t, resp)
	if resp.StatusCode != 400 || !strings.Contains(text, "use the same bench on both sides") {
		t.Errorf("%s: %s", resp.Status, text)
	}
}

func TestHealthAndMetrics(t *testing.T) {
	sessions := table()
	s := httptest.NewServer(Handler(Options{Sessions: sessions}))
	defer s.Close()
	get := func(path string) (int, string) {
		resp, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, body(t, resp)
	}
	if status, text := get("/healthz"); status != 200 || text != "ok\n" {
		t.Errorf("%d %q", status, text)
	}
	if _, err := sessions.Agree(t.Context(), spec, netip.MustParseAddr("127.0.0.1"), ""); err != nil {
		t.Fatal(err)
	}
	if status, text := get("/metrics"); status != 200 || !strings.Contains(text, "\nbench_sessions_open 1\n") || !strings.Contains(text, "bench_wrong_secrets_total 0") {
		t.Errorf("%d %s", status, text)
	}
	for _, id := range sessions.IDs() {
		_ = sessions.End(id)
	}
	sessions.Shutdown(t.Context(), bench.ErrShutdown)
	if status, _ := get("/healthz"); status != 503 {
		t.Errorf("while shutting down: %d", status)
	}
}

// A server that was away for a moment is asked again; one that stays away is lost.
func TestShortLossOfControl(t *testing.T) {
	sessions := table()
	h := Handler(Options{Sessions: sessions})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	first := &http.Server{Handler: h}
	go func() { _ = first.Serve(l) }()
	c := client(t, addr, Access{})
	c.Outage = 5 * time.Second
	if _, err := c.Server(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.Close()
	second := &http.Server{Handler: h}
	serving := make(chan struct{})
	time.AfterFunc(700*time.Millisecond, func() {
		defer close(serving)
		if l, err := net.Listen("tcp", addr); err != nil {
			t.Error(err)
		} else {
			_ = second.Serve(l)
		}
	})
	id, err := c.Agree(t.Context(), spec)
	if err != nil || sessions.Find(id) == nil {
		t.Fatalf("away for a moment: %v", err)
	}
	second.Close()
	<-serving
	c.Outage = 400 * time.Millisecond
	if _, err := c.Stop(t.Context(), id); !errors.Is(err, bench.ErrServerLost) {
		t.Errorf("gone: %v", err)
	}
	_ = sessions.End(id)
}

// The answer to an agreement may be lost: asking again makes no second session.
func TestAgreeAgain(t *testing.T) {
	sessions := table()
	h := Handler(Options{Sessions: sessions})
	var lost atomic.Int32
	c := plain(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/sessions" && lost.Add(1) <= 2 {
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	}))
	c.Outage = 10 * time.Second
	if _, err := c.Server(t.Context()); err != nil {
		t.Fatal(err)
	}
	id, err := c.Agree(t.Context(), spec)
	if err != nil || sessions.Open() != 1 || sessions.Find(id) == nil || lost.Load() < 3 {
		t.Errorf("%d sessions, asked for %d times, %v", sessions.Open(), lost.Load(), err)
	}
	_ = sessions.End(id)
}

// Who comes when the server is taken is told that it waits, and gets its turn.
func TestQueue(t *testing.T) {
	limits := bench.DefaultLimits()
	limits.Sessions = 1
	sessions := bench.NewTable(limits)
	c := plain(t, Handler(Options{Sessions: sessions}))
	first, err := c.Agree(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	c.Waiting = func(what string) {
		if what == "" {
			return
		}
		if told = append(told, what); len(told) == 2 {
			if err := sessions.End(first); err != nil {
				t.Error(err)
			}
		}
	}
	second, err := c.Agree(t.Context(), spec)
	if err != nil || len(told) != 2 || !strings.Contains(told[0], "it is taken, and 0 others wait for their turn") {
		t.Errorf("%v after it was told %q", err, told)
	}
	c.Queue = time.Millisecond
	if _, err := c.Agree(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "our own turn has not come") {
		t.Errorf("without patience: %v", err)
	}
	_ = sessions.End(second)
}

// What ends a session is told to a client that renews it.
func TestRenewTellsTheEnd(t *testing.T) {
	c, sessions := startTable(t)
	id, err := c.Agree(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { sessions.Shutdown(t.Context(), bench.ErrShutdown) })
	if err := c.Renew(t.Context(), id); !errors.Is(err, bench.ErrEnded) || !strings.Contains(err.Error(), "the server is shutting down") {
		t.Errorf("%v", err)
	}
}

// A session is its client's alone.
func TestSessionOfAnotherClient(t *testing.T) {
	sessions := table()
	h := Handler(Options{Sessions: sessions})
	s := httptest.NewServer(from("192.0.2.1:1234", h))
	defer s.Close()
	stranger, own := client(t, s.Listener.Addr().String(), Access{}), plain(t, h)
	id, err := own.Agree(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.End(t.Context(), id); !errors.Is(err, bench.ErrNoSession) || sessions.Find(id) == nil {
		t.Errorf("ended by a stranger: %v", err)
	}
	if err := own.End(t.Context(), id); err != nil {
		t.Error(err)
	}
	if err := stranger.Renew(t.Context(), id); !errors.Is(err, bench.ErrNoSession) {
		t.Errorf("asked by a stranger what became of it: %v", err)
	}
}

// FuzzControl feeds the handler requests with any body: it answers each with JSON, and never with a failure of its own.
func FuzzControl(f *testing.F) {
	f.Add("/v1/sessions", []byte(`{"proto":"udp","mode":"echo","size_bytes":64,"flows":1,"wait":"block","duration_ns":1000000,"interval_ns":10}`))
	f.Add("/v1/sessions", []byte(`{"proto":"tcp","mode":"duplex","size_bytes":1400,"flows":3,"duration_ns":1,"rate_bps":1e300}`))
	f.Add("/v1/sessions/0000000000000001/settle", []byte(`{"sent":[1,2],"tmax_ns":-5}`))
	f.Add("/v1/sessions/0000000000000001/stop", []byte(`[`))
	f.Fuzz(func(t *testing.T, path string, text []byte) {
		if !strings.HasPrefix(path, "/v1/") {
			t.Skip()
		}
		limits := bench.DefaultLimits()
		limits.Memory = 4 << 20
		sessions := bench.NewTable(limits)
		r, err := http.NewRequest("POST", "http://localhost", strings.NewReader(string(text)))
		if err != nil {
			t.Skip()
		}
		r.URL.Path, r.RemoteAddr = path, "127.0.0.1:1"
		w := httptest.NewRecorder()
		Handler(Options{Sessions: sessions}).ServeHTTP(w, r)
		if w.Code >= 500 || sessions.Memory() > limits.Memory {
			t.Errorf("%d %s, %d bytes taken", w.Code, w.Body, sessions.Memory())
		}
		for _, id := range sessions.IDs() {
			s := sessions.Find(id)
			if _, err := sessions.Settle(t.Context(), id, bench.Settlement{Sent: make([]uint64, s.Spec.FlowCount())}); err != nil {
				t.Error(err)
			}
		}
	})
}

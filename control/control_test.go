package control

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tcpvsudp/bench"
	"tcpvsudp/internal/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plain starts a server of h, and returns a client without patience.
func plain(t *testing.T, h http.Handler) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return client(t, s.Listener.Addr().String(), Access{})
}

func client(t *testing.T, addr string, access Access) *Client {
	t.Helper()
	c, err := NewClient(addr, access)
	if err != nil {
		t.Fatal(err)
	}
	c.Outage = time.Second
	t.Cleanup(c.Close)
	return c
}

func startTable(t *testing.T) (*Client, *bench.Table) {
	sessions := bench.NewTable(bench.DefaultLimits())
	return plain(t, Handler(Options{Sessions: sessions, About: Server{Version: "test", Host: host.Facts{Name: "there"}}})), sessions
}

var spec = bench.Spec{Proto: "udp", Mode: bench.Sink, Size: 64, Flows: 2, Wait: bench.Spin, Duration: time.Second, Interval: 100 * time.Millisecond, Verify: true}

func TestSessionFromAgreementToAccount(t *testing.T) {
	c, sessions := startTable(t)
	about, err := c.Server(t.Context())
	if err != nil || about.Version != "test" || about.Host.Name != "there" || about.Limits != bench.DefaultLimits() {
		t.Fatalf("%+v, %v", about, err)
	}
	id, err := c.Agree(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	s := sessions.Find(id)
	if s == nil || s.Spec != spec {
		t.Fatalf("the server agreed %+v, the client %+v", s, spec)
	}
	// The client's address is the one that its connection came from, and no other may take part.
	h := bench.Header{Kind: bench.Request, Session: id, Flow: 1}
	if sessions.Inbound("udp", h, netip.MustParseAddr("192.0.2.1")) != nil {
		t.Error("another address may take part")
	}
	in := sessions.Inbound("udp", h, netip.MustParseAddr("127.0.0.1"))
	if in == nil || !in.Enter() {
		t.Fatal("the client may not take part")
	}
	msg := bench.NewBlock(1, 64)
	h.Put(msg)
	in.Arrived(msg, 12345)
	in.Leave()

	account, err := c.Settle(t.Context(), id, bench.Settlement{Sent: []uint64{0, 3}, Tmax: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if account.Unique != 1 || account.Lost() != 2 || account.LossPeriods.LossPeriods != 1 || account.FirstNs != 12345 ||
		account.Corrupt != 1 || len(account.Series) == 0 || account.Series[0].Messages != 1 {
		t.Errorf("%+v", account)
	}
	if len(sessions.IDs()) != 0 || sessions.Spinning() {
		t.Error("the session is still there")
	}
	if again, err := c.Settle(t.Context(), id, bench.Settlement{}); err != nil || !reflect.DeepEqual(again, account) {
		t.Errorf("asked again: %+v, %v", again, err)
	}
}

// Nothing of an account is lost on the way.
func TestAccountSurvivesJSON(t *testing.T) {
	cpu := int64(7)
	a := bench.Account{FirstNs: 1, LastNs: 2, FirstBytes: 3, Bytes: 4, Foreign: 5, Corrupt: 6, CPUNs: &cpu,
		Traffic: bench.Traffic{SendCalls: 1, RecvCalls: 2, Truncated: 3, Malformed: 4},
		Granted: bench.Granted{Wait: bench.Spin, SendBuffer: 1, RecvBuffer: 2, CongestionControl: "cubic"},
		Source:  bench.SourceAccount{Sent: 1, SendErrors: 2, BeginNs: 3, EndNs: 4},
		Series:  []bench.SeriesBucket{{Messages: 1, LatencySumNs: 2, LatencyMaxNs: 3}},
		Counts: bench.Counts{Sent: 1 << 60, Received: 2, Unique: 3, Replicated: 4, BeyondWindow: 5, Reordered: 6, ExtentSum: 7, ExtentMax: 8,
			ExtentUnknown: 9, NReordered: [3]uint64{1, 2, 3}, LateSumNs: 10, LateMaxNs: 11, FreeRuns: 12, FreeRunMessages: 13,
			Discontinuities: 14, DiscontinuityGaps: 15, LossPeriods: bench.LossPeriods{LossPeriods: 16, LongestLossPeriod: 17, InterLossSum: 18}}}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back bench.Account
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(a, back) {
		t.Errorf("%s\nread back as %+v, %v", text, back, err)
	}
}

func TestEndWithoutAccount(t *testing.T) {
	c, sessions := startTable(t)
	id, err := c.Agree(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.End(t.Context(), id); err != nil || sessions.Find(id) != nil {
		t.Errorf("%v, session %v", err, sessions.Find(id))
	}
	if err := c.End(t.Context(), id); !errors.Is(err, bench.ErrNoSession) {
		t.Errorf("ended twice: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	c, _ := startTable(t)
	base := "http://" + c.addr
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/v1/sessions", `{`, 400, "read the request"},
		{"POST", "/v1/sessions", `{"colour":"blue"}`, 400, "colour"},
		{"POST", "/v1/sessions", `{"proto":"udp","mode":"echo","size_bytes":31,"flows":1,"duration_ns":1}`, 400, "message size 31"},
		{"POST", "/v1/sessions", `{"proto":"udp","mode":"shout","size_bytes":64,"flows":1,"duration_ns":1}`, 400, `mode "shout"`},
		{"POST", "/v1/sessions", `{"proto":"udp","mode":"echo","size_bytes":64,"flows":0,"duration_ns":1}`, 400, "0 flows"},
		{"POST", "/v1/sessions", `{"proto":"udp","mode":"echo","size_bytes":64,"flows":1,"duration_ns":-1}`, 400, "duration"},
		{"POST", "/v1/sessions", `{} {}`, 400, "something follows"},
		{"POST", "/v1/sessions", `{"proto":"` + strings.Repeat("x", maxBody) + `"}`, 400, "too large"},
		{"POST", "/v1/sessions/123/settle", `{}`, 400, "16 hexadecimal digits"},
		{"POST", "/v1/sessions/0000000000000001/settle", `{"sent":[]}`, 404, "no such session"},
		{"POST", "/v1/sessions/0000000000000001/renew", ``, 404, "no such session"},
		{"POST", "/v1/sessions/0000000000000001/stop", ``, 404, "no such session"},
		{"POST", "/v1/sessions", `{"proto":"udp","mode":"echo","size_bytes":16777216,"flows":100,"duration_ns":1000000000}`, 422, "memory"},
		{"DELETE", "/v1/sessions/zzzzzzzzzzzzzzzz", ``, 400, "16 hexadecimal digits"},
		{"GET", "/v1/nothing", ``, 404, ""},
		{"GET", "/v1/sessions", ``, 405, ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, base+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var p Problem
		_ = json.NewDecoder(resp.Body).Decode(&p)
		resp.Body.Close()
		if resp.StatusCode != test.status || !strings.Contains(p.Error, test.says) {
			t.Errorf("%s %s %.60s: %d %q, want %d …%s…", test.method, test.path, test.body, resp.StatusCode, p.Error, test.status, test.says)
		}
	}
}

func TestServersThatDoNotFit(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"another version": {func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, Server{API: API + 1, Version: "9.9"}) },
			"use the same bench on both sides"},
		"another server": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "is that a bench server?"},
		"an error page":  {http.NotFound, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := plain(t, test.handler).Server(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want …%s…", err, test.want)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := client(t, l.Addr().String(), Access{})
	if _, err := c.Server(t.Context()); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("error %v does not name the address", err)
	}
}

// A request ends with its context, and says why it ended.
func TestCallOff(t *testing.T) {
	release := make(chan struct{})
	c := plain(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer close(release)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(context.Canceled) })
	if _, err := c.Server(ctx); err == nil {
		t.Error("no error")
	}
}

func FuzzSessionID(f *testing.F) {
	for _, s := range []string{"0000000000000000", "ffffffffffffffff", "", "0x00000000000001", "-000000000000001", "+000000000000001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var id ID
		if id.UnmarshalText([]byte(text)) == nil && !strings.EqualFold(id.String(), text) {
			t.Errorf("%q is read as %s", text, id)
		}
	})
}

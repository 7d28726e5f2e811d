package udp

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"tcpvsudp/bench"
)

// client is a socket that speaks for a flow by hand.
type client struct {
	t    *testing.T
	conn *net.UDPConn
}

// from opens a socket on local, "" for a free port, that sends to the server.
func from(t *testing.T, local *net.UDPAddr, s *Server) client {
	t.Helper()
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return client{t, conn}
}

func (c client) send(kind bench.Kind, session *bench.Session, flow uint32, seq uint64) {
	c.t.Helper()
	msg := bench.NewBlock(1, session.Spec.Size)
	bench.Header{Kind: kind, Session: session.ID, Flow: flow, Seq: seq}.Put(msg)
	if _, err := c.conn.Write(msg); err != nil {
		c.t.Fatal(err)
	}
}

// greet says hello and wants an answer.
func (c client) greet(session *bench.Session, flow uint32) {
	c.t.Helper()
	c.send(bench.Hello, session, flow, bench.WarmUp)
	_ = c.conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := c.conn.Read(make([]byte, 2000)); err != nil {
		c.t.Fatalf("no answer to a hello: %v", err)
	}
}

func agree(t *testing.T, sessions *bench.Table, mode bench.Mode, flows int) *bench.Session {
	t.Helper()
	s, err := sessions.Agree(t.Context(), bench.Spec{Proto: "udp", Mode: mode, Size: 64, Flows: flows, Duration: time.Minute},
		netip.MustParseAddr("127.0.0.1"), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sessions.End(s.ID) })
	return s
}

// settle ends the session and returns how many different messages came.
func settle(t *testing.T, sessions *bench.Table, s *bench.Session, sent ...uint64) uint64 {
	t.Helper()
	a, err := sessions.Settle(t.Context(), s.ID, bench.Settlement{Sent: sent, Tmax: 200 * time.Millisecond, Quiet: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return a.Unique
}

// adopted is how many flows have a socket of their own.
func (s *Server) adoptedNow() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// A flow that greets has a socket of its own, once however often it greets, until its session ends.
func TestFlowIsAdoptedOnce(t *testing.T) {
	sessions := bench.NewTable(bench.DefaultLimits())
	s := serve(t, netip.MustParseAddr("127.0.0.1"), sessions)
	session := agree(t, sessions, bench.Echo, 2)
	c := from(t, nil, s)
	for range 20 {
		c.send(bench.Hello, session, 0, bench.WarmUp)
	}
	c.greet(session, 0)
	if n := s.adoptedNow(); n != 1 {
		t.Errorf("%d sockets for one flow", n)
	}
	if err := sessions.End(session.ID); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); s.adoptedNow() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the flow's socket outlives its session")
		}
	}
}

// A reply that nobody wanted costs no request: the client's socket is away for a moment, and the server hears that its port is
// closed.
func TestRefusedReplyEndsNoFlow(t *testing.T) {
	sessions := bench.NewTable(bench.DefaultLimits())
	s := serve(t, netip.MustParseAddr("127.0.0.1"), sessions)
	session := agree(t, sessions, bench.Echo, 1)
	c := from(t, nil, s)
	local := c.conn.LocalAddr().(*net.UDPAddr)
	c.greet(session, 0)
	for round := range uint64(20) {
		for i := range uint64(10) {
			c.send(bench.Request, session, 0, 10*round+i)
		}
		c.conn.Close()
		c = from(t, local, s)
	}
	if unique := settle(t, sessions, session, 200); unique != 200 {
		t.Errorf("%d of 200 requests were counted", unique)
	}
}

// A port that a client uses again is the new flow's, although the old one's session has not ended; so is one that several flows
// share.
func TestPortUsedAgain(t *testing.T) {
	sessions := bench.NewTable(bench.DefaultLimits())
	s := serve(t, netip.MustParseAddr("127.0.0.1"), sessions)
	old, next, shared := agree(t, sessions, bench.Sink, 1), agree(t, sessions, bench.Sink, 1), agree(t, sessions, bench.Sink, 2)
	c := from(t, nil, s)
	local := c.conn.LocalAddr().(*net.UDPAddr)
	c.greet(old, 0)
	c.conn.Close()
	c = from(t, local, s)
	c.greet(next, 0)
	for seq := range uint64(100) {
		c.send(bench.Request, next, 0, seq)
	}
	if unique := settle(t, sessions, next, 100); unique != 100 {
		t.Errorf("%d of 100 messages of a flow on a port used again were counted", unique)
	}
	c = from(t, nil, s)
	c.greet(shared, 0)
	c.greet(shared, 1)
	for seq := range uint64(100) {
		c.send(bench.Request, shared, uint32(seq%2), seq/2)
	}
	if unique := settle(t, sessions, shared, 50, 50); unique != 100 {
		t.Errorf("%d of 100 messages of two flows on one socket were counted", unique)
	}
}

// What the buffers of closed sockets have dropped stays counted.
func TestDropsAreKept(t *testing.T) {
	sessions := bench.NewTable(bench.DefaultLimits())
	s := serve(t, netip.MustParseAddr("127.0.0.1"), sessions)
	session := agree(t, sessions, bench.Sink, 1)
	c := from(t, nil, s)
	c.greet(session, 0)
	in := sessions.Inbound("udp", bench.Header{Session: session.ID}, netip.MustParseAddr("127.0.0.1"))
	if !in.Enter() { // so that nobody takes what comes
		t.Fatal("the session has ended")
	}
	msg := make([]byte, 1400)
	for range 20_000 {
		_, _ = c.conn.Write(msg)
	}
	dropped, known := s.Overflowed()
	in.Leave()
	if !known || dropped == 0 {
		t.Skip("this system's buffers hold all of it")
	}
	_ = sessions.End(session.ID)
	for end := time.Now().Add(5 * time.Second); s.adoptedNow() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if after, _ := s.Overflowed(); after < dropped {
		t.Errorf("%d drops before the flow was closed, %d after", dropped, after)
	}
}

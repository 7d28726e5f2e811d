package udp

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"tcpvsudp/bench"
)

// What a flow's buffer had no room for is what of the messages never came, one by one.
func TestFlowTellsItsDrops(t *testing.T) {
	const size, sent = 1000, 2000
	for _, portable := range []bool{false, true} {
		peer, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		f, err := Transport{}.Dial(t.Context(), peer.LocalAddr().String(), bench.Options{RecvBuffer: 20_000, Fast: bench.Fast{Batch: 1, Portable: portable}})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Send(bench.NewBlock(1, size), size, false); err != nil {
			t.Fatal(err)
		}
		_, client, err := peer.ReadFromUDPAddrPort(make([]byte, size))
		if err != nil {
			t.Fatal(err)
		}
		for range sent { // while nobody reads
			if _, err := peer.WriteToUDPAddrPort(make([]byte, size), client); err != nil {
				t.Fatal(err)
			}
		}
		came := 0
		_ = f.SetRecvDeadline(time.Now().Add(200 * time.Millisecond))
		for {
			block, err := f.Recv(size)
			came += len(block) / size
			if err != nil {
				if !os.IsTimeout(err) {
					t.Fatal(err)
				}
				break
			}
		}
		dropped, known := f.(bench.Overflower).Overflowed()
		if !known || came == 0 || came == sent || dropped != uint64(sent-came) {
			t.Errorf("portable %v: %d of %d came, and %d were dropped (known: %v)", portable, came, sent, dropped, known)
		}
	}
}

// A session whose receiver was away tells the very messages that were lost in its socket's buffer.
func TestSessionTellsItsDrops(t *testing.T) {
	const size, sent = 1400, 20_000
	addr := netip.MustParseAddr("127.0.0.1")
	sessions := bench.NewTable(bench.DefaultLimits())
	s := serve(t, addr, sessions)
	session, err := sessions.Agree(t.Context(), bench.Spec{Proto: "udp", Mode: bench.Sink, Size: size, Flows: 1, Duration: time.Minute, Warmup: time.Second}, addr, "")
	if err != nil {
		t.Fatal(err)
	}
	c := from(t, nil, s)
	c.greet(session, 0)
	in := sessions.Inbound("udp", bench.Header{Session: session.ID}, addr)
	away := func(f func()) {
		if !in.Enter() {
			t.Fatal("the session has ended")
		}
		defer in.Leave()
		f()
	}
	c.send(bench.Request, session, 0, 0)
	time.Sleep(200 * time.Millisecond) // until it has been counted
	away(func() {
		for seq := range uint64(sent - 1) {
			c.send(bench.Request, session, 0, seq+1)
		}
	})
	a, err := sessions.Settle(t.Context(), session.ID, bench.Settlement{Sent: []uint64{sent}, Tmax: 300 * time.Millisecond, Quiet: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if a.Lost() == 0 {
		t.Skip("this system's buffers hold all of it")
	}
	if a.BufferFull == nil || a.BufferFull.Least != a.Lost() || a.BufferFull.Most != a.Lost() || a.BufferFull.Datagrams != a.Lost() {
		t.Errorf("%d of %d were lost, and the buffer's account is %+v", a.Lost(), sent, a.BufferFull)
	}
}

// Two sessions at once can't tell whose datagrams a server has dropped.
func TestSharedServerTellsNoDrops(t *testing.T) {
	sessions := bench.NewTable(bench.DefaultLimits())
	serve(t, netip.MustParseAddr("127.0.0.1"), sessions)
	one := agree(t, sessions, bench.Sink, 1)
	agree(t, sessions, bench.Sink, 1)
	a, err := sessions.Settle(t.Context(), one.ID, bench.Settlement{Sent: []uint64{0}, Tmax: time.Millisecond, Quiet: time.Millisecond})
	if err != nil || a.BufferFull != nil {
		t.Errorf("%+v, %v", a.BufferFull, err)
	}
}

package tcp

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"tcpvsudp/bench"
)

// pair returns a flow and the raw connection at its other end.
func pair(t *testing.T) (*flow, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := Transport{}.Dial(t.Context(), l.Addr().String(), bench.Options{})
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close(); peer.Close() })
	_ = f.SetSendDeadline(time.Now().Add(5 * time.Second))
	_ = f.SetRecvDeadline(time.Now().Add(5 * time.Second))
	return f.(*flow), peer
}

// Messages come out whole however the stream is split, and however many fit into a block.
func TestAnySplitOfTheStream(t *testing.T) {
	const size, messages = 40, 6
	stream := make([]byte, size*messages)
	for i := range stream {
		stream[i] = byte(i)
	}
	for _, room := range []int{1, 2, 4, 10} {
		for cut := 1; cut < len(stream); cut += 7 {
			f, peer := pair(t)
			go func() {
				for piece := range slices.Chunk(stream, cut) {
					_, _ = peer.Write(piece)
					if cut < 10 {
						continue // many small pieces run together as they like
					}
					time.Sleep(200 * time.Microsecond)
				}
			}()
			var got []byte
			f.asked.Block = room * size
			for len(got) < len(stream) {
				block, err := f.Recv(size)
				if n := len(block) / size; err != nil || n < 1 || n > room || len(block)%size != 0 {
					t.Fatalf("pieces of %d into a block of %d: Recv = %d bytes, %v", cut, room, len(block), err)
				}
				got = append(got, block...)
			}
			if !slices.Equal(got, stream) {
				t.Fatalf("pieces of %d into a block of %d: the messages are not those that were sent", cut, room)
			}
			f.Close()
			peer.Close()
		}
	}
}

// A deadline in the middle of a message loses nothing of it.
func TestDeadlineInTheMiddleOfAMessage(t *testing.T) {
	f, peer := pair(t)
	msg := make([]byte, 100)
	for i := range msg {
		msg[i] = byte(i)
	}
	if _, err := peer.Write(msg[:60]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_ = f.SetSendDeadline(time.Now().Add(20 * time.Millisecond))
		_ = f.SetRecvDeadline(time.Now().Add(20 * time.Millisecond))
		if block, err := f.Recv(100); len(block) != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Recv of 60 of 100 bytes = %d, %v", len(block), err)
		}
	}
	if _, err := peer.Write(msg[60:]); err != nil {
		t.Fatal(err)
	}
	_ = f.SetSendDeadline(time.Now().Add(5 * time.Second))
	_ = f.SetRecvDeadline(time.Now().Add(5 * time.Second))
	if block, err := f.Recv(100); err != nil || !slices.Equal(block, msg) {
		t.Fatalf("Recv of the rest = %d bytes, %v", len(block), err)
	}
}

func TestEndOfTheStream(t *testing.T) {
	f, peer := pair(t)
	if _, err := peer.Write(make([]byte, 150)); err != nil {
		t.Fatal(err)
	}
	peer.Close()
	f.asked.Block = 400
	if block, err := f.Recv(100); len(block) != 100 || err != nil {
		t.Fatalf("the whole message: %d bytes, %v", len(block), err)
	}
	if block, err := f.Recv(100); len(block) != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a message and the end: %d bytes, %v", len(block), err)
	}

	f, peer = pair(t)
	peer.Close()
	if block, err := f.Recv(100); len(block) != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("the end: %d bytes, %v", len(block), err)
	}
}

// A message that went out in part must not be followed by another: the receiver would cut the stream wrongly.
func TestSendAfterAMessageInPart(t *testing.T) {
	f, _ := pair(t)
	_ = f.SetSendDeadline(time.Now().Add(50 * time.Millisecond))
	_ = f.SetRecvDeadline(time.Now().Add(50 * time.Millisecond))
	const size = 1 << 20
	block := bench.NewBlock(64, size) // more than the socket buffers hold
	n, err := f.Send(block, size, false)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n >= 64 {
		t.Fatalf("Send to a peer that does not read = %d, %v", n, err)
	}
	_ = f.SetSendDeadline(time.Time{})
	_ = f.SetRecvDeadline(time.Time{})
	if _, err := f.Send(block[:size], size, false); f.broken && err == nil {
		t.Error("Send after a message in part succeeded")
	}
}

// The port serves control too: a connection that does not begin with a message is handed on whole.
func TestHandoff(t *testing.T) {
	s := serve(t, netip.MustParseAddr("127.0.0.1"), bench.NewTable(bench.DefaultLimits()))
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /")); err != nil {
		t.Fatal(err)
	}
	control, err := s.Control(nil).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	got := make([]byte, 5)
	if _, err := io.ReadFull(control, got); err != nil || string(got) != "GET /" {
		t.Errorf("handed on: %q, %v", got, err)
	}
}

// Connections that say nothing, or half a header, or nonsense that begins like a message, end with the server.
func TestConnectionsThatSayNothing(t *testing.T) {
	s := serve(t, netip.MustParseAddr("127.0.0.1"), bench.NewTable(bench.DefaultLimits()))
	for _, said := range [][]byte{nil, {bench.FirstByte}, append([]byte{bench.FirstByte}, make([]byte, 100)...)} {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(said); err != nil {
			t.Fatal(err)
		}
	}
	// serve's cleanup closes the server, and goleak sees what stays.
}

// A flow has one connection at a time: a client that makes more takes no more of the server.
func TestFlowHasOneConnection(t *testing.T) {
	sessions := bench.NewTable(bench.DefaultLimits())
	s := serve(t, netip.MustParseAddr("127.0.0.1"), sessions)
	session, err := sessions.Agree(t.Context(), bench.Spec{Proto: "tcp", Mode: bench.Echo, Size: 64, Flows: 1, Duration: time.Minute},
		netip.MustParseAddr("127.0.0.1"), "")
	if err != nil {
		t.Fatal(err)
	}
	request, answer := bench.NewBlock(1, 64), make([]byte, 64)
	bench.Header{Kind: bench.Hello, Session: session.ID}.Put(request)
	var before net.Conn
	for i := range 50 {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := conn.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		if before != nil {
			if n, err := before.Read(answer); err == nil {
				t.Fatalf("the connection before number %d still answers, %d bytes", i, n)
			}
		}
		before = conn
	}
	if n := s.flows.Load(); n != 1 {
		t.Errorf("%d connections carry the flow", n)
	}
}

package udp

import (
	"net"
	"net/netip"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// plainDoor is a socket of package net, with a datagram a call.
type plainDoor struct {
	socket.Handle
	conn    *net.UDPConn
	spinner *socket.Spinner
	buf     []byte
}

func newPlainDoor(conn *net.UDPConn) *plainDoor {
	return &plainDoor{Handle: socket.Of(conn), conn: conn, spinner: socket.NewSpinner(conn), buf: make([]byte, MaxMessage+1)}
}

// openPlainDoor opens the one door that every system has.
func openPlainDoor(addr string) ([]door, netip.AddrPort, error) {
	conn, err := listen(net.ListenConfig{}, addr)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	return []door{newPlainDoor(conn)}, conn.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}

func (p *plainDoor) receive(spin func() bool, deliver func(mail)) error {
	if err := p.spinner.AwaitWhile(spin); err != nil {
		return err
	}
	n, from, err := p.conn.ReadFromUDPAddrPort(p.buf)
	if err != nil {
		return err
	}
	deliver(mail{bytes: p.buf[:n], from: from})
	return nil
}

func (p *plainDoor) reply(block []byte, size int, m mail) (calls int) {
	s := plainSender{conn: p.conn, to: m.from}
	_, _ = s.Send(block, size, false)
	return int(s.traffic.SendCalls)
}

func (p *plainDoor) sender(m mail, _ bench.Options) bench.Sender {
	return &plainSender{conn: p.conn, to: m.from}
}

func (p *plainDoor) granted() bench.Granted {
	g := bench.Granted{RecvBufferAsked: recvBuffer, Path: bench.PathPortable, Offload: bench.OffloadOff}
	g.SendBuffer, g.RecvBuffer = socket.Buffers(p)
	if p.spinner != nil {
		g.Wait = bench.Spin
	}
	return g
}

// plainSender sends to one address on a socket that others use too.
type plainSender struct {
	conn    *net.UDPConn
	to      netip.AddrPort
	traffic bench.Traffic
}

// Send implements bench.Sender.
func (s *plainSender) Send(block []byte, size int, _ bool) (n int, err error) {
	for off := 0; off < len(block); off += size {
		s.traffic.SendCalls++
		if _, err := s.conn.WriteToUDPAddrPort(block[off:off+size], s.to); err != nil {
			return n, sendError(err)
		}
		n++
	}
	return n, nil
}

// Batch implements bench.Sender.
func (s *plainSender) Batch(int) int { return 1 }

// Traffic implements bench.Sender.
func (s *plainSender) Traffic() bench.Traffic { return s.traffic }

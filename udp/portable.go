package udp

import (
	"net"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// plain is a socket of package net, with a datagram a call.
type plain struct {
	socket.Handle
	conn    *net.UDPConn
	spinner *socket.Spinner // nil to sleep
	buf     []byte
}

func portable(conn *net.UDPConn, o bench.Options) datagrams {
	p := &plain{Handle: socket.Of(conn), conn: conn}
	if o.Wait == bench.Spin {
		p.spinner = socket.NewSpinner(conn)
	}
	return p
}

func (p *plain) send(block []byte, size int) (n, calls int, err error) {
	for off := 0; off < len(block); off += size {
		calls++
		if _, err := p.conn.Write(block[off : off+size]); err != nil {
			return n, calls, err
		}
		n++
	}
	return n, calls, nil
}

func (p *plain) recv(size int, t *bench.Traffic) ([]byte, error) {
	if len(p.buf) <= size {
		p.buf = make([]byte, size+1) // the spare byte shows a datagram that is too long
	}
	if err := p.spinner.Await(); err != nil {
		return nil, err
	}
	n, err := p.conn.Read(p.buf[:size+1])
	switch {
	case socket.IsCut(err):
		t.Truncated++
		return nil, nil
	case err != nil:
		return nil, err
	}
	t.RecvCalls++
	return whole(p.buf[:n], 0, size, false, t), nil
}

func (p *plain) batch(int) int { return 1 }

func (p *plain) means() (bench.Path, bench.Wait, bench.Offload) {
	if p.spinner != nil {
		return bench.PathPortable, bench.Spin, bench.OffloadOff
	}
	return bench.PathPortable, bench.Block, bench.OffloadOff
}

package tcp

import (
	"net"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// plain is the stream of a connection of package net.
type plain struct {
	socket.Handle
	conn    *net.TCPConn
	spinner *socket.Spinner // nil to sleep
}

func portable(conn *net.TCPConn, o bench.Options) stream {
	p := &plain{Handle: socket.Of(conn), conn: conn}
	if o.Wait == bench.Spin {
		p.spinner = socket.NewSpinner(conn)
	}
	return p
}

func (p *plain) read(buf []byte) (int, error) {
	if err := p.spinner.Await(); err != nil {
		return 0, err
	}
	return p.conn.Read(buf)
}

func (p *plain) write(buf []byte, _ bool) (n, calls int, err error) {
	n, err = p.conn.Write(buf)
	return n, 1, err
}

func (p *plain) push() error { return nil }

func (p *plain) means() (bench.Path, bench.Wait) {
	if p.spinner != nil {
		return bench.PathPortable, bench.Spin
	}
	return bench.PathPortable, bench.Block
}

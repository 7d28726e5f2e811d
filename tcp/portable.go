package tcp

import (
	"net"
	"slices"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// plain is the stream of a connection of package net.
type plain struct {
	socket.Handle
	conn     *net.TCPConn
	spinner  *socket.Spinner // nil to sleep
	readable socket.Readable
}

func portable(conn *net.TCPConn, o bench.Options) stream {
	p := &plain{Handle: socket.Of(conn), conn: conn, readable: socket.NewReadable(conn)}
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

func (p *plain) await() error { return p.readable.Await() }

func (p *plain) write(buf []byte, call int, _ bool) (n, calls int, err error) {
	for piece := range slices.Chunk(buf, call) {
		written, err := p.conn.Write(piece)
		n, calls = n+written, calls+1
		if err != nil {
			return n, calls, err
		}
	}
	return n, calls, nil
}

func (p *plain) push() error { return nil }

func (p *plain) means() (bench.Path, bench.Wait) {
	if p.spinner != nil {
		return bench.PathPortable, bench.Spin
	}
	return bench.PathPortable, bench.Block
}

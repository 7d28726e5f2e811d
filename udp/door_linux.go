package udp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"tcpvsudp/bench"
	"tcpvsudp/internal/socket"
)

// maxDoors is how many sockets share the port, a goroutine each.
const maxDoors = 8

// doors opens sockets that share a port. The kernel brings every flow's datagrams to one of them.
func doors(addr string) (all []door, at netip.AddrPort, err error) {
	for range min(runtime.GOMAXPROCS(0), maxDoors) {
		conn, err := listen(net.ListenConfig{Control: sharePort}, addr)
		if err != nil {
			closeAll(all)
			return nil, at, err
		}
		at = conn.LocalAddr().(*net.UDPAddr).AddrPort()
		addr = at.String() // port 0 has become one
		d, err := newFastDoor(conn)
		if err != nil {
			conn.Close()
			closeAll(all)
			return openPlainDoor(addr)
		}
		all = append(all, d)
	}
	if socket.SteerByFlow(all[0], flowOffset, len(all)) != nil {
		// Nothing else keeps a flow's datagrams together.
		closeAll(all)
		return openPlainDoor(addr)
	}
	return all, at, nil
}

func closeAll(all []door) {
	for _, d := range all {
		d.Close()
	}
}

// maxStrays is how many datagrams of others a new socket may have got at most.
const maxStrays = 64

// flowOffset is where a message has the number of its flow.
const flowOffset = 4

func sharePort(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	return errors.Join(err, failed)
}

// connect opens a socket on the server's port that hears client alone. What others have sent to the port before it did,
// and the kernel has brought to the new socket, is returned as strays.
func (d *fastDoor) connect(server netip.AddrPort, client mail, o bench.Options) (f *flow, strays []mail, err error) {
	conn, err := listen(net.ListenConfig{Control: sharePort}, server.String())
	if err != nil {
		return nil, nil, err
	}
	if err := socket.Connect(conn, client.name); err != nil {
		conn.Close()
		return nil, nil, err
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			for range maxStrays {
				n, err := d.scratch.Recv(fd, false)
				if err != 0 || n == 0 {
					return
				}
				m := mail{name: new(*d.scratch.Name(0))}
				m.bytes, m.segment, m.cut = d.scratch.Datagram(0)
				m.bytes, m.from = slices.Clone(m.bytes), m.name.AddrPort()
				strays = append(strays, m)
				if m.from == client.from {
					return // by now it was connected
				}
			}
		})
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	o.RecvBuffer = recvBuffer
	return newFlow(conn, o), strays, nil
}

// fastDoor is a socket by system calls of our own, with many datagrams a call.
type fastDoor struct {
	socket.Raw
	inbox   *socket.Inbox
	tryRecv func(fd uintptr) bool
	n       int
	err     unix.Errno
	out     *fastSender
	scratch *socket.Inbox // for one datagram
}

func newFastDoor(conn *net.UDPConn) (*fastDoor, error) {
	raw, err := socket.Shared(conn, false)
	if err != nil {
		return nil, err
	}
	_ = socket.JoinDatagrams(raw) // refused: they come one by one
	d := &fastDoor{Raw: raw, inbox: socket.NewInbox(joinedBuffers, joinedRoom, true), out: newFastSender(raw, bench.Options{}), scratch: socket.NewInbox(1, joinedRoom, true)}
	d.tryRecv = func(fd uintptr) bool {
		d.n, d.err = d.inbox.Recv(fd, false)
		return d.err != unix.EAGAIN && d.err != unix.EINTR
	}
	return d, nil
}

func (d *fastDoor) receive(_ func() bool, deliver func(mail)) error {
	if err := d.Read(d.tryRecv); err != nil {
		return err
	}
	if d.err != 0 {
		return os.NewSyscallError("recvmmsg", d.err)
	}
	for i := range d.n {
		m := mail{name: d.inbox.Name(i)}
		m.bytes, m.segment, m.cut = d.inbox.Datagram(i)
		m.from = m.name.AddrPort()
		deliver(m)
	}
	return nil
}

func (d *fastDoor) reply(block []byte, size int, m mail) (calls int) {
	d.out.to, d.out.traffic = *m.name, bench.Traffic{}
	_, _ = d.out.Send(block, size, false)
	return int(d.out.traffic.SendCalls)
}

func (d *fastDoor) sender(m mail, o bench.Options) bench.Sender {
	s := newFastSender(d.Raw, o)
	s.to = *m.name
	return s
}

func (d *fastDoor) granted() bench.Granted {
	g := bench.Granted{RecvBufferAsked: recvBuffer, Path: bench.PathShared, Offload: bench.OffloadOn}
	g.SendBuffer, g.RecvBuffer = socket.Buffers(d)
	return g
}

// fastSender sends to one address on a socket that others use too.
type fastSender struct {
	raw     socket.Raw
	to      socket.Name
	outbox  *socket.Outbox
	trySend func(fd uintptr) bool
	out     []byte
	size    int
	n       int
	err     unix.Errno
	traffic bench.Traffic
	asked   bench.Options
}

func newFastSender(raw socket.Raw, o bench.Options) *fastSender {
	s := &fastSender{raw: raw, asked: o, outbox: socket.NewOutbox(mmsgBatch)}
	s.trySend = func(fd uintptr) bool {
		for s.err = 0; len(s.out) > 0; {
			out := s.out
			if s.asked.Batch > 0 {
				out = out[:min(s.asked.Batch*s.size, len(out))]
			}
			n, err := s.outbox.Send(fd, out, s.size, &s.to)
			s.traffic.SendCalls++
			switch err {
			case 0:
				s.out, s.n = s.out[n*s.size:], s.n+n
			case unix.EINTR:
			case unix.EAGAIN:
				return false
			default:
				s.err = err
				return true
			}
		}
		return true
	}
	return s
}

// Send implements bench.Sender.
func (s *fastSender) Send(block []byte, size int, _ bool) (int, error) {
	s.out, s.size, s.n = block, size, 0
	err := s.raw.Write(s.trySend)
	s.out = nil
	if err == nil && s.err != 0 {
		err = os.NewSyscallError("sendmmsg", s.err)
	}
	return s.n, sendError(err)
}

// Batch implements bench.Sender.
func (s *fastSender) Batch(size int) int {
	if s.asked.Batch > 0 {
		return s.asked.BlockOf(size)
	}
	return max(min(mmsgBatch, s.asked.Block/size), 1)
}

// Traffic implements bench.Sender.
func (s *fastSender) Traffic() bench.Traffic { return s.traffic }

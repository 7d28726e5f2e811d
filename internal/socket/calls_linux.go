package socket

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of this file do not block, so that Go need not be told of them: those that would return EAGAIN. The error is 0 for
// none. Those to receive may be told to sleep, as Raw.Sleeps says.

// Recv reads from a socket to buf.
func Recv(fd uintptr, buf []byte, sleep bool) (n int, err unix.Errno) {
	return receive(unix.SYS_RECVFROM, fd, unsafe.Pointer(unsafe.SliceData(buf)), len(buf), 0, 0, sleep)
}

// RecvWhole is Recv of a datagram, of which n is the length although buf may be shorter.
func RecvWhole(fd uintptr, buf []byte, sleep bool) (n int, err unix.Errno) {
	return receive(unix.SYS_RECVFROM, fd, unsafe.Pointer(unsafe.SliceData(buf)), len(buf), unix.MSG_TRUNC, 0, sleep)
}

func receive(call, fd uintptr, to unsafe.Pointer, count, flags, sleepFlags int, sleep bool) (int, unix.Errno) {
	if sleep {
		n, _, err := unix.Syscall6(call, fd, uintptr(to), uintptr(count), uintptr(flags|sleepFlags), 0, 0)
		return int(n), err
	}
	n, _, err := unix.RawSyscall6(call, fd, uintptr(to), uintptr(count), uintptr(flags|unix.MSG_DONTWAIT), 0, 0)
	return int(n), err
}

// Send writes buf to a connected socket. With more, another follows at once: a stream may wait for it to fill a packet.
func Send(fd uintptr, buf []byte, more bool) (n int, err unix.Errno) {
	flags := uintptr(unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL)
	if more {
		flags |= unix.MSG_MORE
	}
	sent, _, err := unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), flags, 0, 0)
	return int(sent), err
}

// Push sends what a connected stream has kept back for more.
func Push(h Handle) error {
	// To set it pushes what is pending, see tcp(7).
	return set(h, func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) })
}

// HasInput tells whether a socket has something to read, its end or an error included.
func HasInput(fd uintptr) bool { return readable(fd) }

// LimitUnsent keeps a stream from taking more while so many bytes of it wait to be sent (TCP_NOTSENT_LOWAT).
func LimitUnsent(c Conn, bytes int) error {
	return set(Of(c), func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, bytes) })
}

// message is struct mmsghdr.
type message struct {
	header unix.Msghdr
	n      uint32
}

// Name is a socket's address as the kernel has it: that of either family.
type Name struct {
	raw unix.RawSockaddrInet6 // the larger
	len uint32
}

// AddrPort returns the address, without the zone of one that has a zone.
func (n *Name) AddrPort() netip.AddrPort {
	port := *(*[2]byte)(unsafe.Pointer(&n.raw.Port)) // big endian
	number := uint16(port[0])<<8 | uint16(port[1])
	if n.raw.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&n.raw))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), number)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(n.raw.Addr).Unmap(), number)
}

// Inbox receives datagrams, many at a call (recvmmsg).
type Inbox struct {
	messages []message
	vectors  []unix.Iovec
	names    []Name
	controls [][controlBytes]byte
	buf      []byte
	room     int
}

// controlBytes is the room for the control message that tells the size of segments: an int and its header.
const controlBytes = 24

// NewInbox has room for count datagrams of room bytes each, end to end in one block, and with names for their
// senders' addresses.
func NewInbox(count, room int, names bool) *Inbox {
	b := &Inbox{
		messages: make([]message, count),
		vectors:  make([]unix.Iovec, count),
		controls: make([][controlBytes]byte, count),
		buf:      make([]byte, count*room),
		room:     room,
	}
	if names {
		b.names = make([]Name, count)
	}
	for i := range b.messages {
		b.vectors[i].Base = &b.buf[i*room]
		b.vectors[i].SetLen(room)
		b.messages[i].header.Iov = &b.vectors[i]
		b.messages[i].header.SetIovlen(1)
		if names {
			b.messages[i].header.Name = (*byte)(unsafe.Pointer(&b.names[i].raw))
		}
	}
	return b
}

// Recv receives up to so many datagrams as there is room for; n are numbered from 0. What was in the inbox is gone.
func (b *Inbox) Recv(fd uintptr, sleep bool) (n int, err unix.Errno) {
	for i := range b.messages {
		h := &b.messages[i].header
		h.Control = &b.controls[i][0]
		h.SetControllen(controlBytes)
		if b.names != nil {
			h.Namelen = unix.SizeofSockaddrInet6
		}
	}
	return receive(unix.SYS_RECVMMSG, fd, unsafe.Pointer(&b.messages[0]), len(b.messages), 0, unix.MSG_WAITFORONE, sleep)
}

// Datagram returns datagram i, or several that the kernel has joined: then all but the last are of segment bytes, and
// segment is 0 otherwise. cut says that it was longer than the room for it. The bytes are the inbox's until the
// next Recv.
func (b *Inbox) Datagram(i int) (bytes []byte, segment int, cut bool) {
	m := &b.messages[i]
	if m.header.Controllen >= controlHeader+4 {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&b.controls[i][0]))
		if c.Level == unix.SOL_UDP && c.Type == unix.UDP_GRO {
			segment = int(*(*int32)(unsafe.Pointer(&b.controls[i][controlHeader])))
		}
	}
	return b.buf[i*b.room : i*b.room+int(m.n)], segment, m.header.Flags&unix.MSG_TRUNC != 0
}

// Joined returns n datagrams from number first on as they lie in the block, each with the room of one.
func (b *Inbox) Joined(first, n int) []byte { return b.buf[first*b.room : (first+n)*b.room] }

// Name returns the address that datagram i came from. It is the inbox's until the next Recv.
func (b *Inbox) Name(i int) *Name {
	b.names[i].len = b.messages[i].header.Namelen
	return &b.names[i]
}

// controlHeader is where the data of a control message begins.
const controlHeader = unix.SizeofCmsghdr

// Outbox sends datagrams, many at a call.
type Outbox struct {
	messages []message
	vectors  []unix.Iovec
}

// NewOutbox has room for count datagrams a call.
func NewOutbox(count int) *Outbox {
	return &Outbox{messages: make([]message, count), vectors: make([]unix.Iovec, count)}
}

// Send sends the messages of block, size bytes each, as a datagram each, as many of them as there is room for (sendmmsg). to is nil
// for a connected socket.
func (b *Outbox) Send(fd uintptr, block []byte, size int, to *Name) (n int, err unix.Errno) {
	count := min(len(block)/size, len(b.messages))
	for i := range count {
		b.vectors[i].Base = &block[i*size]
		b.vectors[i].SetLen(size)
		b.address(i, to)
	}
	sent, _, err := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&b.messages[0])), uintptr(count),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(sent), err
}

func (b *Outbox) address(i int, to *Name) {
	h := &b.messages[i].header
	h.Iov = &b.vectors[i]
	h.SetIovlen(1)
	h.Name, h.Namelen = nil, 0
	if to != nil {
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&to.raw)), to.len
	}
}

// JoinDatagrams has a socket receive several datagrams of one sender as one (UDP_GRO).
func JoinDatagrams(h Handle) error {
	return set(h, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_GRO, 1) })
}

// Segment has the kernel cut what a socket sends into datagrams of size bytes (UDP_SEGMENT); 0 is not to cut.
func Segment(fd uintptr, size int) unix.Errno {
	v := int32(size)
	_, _, err := unix.RawSyscall6(unix.SYS_SETSOCKOPT, fd, unix.SOL_UDP, unix.UDP_SEGMENT, uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v), 0)
	return err
}

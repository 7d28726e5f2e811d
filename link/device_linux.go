package link

import (
	"encoding/binary"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"tcpvsudp/internal/clock"
)

// device is the far end of a host's network interface, where packets are taken and given: a TUN device, whose packets are IP's, or a
// packet socket on the other end of a virtual cable, whose frames are Ethernet's. A call of its own takes or gives one;
// none blocks. The calls are raw: the Go scheduler need not know of them.
type device struct {
	fd    uintptr
	ether bool
	// header is what stands before what is written to a cable: both hosts' hardware addresses.
	header [etherLen]byte
	large  *Packet // what the next packet is read into
	missed uint64
}

// read returns the next packet, nil if there is none.
func (d *device) read(pool *pool) *Packet {
	p := d.large
	if p == nil {
		p = pool.get(largeBuffer - headroom)
		d.large = p
	}
	from := headroom - offloadLen
	if d.ether {
		from = 0
	}
	for {
		n, _, err := syscall.RawSyscall(unix.SYS_READ, d.fd, uintptr(unsafe.Pointer(&p.buf[from])), uintptr(len(p.buf)-from))
		end := from + int(n)
		if err != 0 || end < headroom {
			return nil // nothing there; or a frame with no packet, which nobody misses
		}
		now := clock.Now()
		p.Offload.read(p.buf[from:])
		if d.ether {
			if p.buf[offloadLen+12] != 0x08 || p.buf[offloadLen+13] != 0x00 {
				continue // not IPv4: the hosts' own talk
			}
			p.CsumStart -= min(p.CsumStart, etherLen)
			p.HeaderLen -= min(p.HeaderLen, etherLen)
		}
		if end <= smallBuffer {
			q := pool.get(end - headroom)
			q.Data = append(q.Data, p.buf[headroom:end]...)
			q.Offload, q.Arrived = p.Offload, now
			return q
		}
		p.Data, p.Arrived, d.large = p.buf[headroom:end], now, nil
		return p
	}
}

// write hands p to the host, and tells whether it was taken.
func (d *device) write(p *Packet) bool {
	o, from := p.Offload, headroom-offloadLen
	if d.ether {
		from = 0
		copy(p.buf[offloadLen:], d.header[:])
		if o.Flags&needsCsum != 0 {
			o.CsumStart += etherLen
		}
		if o.HeaderLen != 0 {
			o.HeaderLen += etherLen
		}
	}
	o.write(p.buf[from:])
	b := p.buf[from : headroom+len(p.Data)]
	for {
		_, _, err := syscall.RawSyscall(unix.SYS_WRITE, d.fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		switch err {
		case 0:
			return true
		case unix.EINTR:
		default:
			return false
		}
	}
}

// drops counts the packets for which the socket had no room; a TUN device's are counted by its interface.
func (d *device) drops() uint64 {
	if d.ether {
		if s, err := unix.GetsockoptTpacketStats(int(d.fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			d.missed += uint64(s.Drops) // asking sets it to 0
		}
	}
	return d.missed
}

func (o *Offload) read(b []byte) {
	o.Flags, o.Kind = b[0], b[1]
	o.HeaderLen = binary.NativeEndian.Uint16(b[2:])
	o.Segment = binary.NativeEndian.Uint16(b[4:])
	o.CsumStart = binary.NativeEndian.Uint16(b[6:])
	o.CsumField = binary.NativeEndian.Uint16(b[8:])
}

func (o *Offload) write(b []byte) {
	b[0], b[1] = o.Flags, o.Kind
	binary.NativeEndian.PutUint16(b[2:], o.HeaderLen)
	binary.NativeEndian.PutUint16(b[4:], o.Segment)
	binary.NativeEndian.PutUint16(b[6:], o.CsumStart)
	binary.NativeEndian.PutUint16(b[8:], o.CsumField)
}

func newDevice(file *os.File, header []byte) *device {
	d := &device{fd: file.Fd(), ether: len(header) > 0}
	copy(d.header[:], header)
	_ = unix.SetNonblock(int(d.fd), true)
	return d
}

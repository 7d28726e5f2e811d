package netns

import (
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TunDevice is the file that a TUN device is made by.
const TunDevice = "/dev/net/tun"

// offloads is what a host may leave to a device whose other end is a program: checksums, and the cutting of TCP streams and of
// trains of datagrams. USO (trains of datagrams) is not known to kernels before 6.2.
const (
	offloads = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO_ECN
	uso      = unix.TUN_F_USO4 | unix.TUN_F_USO6
)

// deviceQueue is how many packets wait in a device for the program at its other end.
const deviceQueue = 10_000

// TUN makes the interface e as a TUN device, whose packets the returned file gives and takes: IP packets, each after
// virtio's header of 10 bytes (IFF_VNET_HDR). The file does not block. The interface lasts as long as the file is open.
func TUN(e End) (file *os.File, err error) {
	err = e.In.Do(func() (err error) {
		fd, err := unix.Open(TunDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: TunDevice, Err: err}
		}
		defer func() {
			if err != nil {
				_ = unix.Close(fd)
			}
		}()
		request, err := unix.NewIfreq(e.Name)
		if err != nil {
			return err
		}
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
			return os.NewSyscallError("ioctl TUNSETIFF", err)
		}
		if unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloads|uso) != nil {
			if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloads); err != nil {
				return os.NewSyscallError("ioctl TUNSETOFFLOAD", err)
			}
		}
		link, err := netlink.LinkByName(e.Name)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetTxQLen(link, deviceQueue); err != nil {
			return fmt.Errorf("length of the queue: %w", err)
		}
		if err := start(e); err != nil {
			return err
		}
		file = os.NewFile(uintptr(fd), e.Name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make the device %s: %w", e.Name, err)
	}
	return file, nil
}

// socketBuffer is what a packet socket keeps for its program.
const socketBuffer = 64 << 20

// Packets opens a packet socket on the interface e: what comes in there can be read from the returned file, and what is
// written to it goes out. Every Ethernet frame is after virtio's header of 10 bytes (PACKET_VNET_HDR). The file does not block.
func Packets(e End) (file *os.File, err error) {
	err = e.In.Do(func() (err error) {
		// Bound to the protocol only with the interface: it would hear the others until then.
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return os.NewSyscallError("socket AF_PACKET", err)
		}
		defer func() {
			if err != nil {
				_ = unix.Close(fd)
			}
		}()
		for option, name := range map[int]string{unix.PACKET_VNET_HDR: "PACKET_VNET_HDR", unix.PACKET_IGNORE_OUTGOING: "PACKET_IGNORE_OUTGOING", unix.PACKET_QDISC_BYPASS: "PACKET_QDISC_BYPASS"} {
			if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, option, 1); err != nil {
				return os.NewSyscallError("setsockopt "+name, err)
			}
		}
		for _, option := range []int{unix.SO_RCVBUFFORCE, unix.SO_SNDBUFFORCE} {
			if unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, socketBuffer) != nil { // older kernels want more rights
				_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option-unix.SO_RCVBUFFORCE+unix.SO_RCVBUF, socketBuffer)
			}
		}
		link, err := netlink.LinkByName(e.Name)
		if err != nil {
			return err
		}
		if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: link.Attrs().Index}); err != nil {
			return os.NewSyscallError("bind", err)
		}
		file = os.NewFile(uintptr(fd), e.Name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", e.Name, err)
	}
	return file, nil
}

func bigEndian(n uint16) uint16 { return n<<8 | n>>8 }

// Hardware is the hardware address of an interface.
func (e End) Hardware() (address []byte, err error) {
	err = e.In.Do(func() error {
		link, err := netlink.LinkByName(e.Name)
		if err == nil {
			address = link.Attrs().HardwareAddr
		}
		return err
	})
	return address, err
}

package netns

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Namespace is a network of its own: interfaces, routes, ports. It lasts as long as something is in it.
type Namespace struct {
	jobs chan func() // nil for the one that the process is in
	fd   int         // of the namespace, for those who send an interface there
}

// New makes a namespace whose loopback interface is up. Close gives it back.
func New() (*Namespace, error) {
	n := &Namespace{jobs: make(chan func()), fd: -1}
	made := make(chan error)
	go func() {
		// The thread is never unlocked: it ends with the goroutine, and nobody else lands in the namespace.
		runtime.LockOSThread()
		err := n.enter()
		made <- err
		if err != nil {
			return
		}
		for job := range n.jobs {
			job()
		}
	}()
	if err := <-made; err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	if err := n.Do(func() error { return up("lo") }); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Here is the namespace that the process is in, its loopback interface up.
func Here() (*Namespace, error) {
	fd, err := unix.Open("/proc/self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("open", err)
	}
	n := &Namespace{fd: fd}
	if err := up("lo"); err != nil {
		n.Close()
		return nil, fmt.Errorf("lo: %w", err)
	}
	return n, nil
}

// Path is where the namespace is found for as long as this process runs, by others too: /proc may count processes otherwise than
// this one's namespace does.
func (n *Namespace) Path() string {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		self = "self"
	}
	return fmt.Sprintf("/proc/%s/fd/%d", self, n.fd)
}

func (n *Namespace) enter() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	n.fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return os.NewSyscallError("open", err)
}

// Do calls f on the thread that is in the namespace: the sockets that it opens are the namespace's, and so are the
// processes that it starts. f starts no goroutine that does either.
func (n *Namespace) Do(f func() error) error {
	if n.jobs == nil {
		return f()
	}
	done := make(chan error, 1)
	n.jobs <- func() { done <- f() }
	return <-done
}

// Start starts a process in the namespace.
func (n *Namespace) Start(cmd *exec.Cmd) error { return n.Do(cmd.Start) }

// Close lets go of the namespace. The processes in it stay.
func (n *Namespace) Close() {
	if n.jobs != nil {
		close(n.jobs)
	}
	if n.fd >= 0 {
		_ = unix.Close(n.fd)
	}
}

// An End is where a cable is plugged in: an interface of that name, with that address ("192.0.2.1/24").
type End struct {
	In            *Namespace
	Name, Address string
}

// Cable joins two namespaces, a.In and b.In, by a pair of virtual Ethernet interfaces. They are up, and have no IPv6.
func Cable(a, b End) error {
	err := a.In.Do(func() error {
		pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: b.Name, PeerNamespace: netlink.NsFd(b.In.fd)}
		pair.Name = a.Name
		return netlink.LinkAdd(pair)
	})
	if err != nil {
		return fmt.Errorf("lay a cable from %s to %s: %w", a.Name, b.Name, err)
	}
	for _, e := range []End{a, b} {
		err := e.In.Do(func() error {
			return start(e)
		})
		if err != nil {
			return fmt.Errorf("plug in %s: %w", e.Name, err)
		}
	}
	return nil
}

// start gives an interface its address, if it is to have one, and sets it up.
func start(e End) error {
	// IPv6 talks by itself, and who counts packets would count its.
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+e.Name+"/disable_ipv6", []byte("1"), 0o644)
	link, err := netlink.LinkByName(e.Name)
	if err != nil {
		return err
	}
	if e.Address != "" {
		address, err := netlink.ParseAddr(e.Address)
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(link, address); err != nil {
			return err
		}
	}
	return netlink.LinkSetUp(link)
}

func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

// Plug plugs an end in, or pulls it out: the other end then has no carrier either.
func (e End) Plug(in bool) error {
	return e.In.Do(func() error {
		if in {
			return up(e.Name)
		}
		link, err := netlink.LinkByName(e.Name)
		if err != nil {
			return err
		}
		return netlink.LinkSetDown(link)
	})
}

// SetMTU sets the largest IP packet that an end sends, in bytes.
func (e End) SetMTU(bytes int) error {
	return e.In.Do(func() error {
		link, err := netlink.LinkByName(e.Name)
		if err != nil {
			return err
		}
		return netlink.LinkSetMTU(link, bytes)
	})
}

// Statistics are the packets and bytes that have passed an end.
func (e End) Statistics() (s netlink.LinkStatistics, err error) {
	err = e.In.Do(func() error {
		link, err := netlink.LinkByName(e.Name)
		if err == nil {
			s = *link.Attrs().Statistics
		}
		return err
	})
	return s, err
}

// Route sends what is for a network ("0.0.0.0/0") by way of a neighbour.
func (n *Namespace) Route(to, by string) error {
	return n.Do(func() error {
		_, network, err := net.ParseCIDR(to)
		if err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{Dst: network, Gw: net.ParseIP(by)})
	})
}

// Know tells the namespace the hardware address of a neighbour on its interface dev, so that it need not ask: the one of
// the interface named theirs in another namespace.
func (n *Namespace) Know(neighbour, dev string, other *Namespace, theirs string) error {
	var hardware net.HardwareAddr
	err := other.Do(func() error {
		link, err := netlink.LinkByName(theirs)
		if err == nil {
			hardware = link.Attrs().HardwareAddr
		}
		return err
	})
	if err != nil {
		return err
	}
	return n.Do(func() error {
		link, err := netlink.LinkByName(dev)
		if err != nil {
			return err
		}
		return netlink.NeighSet(&netlink.Neigh{LinkIndex: link.Attrs().Index, IP: net.ParseIP(neighbour), HardwareAddr: hardware, State: netlink.NUD_PERMANENT})
	})
}

// Set sets a kernel setting of the namespace below /proc/sys/net.
func (n *Namespace) Set(name, value string) error {
	return n.Do(func() error { return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644) })
}

// Enter makes cmd run in namespaces of its own for users and networks, as their root.
func Enter(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWNET
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
}

// AddAddress gives an end one more address.
func (e End) AddAddress(address string) error {
	return e.In.Do(func() error {
		link, err := netlink.LinkByName(e.Name)
		if err != nil {
			return err
		}
		parsed, err := netlink.ParseAddr(address)
		if err != nil {
			return err
		}
		return netlink.AddrAdd(link, parsed)
	})
}

package link

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"syscall"

	"tcpvsudp/results"
)

// The addresses of a Lab. What goes to and from the server's ControlAddr is exempt from what the link does.
var (
	ClientAddr  = netip.MustParseAddr("10.77.0.2")
	ServerAddr  = netip.MustParseAddr("10.77.0.1")
	ControlAddr = netip.MustParseAddr("10.77.0.3")
)

// LabOptions say how a Lab is made.
type LabOptions struct {
	// WithoutTUN uses packet sockets even where there could be TUN devices.
	WithoutTUN bool
}

// Verb is the word of the command line that has this program call Serve.
const Verb = "forward"

// ErrUnsupported says that a link can't be emulated here.
var ErrUnsupported = errors.New("an emulated link needs network namespaces, which Linux alone has; everything else works without")

// Explain says what keeps an emulated link from being made, and what would have to be changed.
func Explain(err error) error {
	var what string
	switch {
	case errors.Is(err, syscall.ENOSPC):
		what = "this system allows no more user or network namespaces: raise the sysctls user.max_user_namespaces and user.max_net_namespaces"
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOSYS):
		what = "this kernel has no user namespaces (CONFIG_USER_NS)"
	case errors.Is(err, fs.ErrPermission):
		what = "this system does not let ordinary users have namespaces of their own: as root, set the sysctls kernel.unprivileged_userns_clone=1 (Debian) or kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), " +
			"or in a container allow the system calls unshare and clone, or give the capability CAP_SYS_ADMIN"
	case errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENODEV):
		what = "this kernel has neither TUN devices (CONFIG_TUN) nor virtual cables (CONFIG_VETH): load the module tun or veth"
	default:
		return fmt.Errorf("emulate a link: %w", err)
	}
	return fmt.Errorf("emulate a link: %s; everything but --link works without: %w", what, err)
}

// Record is what of an account becomes columns of a trial.
func (a Account) Record() results.Link {
	known := func(n uint64) results.Value { return results.Known(float64(n)) }
	way := func(c Count) results.LinkWay {
		return results.LinkWay{
			Packets: known(c.Packets), Lost: known(c.Lost + c.Corrupted), Overflowed: known(c.Overflowed + c.Dropped),
			Duplicated: known(c.Duplicates), Reordered: known(c.Reordered),
		}
	}
	worse := func(a, b results.Value) results.Value {
		x, some := a.Get()
		if y, known := b.Get(); known && (!some || y > x) {
			return b
		}
		return a
	}
	return results.Link{
		Up: way(a.Up), Down: way(a.Down),
		LateP50Us: worse(a.Up.LateP50Us, a.Down.LateP50Us), LateP99Us: worse(a.Up.LateP99Us, a.Down.LateP99Us),
		Behind: known(a.Up.Behind + a.Down.Behind),
		Missed: known(a.Up.Missed + a.Down.Missed + a.Up.Failed + a.Down.Failed),
	}
}

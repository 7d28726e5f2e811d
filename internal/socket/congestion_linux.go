package socket

import "golang.org/x/sys/unix"

// CongestionControl returns the name of the algorithm that a TCP socket uses, empty where not known.
func CongestionControl(h Handle) (name string) {
	_ = h.Control(func(fd uintptr) {
		name, _ = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	})
	return name
}

// AskCongestionControl asks that a TCP socket uses the algorithm of that name. A system may keep some of them from ordinary
// users.
func AskCongestionControl(h Handle, name string) error {
	return set(h, func(fd int) error { return unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, name) })
}

// set calls f with the descriptor and returns its error.
func set(h Handle, f func(fd int) error) (err error) {
	if failed := h.Control(func(fd uintptr) { err = f(int(fd)) }); failed != nil {
		return failed
	}
	return err
}

// KnowsCongestionControl tells whether this system has an algorithm of that name, be it that it keeps it from ordinary users.
func KnowsCongestionControl(name string) bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return true // the trial tells
	}
	defer unix.Close(fd)
	return unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, name) != unix.ENOENT
}

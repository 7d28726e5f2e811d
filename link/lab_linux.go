package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"tcpvsudp/internal/child"
	"tcpvsudp/internal/netns"
	"tcpvsudp/results"
)

// A Lab is a client's and a server's host on one machine, and a link between them. The client's is the network namespace that
// the process is in, which must be one that it may do everything in (netns.Enter).
type Lab struct {
	client, server *netns.Namespace
	ends           [2]netns.End
	forwarder      *child.Process
	tun            bool
	dropped        [2]uint64 // by the TUN devices, before the link was set
}

// Enter makes cmd, which is this program, run where OpenLab can work: as root of a user namespace and of a network of its own. It
// dies with this process, whose thread must stay the one that starts it.
func Enter(cmd *exec.Cmd) {
	netns.Enter(cmd)
	// A mount namespace is for the names of the hosts, see NameHosts. With the first process of a namespace of processes, all that are in
	// it end: nothing is left behind, however this one goes.
	cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWNS | unix.CLONE_NEWPID
	cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
}

// DieWithParent has cmd killed when the thread that starts it is gone, which must be locked until cmd has ended.
func DieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// Lead makes cmd the leader of a group of processes, which Signal reaches.
func Lead(cmd *exec.Cmd) { cmd.SysProcAttr.Setpgid = true }

// Signal sends a signal to cmd, which has been started, and to those that it leads.
func Signal(cmd *exec.Cmd, s syscall.Signal) {
	pid := cmd.Process.Pid
	if cmd.SysProcAttr != nil && cmd.SysProcAttr.Setpgid {
		pid = -pid
	}
	_ = syscall.Kill(pid, s)
}

// PID is the number that others know this process by.
func PID() (int, error) {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(self)
}

// Private returns an error unless dir is a folder of this user's that nobody else can change.
func Private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(owner.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is not yours alone", dir)
	}
	return nil
}

// OpenLab makes the two hosts and starts a forwarder between them, as a process of its own: what it costs is not the
// client's. Without TUN devices, or where they are not allowed, it uses packet sockets.
func OpenLab(o LabOptions) (opened *Lab, err error) {
	l := &Lab{}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if l.client, err = netns.Here(); err == nil {
		l.server, err = netns.New()
	}
	if err != nil {
		return nil, Explain(err)
	}
	l.ends = [2]netns.End{
		{In: l.client, Name: "link0", Address: ClientAddr.String() + "/24"},
		{In: l.server, Name: "link0", Address: ServerAddr.String() + "/24"},
	}
	for _, n := range []*netns.Namespace{l.client, l.server} {
		// Datagrams of which a fragment was lost would take all room from those of the next trial for half a minute. Where the
		// settings can't be written, as in some containers, they do.
		_ = errors.Join(n.Set("ipv4/ipfrag_time", "1"), n.Set("ipv4/ipfrag_high_thresh", fragmentRoom))
	}
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	var headers [2][]byte
	l.tun = !o.WithoutTUN
	if l.tun {
		files, err = l.tunDevices()
		if noTUN(err) {
			l.tun = false
		} else if err != nil {
			return nil, Explain(err)
		}
	}
	if !l.tun {
		if files, headers, err = l.cables(); err != nil {
			return nil, Explain(err)
		}
	}
	if err := l.ends[1].AddAddress(ControlAddr.String() + "/32"); err != nil {
		return nil, err
	}
	config, err := json.Marshal(headers)
	if err != nil {
		return nil, err
	}
	if l.forwarder, err = child.StartWith(files, Verb, string(config)); err != nil {
		return nil, fmt.Errorf("start the forwarder: %w", err)
	}
	return l, nil
}

// fragmentRoom is how many bytes of fragments a host keeps until their datagrams are whole.
const fragmentRoom = "67108864"

// noTUN tells whether err says that there are no TUN devices here, or none for this user.
func noTUN(err error) bool {
	for _, why := range []error{fs.ErrPermission, fs.ErrNotExist, syscall.ENODEV, syscall.ENXIO, syscall.EOPNOTSUPP} {
		if errors.Is(err, why) {
			return true
		}
	}
	return false
}

func (l *Lab) tunDevices() (files []*os.File, err error) {
	for _, e := range l.ends {
		f, err := netns.TUN(e)
		if err != nil {
			for _, f := range files {
				f.Close()
			}
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// cables joins both hosts to a third, where the frames are taken and given.
func (l *Lab) cables() (files []*os.File, headers [2][]byte, err error) {
	middle, err := netns.New()
	if err != nil {
		return nil, headers, err
	}
	defer middle.Close() // the sockets keep it
	far := [2]netns.End{{In: middle, Name: "client"}, {In: middle, Name: "server"}}
	var hardware [2][]byte
	for i, e := range l.ends {
		if err := errors.Join(netns.Cable(e, far[i]), far[i].SetMTU(maxMTU)); err != nil {
			return files, headers, err
		}
		if hardware[i], err = e.Hardware(); err != nil {
			return nil, headers, err
		}
		f, err := netns.Packets(far[i])
		if err != nil {
			return files, headers, err
		}
		files = append(files, f)
	}
	for i := range headers {
		headers[i] = slices.Concat(hardware[i], hardware[1-i], []byte{0x08, 0x00})
	}
	err = errors.Join(
		l.client.Know(ServerAddr.String(), l.ends[0].Name, l.server, l.ends[1].Name),
		l.client.Know(ControlAddr.String(), l.ends[0].Name, l.server, l.ends[1].Name),
		l.server.Know(ClientAddr.String(), l.ends[1].Name, l.client, l.ends[0].Name))
	return files, headers, err
}

// Means says how packets are taken.
func (l *Lab) Means() string {
	if l.tun {
		return "TUN devices"
	}
	return "packet sockets"
}

// OnServer calls f on the server's host: the processes that it starts are there. f starts no goroutine that starts any.
func (l *Lab) OnServer(f func() error) error { return l.server.Do(f) }

// ServerPath is where the network namespace of the server's host is found.
func (l *Lab) ServerPath() string { return l.server.Path() }

// Ended is closed when the forwarder has ended, and Err says why.
func (l *Lab) Ended() <-chan struct{} { return l.forwarder.Ended() }

// Err is how the forwarder ended.
func (l *Lab) Err() error { return fmt.Errorf("the emulated link ended: %w", l.forwarder.Err()) }

// Close ends the forwarder. The hosts are gone when nothing is in them any more.
func (l *Lab) Close() {
	if l.forwarder != nil {
		l.forwarder.Stop()
	}
	for _, n := range []*netns.Namespace{l.client, l.server} {
		if n != nil {
			n.Close()
		}
	}
}

// request is what the forwarder is asked: to be set, to tell its account, or to write its log to a file.
type request struct {
	Set     *change `json:"set,omitempty"`
	Account bool    `json:"account,omitempty"`
	Log     string  `json:"log,omitempty"`
}

type change struct {
	Spec Spec   `json:"spec"`
	Seed uint64 `json:"seed"`
	Keep int    `json:"keep"`
}

// reply is what it answers.
type reply struct {
	Error   string   `json:"error,omitempty"`
	Account *Account `json:"account,omitempty"`
	Missing uint64   `json:"missing,omitempty"`
}

func (l *Lab) ask(ctx context.Context, q request) (r reply, err error) {
	if err := l.forwarder.Ask(ctx, q, &r); err != nil {
		return r, fmt.Errorf("the emulated link: %w", err)
	}
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	return r, nil
}

// Set makes the link be as spec says, from its beginning, with nothing on its way. The ends of the first keep packets
// are logged.
func (l *Lab) Set(ctx context.Context, spec Spec, seed uint64, keep int) error {
	if !l.tun && spec.Up.MTU != spec.Down.MTU {
		return fmt.Errorf("link %q: packets of %d and of %d bytes, one way and the other, need TUN devices (%s), and there are none for you", spec.Name, spec.Up.MTU, spec.Down.MTU, netns.TunDevice)
	}
	for i, side := range []Side{spec.Up, spec.Down} {
		if err := l.ends[i].SetMTU(side.MTU); err != nil {
			return fmt.Errorf("set the MTU: %w", err)
		}
		var err error
		if l.dropped[i], err = l.drops(i); err != nil {
			return err
		}
	}
	_, err := l.ask(ctx, request{Set: &change{spec, seed, keep}})
	return err
}

// drops are the packets that an interface had no room for.
func (l *Lab) drops(i int) (uint64, error) {
	s, err := l.ends[i].Statistics()
	if err != nil {
		return 0, fmt.Errorf("statistics of %s: %w", l.ends[i].Name, err)
	}
	return s.TxDropped + s.RxDropped, nil
}

// Account tells what the link did since it was set.
func (l *Lab) Account(ctx context.Context) (Account, error) {
	r, err := l.ask(ctx, request{Account: true})
	if err != nil || r.Account == nil {
		return Account{}, err
	}
	for i, way := range []*Count{&r.Account.Up, &r.Account.Down} {
		dropped, err := l.drops(i)
		if err != nil {
			return Account{}, err
		}
		way.Missed += dropped - l.dropped[i]
	}
	return *r.Account, nil
}

// WriteLog writes what happened to the packets since the link was set to a CSV file, and returns for how many there was no
// room.
func (l *Lab) WriteLog(ctx context.Context, path string) (missing uint64, err error) {
	r, err := l.ask(ctx, request{Log: path})
	return r.Missing, err
}

// Serve is the forwarder's process: it forwards between its descriptors 3 and 4 and answers what it is asked, until in ends.
func Serve(config string, in io.Reader, out io.Writer) error {
	var headers [2][]byte
	if err := json.Unmarshal([]byte(config), &headers); err != nil {
		return fmt.Errorf("%s is started by the program itself: %w", Verb, err)
	}
	f, err := NewForwarder(os.NewFile(3, "client"), os.NewFile(4, "server"), headers, ControlAddr)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- f.Run() }()
	asked := make(chan error, 1)
	fmt.Fprintln(out, "ready")
	go func() {
		requests, replies := json.NewDecoder(in), json.NewEncoder(out)
		for {
			var q request
			if err := requests.Decode(&q); err != nil {
				asked <- nil // the parent is gone
				return
			}
			if err := replies.Encode(f.answer(q)); err != nil {
				asked <- err
				return
			}
		}
	}()
	select {
	case err := <-ended:
		return err
	case err := <-asked:
		f.Stop()
		return errors.Join(err, <-ended)
	}
}

func (f *Forwarder) answer(q request) (r reply) {
	var err error
	switch {
	case q.Set != nil:
		err = f.Set(q.Set.Spec, q.Set.Seed, q.Set.Keep)
	case q.Log != "":
		var entries []Entry
		entries, r.Missing = f.Log()
		var text []byte
		if text, err = results.EncodeCSV(entries, true); err == nil {
			err = os.WriteFile(q.Log, text, 0o644)
		}
	default:
		account := f.Account()
		r.Account = &account
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// NameHosts makes the names client and server known on both hosts, to this process and those that it starts: they have a file
// /etc/hosts of their own.
func NameHosts() error {
	const hosts = "/etc/hosts"
	text, err := os.ReadFile(hosts)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.CreateTemp("", "bench-hosts")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // what is mounted stays
	_, err = fmt.Fprintf(f, "%s client\n%s server\n%s", ClientAddr, ServerAddr, text)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.NewSyscallError("mount", unix.Mount(f.Name(), hosts, "", unix.MS_BIND, ""))
}

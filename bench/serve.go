package bench

import "tcpvsudp/internal/clock"

// OwnThreads is how many flows of a session may have a thread each, at either end.
const OwnThreads = 16

// many tells whether the session's flows are too many to have a thread each.
func (s Spec) many() bool { return s.FlowCount() > OwnThreads }

// Options are what the session asks of the flow's server.
func (in *Inbound) Options() Options {
	s := in.session.Spec
	return Options{Wait: s.Wait, Block: s.BlockBytes(), Bulk: s.Mode != Echo, Many: s.many(), Buffers: &in.session.buffers, Fast: s.Fast}
}

// Serve carries the flow on f, which is its alone: it counts what arrives, sends back what that answers, and sends what the
// flow's source does. It returns when nothing more can come, or the session has ended. The caller closes f.
func (in *Inbound) Serve(f Flow) {
	if !in.Attach(f) {
		return
	}
	defer in.Detach()
	granted := f.Granted()
	cpus := ""
	if granted.Path == PathOwn {
		number, release := bind(in.session.cpus, int(in.number))
		defer release()
		cpus = number
	}
	granted.CPUs = cpus
	wait := granted.Wait
	granted.Wait = Block // who found out what the flow is has slept
	var counted Traffic
	for calls := 0; ; calls++ {
		block, err := f.Recv(in.Size())
		if err != nil {
			break // the client is done, or gone: its session tells what has come
		}
		if calls == 1 {
			granted.Wait = wait
		}
		if !in.Enter() {
			return
		}
		reply, start := in.Arrived(block, clock.Now())
		if len(reply) > 0 {
			_, err = f.Send(reply, in.Size(), false)
		}
		if calls < 2 {
			in.SetGranted(granted)
		}
		traffic := f.Traffic()
		in.Count(traffic.minus(counted))
		counted = traffic
		in.Leave()
		if err != nil && !lostUnsent(err) {
			break
		}
		if start {
			in.Pump(f) // what the client says meanwhile can wait: it only listens
			counted = f.Traffic()
		}
	}
	if in.Enter() {
		wait := granted.Wait
		granted = f.Granted() // by now the kernel has tuned the buffers
		granted.Wait, granted.CPUs = wait, cpus
		in.SetGranted(granted)
		in.Leave()
	}
}

package main

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"tcpvsudp/bench"
	"tcpvsudp/internal/netns"
)

// Across a cable everything is measured that is measured on one host, in all directions, by TLS and with a secret.
func TestAcrossACable(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	n := twoHosts(t)
	check(t, os.WriteFile(filepath.Join(n.dir, "secret"), []byte("0123456789abcdef\n"), 0o600))
	n.serve("--tls-auto", "--secret-file", "secret")
	pin := regexp.MustCompile(`sha256:\S+`).FindString(n.logFile.String())
	out := n.wants(n.run("--secret-file", "secret", "--tls-pin", pin, "--trials", "2", "--duration", "100ms", "--direction", "up,down,both",
		"--size", "64", "--flows", "1,3", "--verify"), 0)
	if !strings.Contains(out, "64 B, 3 flows, both") || !strings.Contains(out, "one way up p50") || !strings.Contains(out, "of it down") {
		t.Error(out)
	}
	rows := n.trials()
	if len(rows) != 72 {
		t.Errorf("%d trials", len(rows))
	}
	n.wantSane(rows)
	for _, row := range rows {
		switch row["direction"] {
		case "both":
			if sum := number(t, row, "goodput_up_bps") + number(t, row, "goodput_down_bps"); math.Abs(sum-number(t, row, "goodput_bps")) > 1 {
				t.Errorf("%v", row)
			}
		case "echo":
			// The hosts are one: their clocks are too.
			if row["workload"] != "connect" && (row["clock_error_us"] != "0" || number(t, row, "owd_up_p50_us") > number(t, row, "rtt_p50_us")) {
				t.Errorf("%v", row)
			}
		}
	}
	// Who does not know the secret, or does not use TLS, is told so.
	if out := n.wants(n.run("--tls-pin", pin), 1); !strings.Contains(out, "wants a secret: use --secret-file") {
		t.Error(out)
	}
	if out := n.wants(n.run(), 1); !strings.Contains(out, "wants TLS: use --tls") {
		t.Error(out)
	}
}

// Two hosts have a clock each. The difference is found within the error that is told, and the one-way delays that rest on
// it make up the round trip.
func TestTwoClocks(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	const ahead = 1000 * time.Second
	n := twoHosts(t)
	unshare, err := exec.LookPath("unshare")
	if err != nil || exec.Command(unshare, "--time", "--monotonic", "1000", "true").Run() != nil {
		t.Skip("no time namespace can be made")
	}
	path, err := exec.LookPath("bench")
	check(t, err)
	server := exec.Command(unshare, "--time", "--monotonic", "1000", path, "server", "--listen", n.at)
	server.Stdout, server.Stderr = n.logFile, n.logFile
	check(t, n.server.Start(server))
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	n.until("the server listens", func() bool { return strings.Contains(n.logFile.String(), "msg=listening") })
	out := n.wants(n.run("--workload", "latency,paced", "--duration", "200ms", "--trials", "3", "--size", "32,64"), 0)
	told := 0
	for _, row := range n.trials() {
		if row["size_bytes"] == "32" { // too small for a stamp
			if row["owd_up_p50_us"]+row["clock_error_us"] != "" {
				t.Errorf("a one-way delay of messages of 32 B: %v", row["owd_up_p50_us"])
			}
			continue
		}
		bound := number(t, row, "clock_error_us")
		if off := math.Abs(number(t, row, "clock_offset_us") - ahead.Seconds()*1e6); off > bound || bound <= 0 {
			t.Errorf("the clock is ahead by %s µs, give or take %v: off by %v", row["clock_offset_us"], bound, off)
		}
		if row["owd_up_p50_us"] == "" || row["owd_down_p50_us"] == "" {
			continue // withheld
		}
		told++
		if sum, rtt := number(t, row, "owd_up_mean_us")+number(t, row, "owd_down_mean_us"), number(t, row, "rtt_mean_us"); math.Abs(sum-rtt) > 0.05*rtt+2*bound {
			t.Errorf("one way up and down take %v µs, and the round trip %v", sum, rtt)
		}
	}
	if told == 0 || !strings.Contains(out, "rest on an estimate of the difference between two clocks") {
		t.Error(out)
	}
}

// Behind a router that translates addresses a client measures like any other.
func TestThroughNAT(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	n, router, toServer := threeHosts(t)
	err := router.Do(func() error {
		c, err := nftables.New()
		if err != nil {
			return err
		}
		table := c.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "nat"})
		chain := c.AddChain(&nftables.Chain{Name: "postrouting", Table: table, Type: nftables.ChainTypeNAT,
			Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource})
		name := make([]byte, 16)
		copy(name, toServer.Name)
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: name},
			&expr.Masq{},
		}})
		return c.Flush()
	})
	if err != nil {
		t.Skipf("addresses can't be translated here: %v", err)
	}
	n.serve()
	n.wants(n.run("--trials", "1", "--duration", "100ms", "--direction", "up,down,both", "--size", "64"), 0)
	n.wantSane(n.trials())
	if log := n.logFile.String(); !strings.Contains(log, "client=192.0.2.254") || strings.Contains(log, "198.51.100.2") {
		t.Errorf("the server saw the client's own address:\n%s", log)
	}
}

// A client that is killed leaves nothing behind once the idle time is over, whatever it was doing.
func TestClientKilled(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	n := twoHosts(t)
	n.serve("--idle", "1s", "--max-rate", "50M")
	for _, args := range [][]string{
		{"--proto", "udp", "--workload", "throughput", "--direction", "down"},
		{"--proto", "tcp", "--workload", "throughput", "--direction", "both", "--flows", "3"},
		{"--proto", "tcp", "--workload", "latency"},
	} {
		client := n.run(append(args, "--size", "64", "--duration", "50s", "--trials", "1")...)
		n.until("the session is open", func() bool { return n.metric("bench_sessions_open") == 1 })
		time.Sleep(300 * time.Millisecond)
		check(t, client.Process.Kill())
		killed := time.Now()
		n.until("the session is over", func() bool { return n.metric("bench_sessions_open") == 0 })
		if took := time.Since(killed); took > 5*time.Second {
			t.Errorf("%v: the session of a client that was killed lasts for %v", args, took)
		}
		n.until("the connections are gone", func() bool { return n.metric("bench_connections_without_session") <= 1 })
		if left := n.metric("bench_sessions_memory_bytes"); left > 1<<20 {
			t.Errorf("%v: %v bytes are taken", args, left)
		}
		time.Sleep(50 * time.Millisecond)
		before, err := n.cable.Statistics()
		check(t, err)
		time.Sleep(300 * time.Millisecond)
		if after, err := n.cable.Statistics(); err != nil || after.TxPackets-before.TxPackets > 5 {
			t.Errorf("%v: %d packets were sent to a client that is gone, %v", args, after.TxPackets-before.TxPackets, err)
		}
	}
	if !strings.Contains(n.logFile.String(), "its client was silent for 1s") {
		t.Errorf("the log does not say why:\n%s", n.logFile)
	}
}

// A server that is killed and started again costs a run the trial in hand, which is measured anew.
func TestServerKilledAndStartedAgain(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	n := twoHosts(t)
	server := n.serve()
	client := n.run("--workload", "latency", "--size", "64", "--duration", "1s", "--trials", "4")
	n.until("some trials are done", func() bool { return n.kept() >= 3 })
	// Opening a trial takes some tens of packets: after so many more its messages are under way.
	before, err := n.cable.Statistics()
	check(t, err)
	n.until("the next trial is under way", func() bool {
		now, err := n.cable.Statistics()
		return err == nil && now.TxPackets-before.TxPackets > 500
	})
	check(t, server.Process.Kill())
	<-server.ended
	time.Sleep(time.Second)
	n.logFile = &syncBuffer{}
	n.serve()
	out := n.wants(client, 0)
	rows := n.trials()
	n.wantSane(rows)
	again := 0
	for _, row := range rows {
		if row["attempts"] != "1" {
			again++
		}
	}
	if len(rows) != 8 || again != 1 || !strings.Contains(out, "1 trial was measured again") {
		t.Errorf("%d trials, %d of them measured again\n%s", len(rows), again, out)
	}
}

// A server that ends tells its clients, and lets them go at once.
func TestServerShutsDown(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	for _, proto := range []string{"tcp", "udp"} {
		n := twoHosts(t)
		server := n.serve("--idle", "1500ms")
		client := n.run("--proto", proto, "--workload", "latency", "--size", "64", "--duration", "40s", "--trials", "1", "--outage", "1s")
		n.until("the session is open", func() bool { return n.metric("bench_sessions_open") == 1 })
		time.Sleep(700 * time.Millisecond) // by now it has renewed its session
		check(t, server.Process.Signal(syscall.SIGTERM))
		start := time.Now()
		n.wants(server, 0)
		out := n.wants(client, 1)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: it took %v", proto, took)
		}
		if !strings.Contains(out, "the server ended the session: the server is shutting down") {
			t.Errorf("%s: %s", proto, out)
		}
	}
}

// A cable that is out for two seconds costs a run those: no trial is lost, and TCP no message.
func TestCableOutForTwoSeconds(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	n := twoHosts(t)
	n.serve()
	client := n.run("--workload", "latency,throughput", "--direction", "up,down", "--size", "200", "--batch", "auto", "--duration", "2s", "--trials", "1",
		"--drain", "5s") // longer than a stream is silent after two seconds without a cable
	var cuts sync.WaitGroup
	defer cuts.Wait()
	stop := make(chan struct{})
	var cut atomic.Int32 // how often, while the run went on
	cuts.Go(func() {
		for range 2 {
			select {
			case <-stop:
				return
			case <-time.After(1300 * time.Millisecond):
			}
			if err := n.cable.Plug(false); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * time.Second)
			if err := n.cable.Plug(true); err != nil {
				t.Error(err)
			}
			cut.Add(1)
		}
	})
	out := n.wants(client, 0)
	close(stop)
	rows := n.trials()
	n.wantSane(rows)
	if len(rows) != 6 || cut.Load() != 2 {
		t.Errorf("%d trials, the cable was out %d times\n%s", len(rows), cut.Load(), out)
	}
}

// A cable that stays out ends the run, which says why and keeps what it has.
func TestCableOutForGood(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	for _, end := range []string{"client", "server"} {
		n := twoHosts(t)
		cable := n.cable
		if end == "client" {
			cable = netns.End{In: n.client, Name: "toserver"}
		}
		n.serve()
		client := n.run("--workload", "latency,throughput", "--size", "64", "--duration", "200ms", "--trials", "100", "--outage", "3s")
		n.until("some trials are done", func() bool { return n.kept() >= 2 })
		check(t, cable.Plug(false))
		start := time.Now()
		out := n.wants(client, 1)
		if took := time.Since(start); took > 40*time.Second {
			t.Errorf("it took %v to notice", took)
		}
		if !regexp.MustCompile(`the server is lost: no answer from 192.0.2.1:2121 for \d+s|reach|no answer to 5 hellos|unreachable`).MatchString(out) || !regexp.MustCompile(`\d+ of 600 trials kept`).MatchString(out) {
			t.Errorf("cable out at the %s: %s", end, out)
		}
	}
}

// Messages that do not fit through the path in one packet are fragmented, or refused with a clear error, as asked.
func TestSmallMTU(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	n, _, toServer := threeHosts(t)
	check(t, toServer.SetMTU(1280), n.cable.SetMTU(1280), n.server.Route("198.51.100.0/24", "192.0.2.254"))
	n.serve()
	args := []string{"--size", "1400", "--duration", "100ms", "--trials", "1", "--workload", "latency,throughput"}
	n.wants(n.run(append(args, "--direction", "up,down")...), 0)
	rows := n.trials()
	n.wantSane(rows)
	for _, row := range rows {
		if row["workload"] == "latency" && row["lost_messages"] != "0" {
			t.Errorf("%s lost %s messages of %s", row["proto"], row["lost_messages"], row["sent_messages"])
		}
	}
	out := n.wants(n.run(append(args, "--df", "--proto", "udp")...), 1)
	if !strings.Contains(out, "a message of 1400 B does not fit into one packet of the path: use a smaller --size, or leave --df out") {
		t.Error(out)
	}
	n.wants(n.run(append(args, "--df", "--size", "1252")...), 0) // 1280 less 20 of IP and 8 of UDP
	n.wantSane(n.trials())
}

// softnetDropped is how many packets the kernel has dropped because it had no time for them, on all cores.
func softnetDropped(t *testing.T) (sum uint64) {
	t.Helper()
	text, err := os.ReadFile("/proc/net/softnet_stat")
	check(t, err)
	for line := range strings.Lines(string(text)) {
		n, err := strconv.ParseUint(strings.Fields(line)[1], 16, 64)
		check(t, err)
		sum += n
	}
	return sum
}

// A million datagrams from addresses that are not the sender's, half of them made up to look like messages, are answered
// by nothing, cost no memory, and cost a session only what does not fit into the socket's buffer beside them.
//
//	client 192.0.2.2 ──── 192.0.2.1 server 203.0.113.1 ──── 203.0.113.2 attacker, and the way to everybody else
func TestSpoofedSources(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	n := twoHosts(t)
	attacker := newHost(t)
	outward := netns.End{In: n.server, Name: "toworld", Address: "203.0.113.1/24"}
	check(t,
		netns.Cable(netns.End{In: attacker, Name: "toserver", Address: "203.0.113.2/24"}, outward),
		n.server.Route("0.0.0.0/0", "203.0.113.2"), attacker.Route("192.0.2.0/24", "203.0.113.1"),
		n.server.Set("ipv4/conf/all/rp_filter", "0"), n.server.Set("ipv4/conf/toworld/rp_filter", "0"), n.server.Set("ipv4/conf/toclient/rp_filter", "0"),
		n.server.Know("203.0.113.2", "toworld", attacker, "toserver"), attacker.Know("203.0.113.1", "toserver", n.server, "toworld"))
	n.serve()
	client := n.run("--proto", "udp", "--workload", "paced", "--rate", "2000", "--size", "64", "--duration", "12s", "--trials", "1")
	n.until("the session is open", func() bool { return n.metric("bench_sessions_open") == 1 })
	time.Sleep(300 * time.Millisecond)
	memory, dropped := n.metric("process_resident_memory_bytes"), softnetDropped(t)
	before, err := outward.Statistics()
	check(t, err)

	const datagrams = 1_000_000
	check(t, flood(attacker, datagrams))

	after, err := outward.Statistics()
	check(t, err)
	if after.TxPackets != before.TxPackets || after.TxBytes != before.TxBytes {
		t.Errorf("%d packets of %d bytes left the server towards others", after.TxPackets-before.TxPackets, after.TxBytes-before.TxBytes)
	}
	if got := after.RxPackets - before.RxPackets; got != datagrams {
		t.Errorf("%d datagrams came", got)
	}
	if grown := n.metric("process_resident_memory_bytes") - memory; grown > 32<<20 {
		t.Errorf("the server has grown by %.0f bytes", grown)
	}
	n.wants(client, 0)
	overflowed := n.metric("bench_udp_buffer_full_datagrams_total")
	if seen := n.metric("bench_udp_dropped_datagrams_total") + overflowed; seen < 0.99*datagrams {
		t.Errorf("the server has dropped %.0f datagrams", seen)
	}
	row := n.trials()[0]
	busy := softnetDropped(t) - dropped
	t.Logf("of %s messages %s are lost; the socket's buffer overflowed by %.0f datagrams, the kernel had no time for %d", row["sent_messages"], row["lost_messages"], overflowed, busy)
	if lost := number(t, row, "lost_messages"); lost > overflowed+float64(busy) || row["foreign_messages"] != "0" || row["duplicated_messages"] != "0" {
		t.Errorf("lost %v messages, foreign %s, duplicated %s; the buffer overflowed by %v datagrams", lost, row["foreign_messages"], row["duplicated_messages"], overflowed)
	}
}

// flood sends so many datagrams to the server from addresses and ports that are drawn, through a raw socket.
func flood(from *netns.Namespace, datagrams int) error {
	var fd int
	err := from.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		return err
	})
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	to := &unix.SockaddrInet4{Addr: netip.MustParseAddr(serverIP).As4()}
	rng := rand.New(rand.NewPCG(1, 2))
	const headers, size = 28, 64
	packet := make([]byte, headers+size)
	packet[0], packet[8], packet[9] = 0x45, 64, unix.IPPROTO_UDP // version and length; time to live; protocol (RFC 791)
	copy(packet[16:], to.Addr[:])
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	binary.BigEndian.PutUint16(packet[22:], 2121)
	binary.BigEndian.PutUint16(packet[24:], 8+size)
	sources := [][]byte{{198, 51, 100, 0}, {192, 0, 2, 2}, {8, 8, 8, 8}, {203, 0, 113, 2}, {100, 64, 0, 0}}
	for i := range datagrams {
		copy(packet[12:], sources[i%len(sources)])
		if i%len(sources) == 0 || i%len(sources) == 4 {
			packet[14], packet[15] = byte(rng.Uint32()), byte(1+rng.Uint32()%250)
		}
		binary.BigEndian.PutUint16(packet[20:], []uint16{7, 53, 2121, uint16(rng.Uint32()) | 1}[i/5%4])
		message := packet[headers:]
		if i%2 == 0 {
			bench.Header{Kind: bench.Kind(1 + i/2%4), Session: rng.Uint64(), Flow: uint32(i / 8 % 2), Seq: rng.Uint64()}.Put(message)
		} else {
			binary.BigEndian.PutUint64(message, rng.Uint64())
		}
		if err := unix.Sendto(fd, packet, 0, to); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return os.NewSyscallError("sendto", err)
		}
	}
	return nil
}

// Messages that are longer than a packet of the path can't be cut by the kernel: that is noticed at the first batch, told, and
// they are sent without.
func TestOffloadRefused(t *testing.T) {
	if !inNetworks(t) {
		return
	}
	n := twoHosts(t)
	n.serve()
	out := n.wants(n.run("--proto", "udp", "--workload", "throughput", "--batch", "auto", "--size", "1400,4000", "--duration", "100ms", "--trials", "1"), 0)
	for _, row := range n.trials() {
		want := "on"
		if row["size_bytes"] == "4000" {
			want = "refused"
		}
		if row["client_offload"] != want || number(t, row, "unique_messages") == 0 || row["malformed_datagrams"] != "0" || row["truncated_datagrams"] != "0" {
			t.Errorf("%s B: offload %s, %s messages came", row["size_bytes"], row["client_offload"], row["unique_messages"])
		}
	}
	if !strings.Contains(out, "messages of 4000 B were too long for the path") || strings.Contains(out, "messages of 1400 B were") {
		t.Error(out)
	}
}

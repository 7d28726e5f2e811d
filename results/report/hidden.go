package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tcpvsudp/internal/host"
	"tcpvsudp/results"
)

// hiddenDifferences says in what two results differ beside what is compared: hosts, kernels, settings, and what the kernel granted.
func hiddenDifferences(old, new []*results.Set) (list []string) {
	a, b := facetsOf(old), facetsOf(new)
	keys := slices.Collect(maps.Keys(a))
	for key := range b {
		keys = add(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if strings.Contains(key, inCell) && (len(a[key]) == 0 || len(b[key]) == 0) {
			continue // of what is in one of the two alone
		}
		if x, y := a.show(key), b.show(key); x != y {
			list = append(list, fmt.Sprintf("%s: %s → %s", key, x, y))
		}
	}
	return list
}

// inCell is in the names of what is a workload's own.
const inCell = " in "

// facets are the values that runs have of whatever may make a difference.
type facets map[string][]string

func (f facets) note(key, value string) {
	if value == "" {
		value = "none"
	}
	f[key] = add(f[key], value)
}

func (f facets) show(key string) string {
	if len(f[key]) == 0 {
		return "none"
	}
	values := slices.Clone(f[key])
	slices.Sort(values)
	return strings.Join(values, " and ")
}

func facetsOf(sets []*results.Set) facets {
	f := facets{}
	for _, s := range sets {
		f.note("version of bench", s.Run.Version)
		f.host("client", s.Run.Client)
		f.host("server", s.Run.Server)
		f.plan(s.Run.Plan)
		for _, t := range s.Trials {
			f.trial(t)
		}
	}
	return f
}

func (f facets) host(end string, h host.Facts) {
	for key, value := range map[string]string{
		"name": h.Name, "system": h.OS + " " + h.Arch, "kernel": h.Kernel, "processor": h.CPU, "cores": fmt.Sprint(h.Cores), "Go": h.Go,
		"congestion control by default": h.CongestionControl, "loopback MTU": fmt.Sprint(h.LoopbackMTU), "loopback offloads": strings.Join(h.LoopbackOffloads, " "),
	} {
		f.note(end+"'s "+key, value)
	}
	for key, value := range h.Sysctls {
		f.note(end+"'s "+key, value)
	}
}

// outOfPlan are the words of a plan that do not change what a trial of a cell is: they choose cells, and how many trials each has.
var outOfPlan = []string{"protos", "workloads", "sizes_bytes", "flows", "directions", "trials", "batches", "congestion_control", "links", "seed", "rate_msg_per_s", "loss_goals"}

func (f facets) plan(text json.RawMessage) {
	var plan map[string]json.RawMessage
	if json.Unmarshal(text, &plan) != nil {
		return // a run that was made by hand has none
	}
	for key, value := range plan {
		if !slices.Contains(outOfPlan, key) {
			f.note("plan's "+key, string(value))
		}
	}
}

func (f facets) trial(t results.Trial) {
	who := strings.ToUpper(t.Proto) + "'s "
	cell := inCell + t.Workload
	f.note(who+"wait"+cell, t.Wait)
	f.note(who+"path"+cell, t.ClientPath+" to "+t.ServerPath)
	f.note(who+"offload"+cell, both(t.ClientOffload, t.ServerOffload))
	f.note(who+"processors"+cell, both(t.ClientPinned, t.ServerPinned))
	f.note(who+"congestion control"+cell, both(t.CongestionControl, t.ServerCongestion))
	f.note(who+"rate limit"+cell, t.RateLimitBps.String())
	if t.Proto == "udp" { // a stream's buffers tune themselves
		f.note(who+"client's buffers"+cell, fmt.Sprintf("send %s B, receive %s B", t.ClientSendBuffer, t.ClientRecvBuffer))
		f.note(who+"server's buffers"+cell, fmt.Sprintf("send %s B, receive %s B", t.ServerSendBuffer, t.ServerRecvBuffer))
	}
}

// both is what the client and the server have of something, once where it is the same.
func both(client, server string) string {
	if client == server {
		return client
	}
	return cmp.Or(client, "none") + " to " + cmp.Or(server, "none")
}

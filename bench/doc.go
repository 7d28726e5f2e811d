// Package bench measures transports: it is the shared runner that TCP and UDP are held against.
//
// The contract is in flow.go: a Transport opens Flows, and a Flow sends and receives blocks of
// messages. Packages tcp and udp satisfy it; this package imports neither, and no workload asks which
// one it runs on. The server's side of a trial is a Session (session.go), as blind to the transport.
//
// A run goes through these files in order:
//
//	plan.go      what is going to be measured, complete and validated before anything starts
//	schedule.go  the trials in the order in which they run: pairs side by side, shuffled by a seed
//	run.go       one trial after the other, each handed on as soon as it is finished
//	trial.go     agree a session, open flows, warm up, measure, drain, ask the server for its half
//	worker.go    what one flow's goroutine holds; its counts are its own until it has stopped
//	latency.go, paced.go, throughput.go, connect.go    the workloads
//	order.go, loss.go, window.go                       counting, from the sequence numbers
package bench

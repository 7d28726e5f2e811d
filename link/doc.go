// Package link is an emulated network between a client and a server on one host: it delays, loses, duplicates, reorders,
// corrupts and queues IP packets as a Spec says, and tells afterwards what it did to which packet.
//
// It needs no rights and no set-up. Client and server are in network namespaces of their own (internal/netns), and each
// has a device there, at whose other ends a Forwarder sits, a process of its own, that carries packets from one to the
// other. TCP and UDP cross the same code. What is decided for a packet depends on the seed and on how many came before it,
// never on the time of day; only a queue's overflow depends on when packets come, as it must.
//
// The words and units are those of tc-netem(8), which needs a kernel module and root.
package link

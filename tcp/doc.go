// Package tcp carries messages over TCP: a stream of bytes that is cut into messages by their size.
//
// It mirrors package udp file by file; to read one beside the other is to read how the transports differ.
//
//	transport.go  the client: dials flows
//	flow.go       a flow: blocks to the stream and back
//	portable.go   its stream where package net has to do
//	fast_linux.go its stream by Linux's own calls
//	server.go     the server: accepts connections, one flow each
//	echo.go       the plain echo of RFC 862, for other people's clients
//
// What only TCP has: handoff.go, by which one port serves data and control, and strays.go, which bounds the connections that carry no
// flow.
package tcp

// Package udp carries messages over UDP: one message, one datagram.
//
// It mirrors package tcp file by file; to read one beside the other is to read how the transports differ.
//
//	transport.go  the client: dials flows
//	flow.go       a flow: blocks to datagrams and back
//	server.go     the server: reads all flows from one socket
//	echo.go       the plain echo of RFC 862, for other people's clients
package udp

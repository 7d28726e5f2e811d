// Package udp carries messages over UDP: one message, one datagram.
//
// It mirrors package tcp file by file; to read one beside the other is to read how the transports differ.
//
//	transport.go  the client: dials flows
//	flow.go       a flow: blocks to datagrams and back
//	portable.go   its socket where package net has to do
//	fast_linux.go its socket by Linux's own calls: batches, segmentation offload
//	server.go     the server: opens flows a socket each, or carries them on those of all
//	echo.go       the plain echo of RFC 862, for other people's clients
//
// What only UDP has: cut.go, which takes datagrams apart that the kernel has joined, and door.go with its fast pair, the sockets that
// anybody's datagrams come to.
package udp

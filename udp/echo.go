package udp

import (
	"context"
	"errors"
	"net"

	"tcpvsudp/internal/socket"
)

// Echo sends back every datagram to where it came from, reading it with a buffer of so many bytes, until
// ctx is done; then it closes the socket and returns nil. It is the echo of RFC 862 for any client: nothing
// in it knows about messages. What comes from a port of a service that answers by itself is not answered:
// two echoes would never stop.
func Echo(ctx context.Context, conn *net.UDPConn, buffer int) error {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	buf := make([]byte, buffer)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil && !socket.IsCut(err):
			continue // of an earlier reply that nobody wanted
		}
		// Bytes beyond the buffer are gone with their datagram.
		if !answersByItself(from.Port()) {
			_, _ = conn.WriteToUDPAddrPort(buf[:n], from)
		}
	}
}

// answersByItself tells whether a service on port answers any datagram with another: echo, daytime, quote of
// the day, chargen, time, DNS, TFTP, NTP, SNMP, SSDP, mDNS, and 0, which nobody can answer from.
func answersByItself(port uint16) bool {
	switch port {
	case 0, 7, 13, 17, 19, 37, 53, 69, 123, 161, 1900, 5353:
		return true
	}
	return false
}

package udp

import (
	"context"
	"errors"
	"net"
	"time"

	"golang.org/x/time/rate"

	"tcpvsudp/internal/socket"
)

// Echo sends back every datagram to where it came from, reading it with a buffer of so many bytes, until
// ctx is done; then it closes the socket and returns nil. It is the echo of RFC 862 for any client: nothing
// in it knows about messages. What is beyond limit, in bytes, is dropped, its headers included. What comes from
// a port of a service that answers by itself, such as this one's own, is not answered: two echoes would never stop.
func Echo(ctx context.Context, conn *net.UDPConn, buffer int, limit *rate.Limiter) error {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	own := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
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
		if port := from.Port(); port != own && !answersByItself(port) && limit.AllowN(time.Now(), n+headers) {
			_, _ = conn.WriteToUDPAddrPort(buf[:n], from)
		}
	}
}

// headers is what IPv4 and UDP put before a datagram, in bytes (RFC 791, RFC 768).
const headers = 20 + 8

// answersByItself tells whether a service on port answers any datagram with another: echo, daytime, quote of
// the day, chargen, time, DNS, TFTP, NTP, SNMP, SSDP, mDNS, and 0, which nobody can answer from.
func answersByItself(port uint16) bool {
	switch port {
	case 0, 7, 13, 17, 19, 37, 53, 69, 123, 161, 1900, 5353:
		return true
	}
	return false
}

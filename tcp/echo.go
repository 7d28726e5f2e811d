package tcp

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Echo sends back what each connection sends, reading it with a buffer of so many bytes, until ctx is done;
// then it closes the listener and all connections, and returns nil. It is the echo of RFC 862 for any client:
// nothing in it knows about messages. What is beyond limit, in bytes, which has a burst of buffer at least, waits.
func Echo(ctx context.Context, l net.Listener, buffer int, limit *rate.Limiter) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			// Out of descriptors, or a connection gone before it was taken: others may still come.
			time.Sleep(acceptPause)
			continue
		}
		conns.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			echo(ctx, conn, make([]byte, buffer), limit)
		})
	}
}

// echo returns what it reads, a buffer at a time, until the connection ends. Bytes beyond the buffer wait in
// the stream for the next read.
func echo(ctx context.Context, conn net.Conn, buf []byte, limit *rate.Limiter) {
	for {
		n, err := conn.Read(buf)
		if limit.WaitN(ctx, n) != nil {
			return
		}
		if _, failed := conn.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

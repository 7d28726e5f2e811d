// Package demo tells why a stream of bytes is not a stream of messages: it counts aloud to an echo of each
// kind and shows what comes back.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

// Options say what is counted and how.
type Options struct {
	// Buffer is the size in bytes of the buffer that both echoes, and the client, read with.
	Buffer int
	// From and To are the first and the last number.
	From, To int
	// Every is the time from one number to the next.
	Every time.Duration
}

// Validate returns an error that says which option can't be.
func (o Options) Validate() error {
	switch {
	case o.Buffer < 1 || o.Buffer > maxReply:
		return fmt.Errorf("a buffer of %d bytes: use from 1 to %d", o.Buffer, maxReply)
	case o.From < 0 || o.To < o.From || o.To > maxNumber:
		return fmt.Errorf("counting from %d to %d: use numbers from 0 to %d, the smaller one first", o.From, o.To, maxNumber)
	case o.Every < 0:
		return fmt.Errorf("%v between two numbers: use 0 or more", o.Every)
	}
	return nil
}

// patience is how long a reply is waited for on this machine.
const patience = time.Second

// maxNumber is the largest number that is counted to.
const maxNumber = 1_000_000_000

// maxReply is the longest reply in bytes: a UDP datagram's payload.
const maxReply = 65507

// Run counts to stream, a connection to an echo by TCP, and to datagrams, one to an echo by UDP, and prints
// both sides of both conversations to w as it goes. It ends early when ctx does.
func Run(ctx context.Context, w io.Writer, o Options, stream, datagrams net.Conn) error {
	s := streamSide{conn: stream, buffer: o.Buffer}
	d := datagramSide{conn: datagrams, reply: make([]byte, maxReply)}
	width := max(len(strconv.Itoa(o.To)), 8)
	fmt.Fprintf(w, "Both echoes read with a buffer of %s.\n\n", bytes(o.Buffer))
	fmt.Fprintf(w, "%*s  %*s  %*s\n", width, "sent", width, "TCP got", width, "UDP got")
	var changed, apart bool
	var first string
	for n := o.From; n <= o.To; n++ {
		sent := strconv.Itoa(n)
		fromStream, err := s.say(sent)
		if err != nil {
			return fmt.Errorf("TCP, message %s: %w", sent, err)
		}
		fromDatagrams, err := d.say(sent)
		if err != nil {
			return fmt.Errorf("UDP, message %s: %w", sent, err)
		}
		mark := ""
		if !changed && (fromStream != sent || fromDatagrams != sent) {
			changed, first = true, sent
			mark = "  <- the first reply that is not what was sent"
		}
		if !apart && fromStream != fromDatagrams {
			apart = true
			if mark != "" {
				mark += ";"
			} else {
				mark = "  <-"
			}
			mark += " the first at which the two differ"
		}
		fmt.Fprintf(w, "%*s  %*s  %*s%s\n", width, sent, width, fromStream, width, fromDatagrams, mark)
		if n < o.To {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(o.Every):
			}
		}
	}
	left, err := s.rest()
	if err != nil {
		return fmt.Errorf("TCP, the rest of the stream: %w", err)
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "TCP: %s sent, %s back with the replies, %s still on the way: %q\n", bytes(s.sent), bytes(s.sent-len(left)), bytes(len(left)), left)
	fmt.Fprintf(w, "UDP: %s sent, %s back, nothing left over\n\n", bytes(d.sent), bytes(d.got))
	_, err = io.WriteString(w, explain(o.Buffer, first))
	return err
}

// explain says why, in two sentences; first is the first message that changed, empty if none did.
func explain(buffer int, first string) string {
	if first == "" {
		return fmt.Sprintf(`Every message fits into a buffer of %s, and each reply was read before
the next message was sent. So a stream of bytes looks like a stream of
messages, and nobody sees the difference: count further, or use a smaller
--buffer.
`, bytes(buffer))
	}
	return fmt.Sprintf(`TCP is a stream of bytes and knows no messages: what does not fit into a
buffer of %s waits in the stream, so from %s on every reply is late by
what came before, and nothing is lost. UDP is a sequence of datagrams: what
of one does not fit into the buffer is thrown away with it, so every reply
is on time and cut off, and nothing is left over.
`, bytes(buffer), first)
}

// streamSide is the conversation by TCP.
type streamSide struct {
	conn      net.Conn
	buffer    int
	sent, got int
}

// say sends a number and reads what one buffer holds. All that was sent comes back sooner or later, so it is
// known how much to wait for: nothing here depends on timing.
func (s *streamSide) say(number string) (reply string, err error) {
	if _, err := io.WriteString(s.conn, number); err != nil {
		return "", err
	}
	s.sent += len(number)
	return s.read(min(s.buffer, s.sent-s.got))
}

// rest reads what is still on the way.
func (s *streamSide) rest() (string, error) { return s.read(s.sent - s.got) }

func (s *streamSide) read(n int) (string, error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	buf := make([]byte, n)
	n, err := io.ReadFull(s.conn, buf)
	s.got += n
	return string(buf[:n]), err
}

// datagramSide is the conversation by UDP.
type datagramSide struct {
	conn      net.Conn
	reply     []byte
	sent, got int
}

// lost stands for a reply that did not come.
const lost = "(lost)"

// say sends a number and reads the reply, whole.
func (d *datagramSide) say(number string) (reply string, err error) {
	if _, err := io.WriteString(d.conn, number); err != nil {
		return "", err
	}
	d.sent += len(number)
	if err := d.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	n, err := d.conn.Read(d.reply)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return lost, nil
	}
	d.got += n
	return string(d.reply[:n]), err
}

func bytes(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

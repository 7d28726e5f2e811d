package demo_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"tcpvsudp/demo"
	"tcpvsudp/tcp"
	"tcpvsudp/udp"
)

var unlimited = rate.NewLimiter(rate.Inf, 0)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tell runs the demo against real echoes and returns what it printed.
func tell(t *testing.T, ctx context.Context, o demo.Options) (string, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	echoes, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- tcp.Echo(echoes, l, o.Buffer, unlimited) }()
	go func() { ended <- udp.Echo(echoes, u, o.Buffer, unlimited) }()
	stream, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	datagrams, err := net.Dial("udp", u.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		stream.Close()
		datagrams.Close()
		stop()
		<-ended
		<-ended
	}()
	var out bytes.Buffer
	err = demo.Run(ctx, &out, o, stream, datagrams)
	return out.String(), err
}

// The story is the same to the letter on every run.
func TestTheStory(t *testing.T) {
	for _, o := range []demo.Options{
		{Buffer: 1, From: 1, To: 20},
		{Buffer: 2, From: 95, To: 105},
		{Buffer: 8, From: 1, To: 12},
	} {
		got, err := tell(t, t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "buffer-"+strconv.Itoa(o.Buffer)+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("buffer %d:\n%s\nwant\n%s", o.Buffer, got, want)
		}
	}
}

func TestTheStoryCanBeCalledOff(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(50*time.Millisecond, func() { cancel(enough) })
	got, err := tell(t, ctx, demo.Options{Buffer: 1, From: 1, To: 1000, Every: 20 * time.Millisecond})
	if !errors.Is(err, enough) || strings.Count(got, "\n") > 20 {
		t.Errorf("%v after\n%s", err, got)
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		o    demo.Options
		want string
	}{
		{demo.Options{Buffer: 0, To: 1}, "a buffer of 0 bytes"},
		{demo.Options{Buffer: 65508, To: 1}, "a buffer of 65508 bytes"},
		{demo.Options{Buffer: 1, From: -1, To: 1}, "counting from -1 to 1"},
		{demo.Options{Buffer: 1, From: 2, To: 1}, "counting from 2 to 1"},
		{demo.Options{Buffer: 1, To: 1, Every: -1}, "-1ns between two numbers"},
	} {
		if err := test.o.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test.o, err)
		}
	}
}

// Package child runs this program a second time as a helper that can't outlive it.
//
// The parent holds the child's standard input open, and writes to it only what it asks (Ask); the child ends when that input
// ends. The system closes it whichever way the parent goes, so this holds for a parent that is killed too,
// on every platform.
package child

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// startTimeout is how long a child may take to say its first line, stopTimeout to end when asked to.
const (
	startTimeout = 10 * time.Second
	stopTimeout  = 3 * time.Second
)

// A Process is a child that has said its first line.
type Process struct {
	// First is the first line of the child's standard output, without its end.
	First string

	cmd   *exec.Cmd
	stdin io.WriteCloser
	said  chan string // the lines that follow the first
	ended chan struct{}
	err   error // why it ended; to be read when ended is closed
	last  tail
}

// Start runs this program with args and waits for the first line of its standard output. The child does not
// get the terminal's signals: its parent sees to it that it ends.
func Start(args ...string) (*Process, error) { return StartWith(nil, args...) }

// StartWith is Start for a child that is handed open files, as its descriptors 3, 4 and so on. They stay the caller's.
func StartWith(files []*os.File, args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start a child: find this program: %w", err)
	}
	p := &Process{cmd: exec.Command(self, args...), said: make(chan string, 1), ended: make(chan struct{})}
	p.cmd.ExtraFiles = files
	apart(p.cmd)
	p.cmd.Stderr = &p.last
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	p.stdin = stdin
	p.cmd.Stdout = &lines{found: p.said}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	go func() {
		err := p.cmd.Wait()
		p.err = p.describe(err)
		close(p.ended)
	}()
	select {
	case p.First = <-p.said:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("start a child: %w", p.err)
	case <-time.After(startTimeout):
		p.Stop()
		return nil, fmt.Errorf("start a child: it said nothing in %v", startTimeout)
	}
}

// describe says how the child ended, with what it said last.
func (p *Process) describe(err error) error {
	how := "it ended"
	if err != nil {
		how = err.Error()
	}
	if said := p.last.String(); said != "" {
		how += ": " + said
	}
	return fmt.Errorf("process %d: %s", p.cmd.Process.Pid, how)
}

// Pid is the child's process number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended is closed when the child has ended, of its own or by Stop; Err says how.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err is how the child ended; nil while it runs.
func (p *Process) Err() error {
	select {
	case <-p.ended:
		return p.err
	default:
		return nil
	}
}

// Stop asks the child to end, waits, and kills it if it does not. It may be called twice.
func (p *Process) Stop() {
	p.stdin.Close()
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// UntilParentGone returns a context that ends when standard input does: when the parent has called Stop or
// is gone. It is the child's part.
func UntilParentGone(ctx context.Context, stdin io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	return ctx, cancel
}

// Ask has the child answer: request goes to its standard input as a line of JSON, and a line of JSON of its standard output
// is the answer, which is read into reply. One may ask at a time, and nobody after ctx has ended one's waiting.
func (p *Process) Ask(ctx context.Context, request, reply any) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("ask process %d: %w", p.Pid(), err)
	}
	select {
	case text := <-p.said:
		return json.Unmarshal([]byte(text), reply)
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lines passes on every line written to it, and drops those that nobody has waited for when there are too many.
type lines struct {
	text  []byte // of a line that has no end yet
	found chan string
}

func (l *lines) Write(p []byte) (int, error) {
	l.text = append(l.text, p...)
	for {
		line, rest, whole := bytes.Cut(l.text, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		select {
		case l.found <- strings.TrimRight(string(line), "\r"):
		default:
		}
		l.text = rest
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// tailSize is how many bytes of a child's complaints are passed on.
const tailSize = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-tailSize):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}

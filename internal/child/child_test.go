package child

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The test binary is its own child: the first argument says which.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "child-good":
			fmt.Printf("hello\nand more\n")
			ctx, cancel := UntilParentGone(context.Background(), os.Stdin)
			defer cancel()
			<-ctx.Done()
			os.Exit(0)
		case "child-bad":
			fmt.Fprintln(os.Stderr, "the port is taken")
			os.Exit(3)
		case "child-deaf":
			fmt.Println("hello")
			time.Sleep(time.Minute)
			os.Exit(0)
		case "parent":
			p, err := Start("child-good")
			if err != nil {
				panic(err)
			}
			fmt.Println(p.Pid())
			time.Sleep(time.Minute)
		}
	}
	os.Exit(m.Run())
}

func TestStartAndStop(t *testing.T) {
	p, err := Start("child-good")
	if err != nil {
		t.Fatal(err)
	}
	if p.First != "hello" || p.Err() != nil {
		t.Errorf("first line %q, err %v", p.First, p.Err())
	}
	p.Stop()
	p.Stop()
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), fmt.Sprint(p.Pid())) {
		t.Errorf("err after Stop: %v", err)
	}
}

func TestChildThatFails(t *testing.T) {
	_, err := Start("child-bad")
	if err == nil || !strings.Contains(err.Error(), "exit status 3: the port is taken") {
		t.Errorf("error %v", err)
	}
}

func TestChildThatDoesNotListenIsKilled(t *testing.T) {
	p, err := Start("child-deaf")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	p.Stop()
	if took := time.Since(start); took > stopTimeout+5*time.Second {
		t.Errorf("Stop took %v", took)
	}
}

// A parent that is killed takes its child with it.
func TestChildEndsWithAKilledParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self, "parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(line, &pid); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	for end := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("child %d outlived its parent", pid)
		}
	}
}

package cpu

import (
	"testing"
	"time"
)

func TestWakeUp(t *testing.T) {
	list := Allowed()
	for _, where := range [][2][]int{{nil, nil}, {list[:1], list[:1]}, {list[:1], list[len(list)-1:]}} {
		if d, known := WakeUp(where[0], where[1]); !known || d <= 0 || d > time.Second {
			t.Errorf("%v: %v, %v", where, d, known)
		}
	}
	if got := Allowed(); len(got) != len(list) {
		t.Errorf("afterwards only %v are allowed, of %v", got, list)
	}
}

package cpu

import (
	"slices"
	"testing"
)

// A list as the kernel writes it is read as the numbers it stands for, each of them once.
func TestParse(t *testing.T) {
	for list, want := range map[string][]int{
		"0":               {0},
		"7":               {7},
		"0-3":             {0, 1, 2, 3},
		"0-3,8":           {0, 1, 2, 3, 8},
		"8,0-1":           {8, 0, 1},
		"2-2":             {2},
		"1,1":             {1},
		"0-3,2-5":         {0, 1, 2, 3, 4, 5},
		"1023":            {1023},
		"0-1,4-5,10,1022": {0, 1, 4, 5, 10, 1022},
	} {
		if got, err := Parse(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is read as %v, %v; want %v", list, got, err, want)
		}
	}
}

// What is no list of processors that a set has room for is refused, whole.
func TestParseRefuses(t *testing.T) {
	for _, list := range []string{"", " ", ",", "0,", ",0", "0,,1", "a", "0-", "-0", "-", "-1", "+1", "3-1", "0-1-2", "0 1", " 0", "0\n", "0x1", "1_0",
		"1.0", "1024", "0-1024", "65536", "0-65535", "18446744073709551616", "all"} {
		if got, err := Parse(list); err == nil || got != nil {
			t.Errorf("%q is read as %v, %v; want an error and no list", list, got, err)
		}
	}
}

// The halves are all of the list in its order, neither is empty, and the first is no larger.
func TestHalves(t *testing.T) {
	for _, test := range []struct{ list, a, b []int }{
		{nil, nil, nil},
		{[]int{5}, []int{5}, []int{5}},
		{[]int{5, 3}, []int{5}, []int{3}},
		{[]int{0, 1, 2}, []int{0}, []int{1, 2}},
		{[]int{0, 4, 1, 5}, []int{0, 4}, []int{1, 5}},
	} {
		if a, b := Halves(test.list); !slices.Equal(a, test.a) || !slices.Equal(b, test.b) {
			t.Errorf("the halves of %v are %v and %v, want %v and %v", test.list, a, b, test.a, test.b)
		}
	}
}

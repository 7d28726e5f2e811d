// Package cpu says which processors there are, and binds threads to them.
package cpu

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads a list of processors as the kernel writes it: 0-3,8.
func Parse(list string) ([]int, error) {
	var all []int
	var seen [most + 1]bool
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.ParseUint(first, 10, 16)
		b, errB := strconv.ParseUint(last, 10, 16)
		if errA != nil || errB != nil || a > b || b > most {
			return nil, fmt.Errorf("%q is no list of processors: use one like 0-3,8", list)
		}
		for n := a; n <= b; n++ {
			if !seen[n] {
				seen[n] = true
				all = append(all, int(n))
			}
		}
	}
	return all, nil
}

// most is the largest number of a processor that a set of them has room for.
const most = 1023

// Halves returns the two halves of a list, the first no larger than the second and neither empty: of a single processor
// both have it.
func Halves(list []int) (a, b []int) {
	if len(list) < 2 {
		return list, list
	}
	return list[:len(list)/2], list[len(list)/2:]
}

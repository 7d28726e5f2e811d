//go:build race

package benchtest

// raceDetector tells whether the race detector is on: it has a sync.Pool forget some of what it is given.
const raceDetector = true

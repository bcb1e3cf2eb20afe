//go:build race

package gateway

// raceDetector reports whether the race detector is on. It allows 8,128 goroutines.
const raceDetector = true

// Package memory measures what a test allocates.
package memory

import "runtime"

// Allocated returns the number of bytes that the process allocates while f runs, including freed
// ones. Other goroutines count, too.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

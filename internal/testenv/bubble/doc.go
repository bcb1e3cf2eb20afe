// Package bubble makes tests in bubbles of testing/synctest run on one processor with the
// race detector. They import it for this effect alone.
//
// On several processors, two goroutines of a bubble whose timers expire at the same moment
// may use one context of the detector at once, in the runtime's unlockAndRun, and the
// program crashes with SIGSEGV. That is rare. The detector compares what happens before
// what, and finds the same races on one processor.
package bubble

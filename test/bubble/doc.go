// Package bubble is imported for its effect by tests that run in bubbles of testing/synctest:
// with the race detector they run on one processor.
//
// On several, two goroutines of a bubble that find their timers expired at the same moment
// use one context of the detector's at once, in the runtime's unlockAndRun, and the program
// crashes with SIGSEGV, seldom as that is. The detector compares what happens before what,
// and finds on one processor what it finds on two.
package bubble

// Mutants shows that the tests notice when a rule of the protocol is taken away.
//
// A mutant is the product with one guard less: a few texts of its sources are replaced.
// Nothing is changed on disk: the go command is given the changed files by its flag
// -overlay. Each mutant names a test that must then fail. That test is run once without
// the mutant first, where it must pass. A test that hangs has noticed, too.
//
//	go run ./test/mutants             all of them, with a table of what noticed which
//	go run ./test/mutants -run lock   those whose name matches
//	go run ./test/mutants -list       their names
//
// That each mutant still applies, and that its test is there, is a test of its own, which
// takes no time.
package main

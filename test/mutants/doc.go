// Mutants shows that the tests notice when a rule of the protocol is missing.
//
// A mutant is the product with one defect: a few strings in its sources are replaced. Nothing
// on disk changes: the go command gets the changed files with its flag -overlay. Each mutant
// names a test that must fail with it. That test must first pass without the mutant. A test
// that hangs counts as failed.
//
//	go run ./test/mutants             run all of them and print a table
//	go run ./test/mutants -run lock   run those whose name or rule matches
//	go run ./test/mutants -list       print their names and tests
//
// The package's own tests check quickly that each mutant applies and that its test exists.
package main

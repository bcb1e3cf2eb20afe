// Package servers runs the core of the tests on each supported server, in separate
// processes: see [redistest.ProgramVariable].
package servers

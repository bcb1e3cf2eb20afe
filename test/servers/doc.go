// Package servers runs the core of the tests on each server that people run the bridge on,
// in processes of their own: see [redistest.ProgramVariable].
package servers

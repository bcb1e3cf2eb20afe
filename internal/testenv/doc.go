// Package testenv has no code. Its packages are what the tests of several packages use:
//
//   - redistest: Redis servers, Sentinels, clusters, and a Redis in virtual time
//   - fakecdn: a stand-in CDN with faults
//   - program: builds of the program
//   - conformance: the expected results of the official SDKs
//   - aclfile, root: files of the repository
//   - missing: skips tests that need something that is not installed
//   - mounts, oddfile: file systems and files that are not regular
//   - pipes: an HTTP server in virtual time
//   - busy: longer bounds while the machine has other work
//   - bubble, memory, syncbuffer: the race detector in virtual time, allocations, logs
//
// They do not depend on the product, and the product does not depend on them. The layout test
// in test/repo verifies that.
package testenv

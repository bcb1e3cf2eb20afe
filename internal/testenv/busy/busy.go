// Package busy tells the tests that the machine has other work, so that they wait longer and run
// fewer at once.
package busy

import (
	"os"
	"time"
)

// Env is the environment variable that is 1 on a busy machine. make race sets it after it has
// measured the load.
const Env = "CATBRIDGE_TEST_BUSY"

// factor is how much longer everything may take on a busy machine.
const factor = 4

// Machine reports whether the machine is busy.
func Machine() bool { return os.Getenv(Env) == "1" }

// Bound returns how long a test waits for something that takes at most d on a machine without
// other work. It is for bounds whose only purpose is that the test ends.
func Bound(d time.Duration) time.Duration {
	if Machine() {
		return factor * d
	}
	return d
}

// Package missing has the common rule for tests that need something from outside the
// repository. Without it they are skipped, with a message that names it; under [RequireAll]
// they fail.
package missing

import (
	"os"
	"testing"
)

// RequireAll is the environment variable that, if 1, turns these skips into failures.
// Continuous integration sets it where all programs are installed.
const RequireAll = "CATBRIDGE_REQUIRE_ALL"

// Skip ends the test: skipped, or failed under [RequireAll]. The message says what is
// missing and how to get it.
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv(RequireAll) == "1" {
		t.Fatalf(RequireAll+"=1, but "+format, args...)
	}
	t.Skipf(format, args...)
}

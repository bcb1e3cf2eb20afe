//go:build race

package leader

import (
	"flag"

	_ "pgregory.net/rapid" // defines the flag
)

// The race detector makes the property tests eight times slower: they try fewer cases with it, and all
// of them without it, in make virtual. -rapid.checks on the command line counts for both.
func init() { _ = flag.Set("rapid.checks", "20") }

package missing

import (
	"regexp"
	"testing"
)

// unreachable matches what the go command prints if it cannot reach its module proxy.
var unreachable = regexp.MustCompile(`(?i)dial tcp|no such host|i/o timeout|TLS handshake timeout|connection refused|network is unreachable|disabled by GOPROXY=off`)

// SkipWithoutModules ends the test as [Skip] does if the output of a failed go command says that modules
// cannot be downloaded.
func SkipWithoutModules(t testing.TB, output string) {
	t.Helper()
	if unreachable.MatchString(output) {
		Skip(t, "modules cannot be downloaded: allow access to the proxy in GOPROXY, or run go mod download where it can be reached\n%s", output)
	}
}

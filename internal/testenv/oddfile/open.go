//go:build unix

package oddfile

import (
	"testing"

	"golang.org/x/sys/unix"
)

// RefuseOpen makes each attempt to open a file fail, as if too many files were open, until the
// returned function is called or the test ends. Open files stay open.
func RefuseOpen(t *testing.T) (allow func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	allow = func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(allow)
	few := limit
	few.Cur = 3
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	return allow
}

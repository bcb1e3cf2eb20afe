//go:build unix

package follower

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A file that cannot be read for a while, because too many files are open, is read again even though
// it does not change.
func TestAnUnreadableOverrideFileIsReadAgain_S65(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	write(t, path, `{"flags":{"text":"one"}}`)
	events, logger := eventIDs()
	c := local(t, logger, FlagOverrides{FilePath: path})
	awaitEvent(t, events, eventDebug)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	restore := func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(restore)
	write(t, path+".next", `{"flags":{"text":"two"}}`)
	few := limit
	few.Cur = 3 // open files stay open
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Rename(path+".next", path); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, eventOverrideFileUnreadable)
	restore()
	awaitEvent(t, events, eventDebug)
	if got := c.GetStringValue("text", "", nil); got != "two" {
		t.Errorf("%q", got)
	}
}

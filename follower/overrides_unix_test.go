//go:build unix

package follower

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/testenv/oddfile"
)

// A file that cannot be read for a while, because too many files are open, is read again even though
// it does not change.
func TestAnUnreadableOverrideFileIsReadAgain_S65(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	write(t, path, `{"flags":{"text":"one"}}`)
	events, logger := eventIDs()
	c := local(t, logger, FlagOverrides{FilePath: path})
	awaitEvent(t, events, eventid.Debug)
	write(t, path+".next", `{"flags":{"text":"two"}}`)
	allow := oddfile.RefuseOpen(t)
	if err := os.Rename(path+".next", path); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, eventid.OverrideFileUnreadable)
	allow()
	awaitEvent(t, events, eventid.Debug)
	if got := c.GetStringValue("text", "", nil); got != "two" {
		t.Errorf("%q", got)
	}
}

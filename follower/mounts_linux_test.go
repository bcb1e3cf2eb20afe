package follower

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/testenv/mounts"
)

// The file is mounted by itself, and written to outside the mount.
func TestASeparatelyMountedOverrideFileIsWatched_S65(t *testing.T) {
	if !mounts.Private(t) {
		return
	}
	outside, inside := filepath.Join(t.TempDir(), "flags.json"), filepath.Join(t.TempDir(), "flags.json")
	write(t, outside, `{"flags":{"text":"one"}}`)
	mounts.Bind(t, outside, inside)
	events, logger := eventIDs()
	c := local(t, logger, FlagOverrides{FilePath: inside})
	awaitEvent(t, events, eventid.Debug)
	if err := os.WriteFile(outside, []byte(`{"flags":{"text":"two"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, eventid.Debug)
	if got := c.GetStringValue("text", "", nil); got != "two" {
		t.Errorf("%q, want two", got)
	}
}

// The disk has no space for a second version of the file.
func TestAFullDiskKeepsTheSnapshotFile(t *testing.T) {
	if !mounts.Private(t) {
		return
	}
	folder := t.TempDir()
	mounts.Small(t, folder)
	path := filepath.Join(folder, "snapshot")
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		log, logging := recorded(slog.LevelWarn)
		c := n.ready(t, logging, withSnapshotFile(path))
		wantVersion(t, c, 1)
		kept := func() *snapshot.Snapshot {
			t.Helper()
			s, err := readFile(path, cachekeys.For(testSDKKey, "", 0).Entry)
			if err != nil || s == nil {
				t.Fatalf("%+v, %v", s, err)
			}
			return s
		}
		fill := filepath.Join(folder, "fill")
		_ = os.WriteFile(fill, make([]byte, 1<<20), 0o600) // fails when the disk is full
		w.commit(configJSON(2))
		wantVersion(t, c, 2)
		if e := log.with(eventid.FileWrite); !strings.Contains(e[0].text, "no space left on device") {
			t.Error(e)
		}
		if s := kept(); string(s.JSON) != string(configJSON(1)) {
			t.Errorf("the file holds %s", s.JSON)
		}
		if err := os.Remove(fill); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if s := kept(); string(s.JSON) != string(configJSON(2)) {
			t.Errorf("the file holds %s", s.JSON)
		}
	})
}

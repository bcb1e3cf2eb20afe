//go:build unix

package follower

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/testenv/oddfile"
)

// Such a path neither blocks New and Close nor is it replaced.
func TestASnapshotPathThatIsNotARegularFileIsLeftAlone(t *testing.T) {
	for _, odd := range oddfile.All(t) {
		t.Run(odd.Name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				kind := oddfile.Kind(t, odd.Path)
				log, logging := recorded(slog.LevelWarn)
				n.writer(t).commit(configJSON(1))
				c := n.ready(t, logging, withSnapshotFile(odd.Path))
				wantVersion(t, c, 1)
				c.Close()
				if e := log.with(eventid.FileRead); len(e) != 1 || !strings.Contains(e[0].text, odd.Says) {
					t.Errorf("%v, want %q", e, odd.Says)
				}
				if odd.Name == "file without rights" {
					return // the owner of the folder may replace it
				}
				if e := log.with(eventid.FileWrite); len(e) != 1 || !strings.Contains(e[0].text, odd.Says) {
					t.Errorf("%v, want %q", e, odd.Says)
				}
				if now := oddfile.Kind(t, odd.Path); now != kind {
					t.Errorf("it was %v and is %v", kind, now)
				}
			})
		})
	}
}

func TestAnOverridePathThatIsNotARegularFileIsRefused_S65(t *testing.T) {
	for _, odd := range oddfile.All(t) {
		t.Run(odd.Name, func(t *testing.T) {
			log, _ := recorded(slog.LevelWarn)
			c := local(t, slog.New(log), FlagOverrides{FilePath: odd.Path})
			c.Close()
			if e := log.with(eventid.OverrideFileUnreadable); len(e) != 1 || !strings.Contains(e[0].text, odd.Says) {
				t.Errorf("%v, want %q", log.all(), odd.Says)
			}
		})
	}
}

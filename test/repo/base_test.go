package repo

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
)

// baseRevision is the oldest revision whose leaders and followers work with those of the
// current one, in both directions (F39). It is the first revision that reads messages of
// later versions as far as it knows them. It changes only when a release is tagged.
const baseRevision = "362cd64c0a4912902d87ee640a477975f3e3072e"

// A clone without the history cannot build the base revision.
func TestTheBaseRevisionReadsLaterMessages(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		missing.Skip(t, "git is missing: install it to compare with revision %.8s", baseRevision)
	}
	source, err := exec.Command("git", "show", baseRevision+":cachekeys/message.go").Output()
	if err != nil {
		missing.Skip(t, "revision %.8s is not in this clone: git fetch --unshallow", baseRevision)
	}
	for _, want := range []string{"MaxHeadBytes = 1024", "MaxCodecBytes", "Now "} {
		if !strings.Contains(string(source), want) {
			t.Errorf("its messages do not contain %q", want)
		}
	}
}

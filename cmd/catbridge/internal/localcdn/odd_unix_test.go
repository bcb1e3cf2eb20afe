//go:build unix

package localcdn

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/test/oddfile"
)

func TestOpenRefusesWhatIsNoRegularFile(t *testing.T) {
	for _, odd := range oddfile.All(t) {
		t.Run(odd.Name, func(t *testing.T) {
			if _, err := Open(odd.Path); err == nil || !strings.Contains(err.Error(), odd.Says) || !strings.Contains(err.Error(), odd.Path) {
				t.Errorf("%v, want %q", err, odd.Says)
			}
		})
	}
}

func TestAByteOrderMarkBelongsToNoConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, "\ufeff"+config("one"))
	if file, err := Open(path); err != nil || string(file.Content().JSON) != config("one") {
		t.Errorf("%v", err)
	}
}

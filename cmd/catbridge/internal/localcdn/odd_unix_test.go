//go:build unix

package localcdn

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/oddfile"
)

func TestOpenRejectsIrregularFiles(t *testing.T) {
	for _, odd := range oddfile.All(t) {
		t.Run(odd.Name, func(t *testing.T) {
			if _, err := Open(odd.Path); err == nil || !strings.Contains(err.Error(), odd.Says) || !strings.Contains(err.Error(), odd.Path) {
				t.Errorf("%v, want %q", err, odd.Says)
			}
		})
	}
}

func TestAByteOrderMarkIsNotPartOfTheConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, "\ufeff"+config("one"))
	if file, err := Open(path); err != nil || string(file.Content().JSON) != config("one") {
		t.Errorf("%v", err)
	}
}

// A file that cannot be read for a while, because too many files are open, is read again though
// it does not change.
func TestAFileThatCouldNotBeReadIsReadAgain(t *testing.T) {
	path, updates := follow(t, config("one"))
	write(t, path, config("two"))
	wantContent(t, updates, config("two")) // the watch has opened all its files
	write(t, path+".next", config("three"))
	allow := oddfile.RefuseOpen(t)
	if err := os.Rename(path+".next", path); err != nil {
		t.Fatal(err)
	}
	if u := <-updates; u.err == nil || !strings.Contains(u.err.Error(), path) {
		t.Fatalf("%v %v, want an error that names the file", u.content, u.err)
	}
	allow()
	wantContent(t, updates, config("three"))
}

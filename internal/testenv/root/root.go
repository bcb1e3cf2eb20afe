// Package root finds files of this repository, from the folder of any package.
package root

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Path returns the path of a file or folder that is named relative to the repository's root.
func Path(t testing.TB, name ...string) string {
	t.Helper()
	root, err := find()
	if err != nil {
		t.Fatalf("no go.work is above the working directory: %v", err)
	}
	return filepath.Join(append([]string{root}, name...)...)
}

// Read returns the content of a file that is named relative to the repository's root.
func Read(t testing.TB, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(Path(t, name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// find finds the nearest folder with a go.work, from the working directory upwards: a test
// runs in the folder of its package.
var find = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", os.ErrNotExist
		}
		dir = up
	}
})

package settings

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestOnlyTheValidityOfFilesReadForEachConnectionCounts: other content is not a change of the
// settings, but invalid content must be logged.
func TestOnlyTheValidityOfFilesReadForEachConnectionCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	load := func(text string) *Settings {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(Options{Part: Redis, Variables: Redis, Environ: []string{
			"CATBRIDGE_REDIS_URL=redis://h", "CATBRIDGE_REDIS_PASSWORD_FILE=" + path,
		}})
		if (err == nil) != (text != "") {
			t.Errorf("%q: %v", text, err)
		}
		return s
	}
	first, rotated, bad, good := load("one"), load("two"), load(""), load("three")
	if first.Read != rotated.Read || bad.Read == first.Read || good.Read != first.Read {
		t.Error("a rotation counts as a change, or a file that goes bad does not")
	}
	if !slices.Contains(first.Files, path) {
		t.Errorf("%q are watched, not the password", first.Files)
	}
}

// Package generated writes the generated files of this repository, and compares them with their content.
package generated

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

var update = flag.Bool("update", false, "write the generated files")

// Write writes a file with the flag -update, and does nothing without it. name is relative to the
// repository's root.
func Write(t testing.TB, name, content string) {
	t.Helper()
	if !*update {
		return
	}
	path := root.Path(t, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// Compare writes a file as [Write] does, and compares it with its content. command is what writes it.
func Compare(t testing.TB, name, content, command string) {
	t.Helper()
	Write(t, name, content)
	if root.Read(t, name) != content {
		t.Errorf("%s does not match the code: run %s", name, command)
	}
}

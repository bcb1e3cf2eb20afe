// Package conformance reads the conformance data of the config JSON v6: roll-out matrices,
// case tables and evaluation logs. The data is outside of this repository; tests that need
// it are skipped without it, see [missing.Skip].
package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// Env is the environment variable with the folder of the data. The default is
// ../shared/conformance, relative to the module's root.
const Env = "CATBRIDGE_CONFORMANCE"

// Dir returns the folder with the data, or ends the test if it is missing. A relative
// folder is relative to the project's root.
func Dir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv(Env)
	if dir == "" {
		dir = filepath.Join("..", "shared", "conformance")
	}
	if !filepath.IsAbs(dir) {
		dir = root.Path(t, dir)
	}
	if _, err := os.Stat(filepath.Join(dir, "cases", "index.json")); err != nil {
		missing.Skip(t, "the conformance data is missing: set %s to its folder (%v)", Env, err)
	}
	return dir
}

// File returns the content of a file, named relative to the folder.
func File(t testing.TB, name ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{Dir(t)}, name...)...))
	if err != nil {
		t.Fatalf("conformance: %v", err)
	}
	return data
}

func readJSON(t testing.TB, dst any, name ...string) {
	t.Helper()
	if err := json.Unmarshal(File(t, name...), dst); err != nil {
		t.Fatalf("conformance: %s: %v", filepath.Join(name...), err)
	}
}

// Package conformance reads the conformance data of the config JSON v6: roll-out matrices,
// case tables and evaluation logs. The data is outside of this repository; tests that need
// it are skipped without it, see [missing.Skip].
package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
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
		root, err := moduleRoot()
		if err != nil {
			t.Fatalf("conformance: %v", err)
		}
		dir = filepath.Join(root, dir)
	}
	if _, err := os.Stat(filepath.Join(dir, "cases", "index.json")); err != nil {
		missing.Skip(t, "the conformance data is missing: set %s to its folder (%v)", Env, err)
	}
	return dir
}

// moduleRoot finds the nearest folder with a go.mod, from the working directory upwards: a
// test runs in the folder of its package.
var moduleRoot = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", os.ErrNotExist
		}
		dir = up
	}
})

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

// Package program builds catbridge for tests that run it as a process.
package program

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
)

// Build is a build of the program. Each is made once per test binary, when it is needed.
type Build struct {
	path func() (string, error)
}

// The builds; Racing has the race detector, and Base is of [BaseRevision].
var (
	Plain  = Build{sync.OnceValues(func() (string, error) { return build("catbridge") })}
	Racing = Build{sync.OnceValues(func() (string, error) { return build("catbridge-race", "-race") })}
	Base   = Build{sync.OnceValues(buildBase)}
)

// Path returns the path of the program, or skips the test if it cannot be built here, or with -short.
func (b Build) Path(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program: not with -short")
	}
	if _, err := exec.LookPath("go"); err != nil {
		missing.Skip(t, "the go command is missing (%v)", err)
	}
	path, err := b.path()
	if absent, ok := errors.AsType[*absentError](err); ok {
		missing.Skip(t, "%v", absent)
	}
	if err != nil {
		missing.SkipWithoutModules(t, err.Error())
		t.Fatal(err)
	}
	return path
}

// Path returns the path of the plain build.
func Path(t testing.TB) string {
	t.Helper()
	return Plain.Path(t)
}

// RequireRaceDetector skips the test if nothing can be built with the race detector.
func RequireRaceDetector(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath(cmp.Or(os.Getenv("CC"), "gcc")); err != nil {
		missing.Skip(t, "a C compiler is missing, which the race detector needs: install the Debian package build-essential (%v)", err)
	}
}

// folder is where the builds are; empty: there are none.
var folder string

var makeFolder = sync.OnceValue(func() (err error) {
	folder, err = os.MkdirTemp("", "catbridge-test")
	return err
})

// Remove removes the builds. TestMain calls it after all tests.
func Remove() {
	if folder != "" {
		_ = os.RemoveAll(folder)
	}
}

func build(name string, flags ...string) (path string, err error) {
	if err := makeFolder(); err != nil {
		return "", err
	}
	path = filepath.Join(folder, name)
	args := append([]string{"build", "-o", path}, flags...)
	out, err := exec.Command("go", append(args, "github.com/catbridge/catbridge/cmd/catbridge")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build catbridge: %w\n%s", err, out)
	}
	return path, nil
}

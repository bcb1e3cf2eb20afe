package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// required are the modules that take part in the version selection of a service with a follower and a leader.
// Each one can force a newer version on the service, even if the service links nothing of it: add
// one only if that is worth it.
var required = []string{
	// required by the root module
	"github.com/Masterminds/semver/v3",
	"github.com/fsnotify/fsnotify",
	"github.com/klauspost/compress",
	"github.com/redis/go-redis/v9",
	"golang.org/x/sync",
	"golang.org/x/sys",
	// required by its tests, its examples and followertest
	"github.com/alicebob/miniredis/v2",
	"github.com/google/go-cmp",
	"github.com/rs/zerolog",
	"go.uber.org/goleak",
	"pgregory.net/rapid",
	// required by go-redis
	"github.com/bsm/ginkgo/v2",
	"github.com/bsm/gomega",
	"github.com/cespare/xxhash/v2",
	"github.com/klauspost/cpuid/v2",
	"github.com/zeebo/xxh3",
	"go.uber.org/atomic",
	// required by miniredis, zerolog and goleak
	"github.com/mattn/go-colorable",
	"github.com/mattn/go-isatty",
	"github.com/stretchr/testify",
	"github.com/yuin/gopher-lua",
	"go.yaml.in/yaml/v3",
}

// TestAServiceGetsOnlyTheListedModules builds a service outside the workspace, as users of the root
// module do.
func TestAServiceGetsOnlyTheListedModules(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a service: not with -short")
	}
	t.Parallel()
	for _, fault := range unlistedModules(serviceModules(t)) {
		t.Error(fault)
	}
}

// serviceModules returns what go list -m all prints for a service that imports follower and leader.
func serviceModules(t *testing.T) []string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		missing.Skip(t, "the go command is missing (%v)", err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": fmt.Sprintf("module example.com/service\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %[1]s => %s\n", module, root.Path(t)),
		"go.sum": root.Read(t, "go.sum"),
		"main.go": fmt.Sprintf("package main\n\nimport (\n\t_ %q\n\t_ %q\n)\n\nfunc main() {}\n",
			module+"/follower", module+"/leader"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		output, err := goOutside(t.Context(), dir, args...)
		if err != nil {
			missing.SkipWithoutModules(t, err.Error())
			t.Fatal(err)
		}
		return output
	}
	run("build", "-o", os.DevNull, ".")
	return strings.Split(strings.TrimSpace(run("list", "-m", "-f", "{{.Path}}", "all")), "\n")
}

// goOutside runs the go command without the workspace. It may change go.mod.
func goOutside(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	output, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("go %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return string(output), err
}

// unlistedModules compares modules with required. The first is the service.
func unlistedModules(modules []string) []string {
	var faults []string
	for _, m := range modules[1:] {
		if m != module && !slices.Contains(required, m) {
			faults = append(faults, "a service with a follower and a leader requires "+m+": move what imports it to another module, or list it in required")
		}
	}
	for _, m := range required {
		if !slices.Contains(modules, m) {
			faults = append(faults, "nothing requires "+m+" any more: remove it from required")
		}
	}
	return faults
}

func TestUnlistedModulesAreDetected(t *testing.T) {
	modules := append([]string{"example.com/service", module, "example.com/grpc"}, required[1:]...)
	faults := unlistedModules(modules)
	if len(faults) != 2 || !strings.Contains(faults[0], "example.com/grpc") || !strings.Contains(faults[1], required[0]) {
		t.Errorf("found %q", faults)
	}
}

// TestTheRootModuleRequiresWhatItImports finds every package that its packages and tests import, with
// the versions of its own go.mod, and without the other modules.
func TestTheRootModuleRequiresWhatItImports(t *testing.T) {
	t.Parallel()
	output, err := goOutside(t.Context(), root.Path(t), "list", "-mod=readonly", "-test", "-deps", "-f", "{{.ImportPath}}", "./...")
	if err != nil {
		missing.SkipWithoutModules(t, err.Error())
		t.Fatal(err)
	}
	if !strings.Contains(output, module+"/follower.test\n") {
		t.Errorf("the tests of follower are missing in\n%s", output)
	}
}

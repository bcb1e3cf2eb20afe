package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

var replaceLine = regexp.MustCompile(`(?m)^go mod edit -replace (` + regexp.QuoteMeta(module) + `\S*)=\.\./catbridge(\S*)$`)

var rollBackLine = regexp.MustCompile(`(?m)^go mod edit (-drop\S+ .*)$`)

// TestAServiceNeedsOnlyTheReplaceLines builds a service in a folder of its own, with the lines of docs/install.md: no version of
// the modules is released, so each module that they require must be named there.
func TestAServiceNeedsOnlyTheReplaceLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"go.mod":  "module example.com/service\n\ngo 1.24\n",
		"main.go": "package main\n\nimport (\n\t_ \"" + module + "/follower\"\n\t_ \"" + module + "/metrics\"\n)\n\nfunc main() {}\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lines := replaceLine.FindAllStringSubmatch(root.Read(t, "docs/install.md"), -1)
	if len(lines) != 2 {
		t.Fatalf("the page has %d such lines", len(lines))
	}
	for _, m := range lines {
		inService(t, dir, "mod", "edit", "-replace", m[1]+"="+root.Path(t, "."+m[2]))
	}
	// A module proxy is not needed: what the modules were tested with is in the module cache.
	sum, err := os.ReadFile(root.Path(t, "metrics/go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600); err != nil {
		t.Fatal(err)
	}
	// Like go mod tidy, but what only tests of dependencies need is not in the module cache.
	inService(t, dir, "build", "-mod=mod", "-o", os.DevNull, ".")
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(mod), "\ngo 1.26") {
		t.Errorf("the page says that the line of Go is raised:\n%s", mod)
	}

	back := rollBackLine.FindStringSubmatch(root.Read(t, "docs/migration.md"))
	if back == nil {
		t.Fatal("docs/migration.md does not say how to remove the module")
	}
	inService(t, dir, append([]string{"mod", "edit"}, strings.Fields(back[1])...)...)
	mod, err = os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`(?m)` + regexp.QuoteMeta(module) + `[ @]`).Match(mod) {
		t.Errorf("the module is still in use:\n%s", mod)
	}
}

func inService(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOPROXY=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, out)
	}
}

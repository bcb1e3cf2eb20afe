package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// targets are the commands of make's targets that must cover the packages of every module. Targets that call make
// are not listed: a dry run runs their recipes.
var targets = map[string][]string{
	"lint":          {"go vet", "go fix", "bin/staticcheck"},
	"golangci-lint": {"go list"},
	"units":         {"go list"},
	"vuln":          {".ci/vulncheck"},
	"check":         {"bin/gotestsum"},
	"fix":           {"go fix"},
	"fuzz":          {"go list"},
	"microbench":    {"go list"},
}

func TestEveryTargetCoversEveryModule(t *testing.T) {
	program, err := exec.LookPath("make")
	if err != nil {
		missing.Skip(t, "make is missing: install the Debian package make (%v)", err)
	}
	for target, commands := range targets {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), program, "--dry-run", target)
			cmd.Dir = root.Path(t)
			cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
				name, _, _ := strings.Cut(variable, "=")
				return name == "PACKAGES" || name == "MAKEFLAGS" || name == "MAKEOVERRIDES" // of the make that runs this test
			})
			recipe, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			for _, command := range commands {
				patterns := patternsOf(string(recipe), command)
				if len(patterns) == 0 {
					t.Errorf("make %s does not run %s with packages", target, command)
					continue
				}
				for _, path := range missed(t, patterns) {
					t.Errorf("make %s: %s %s misses the module %s", target, command, strings.Join(patterns, " "), path)
				}
			}
		})
	}
}

// patternsOf returns the package patterns of the first such command in a recipe that has any.
func patternsOf(recipe, command string) []string {
	for line := range strings.Lines(recipe) {
		_, arguments, found := strings.Cut(line, command+" ")
		if !found {
			continue
		}
		if end := strings.IndexAny(arguments, ";|&)"); end >= 0 {
			arguments = arguments[:end]
		}
		var patterns []string
		for word := range strings.FieldsSeq(arguments) {
			if word == "work" || strings.HasPrefix(word, "./") {
				patterns = append(patterns, word)
			}
		}
		if len(patterns) > 0 {
			return patterns
		}
	}
	return nil
}

// missed returns the modules of which the patterns match no package.
func missed(t *testing.T, patterns []string) []string {
	t.Helper()
	matched := map[string]bool{}
	for _, p := range goList(t, patterns...) {
		matched[p.Module.Path] = true
	}
	return slices.DeleteFunc(modules(t), func(path string) bool { return matched[path] })
}

// modules returns the paths of the modules of go.work.
func modules(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, p := range goList(t, "work") {
		paths = append(paths, p.Module.Path)
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if len(paths) < 7 {
		t.Fatalf("go.work has only the modules %q", paths)
	}
	return paths
}

func TestMissedModulesAreDetected(t *testing.T) {
	const recipe = "echo go vet\ngo vet -x ./... || exit 1\nfor p in $(go list work | grep x); do\n"
	patterns := patternsOf(recipe, "go vet")
	if !slices.Equal(patterns, []string{"./..."}) || !slices.Equal(patternsOf(recipe, "go list"), []string{"work"}) || patternsOf(recipe, "go fix") != nil {
		t.Fatalf("patterns %q", patterns)
	}
	have := missed(t, append(patterns, "./metrics/..."))
	if slices.Contains(have, module) || slices.Contains(have, module+"/metrics") || !slices.Contains(have, module+"/leader/otel") || len(have) < 5 {
		t.Errorf("missed %q", have)
	}
}

// Scripts and workflows call make, so that they check what its targets check.
func TestContinuousIntegrationCallsTargets(t *testing.T) {
	for _, pattern := range []string{".ci/*", ".github/workflows/*"} {
		files, err := filepath.Glob(root.Path(t, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, command := range []string{"go vet", "go fix", "go build", "go test", "go tool", "staticcheck"} {
				if strings.Contains(string(text), command+" ") {
					t.Errorf("%s runs %s: call a target of make", file, command)
				}
			}
		}
	}
}

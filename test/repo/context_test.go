package repo

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// TestTheImageCanBeBuiltFromItsContext copies the files that .dockerignore leaves, and looks up there
// what the Dockerfile copies and all packages of the programs. go.work needs the go.mod of every module.
func TestTheImageCanBeBuiltFromItsContext(t *testing.T) {
	build := regexp.MustCompile(`(?m)^    go build .* -o /out/ (.*)$`).FindStringSubmatch(root.Read(t, "Dockerfile"))
	if build == nil {
		t.Fatal("the Dockerfile builds no programs")
	}
	context := t.TempDir()
	copyContext(t, context, strings.Split(root.Read(t, ".dockerignore"), "\n"))
	for _, copied := range regexp.MustCompile(` /src/(\S+)`).FindAllStringSubmatch(root.Read(t, "Dockerfile"), -1) {
		if _, err := os.Stat(filepath.Join(context, copied[1])); err != nil {
			t.Errorf("the Dockerfile copies %s, but the context does not have it: %v", copied[1], err)
		}
	}
	programs := strings.Fields(build[1])
	list := goListIn(t, context, append([]string{"-deps"}, programs...)...)
	for _, program := range programs {
		if !slices.ContainsFunc(list, func(p goPackage) bool {
			return p.ImportPath == path.Join(module, program) && p.Name == "main" && strings.HasPrefix(p.Dir, context)
		}) {
			t.Errorf("the context has no program %s", program)
		}
	}
}

// copyContext copies the files of the repository that the patterns do not ignore.
func copyContext(t *testing.T, to string, patterns []string) {
	t.Helper()
	from := os.DirFS(root.Path(t))
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if entry.Name() == "node_modules" || name == ".git" || name == "bin" {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular() || ignored(name, patterns):
			return nil
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		copied := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(copied), 0o750); err != nil {
			return err
		}
		return os.WriteFile(copied, data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ignored reports whether patterns of a .dockerignore file match a file or a folder that contains it. The last
// pattern that matches decides. A pattern may start with **/ but has no ** elsewhere.
func ignored(name string, patterns []string) bool {
	result := false
	for _, pattern := range patterns {
		pattern, negated := strings.CutPrefix(strings.TrimSpace(pattern), "!")
		pattern = strings.TrimSuffix(pattern, "/")
		if pattern == "" || strings.HasPrefix(pattern, "#") {
			continue
		}
		pattern, anywhere := strings.CutPrefix(pattern, "**/")
		for above := name; above != "."; above = path.Dir(above) {
			part := above
			if anywhere {
				part = path.Base(above)
			}
			if matched, _ := path.Match(pattern, part); matched {
				result = !negated
			}
		}
	}
	return result
}

func TestDockerignorePatterns(t *testing.T) {
	patterns := []string{"# comment", "", "test/*", "!test/go.mod", "*.md", "**/testdata/", "**/*_test.go"}
	for name, want := range map[string]bool{
		"test/go.mod": false, "test/repo/doc.go": true, "test/go.sum": true, "README.md": true, "docs/a.md": false,
		"leader/testdata/a": true, "leader/a_test.go": true, "a_test.go": true, "leader/a.go": false, "testing/a.go": false,
	} {
		if ignored(name, patterns) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}

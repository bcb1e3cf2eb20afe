package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

func repository(t *testing.T) *workspace {
	t.Helper()
	w, err := load(root.Path(t))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Modules must be tidy without the workspace, as those who require them see them.
func TestEveryModuleIsTidy(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		missing.Skip(t, "the go command is missing (%v)", err)
	}
	w := repository(t)
	for _, m := range w.modules {
		t.Run(strings.ReplaceAll(m.dir, "/", "_"), func(t *testing.T) {
			mod, sum, err := w.tidied(t.Context(), m)
			if err != nil {
				missing.SkipWithoutModules(t, err.Error())
				t.Fatal(err)
			}
			for name, want := range map[string][]byte{m.goMod(w.root): mod, m.goSum(w.root): sum} {
				if have, err := os.ReadFile(name); err != nil || !bytes.Equal(have, want) {
					t.Errorf("%s is not tidy: run make tidy (%v)", name, err)
				}
			}
		})
	}
}

// The workspace selects the highest versions that a module requires. If the root module required a
// lower one, its tests would not run with the versions that its users get.
func TestTheRootModuleIsTestedWithWhatItRequires(t *testing.T) {
	w := repository(t)
	for _, r := range w.modules[0].file.Require {
		for _, m := range w.modules[1:] {
			for _, other := range m.file.Require {
				if other.Mod.Path == r.Mod.Path && other.Mod.Version != r.Mod.Version {
					t.Errorf("%s requires %s, but %s requires %s", w.modules[0].path, r.Mod, m.path, other.Mod.Version)
				}
			}
		}
	}
}

// A module that go.work does not use is not built, vetted or tested. Those of tools contain no code.
func TestTheWorkspaceUsesEveryModule(t *testing.T) {
	w := repository(t)
	tools := filepath.Join(w.root, "tools")
	err := filepath.WalkDir(w.root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules" || name == filepath.Join(w.root, "bin") || name == filepath.Join(w.root, "dist") || name == tools):
			return fs.SkipDir
		case entry.Name() == "go.mod" && !slices.ContainsFunc(w.modules, func(m ownModule) bool { return m.goMod(w.root) == name }):
			t.Errorf("go.work does not use %s", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Tools take no part in the selection of the versions with which the code is built, and tools with many dependencies
// none in that of each other: each has a module of its own, with the versions that its authors chose.
func TestToolsHaveModulesOfTheirOwn(t *testing.T) {
	w := repository(t)
	list := regexp.MustCompile(`(?m)^RELEASE_TOOLS := \$\(addprefix bin/,(.*)\)$`).FindStringSubmatch(root.Read(t, "Makefile"))
	if list == nil {
		t.Fatal("the Makefile has no RELEASE_TOOLS")
	}
	built := strings.Split(list[1], " ")
	entries, err := os.ReadDir(root.Path(t, "tools"))
	if err != nil || len(entries) < 5 {
		t.Fatalf("%d tools, %v", len(entries), err)
	}
	for _, entry := range entries {
		dir := "tools/" + entry.Name()
		file, err := modfile.Parse(dir+"/go.mod", []byte(root.Read(t, dir+"/go.mod")), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := w.modules[0].path + "/" + dir; file.Module.Mod.Path != want {
			t.Errorf("%s is the module %s, want %s", dir, file.Module.Mod.Path, want)
		}
		if len(file.Tool) == 0 || len(file.Tool) > 1 && entry.Name() != "checks" {
			t.Errorf("%s has %d tools", dir, len(file.Tool))
		}
		if len(file.Replace) > 0 || slices.ContainsFunc(file.Require, func(r *modfile.Require) bool { return w.owns(r.Mod.Path) }) {
			t.Errorf("%s requires modules of this repository, or replaces some", dir)
		}
		if entry.Name() != "checks" && !slices.Contains(built, entry.Name()) {
			t.Errorf("make does not build %s: add it to RELEASE_TOOLS", dir)
		}
		if files, err := filepath.Glob(root.Path(t, dir, "*")); err != nil || len(files) != 2 { // go.mod and go.sum
			t.Errorf("%s: %q, %v", dir, files, err)
		}
	}
}

// A module's zip must be accepted by the go command: it has limits for sizes and for the names of files.
func TestEveryModuleCanBePublished(t *testing.T) {
	w := repository(t)
	if _, err := exec.LookPath("git"); err != nil {
		missing.Skip(t, "the git command is missing (%v)", err)
	}
	clone, err := cloned(t.Context(), w.root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range w.modules {
		file, err := os.Create(filepath.Join(t.TempDir(), "module.zip"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(m.zip(file, clone, "HEAD", "v1.2.3"), file.Close()); err != nil {
			t.Errorf("%s: %v", m.path, err)
		}
	}
}

// files writes a repository with three modules, whose go.mod files require what is given.
func files(t *testing.T, work string, requires map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("go.work", "go 1.26.0\n\nuse (\n\t.\n\t./cmd\n\t./lib\n)\n\n"+work)
	for of, text := range map[string]string{".": "", "cmd": "/cmd", "lib": "/lib"} {
		write(of+"/go.mod", "module example.com/m"+text+"\n\ngo 1.26.0\n\n"+requires[of])
	}
	return dir
}

const (
	replaceRoot = "replace example.com/m v0.0.0 => ./\n"
	replaceAll  = replaceRoot + "replace example.com/m/cmd v0.0.0 => ./cmd\nreplace example.com/m/lib v0.0.0 => ./lib\n"
)

func TestFaultsOfModulesAreDetected(t *testing.T) {
	for name, of := range map[string]struct {
		work     string
		requires map[string]string
		want     string
	}{
		"not replaced":    {work: replaceRoot, want: "add the line replace example.com/m/cmd v0.0.0 => ./cmd"},
		"another version": {work: replaceAll, requires: map[string]string{"lib": "require example.com/m v1.0.0\n"}, want: "lib/go.mod: requires example.com/m at v1.0.0"},
		"two versions":    {work: replaceRoot + "replace example.com/m/lib v1.0.0 => ./lib\n", want: `example.com/m/lib is replaced at version "v1.0.0"`},
		"replaced in a go.mod": {
			work: replaceAll, requires: map[string]string{"cmd": "replace example.com/m v0.0.0 => ../\n"}, want: "cmd/go.mod: remove the replacement of example.com/m",
		},
		"a cycle": {
			work: replaceAll, requires: map[string]string{"cmd": "require example.com/m/lib v0.0.0\n", "lib": "require example.com/m/cmd v0.0.0\n"}, want: "in a cycle",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := load(files(t, of.work, of.requires)); err == nil || !strings.Contains(err.Error(), of.want) {
				t.Errorf("error %v, want %q", err, of.want)
			}
		})
	}
}

func TestAReleaseRequiresItsOwnVersion(t *testing.T) {
	dir := files(t, replaceAll, map[string]string{
		"cmd": "require (\n\texample.com/m v0.0.0\n\texample.com/m/lib v0.0.0 // indirect\n\texample.com/other v0.0.0\n)\n", "lib": "require example.com/m v0.0.0\n",
	})
	if err := require(dir, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	w, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var order, tags []string
	for _, m := range w.modules {
		order, tags = append(order, m.path), append(tags, m.tag("v1.2.3"))
		for _, r := range m.file.Require {
			if other := r.Mod.Path == "example.com/other"; other != (r.Mod.Version == "v0.0.0") || r.Indirect != (m.dir == "cmd" && r.Mod.Path == "example.com/m/lib") {
				t.Errorf("%s requires %s", m.path, r.Mod)
			}
		}
	}
	if want := []string{"example.com/m", "example.com/m/lib", "example.com/m/cmd"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
	if want := []string{"v1.2.3", "lib/v1.2.3", "cmd/v1.2.3"}; !slices.Equal(tags, want) {
		t.Errorf("tags %q, want %q", tags, want)
	}
}

func TestAReleaseHasATagForEachModule(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		missing.Skip(t, "the git command is missing (%v)", err)
	}
	dir := files(t, replaceAll, map[string]string{"lib": "require example.com/m v0.0.0\n"})
	git := func(args ...string) {
		t.Helper()
		if _, err := gitCommand(t.Context(), dir, args...); err != nil {
			t.Fatal(err)
		}
	}
	commit := func() {
		git("add", "--all")
		git("-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "x")
	}
	fails := func(want string) {
		t.Helper()
		if err := tagged(t.Context(), dir, "v1.2.3"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	git("init", "--quiet")
	commit()
	fails("require each other at v0.0.0")
	if err := require(dir, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	commit()
	git("tag", "v1.2.3")
	git("tag", "lib/v1.2.3", "HEAD~1")
	fails("lacks the tags cmd/v1.2.3, lib/v1.2.3")
	git("tag", "--force", "lib/v1.2.3")
	git("tag", "cmd/v1.2.3")
	if err := tagged(t.Context(), dir, "v1.2.3"); err != nil {
		t.Error(err)
	}
}

func TestFailedTidyKeepsTheChecksumsOfTheWorkspace(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		missing.Skip(t, "the go command is missing (%v)", err)
	}
	dir := files(t, replaceAll, map[string]string{"lib": "require example.com/m v0.0.0\n"})
	name := filepath.Join(dir, "go.work.sum")
	if err := os.WriteFile(name, []byte("checksums\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOFLAGS", "-no-such-flag")
	if err := writeWorkSum(t.Context(), dir); err == nil {
		t.Error("no error")
	}
	if have, err := os.ReadFile(name); string(have) != "checksums\n" {
		t.Errorf("%q, %v", have, err)
	}
}

func TestVersionsOfReleases(t *testing.T) {
	for text, want := range map[string]bool{
		"v0.1.0": true, "v1.2.3-rc.1": true, "v2.0.0": false, "1.2.3": false, "v1.2": false, "v1.2.3+meta": false, "": false, "v1.2.3; rm": false,
	} {
		if isVersion(text) != want {
			t.Errorf("isVersion(%q) is %t", text, !want)
		}
	}
}

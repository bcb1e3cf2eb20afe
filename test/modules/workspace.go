package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// workspace is the content of go.work.
type workspace struct {
	root    string
	version string      // at which the modules require each other
	modules []ownModule // each after those that it requires
}

// ownModule is a module of this repository.
type ownModule struct {
	path string
	dir  string // slash-separated, relative to the root; "." for the root module
	file *modfile.File
}

func (m ownModule) goMod(root string) string { return filepath.Join(root, m.dir, "go.mod") }
func (m ownModule) goSum(root string) string { return filepath.Join(root, m.dir, "go.sum") }

// tag returns the git tag of a version of the module.
func (m ownModule) tag(version string) string {
	if m.dir == "." {
		return version
	}
	return m.dir + "/" + version
}

// load reads go.work and every go.mod, and returns an error unless go.work replaces all modules at one
// version, each go.mod requires others at that version, and no go.mod replaces anything.
func load(root string) (*workspace, error) {
	name := filepath.Join(root, "go.work")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return nil, err
	}
	w := &workspace{root: root}
	for _, use := range work.Use {
		m := ownModule{dir: path.Clean(use.Path)}
		if data, err = os.ReadFile(m.goMod(root)); err != nil {
			return nil, fmt.Errorf("go.work: use %s: %w", use.Path, err)
		}
		if m.file, err = modfile.Parse(m.goMod(root), data, nil); err != nil {
			return nil, err
		}
		m.path = m.file.Module.Mod.Path
		w.modules = append(w.modules, m)
	}
	if err := w.readVersion(work); err != nil {
		return nil, err
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	return w, w.order()
}

// readVersion takes the version from the replacements in go.work.
func (w *workspace) readVersion(work *modfile.WorkFile) error {
	replaced := map[string]string{}
	for _, r := range work.Replace {
		if w.version == "" {
			w.version = r.Old.Version
		}
		if r.Old.Version == "" || r.Old.Version != w.version {
			return fmt.Errorf("go.work: %s is replaced at version %q, another module at %q", r.Old.Path, r.Old.Version, w.version)
		}
		replaced[r.Old.Path] = path.Clean(r.New.Path)
	}
	for _, m := range w.modules {
		if replaced[m.path] != m.dir {
			return fmt.Errorf("go.work: add the line replace %s %s => ./%s", m.path, w.version, m.dir)
		}
	}
	if len(replaced) != len(w.modules) {
		return fmt.Errorf("go.work: replaces %d modules, but uses %d", len(replaced), len(w.modules))
	}
	return nil
}

func (w *workspace) check() error {
	for _, m := range w.modules {
		if len(m.file.Replace) > 0 {
			return fmt.Errorf("%s/go.mod: remove the replacement of %s: it has no effect for those who require the module", m.dir, m.file.Replace[0].Old.Path)
		}
		for _, r := range m.file.Require {
			if w.owns(r.Mod.Path) && r.Mod.Version != w.version {
				return fmt.Errorf("%s/go.mod: requires %s at %s, but go.work replaces it at %s", m.dir, r.Mod.Path, r.Mod.Version, w.version)
			}
		}
	}
	return nil
}

func (w *workspace) owns(path string) bool {
	return slices.ContainsFunc(w.modules, func(m ownModule) bool { return m.path == path })
}

// order puts each module after those that it requires.
func (w *workspace) order() error {
	var ordered []ownModule
	placed := func(r *modfile.Require) bool {
		return !w.owns(r.Mod.Path) || slices.ContainsFunc(ordered, func(m ownModule) bool { return m.path == r.Mod.Path })
	}
	for waiting := w.modules; len(waiting) > 0; {
		i := slices.IndexFunc(waiting, func(m ownModule) bool {
			return !slices.ContainsFunc(m.file.Require, func(r *modfile.Require) bool { return !placed(r) })
		})
		if i < 0 {
			return fmt.Errorf("%s and others require each other in a cycle", waiting[0].path)
		}
		ordered = append(ordered, waiting[i])
		waiting = slices.Delete(slices.Clone(waiting), i, i+1)
	}
	w.modules = ordered
	return nil
}

// require makes the modules require each other at a version, which the chart gets, too.
func require(root, version string) error {
	w, err := load(root)
	if err != nil {
		return err
	}
	for _, m := range w.modules {
		for _, r := range slices.Clone(m.file.Require) {
			if w.owns(r.Mod.Path) {
				if err := m.file.AddRequire(r.Mod.Path, version); err != nil {
					return err
				}
			}
		}
		if err := os.WriteFile(m.goMod(root), modfile.Format(m.file.Syntax), 0o644); err != nil { // #nosec G306 -- a source file
			return err
		}
	}
	name := filepath.Join(root, "go.work")
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for _, m := range w.modules {
		data = []byte(strings.ReplaceAll(string(data), m.path+" "+w.version+" =>", m.path+" "+version+" =>"))
	}
	if err := os.WriteFile(name, data, 0o644); err != nil { // #nosec G306 -- a source file
		return err
	}
	return requireChart(root, version)
}

// versions returns the modules at a version.
func (w *workspace) versions(version string) []module.Version {
	var all []module.Version
	for _, m := range w.modules {
		all = append(all, module.Version{Path: m.path, Version: version})
	}
	return all
}

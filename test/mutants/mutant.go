package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutant is the product with one defect.
type mutant struct {
	name  string // the defect
	rule  string // the row of the guarantee or the fault
	edits []edit
	test  test
}

// edit replaces a string that occurs exactly once in a file, or in the Go files of a package
// except its tests. in is a path from the module's root.
type edit struct{ in, old, new string }

// test names tests of one package. run is a pattern for the flag -run.
type test struct{ pkg, run string }

// apply applies the edit to one of the files.
func (e edit) apply(files map[string]string) error {
	var found []string
	times := 0
	for name, source := range files {
		if n := strings.Count(source, e.old); n > 0 {
			found, times = append(found, name), times+n
		}
	}
	switch {
	case times != 1:
		return fmt.Errorf("%s: the string to replace occurs %d times, want 1: %q", e.in, times, e.old)
	case e.old == e.new:
		return fmt.Errorf("%s: the replacement is the same: %q", e.in, e.old)
	}
	files[found[0]] = strings.Replace(files[found[0]], e.old, e.new, 1)
	return nil
}

// sources reads the files to which the edit may apply.
func (e edit) sources(root string) (map[string]string, error) {
	names := []string{e.in}
	if filepath.Ext(e.in) == "" {
		all, err := filepath.Glob(filepath.Join(root, e.in, "*.go"))
		if err != nil {
			return nil, err
		}
		names = nil
		for _, name := range all {
			if !strings.HasSuffix(name, "_test.go") {
				names = append(names, e.in+"/"+filepath.Base(name))
			}
		}
	}
	files := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		files[name] = string(data)
	}
	return files, nil
}

// files returns the changed files of the mutant by their path from root.
func (m mutant) files(root string) (map[string]string, error) {
	now := map[string]string{}
	changed := map[string]string{}
	for _, e := range m.edits {
		files, err := e.sources(root)
		if err != nil {
			return nil, err
		}
		for name, source := range files {
			now[name] = source
			if mine, ok := changed[name]; ok {
				files[name] = mine
			}
		}
		if err := e.apply(files); err != nil {
			return nil, err
		}
		for name, source := range files {
			if source != now[name] {
				changed[name] = source
			}
		}
	}
	return changed, nil
}

// overlay writes the changed files and an overlay file for the go command into dir. It returns
// the path of the overlay file.
func (m mutant) overlay(root, dir string) (string, error) {
	changed, err := m.files(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, source := range changed {
		copied := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(copied, []byte(source), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, name)] = copied
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, data, 0o600)
}

// all returns all mutants.
func all() []mutant {
	var list []mutant
	for _, part := range [][]mutant{scripts, leading, polling, following, patching, recording, operating, controlling, fetching, rebaseRule, controlled, formats, naming, evaluating, explaining, observing, serving, servingOpenFeature} {
		list = append(list, part...)
	}
	return list
}

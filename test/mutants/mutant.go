package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutant is the product without one of its guards.
type mutant struct {
	name  string // what is wrong with it
	rule  string // of the guarantee or the fault that it touches
	edits []edit
	test  test
}

// edit replaces a text that stands exactly once in a file, or in the Go files of a
// package, its tests left out. Both are named from the module's root.
type edit struct{ in, old, new string }

// test names tests of one package, as the flag -run takes them.
type test struct{ pkg, run string }

// apply makes the edit in one of the files.
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
		return fmt.Errorf("%s: the text to replace is there %d times: %q", e.in, times, e.old)
	case e.old == e.new:
		return fmt.Errorf("%s: nothing is replaced: %q", e.in, e.old)
	}
	files[found[0]] = strings.Replace(files[found[0]], e.old, e.new, 1)
	return nil
}

// sources reads the files that an edit is about.
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

// files gives the files that the mutant changes, by their names from the root.
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

// overlay writes what the go command needs to build the mutant into dir, and gives the
// name of the file to tell it.
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

// all are the mutants.
func all() []mutant {
	var list []mutant
	for _, part := range [][]mutant{scripts, leading, polling, following, fetching, rebaseRule, formats, naming, evaluating} {
		list = append(list, part...)
	}
	return list
}

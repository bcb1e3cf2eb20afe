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

// edit replaces a text that stands in a file exactly once.
type edit struct {
	file     string // from the module's root
	old, new string
}

// test names tests of one package, as the flag -run takes them.
type test struct{ pkg, run string }

// apply gives the file with the edit made.
func (e edit) apply(source string) (string, error) {
	switch n := strings.Count(source, e.old); {
	case n != 1:
		return "", fmt.Errorf("%s: the text to replace is there %d times: %q", e.file, n, e.old)
	case e.old == e.new:
		return "", fmt.Errorf("%s: nothing is replaced: %q", e.file, e.old)
	}
	return strings.Replace(source, e.old, e.new, 1), nil
}

// files gives the files that the mutant changes, by their names from the root.
func (m mutant) files(root string) (map[string]string, error) {
	changed := map[string]string{}
	for _, e := range m.edits {
		source, ok := changed[e.file]
		if !ok {
			data, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, err
			}
			source = string(data)
		}
		var err error
		if changed[e.file], err = e.apply(source); err != nil {
			return nil, err
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
	for _, part := range [][]mutant{scripts, leading, polling, following, ruleSix, formats} {
		list = append(list, part...)
	}
	return list
}

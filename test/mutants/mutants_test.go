package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// A change of lines that a mutant replaces must change the mutant, too.
func TestEveryMutantApplies(t *testing.T) {
	names := map[string]bool{}
	for _, m := range all() {
		t.Run(m.name, func(t *testing.T) {
			if names[m.name] {
				t.Error("duplicate name")
			}
			names[m.name] = true
			if m.rule == "" || len(m.edits) == 0 {
				t.Error("no rule, or no edit")
			}
			if _, err := m.files(root); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryMutantHasItsTest(t *testing.T) {
	sources := map[string][]byte{}
	for _, m := range all() {
		if sources[m.test.pkg] == nil {
			sources[m.test.pkg] = testSources(t, m.test.pkg)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(m.test.run, "^"), "/")
		name = strings.TrimSuffix(name, "$")
		if !regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(name) + `\(`).Match(sources[m.test.pkg]) {
			t.Errorf("%s: %s has no test %s", m.name, m.test.pkg, name)
		}
	}
}

func testSources(t *testing.T, pkg string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.Bytes()
}

func TestAMutantThatDoesNotApplyIsReported(t *testing.T) {
	for name, e := range map[string]edit{
		"not there":          {"f", "x", "y"},
		"there twice":        {"f", "a", "y"},
		"there in two files": {"f", "c", "y"},
		"nothing is changed": {"f", "b", "b"},
	} {
		if err := e.apply(map[string]string{"1": "a b a c", "2": "c"}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	files := map[string]string{"1": "a b a", "2": "d"}
	if err := (edit{"f", "b", "c"}).apply(files); err != nil || files["1"] != "a c a" || files["2"] != "d" {
		t.Errorf("%q, %v", files, err)
	}
}

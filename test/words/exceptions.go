package main

import (
	"path"
	"strings"
)

// An exception is a lawful use of what a rule forbids.
type exception struct {
	file   string // or a folder
	rule   string // its name; empty: all rules
	text   string // part of the line; empty: the whole file
	reason string
}

// exceptions are the lawful uses. One that is not needed is a finding.
var exceptions = []exception{
	{"test/words", "", "", "the rules, and the test of them"},
}

func (e exception) excepts(f finding) bool {
	return covers(e.file, f.file) && (e.rule == "" || e.rule == f.rule) && strings.Contains(f.text, e.text)
}

// skipped reports whether nobody wrote the file for this project, or programs alone read it.
func skipped(file string) bool {
	switch path.Base(file) {
	case "go.sum", "tools.sum", "package-lock.json", "THIRD_PARTY_NOTICES.txt", "LICENSE":
		return true
	}
	return path.Ext(file) == ".svg" || path.Dir(file) == "docs/bench" && path.Ext(file) == ".json" ||
		strings.Contains(file, "testdata/fuzz/")
}

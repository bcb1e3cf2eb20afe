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

	// The old names of settings, until the first release.
	{"cmd/catbridge/internal/settings/renamed.go", "LockExpiry", "", "the old names"},
	{"cmd/catbridge/internal/settings/renamed.go", "StopActing", "", "the old names"},
	{"cmd/catbridge/internal/settings/renamed.go", "timings.renewal", "", "the old names"},
	{"cmd/catbridge/internal/settings/renamed_test.go", "LockExpiry", "", "old names are accepted"},
	{"cmd/catbridge/internal/settings/renamed_test.go", "StopActing", "", "old names are accepted"},
	{"cmd/catbridge/internal/settings/renamed_test.go", "timings.renewal", "", "old names are accepted"},
	{"cmd/catbridge/internal/settings/fuzz_test.go", "LockExpiry", "lock_expiry: 20s", "old names are accepted"},
	{"cmd/catbridge/testdata/script/config.txtar", "LockExpiry", "", "old names are accepted"},
	{"cmd/catbridge/testdata/script/config.txtar", "timings.renewal", "", "old names are accepted"},
	{"cmd/catbridge/testdata/script/help.txtar", "LockExpiry", "! stdout", "old names are not shown"},
}

func (e exception) excepts(f finding) bool {
	return covers(e.file, f.file) && (e.rule == "" || e.rule == f.rule) && strings.Contains(f.text, e.text)
}

// skipped reports whether nobody wrote the file for this project, or programs alone read it.
func skipped(file string) bool {
	switch path.Base(file) {
	case "go.sum", "go.work.sum", "package-lock.json", "THIRD_PARTY_NOTICES.txt", "LICENSE":
		return true
	}
	return path.Ext(file) == ".svg" || path.Dir(file) == "docs/bench" && path.Ext(file) == ".json" ||
		strings.Contains(file, "testdata/fuzz/")
}

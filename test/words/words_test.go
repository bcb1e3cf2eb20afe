package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/internal/testenv/missing"
)

// broken has for each rule lines of a Go file that break it.
var broken = map[string][]string{
	"tells whether":         {"// isOpen tells whether it is open.", "x := `a flag telling whether`"},
	"X gives Y":             {"// listKeys gives the keys.", "\t// Get gives the value."},
	"X tells Y":             {"// ErrorCode tells why."},
	"is no X":               {"// what is no config", "func TestWhatIsNoConfig(t *testing.T) {}", "// they are no config"},
	"anew":                  {"// begins anew."},
	"for want of":           {"// for want of a right"},
	"in vain":               {"made, inVain int"},
	"whoever":               {"// Whoever asks waits.", "func TestWhoeverAsksWaits(t *testing.T) {}"},
	"one that":              {"// One that is wrong is refused.", "// Refused. One who asks waits."},
	"be had":                {"// It could not be had."},
	"what there is":         {"// signal has what there is to do done."},
	"told of":               {"// is told of it", "// families tell of a leader"},
	"hears of":              {"// it hears of nothing", "// the last heard of"},
	"begin":                 {"// at the begin of a term"},
	"needs not":             {"// It needs not wait."},
	"texts":                 {"values []string // texts by path"},
	"text setting":          {"// a text setting", "x := textFlag()"},
	"for one goroutine":     {"// It is for one goroutine."},
	"may be called often":   {"// It may be called often."},
	"worlds":                {"type world struct{}", "// Worlds are many."},
	"plays":                 {"play(t)", "// rounds are played"},
	"there is none":         {`errors.New("there is none")`},
	"is there twice":        {`errors.New("the key is there twice")`},
	"nobody was to be told": {"// nobody was to be told anything"},
	"of a moment":           {"// electorSet is the SDK keys of a moment.", "// It never changes: there comes another."},
	"goes round":            {"// by when the loop goes round again"},
	"lets those go":         {"// back lets those go that waited"},
	"lead astray":           {"// must not lead astray"},
	"is nothing: it":        {"// is nothing: it is written over"},
	"who has no connection": {"// Who has no connection does not read."},
	"what is forged":        {"// What is forged makes no command."},
	"what was goes on":      {"// is refused, and what was goes on"},
	"out of nothing":        {"// No flags out of nothing."},
	"nobody saw":            {"// No order that nobody saw."},
	"Leading.":              {`log.Info("Leading.")`, `log.Info("Not leading any more.")`},
	"does not give":         {`log.Warn("Redis does not give the config")`},
	"LockExpiry":            {"t.LockExpiry = 1", "x := `lock_expiry`", "// --timings-lock-expiry"},
	"StopActing":            {"t.StopActing = 1", "x := `STOP_ACTING`"},
	"Renewal":               {"t.Renewal = 1"},
	"Retry":                 {"t.Retry = 1"},
	"timings.renewal":       {"// timings.renewal", "x := `timings-retry`", "// $CATBRIDGE_TIMINGS_RETRY is"},
	"keeper":                {"type keeperSet struct{}", "// SDKKeeper"},
	"touch":                 {"s.Touches++", "// leader/touch.lua", "x := `catbridge_leader_touches_total`", "// a touch"},
	"mend":                  {"t.mend()", "// recommits", "x.askFirst()"},
	"heal":                  {"s.Heals++"},
	"restore":               {"t.restore()"},
	"fellBack":              {"x.fellBack()"},
	"spoiled":               {"// a spoilt blob", "type spoiled struct{}"},
	"doubted":               {"s.doubted++"},
	"foreign":               {"x := outcomeForeign", "// FOREIGN"},
	"rule 6":                {"// rule 6 says", "func TestRuleSix(t *testing.T) {}"},
	"deaf":                  {"s.deaf++"},
	"spoke":                 {"s.spoke = now"},
	"heard":                 {"s.heard = now"},
	"told":                  {"type told struct{}"},
	"claimed":               {"type claimed struct{}"},
	"onShort":               {"s.onShort()"},
	"beside":                {"s.beside(ctx)"},
	"turns":                 {"x := newTurns()"},
	"memo":                  {"type memo struct{}"},
	"linger":                {"const linger = 1"},
}

// lawful are lines of a Go file that break no rule.
var lawful = []string{
	"// It reports whether there is no config, and is no longer open.",
	"// That is no more than one, and no reason to wait.",
	"// A heartbeat was heard, as told; it turns, and the claimed rev is one that rises.",
	"// What a method gives, such as a text, is restored. It spoke beside others.",
	"if text, err := returns(untouched, replay, display, memory); err != nil {",
	"t.RetryPeriod, t.RenewInterval = RetryAfter, Renewals",
	"texts := worldReadable // a round trip",
	"// A leader stops acting before the lock's expiry, and falls back.",
	"x := `catbridge_leader_renewals_total`",
	"// timings.renewals, timings.retry_period, --timings-retry-period, CATBRIDGE_TIMINGS_RETRY_PERIOD",
}

func checkLine(line string) []finding {
	// What stands in leader is under all rules.
	return checkFile("leader/a.go", []byte("package a\n\n"+line+"\n"), compileAll(rules))
}

func TestEachRuleFindsWhatBreaksIt(t *testing.T) {
	names := map[string]bool{}
	for _, r := range rules {
		if names[r.name] || r.write == "" || len(broken[r.name]) == 0 {
			t.Errorf("%q: a duplicate, or without a word for what to write, or without an example", r.name)
		}
		names[r.name] = true
		for _, line := range broken[r.name] {
			found := slices.DeleteFunc(checkLine(line), func(f finding) bool { return f.rule != r.name })
			if len(found) != 1 || found[0].line != 3 || found[0].text != line || found[0].write != r.write || found[0].match == "" {
				t.Errorf("%q: %q is found as %+v", r.name, line, found)
			}
		}
	}
	for name := range broken {
		if !names[name] {
			t.Errorf("there is no rule %q", name)
		}
	}
}

func TestLawfulWordsAreNotFound(t *testing.T) {
	for _, line := range lawful {
		if found := checkLine(line); len(found) > 0 {
			t.Errorf("%q: %q by %q", line, found[0].match, found[0].rule)
		}
	}
}

// found runs the rules on files, and returns the findings as they are printed.
func found(t *testing.T, exceptions []exception, files map[string]string) []string {
	t.Helper()
	fsys := fstest.MapFS{}
	var names []string
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
		names = append(names, name)
	}
	slices.Sort(names)
	findings, err := check(fsys, names, rules, exceptions)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	return lines
}

func wantFound(t *testing.T, exceptions []exception, files map[string]string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, found(t, exceptions, files)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

func TestAFindingNamesFileLineAndWhatToWrite(t *testing.T) {
	wantFound(t, nil, map[string]string{
		"README.md":  "# Title\n\nSend it to\nwhoever asks.\n",
		"docs/ok.md": "Send it to the caller.\n",
	}, "README.md:4: \"whoever\": write \"the caller\", \"the client\": name who it is\n\twhoever asks.")
}

func TestAPhraseIsFoundAcrossLines(t *testing.T) {
	const write = ": write \"reports whether\"\n\t"
	wantFound(t, nil, map[string]string{
		"a.go":     "package a\n\n\t// Is is true, and tells\n\t// whether it is.\n",
		"a.lua":    "-- This tells\n-- whether.\n",
		"a.md":     "* It tells\n  whether.\n",
		"a.yaml":   "a: 1\n# It tells\n# whether.\n",
		"b.go":     "package b\n\n// And it tells\n\n// whether.\n", // two comments
		"b.md":     "It tells\n\nwhether.\n",
		"Makefile": "# It tells\n# whether.\n",
	},
		"Makefile:1: \"tells whether\""+write+"# It tells",
		"a.go:3: \"tells whether\""+write+"// Is is true, and tells",
		"a.lua:1: \"tells whether\""+write+"-- This tells",
		"a.md:1: \"tells whether\""+write+"* It tells",
		"a.yaml:2: \"tells whether\""+write+"# It tells",
	)
}

func TestNamesOfFilesAreChecked(t *testing.T) {
	wantFound(t, nil, map[string]string{"leader/touch.lua": "", "test/world_test.go": "package test\n"},
		`leader/touch.lua: the file's name: "touch": write "renew"`,
		`test/world_test.go: the file's name: "world": write "environment"`)
}

func TestDocCommentVerbsAreFoundAtTheStartAlone(t *testing.T) {
	wantFound(t, nil, map[string]string{"a.go": "package a\n\n// Get returns what\n// Redis gives to it.\n\nvar x = `// Get gives`\n"})
}

func TestWhatNobodyWroteIsSkipped(t *testing.T) {
	wantFound(t, nil, map[string]string{"go.sum": "anew\n", "docs/bench/a.svg": "anew\n", "docs/bench/results.json": "anew\n"})
}

func TestExceptions(t *testing.T) {
	files := map[string]string{"a.md": "Begin anew.\n\nAnew, whoever.\n", "b/c.md": "In vain.\n"}
	wantFound(t, []exception{
		{"a.md", "anew", "Begin", "one line"},
		{"a.md", "whoever", "", "a file"},
		{"b", "", "", "a folder"},
	}, files, "a.md:3: \"Anew\": write \"again\"\n\tAnew, whoever.")
}

func TestAnExceptionThatIsNotNeededIsAFinding(t *testing.T) {
	wantFound(t, []exception{
		{"a.md", "anew", "", "needed"},
		{"a.md", "anew", "never written", "the line is gone"},
		{"a.md", "whoever", "", "the word is gone"},
		{"gone.md", "anew", "", "the file is gone"},
	}, map[string]string{"a.md": "anew\n"},
		`a.md: the exception from "anew" (never written) is not needed: remove it from test/words/exceptions.go`,
		`a.md: the exception from "whoever" (the whole file) is not needed: remove it from test/words/exceptions.go`,
		`gone.md: the exception from "anew" (the whole file) is not needed: remove it from test/words/exceptions.go`)
}

func TestExceptionsNameTheirRuleAndReason(t *testing.T) {
	for _, e := range exceptions {
		if e.rule != "" && !slices.ContainsFunc(rules, func(r rule) bool { return r.name == e.rule }) {
			t.Errorf("%s: there is no rule %q", e.file, e.rule)
		}
		if e.file == "" || e.reason == "" {
			t.Errorf("%+v has no file or no reason", e)
		}
	}
}

// TestRun: without paths all files are checked; with paths only these, and the exceptions
// of other files are not looked at.
func TestRun(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		missing.Skip(t, "git is missing (%v)", err)
	}
	root := t.TempDir()
	for name, content := range map[string]string{
		".gitignore": "ignored\n", "ignored": "anew\n", "a/a.md": "anew\n", "b/b.md": "anew\n", "b/new.md": "whoever\n", "b/deleted.md": "",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "a", "b/b.md", "b/deleted.md"}} {
		if _, err := git(root, args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(root, "b/deleted.md")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(root, "b"))
	for _, test := range []struct {
		paths []string
		want  string
	}{
		{nil, "a/a.md b/b.md b/new.md unneeded"},
		{[]string{"."}, "b/b.md b/new.md"},
		{[]string{"b.md"}, "b/b.md"},
		{[]string{".."}, "a/a.md b/b.md b/new.md unneeded"},
		{[]string{"../a", "b.md"}, "a/a.md b/b.md"},
	} {
		findings, err := run(rules, []exception{{"unneeded", "anew", "", "none"}}, test.paths)
		if err != nil {
			t.Fatalf("%q: %v", test.paths, err)
		}
		var files []string
		for _, f := range findings {
			files = append(files, f.file)
		}
		if got := strings.Join(files, " "); got != test.want {
			t.Errorf("%q: findings in %s, want %s", test.paths, got, test.want)
		}
	}
	for _, bad := range []string{"absent", "../..", root} {
		if _, err := run(rules, nil, []string{bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

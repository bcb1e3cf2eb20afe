package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const events = `{"Action":"start","Package":"p"}
no event
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: a passing test says this\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1.5}
{"Action":"output","Package":"p","Test":"TestB/x","Output":"=== RUN   TestB/x\n"}
{"Action":"output","Package":"p","Test":"TestB/x","Output":"    time=10:00 level=INFO msg=\"a log\"\n"}
{"Action":"output","Package":"p","Test":"TestB/x","Output":"        b_test.go:12: 3, want 4\n"}
{"Action":"fail","Package":"p","Test":"TestB/x","Elapsed":2}
{"Action":"fail","Package":"p","Test":"TestB","Elapsed":2.25}
{"Action":"output","Package":"q","Test":"TestD","Output":"panic: index out of range\n"}
{"Action":"output","Package":"q","Output":"panic: of no test\n"}
{"Action":"fail","Package":"p","Elapsed":4}
{"Action":"fail","Package":"q","Elapsed":4}
{"ImportPath":"r [r.test]","Action":"build-output","Output":"# r [r.test]\n"}
{"ImportPath":"r [r.test]","Action":"build-output","Output":"r/d_test.go:3:27: undefined: x\n"}
{"ImportPath":"r [r.test]","Action":"build-fail"}
{"Action":"fail","Package":"r","Elapsed":0,"FailedBuild":"r [r.test]"}
{"Action":"output","Package":"s","Test":"TestE","Output":"fatal error: concurrent map writes\n"}
{"Action":"output","Package":"s","Output":"goleak: Errors on successful test run: found unexpected goroutines:\n"}
{"Action":"fail","Package":"s","Elapsed":0}
`

func TestSummaryHasTheSlowestTestsAndTheMessagesOfFailures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tests.json")
	if err := os.WriteFile(path, []byte(events), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	other := filepath.Join(t.TempDir(), "other.json")
	if err := os.WriteFile(other, []byte(`{"Action":"pass","Package":"a","Test":"TestC","Elapsed":3}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(&out, []string{path, other}, 2); err != nil {
		t.Fatal(err)
	}
	const want = `==> the slowest of 5 tests
    3.0 s  a TestC
    2.2 s  p TestB
==> what failed
p
p TestB
p TestB/x
    b_test.go:12: 3, want 4
q
    panic: of no test
q TestD
    panic: index out of range
r
    r/d_test.go:3:27: undefined: x
s
    goleak: Errors on successful test run: found unexpected goroutines:
s TestE
    fatal error: concurrent map writes
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSummaryOfAPassingRunNamesNoFailure(t *testing.T) {
	all, err := read(strings.NewReader(`{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1}`))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	all.write(&out, 10)
	if strings.Contains(out.String(), "failed") {
		t.Error(out.String())
	}
}

func TestSummaryNeedsFiles(t *testing.T) {
	for _, args := range [][]string{nil, {filepath.Join(t.TempDir(), "none.json")}} {
		if err := run(&strings.Builder{}, args, 10); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

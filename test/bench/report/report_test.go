package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/test/bench"
)

// measured returns results of some suites, in which the bridge takes twice as long as the floor.
func measured() *bench.Results {
	r := &bench.Results{Plan: "quick"}
	for _, followers := range []string{"1", "100", "1000"} {
		c := in("followers", followers, "bytes", "10240")
		for _, metric := range []string{"p50", "p99", "last", "redis-cpu"} {
			for _, run := range []float64{1, 2, 1.5} {
				r.Add("propagation", c.With("via", "bridge"), metric, "ms", 2*run)
				r.Add("propagation", c.With("via", "floor"), metric, "ms", run)
			}
		}
	}
	r.Add("evaluation", nil, "floor", "ns", 6)
	r.Add("evaluation", nil, "text", "ns", 29)
	r.Add("evaluation", nil, "bool", "ns", 31)
	return r
}

// Goals are ratios to a floor of the same run.
func TestGoalsAreRatiosToTheFloor(t *testing.T) {
	r := measured()
	r.Add("evaluation", nil, "text-no-user", "ns", 8)
	r.Add("evaluation", nil, "all-values", "ns", 1200)
	r.Add("evaluation", nil, "floor-all-values", "ns", 500)
	change := in("followers", "1000", "edit", "one flag", "patches", "yes", "window", "no")
	r.Add("patches", change.With("bytes", "10240"), "last", "ms", 10)
	r.Add("patches", change.With("bytes", "1048576"), "last", "ms", 31)
	r.Add("patches", change.With("bytes", "1048576"), "redis-out-follower", "B", 500)
	change = change.With("followers", "5000")
	r.Add("patches", change.With("bytes", "10240"), "redis-memory-peak", "B", 300e6)
	r.Add("patches", change.With("bytes", "1048576"), "redis-memory-peak", "B", 340e6)
	memory := in("bytes", "1048576")
	r.Add("memory", memory, "heap", "B", 5e6)
	r.Add("memory", memory, "edited-heap", "B", 6e6)
	r.Add("memory", memory, "edits", "1", 1000)
	files, err := pages(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"no user ÷ (an atomic load + a map look-up) | ≤ 1.5 × | 1.33 × | yes |",
		"filling a map of 16 | ≤ 2 × | 2.4 × | **no** |",
		"to each of 1,000 followers | ≤ 1 KB | 500 B | yes |",
		"÷ that of a 10 KB config | ≤ 3 × | 3.1 × | **no** |",
		"above that of a 10 KB config | ≤ 50 MB | 40 MB | yes |",
		"after 1,000 edits ÷ before | ≤ 1.1 × | 1.2 × | **no** |",
		"of one of 1 MB after 1,000 edits of different flags",
	} {
		if page := string(files["performance.md"]); !strings.Contains(page, want) {
			t.Errorf("the page lacks %s\n%.4000s", want, page)
		}
	}
}

func TestPagesMarkFiguresThatWereNotMeasured(t *testing.T) {
	files, err := pages(measured())
	if err != nil {
		t.Fatal(err)
	}
	page := string(files["performance.md"])
	for _, want := range []string{
		"user built before ÷ the same | ≤ 5 × | 4.83 × | yes |",
		"`GetBoolValue` with rules ÷ the same | ≤ 5 × | 5.17 × | **no** |",
		"| `GetBoolValueDetails`: allocations | ≤ 0 | not measured |  |",
		"| webhook to the last of 1000 followers, 10 KB ÷ floor | ≤ 1.3 × | 2 × | **no** |",
		"| 10 KB | 1,000 | 3 ms (2–4) |",
		"| until the last of 5,000 followers does | not measured |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s\n%s", want, page)
		}
	}
	if strings.Contains(page+string(files["scale.md"]), "NaN") {
		t.Error("a figure that was not measured is NaN")
	}
}

func TestPlotsAreXML(t *testing.T) {
	files, err := pages(measured())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bench/propagation.svg", "bench/evaluation.svg"} {
		if len(files[name]) == 0 {
			t.Errorf("missing %s", name)
		}
		for d := xml.NewDecoder(bytes.NewReader(files[name])); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}

func TestReportIsWrittenFromAFileOfResults(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "results.json")
	if err := run(path, dir); err == nil {
		t.Error("a report of nothing")
	}
	if err := measured().Save(path); err != nil {
		t.Fatal(err)
	}
	if err := run(path, dir); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join(dir, "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := bench.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := pages(loaded)
	if err != nil || !bytes.Equal(first, again["performance.md"]) {
		t.Errorf("another page from the same results: %v", err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(path, dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("corrupt results: %v", err)
	}
}

func TestNumbersAreReadable(t *testing.T) {
	for want, f := range map[string]figure{
		"1.23 ms":         {1.234, 1.234, 1.234, "ms"},
		"12.3 ms (12–13)": {12.34, 12, 13, "ms"},
		"1,234,567/s":     {1234567, 1234567, 1234567, "1/s"},
		"1.5 MB":          {1.5e6, 1, 2e6, "B"},
		"0":               {0, 0, 0, "1"},
		"0.045 %":         {0.045, 0.045, 0.045, "%"},
		"100 ms":          {100, 100, 100, "ms"},
		unmeasured:        get(&bench.Results{}, "x", nil, "y"),
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

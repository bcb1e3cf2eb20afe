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
	r.Add("evaluation", nil, "text", "ns", 79)
	r.Add("evaluation", nil, "bool", "ns", 61)
	return r
}

// The goals of evaluation were set on a machine that fills a map of 16 in 490 ns.
func TestEvaluationGoalsAreScaledToThisMachine(t *testing.T) {
	r := measured()
	r.Add("evaluation", nil, "floor-all-values", "ns", 735)
	r.Add("compile", bench.Labels{"bytes": "1048576"}, "compile", "MB/s", 40)
	files, err := pages(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| `GetBoolValue` | ≤ 60 ns × 1.50 | 61 ns | yes |",
		"| compiling 1 MB | ≥ 50 MB/s × 0.67 | 40 MB/s | yes |",
	} {
		if page := string(files["performance.md"]); !strings.Contains(page, want) {
			t.Errorf("the page lacks %s\n%.3000s", want, page)
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
		"| `GetStringValue`, user built before | ≤ 80 ns | 79 ns | yes |",
		"| `GetBoolValue` | ≤ 60 ns | 61 ns | **no** |",
		"| `GetBoolValueDetails` | ≤ 80 ns | not measured |  |",
		"| webhook to the last of 1000 followers ÷ floor | ≤ 1.3 × | 2 × | **no** |",
		"| 10 KB | 1,000 | 3 ms (2–4) |",
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

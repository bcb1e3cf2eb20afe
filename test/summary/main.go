// Command summary prints what matters of a long run of tests: the slowest tests, and the
// messages of those that failed, without the logs around them. A log that is cut at the
// front still has them.
//
//	go run ./test/summary [-slowest 10] bin/tests/*.json
//
// The files are the output of go test -json.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	slowest := flag.Int("slowest", 10, "how many of the slowest tests are printed")
	flag.Parse()
	if err := run(os.Stdout, flag.Args(), *slowest); err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(2)
	}
}

func run(w io.Writer, args []string, slowest int) error {
	if len(args) == 0 {
		return errors.New("no arguments, want the paths of files with the output of go test -json")
	}
	var all results
	for _, path := range args {
		tests, err := readFile(path)
		if err != nil {
			return err
		}
		all = append(all, tests...)
	}
	all.write(w, slowest)
	return nil
}

func readFile(path string) (results, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	tests, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tests, nil
}

// test is a test, or a whole package if it has no name.
type test struct {
	pkg, name string
	took      time.Duration
	ended     bool
	passed    bool
	messages  []string
}

// failed reports whether the test failed. A test that panics does not end, and neither do those
// that run at the same time.
func (t *test) failed() bool { return t.ended && !t.passed || !t.ended && len(t.messages) > 0 }

func (t *test) String() string { return strings.TrimSpace(t.pkg + " " + t.name) }

type results []*test

// read reads the events of go test -json. Other lines are skipped.
func read(r io.Reader) (results, error) {
	var all results
	known := map[[2]string]*test{}
	builds := map[string][]string{} // the lines of the compiler
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		var event struct {
			Action, Package, Test, Output string
			ImportPath                    string  // of what the compiler reports on
			FailedBuild                   string  // the ImportPath because of which a package failed
			Elapsed                       float64 // seconds
		}
		if json.Unmarshal(line, &event) != nil {
			event.Action = "" // no event
		}
		switch event.Action {
		case "", "build-fail":
		case "build-output":
			builds[event.ImportPath] = append(builds[event.ImportPath], event.Output)
		default:
			id := [2]string{event.Package, event.Test}
			t := known[id]
			if t == nil {
				t = &test{pkg: event.Package, name: event.Test}
				known[id], all = t, append(all, t)
			}
			switch event.Action {
			case "output":
				t.output(event.Output)
			case "pass", "skip", "fail":
				t.took = time.Duration(event.Elapsed * float64(time.Second))
				t.ended, t.passed = true, event.Action != "fail"
				for _, line := range builds[event.FailedBuild] {
					t.output(line)
				}
			}
		}
		if err == io.EOF {
			return all, nil
		}
	}
}

const (
	mostMessages = 10  // of a test
	mostBytes    = 400 // of a message
)

// message matches a message of a test or of the compiler, and what the runtime, the race detector and
// goleak print.
var message = regexp.MustCompile(`^\s*[\w./-]+\.go:\d+:(\d+:)? |^panic: |^fatal error: |^WARNING: DATA RACE|^goleak: `)

// output keeps the messages of a test, a line each.
func (t *test) output(line string) {
	if len(t.messages) < mostMessages && message.MatchString(line) {
		line = strings.TrimSpace(line)
		if len(line) > mostBytes {
			line = strings.ToValidUTF8(line[:mostBytes], "") + " …"
		}
		t.messages = append(t.messages, line)
	}
}

func (r results) write(w io.Writer, slowest int) {
	slices.SortStableFunc(r, func(a, b *test) int { return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.name, b.name)) })
	tops := slices.DeleteFunc(slices.Clone(r), func(t *test) bool { return t.name == "" || strings.Contains(t.name, "/") })
	slices.SortStableFunc(tops, func(a, b *test) int { return cmp.Compare(b.took, a.took) })
	fmt.Fprintf(w, "==> the slowest of %d tests\n", len(tops))
	for _, t := range tops[:min(slowest, len(tops))] {
		fmt.Fprintf(w, "%7.1f s  %s\n", t.took.Seconds(), t)
	}
	failed := slices.DeleteFunc(slices.Clone(r), func(t *test) bool { return !t.failed() })
	if len(failed) == 0 {
		return
	}
	fmt.Fprintln(w, "==> what failed")
	for _, t := range failed {
		fmt.Fprintln(w, t)
		for _, m := range t.messages {
			fmt.Fprintln(w, "    "+m)
		}
	}
}

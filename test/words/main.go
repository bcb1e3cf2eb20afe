// Command words finds the words and phrases that this project does not use, and says what
// to write instead. The rules are in rules.go, what is excepted from them in exceptions.go.
//
//	go run ./test/words [-count] [file or folder ...]
//
// Without arguments it reads all files that git tracks, and new ones that git does not
// ignore. It exits with 1 if there are findings, and with 2 if it cannot run.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

func main() {
	count := flag.Bool("count", false, "print only the number of findings per folder and per rule")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./test/words [-count] [file or folder ...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	findings, err := run(rules, exceptions, flag.Args())
	if err != nil {
		fmt.Fprintf(os.Stderr, "words: %v\n", err)
		os.Exit(2)
	}
	if *count {
		printCounts(os.Stdout, findings)
	} else {
		for _, f := range findings {
			fmt.Println(f)
		}
	}
	if len(findings) > 0 {
		fmt.Fprintf(os.Stderr, "words: %d findings\n", len(findings))
		os.Exit(1)
	}
}

// run checks the files at and below the given paths, of the repository that contains the
// current directory; all files if there are no paths. Exceptions for other files are not
// looked at.
func run(rules []rule, exceptions []exception, paths []string) ([]finding, error) {
	root, prefix, err := repository()
	if err != nil {
		return nil, err
	}
	paths = slices.Clone(paths)
	for i, p := range paths {
		paths[i] = path.Join(prefix, filepath.ToSlash(p))
		if filepath.IsAbs(p) || !filepath.IsLocal(paths[i]) {
			return nil, fmt.Errorf("%s: give a path in the repository, relative to the current directory", p)
		}
		if _, err := os.Stat(filepath.Join(root, paths[i])); err != nil {
			return nil, err
		}
	}
	files, err := list(root)
	if err != nil {
		return nil, err
	}
	chosen := func(file string) bool {
		return len(paths) == 0 || slices.ContainsFunc(paths, func(p string) bool { return covers(p, file) })
	}
	return check(os.DirFS(root), slices.DeleteFunc(files, func(file string) bool { return !chosen(file) }), rules,
		slices.DeleteFunc(slices.Clone(exceptions), func(e exception) bool { return !chosen(e.file) }))
}

// repository returns the root of the repository, and the current directory relative to it.
func repository() (root, prefix string, err error) {
	out, err := git("", "rev-parse", "--show-toplevel", "--show-prefix")
	if err != nil {
		return "", "", err
	}
	root, prefix, _ = strings.Cut(out, "\n")
	return root, strings.TrimSpace(prefix), nil
}

// list returns the files of the repository, relative to its root.
func list(root string) ([]string, error) {
	out, err := git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	files := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	slices.Sort(files)
	return slices.Compact(files), nil
}

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return string(out), nil
}

// covers reports whether file is at or below p.
func covers(p, file string) bool {
	return p == "." || p == file || strings.HasPrefix(file, strings.TrimSuffix(p, "/")+"/")
}

// check applies the rules to the files, and returns the findings by file and line. An
// exception that excepts nothing is a finding, too.
func check(fsys fs.FS, files []string, rules []rule, exceptions []exception) ([]finding, error) {
	matchers := compileAll(rules)
	found := make([][]finding, len(files))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, file := range files {
		if skipped(file) {
			continue
		}
		group.Go(func() error {
			data, err := fs.ReadFile(fsys, file)
			if errors.Is(err, fs.ErrNotExist) {
				return nil // deleted, but not yet in git
			}
			found[i] = checkFile(file, data, matchers)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	used := make([]bool, len(exceptions))
	var findings []finding
	for _, f := range slices.Concat(found...) {
		i := slices.IndexFunc(exceptions, func(e exception) bool { return e.excepts(f) })
		if i < 0 {
			findings = append(findings, f)
			continue
		}
		used[i] = true
	}
	for i, e := range exceptions {
		if !used[i] {
			findings = append(findings, finding{file: e.file, rule: e.rule, unused: true, text: e.text})
		}
	}
	slices.SortStableFunc(findings, func(a, b finding) int {
		return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	return findings, nil
}

// A finding is a place where a rule is broken.
type finding struct {
	file   string
	line   int    // from 1; 0: the file's name
	text   string // of the line
	match  string // what the rule found
	rule   string
	write  string // what to write instead
	unused bool   // an exception for file that is not needed
}

func (f finding) String() string {
	switch {
	case f.unused:
		return fmt.Sprintf("%s: the exception from %q (%s) is not needed: remove it from test/words/exceptions.go",
			f.file, f.rule, cmp.Or(f.text, "the whole file"))
	case f.line == 0:
		return fmt.Sprintf("%s: the file's name: %q: write %s", f.file, f.match, f.write)
	}
	return fmt.Sprintf("%s:%d: %q: write %s\n\t%s", f.file, f.line, f.match, f.write, strings.TrimSpace(f.text))
}

func printCounts(w io.Writer, findings []finding) {
	folders, byRule := map[string]int{}, map[string]int{}
	for _, f := range findings {
		folders[path.Dir(f.file)]++
		byRule[f.rule]++
	}
	for _, counts := range []map[string]int{folders, byRule} {
		for _, name := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
			return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
		}) {
			fmt.Fprintf(w, "%6d %s\n", counts[name], name)
		}
		fmt.Fprintln(w)
	}
}

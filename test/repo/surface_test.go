package repo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// surfaceRows are the numbers of the rows of a complete SDK; other numbers are unused.
var surfaceRows = [][2]int{{1, 33}, {35, 38}, {40, 50}, {52, 52}, {60, 66}, {70, 78}, {80, 88}, {90, 98}, {100, 103}}

var (
	surfaceRow  = regexp.MustCompile(`^\| S(\d+) \|([^|]*)\|(.*)\|$`)
	surfaceTest = regexp.MustCompile("`([\\w/]+)\\.((?:Test|Fuzz)\\w*)`")
	openReason  = regexp.MustCompile(`open: \S{2,} \S+`)
)

// TestEveryRowOfTheSDKSurfaceHasATestOrIsOpen reads docs/sdk-surface.md.
func TestEveryRowOfTheSDKSurfaceHasATestOrIsOpen(t *testing.T) {
	page := root.Read(t, "docs/sdk-surface.md")
	tests := map[string]map[string]bool{} // by folder
	exists := func(dir, name string) bool {
		if tests[dir] == nil {
			tests[dir] = testNames(t, dir)
		}
		return tests[dir][name]
	}
	faults, open := surfaceFaults(page, exists)
	for _, fault := range faults {
		t.Error(fault)
	}
	t.Logf("open, wholly or in part: %s", strings.Join(open, ", "))
}

// surfaceFaults returns the faults of a page, and the rows that it calls open.
func surfaceFaults(page string, exists func(dir, test string) bool) (faults, open []string) {
	seen := map[int]bool{}
	for line := range strings.Lines(page) {
		row := surfaceRow.FindStringSubmatch(strings.TrimSpace(line))
		if row == nil {
			continue
		}
		number, _ := strconv.Atoi(row[1]) // digits
		name := "S" + row[1]
		if seen[number] {
			faults = append(faults, name+" is a duplicate")
		}
		seen[number] = true
		named := surfaceTest.FindAllStringSubmatch(row[3], -1)
		for _, test := range named {
			if !exists(test[1], test[2]) {
				faults = append(faults, name+": unknown test "+test[1]+"."+test[2])
			}
		}
		isOpen := openReason.MatchString(row[3])
		if isOpen {
			open = append(open, name)
		}
		if len(named) == 0 && !isOpen {
			faults = append(faults, name+" has neither a test nor a reason why it is open")
		}
	}
	for _, rows := range surfaceRows {
		for number := rows[0]; number <= rows[1]; number++ {
			if !seen[number] {
				faults = append(faults, "S"+strconv.Itoa(number)+" is missing")
			}
			delete(seen, number)
		}
	}
	for number := range seen {
		faults = append(faults, "missing row S"+strconv.Itoa(number))
	}
	return faults, open
}

// testNames returns the tests of the package in dir, fuzz tests included.
func testNames(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(root.Path(t, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

func TestFaultsOfTheSDKSurfaceAreDetected(t *testing.T) {
	var page strings.Builder
	for _, rows := range surfaceRows {
		for number := rows[0]; number <= rows[1]; number++ {
			page.WriteString("| S" + strconv.Itoa(number) + " | x | `dir.TestThere` |\n")
		}
	}
	exists := func(dir, test string) bool { return dir == "dir" && test == "TestThere" }
	if faults, open := surfaceFaults(page.String(), exists); len(faults) != 0 || len(open) != 0 {
		t.Fatalf("a page without faults: %q, open %q", faults, open)
	}
	for what, change := range map[string][2]string{
		"a missing row":     {"| S42 | x | `dir.TestThere` |\n", ""},
		"a row twice":       {"| S42 |", "| S43 |"},
		"an unknown row":    {"| S42 |", "| S51 |"},
		"a test that is no": {"| S42 | x | `dir.TestThere` |", "| S42 | x | `dir.TestGone` |"},
		"no test":           {"| S42 | x | `dir.TestThere` |", "| S42 | x | see above |"},
		"no reason":         {"| S42 | x | `dir.TestThere` |", "| S42 | x | open: |"},
	} {
		if faults, _ := surfaceFaults(strings.Replace(page.String(), change[0], change[1], 1), exists); len(faults) == 0 {
			t.Errorf("%s is not detected", what)
		}
	}
	openRow := strings.Replace(page.String(), "| S42 | x | `dir.TestThere` |", "| S42 | x | open: nothing yet |", 1)
	if faults, open := surfaceFaults(openRow, exists); len(faults) != 0 || len(open) != 1 || open[0] != "S42" {
		t.Errorf("an open row: %q, open %q", faults, open)
	}
}

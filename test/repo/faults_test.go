package repo

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

var (
	faultRow     = regexp.MustCompile(`^\| F(\d+) \|`)
	testOfRow    = regexp.MustCompile(`^TestF(\d\d)_`)
	faultNumbers = func() (all []int) {
		for n := 1; n <= 39; n++ {
			if n != 30 { // F30 never existed
				all = append(all, n)
			}
		}
		all = append(all, 40, 42, 43, 44)
		return all
	}()
)

// TestEveryFaultHasATest reads docs/faults.md.
func TestEveryFaultHasATest(t *testing.T) {
	page := root.Read(t, "docs/faults.md")
	tests := map[string]map[string]bool{} // by folder
	exists := func(dir, name string) bool {
		if tests[dir] == nil {
			tests[dir] = testNames(t, dir)
		}
		return tests[dir][name]
	}
	var named []string
	for _, dir := range []string{"gateway", "test/e2e", "test/interop", "test/servers"} {
		named = append(named, slices.Sorted(maps.Keys(testNames(t, dir)))...)
	}
	for _, fault := range faultsOfPage(page, exists, named) {
		t.Error(fault)
	}
}

// faultsOfPage returns the faults of a page. named are the tests whose names say that they
// belong to a row.
func faultsOfPage(page string, exists func(dir, test string) bool, named []string) (wrong []string) {
	rows := map[int]string{}
	for line := range strings.Lines(page) {
		m := faultRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		number, _ := strconv.Atoi(m[1]) // digits
		if rows[number] != "" || !slices.Contains(faultNumbers, number) {
			wrong = append(wrong, "F"+m[1]+" is a duplicate, or not a valid row")
		}
		rows[number] = line
		tests := surfaceTest.FindAllStringSubmatch(line, -1)
		if len(tests) == 0 {
			wrong = append(wrong, "F"+m[1]+" has no test")
		}
		for _, test := range tests {
			if !exists(test[1], test[2]) {
				wrong = append(wrong, "F"+m[1]+": unknown test "+test[1]+"."+test[2])
			}
		}
	}
	for _, number := range faultNumbers {
		if rows[number] == "" {
			wrong = append(wrong, "F"+strconv.Itoa(number)+" is missing")
		}
	}
	for _, test := range named {
		if m := testOfRow.FindStringSubmatch(test); m != nil {
			number, _ := strconv.Atoi(m[1]) // digits
			if !strings.Contains(rows[number], "."+test+"`") {
				wrong = append(wrong, "F"+strconv.Itoa(number)+" does not name "+test)
			}
		}
	}
	return wrong
}

func TestFaultsOfTheFaultPageAreDetected(t *testing.T) {
	var good strings.Builder
	for _, number := range faultNumbers {
		good.WriteString("| F" + strconv.Itoa(number) + " | x | `dir.TestThere` |\n")
	}
	exists := func(dir, test string) bool { return dir == "dir" && test == "TestThere" }
	if wrong := faultsOfPage(good.String(), exists, []string{"TestOther"}); len(wrong) != 0 {
		t.Fatalf("a page without faults: %q", wrong)
	}
	for what, change := range map[string][2]string{
		"a missing row":     {"| F12 | x | `dir.TestThere` |\n", ""},
		"a row twice":       {"| F12 |", "| F13 |"},
		"an unknown row":    {"| F12 |", "| F30 |"},
		"a test that is no": {"| F12 | x | `dir.TestThere`", "| F12 | x | `dir.TestGone`"},
		"no test":           {"| F12 | x | `dir.TestThere`", "| F12 | x | none"},
	} {
		if len(faultsOfPage(strings.Replace(good.String(), change[0], change[1], 1), exists, nil)) == 0 {
			t.Errorf("%s is not detected", what)
		}
	}
	if len(faultsOfPage(good.String(), exists, []string{"TestF12_Forgotten"})) == 0 {
		t.Error("a test that no row names is not detected")
	}
}

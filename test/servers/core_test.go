package servers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

const root = "../.."

// core must hold on every server: the tests in these files, the rows F1, F2, F9, F16, F17,
// F23 and F24, and the tests of the harness. All run on real processes.
var (
	coreFiles = []string{
		"leader/internal/script/store_test.go", "leader/internal/script/store_damage_test.go", "leader/internal/script/store_patches_test.go", "leader/internal/script/history_test.go", "history/history_test.go", "leader/internal/script/batch_real_test.go",
		"leader/elector_rights_test.go", "internal/acl/leader_test.go", "internal/acl/follower_test.go",
		"follower/real_test.go", "follower/fleet_real_test.go",
		"test/e2e/acl_test.go", "internal/testenv/redistest/redistest_test.go", "internal/testenv/redistest/topology_test.go",
	}
	coreRows = "TestF(01|02|09|16|17|23|24)_.*"
	packages = []string{"./history", "./leader", "./leader/internal/script", "./internal/acl", "./follower", "./test/e2e", "./internal/testenv/redistest"}
)

// server is a server program that must pass the core.
type server struct {
	says     string // prefix of its version
	variable string // environment variable for its program
	unpacked string // the path where make install-test-tools puts it; empty: the program is installed
}

func (s server) program() string {
	if named := os.Getenv(s.variable); named != "" {
		return named
	}
	if s.unpacked == "" {
		return redistest.Program
	}
	path, _ := filepath.Abs(filepath.Join(root, s.unpacked))
	return path
}

// F43: all rules of the protocol hold on other servers than Redis 7, too.
func TestF43_CoreHoldsOnEveryServer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some minutes on each of three servers: run make servers, or leave -short out")
	}
	for name, s := range map[string]server{
		"Redis":    {says: "Redis server v=", variable: redistest.ProgramVariable},
		"Redis 8":  {says: "Redis server v=8.", variable: "CATBRIDGE_REDIS8_SERVER", unpacked: "bin/servers/redis8-server"},
		"Valkey 8": {says: "Valkey server v=8.", variable: "CATBRIDGE_VALKEY_SERVER", unpacked: "bin/servers/valkey-server"},
	} {
		t.Run(name, func(t *testing.T) {
			program := s.program()
			if _, err := exec.LookPath(program); err != nil {
				missing.Skip(t, "%s is missing: run make install-test-tools as root on Debian, or name its program by $%s (%v)", name, s.variable, err)
			}
			version, err := redistest.Version(program)
			if err != nil || name != "Redis" && !strings.HasPrefix(version, s.says) {
				t.Fatalf("%s says that it is %q, %v; want %s", program, version, err, s.says)
			}
			r := run(t, program)
			t.Logf("%s: %d tests passed, %d failed, %d skipped", version, r.passed, len(r.failed), r.skipped)
			for _, test := range r.failed {
				t.Errorf("%s\n%s", test, r.output[test])
			}
		})
	}
}

// result is the result of the tests without subtests.
type result struct {
	passed, skipped int
	failed          []string
	output          map[string]string // by test
}

func run(t *testing.T, program string) result {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		missing.Skip(t, "the go command is missing (%v)", err)
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{
		"test", "-json", "-count=1", "-timeout", "15m", "-run", "^(" + strings.Join(coreTests(t), "|") + ")$", "-skip", "/^virtual$",
	}, packages...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), redistest.ProgramVariable+"="+program)
	out, err := cmd.Output()
	r := resultIn(out)
	if err != nil && len(r.failed) == 0 || r.passed == 0 {
		t.Fatalf("go test: %v, %d passed\n%s", err, r.passed, out[max(0, len(out)-4<<10):])
	}
	return r
}

func resultIn(out []byte) result {
	ends := map[string]string{}
	r := result{output: map[string]string{}}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var event struct{ Action, Package, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // output of the build
		}
		test := strings.TrimSpace(event.Package + " " + event.Test)
		switch event.Action {
		case "output":
			r.output[test] += event.Output
		case "pass", "fail", "skip":
			ends[test] = event.Action
		}
	}
	parents := map[string]bool{}
	for test := range ends {
		pkg, name, _ := strings.Cut(test, " ")
		for i := range name {
			if name[i] == '/' {
				parents[pkg+" "+name[:i]] = true
			}
		}
	}
	for _, test := range slices.Sorted(maps.Keys(ends)) {
		ofTest := strings.Contains(test, " ") // and not of a package
		switch end := ends[test]; {
		case end == "fail":
			r.failed = append(r.failed, test)
		case !ofTest || parents[test]:
		case end == "pass":
			r.passed++
		case end == "skip":
			r.skipped++
		}
	}
	return r
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(t `)

// coreTests returns patterns of test names.
func coreTests(t *testing.T) []string {
	t.Helper()
	names := []string{coreRows}
	for _, file := range coreFiles {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunction.FindAllSubmatch(text, -1) {
			if string(m[1]) != "TestMain" {
				names = append(names, string(m[1]))
			}
		}
	}
	return names
}

func TestResultsAreCounted(t *testing.T) {
	var out bytes.Buffer
	for _, event := range [][3]string{
		{"output", "TestA", "text"}, {"pass", "TestA/x", ""}, {"skip", "TestA/y", ""}, {"pass", "TestA", ""},
		{"output", "TestB/x", "it fails"}, {"fail", "TestB/x", ""}, {"fail", "TestB", ""}, {"pass", "TestC", ""}, {"fail", "", ""},
	} {
		fmt.Fprintf(&out, `{"Action":%q,"Package":"p","Test":%q,"Output":%q}`+"\n", event[0], event[1], event[2])
	}
	r := resultIn(out.Bytes())
	if r.passed != 2 || r.skipped != 1 || !slices.Equal(r.failed, []string{"p", "p TestB", "p TestB/x"}) || r.output["p TestB/x"] != "it fails" {
		t.Errorf("%+v", r)
	}
	if len(coreTests(t)) < 30 {
		t.Errorf("the core is %q", coreTests(t))
	}
}

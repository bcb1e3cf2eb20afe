// Package interop tests that every official ConfigCat SDK can read the shared entry: the
// official SDK for Node reads it from a real Redis. The same script shows an entry to
// people, see read.mjs. The package also evaluates random configs with both, see
// [TestDifferential].
package interop

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/internal/testenv/missing"
)

// sdkKey has the form of an SDK key (S3), and cacheKey is the name of its entry, from
// the official SDKs' own tests (S90).
const (
	sdkKey   = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"
	cacheKey = "f83ba5d45bceb4bb704410f51b704fb6dfa19942"
)

// staff is a user whom testdata/flags.json targets.
const staff = `{"Identifier": "12345", "Email": "jane@example.com", "Country": "HU"}`

// reading is what the official SDK reads from the entry.
type reading struct {
	CacheKeys  []string        `json:"cacheKeys"` // that it read from Redis
	CacheState string          `json:"cacheState"`
	FetchTime  int64           `json:"fetchTime"` // Unix milliseconds; 0: none
	Flags      map[string]flag `json:"flags"`
	Errors     []string        `json:"errors"`
	Refresh    *refresh        `json:"refresh"` // nil: not requested
}

type flag struct {
	Value       any    `json:"value"`
	VariationID string `json:"variationId"`
	ErrorCode   int    `json:"errorCode"`
	Error       string `json:"error"`
}

type refresh struct {
	OK        bool `json:"ok"`
	ErrorCode int  `json:"errorCode"`
}

// process answers each line of its standard input with a line on its standard output.
type process struct {
	in     io.Writer
	lines  *bufio.Scanner
	stderr *strings.Builder
}

// startLines starts a process. It ends with the test.
func startLines(t testing.TB, cmd *exec.Cmd) process {
	t.Helper()
	stderr := new(strings.Builder)
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // ended by its standard input, or by the test's context before
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return process{in: in, lines: lines, stderr: stderr}
}

// officialSDK is a process with the official SDK.
type officialSDK struct{ process }

// startSDK starts the official SDK on a Redis. It ends with the test.
func startSDK(t *testing.T, redisURL string, args ...string) *officialSDK {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node(t), append([]string{"read.mjs", "--follow"}, args...)...)
	cmd.Env = append(os.Environ(), "CATBRIDGE_SDK_KEY="+sdkKey, "CATBRIDGE_REDIS_URL="+redisURL)
	return &officialSDK{startLines(t, cmd)}
}

// first returns what the SDK reads at its start.
func (s *officialSDK) first(t *testing.T) reading {
	t.Helper()
	if !s.lines.Scan() {
		t.Fatalf("the official SDK gave no answer: %v\n%s", s.lines.Err(), s.stderr)
	}
	var r reading
	if err := json.Unmarshal(s.lines.Bytes(), &r); err != nil {
		t.Fatalf("the official SDK answered %q: %v", s.lines.Text(), err)
	}
	return r
}

// next returns what the SDK reads now.
func (s *officialSDK) next(t *testing.T) reading {
	t.Helper()
	return s.nextFor(t, "")
}

// nextFor is next for a user in JSON; null: none.
func (s *officialSDK) nextFor(t *testing.T, user string) reading {
	t.Helper()
	if _, err := io.WriteString(s.in, user+"\n"); err != nil {
		t.Fatalf("the official SDK ended: %v\n%s", err, s.stderr)
	}
	return s.first(t)
}

// node returns the program, and ends the test if the program or its packages are missing.
func node(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		missing.Skip(t, "node is missing: install the Debian packages nodejs and npm (%v)", err)
	}
	var wanted struct{ Dependencies map[string]string }
	readJSON(t, "package.json", &wanted)
	for name, version := range wanted.Dependencies {
		file := filepath.Join("node_modules", name, "package.json")
		if _, err := os.Stat(file); err != nil {
			missing.Skip(t, "%s is missing: run npm ci in test/interop (%v)", name, err)
		}
		var have struct{ Version string }
		readJSON(t, file, &have)
		if have.Version != version {
			missing.Skip(t, "%s %s is missing, %s is there: run npm ci in test/interop", name, version, have.Version)
		}
	}
	return path
}

func readJSON(t testing.TB, file string, dst any) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, file), dst); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func readFile(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func requireReading(t *testing.T, have, want reading) {
	t.Helper()
	if diff := cmp.Diff(want, have); diff != "" {
		t.Fatalf("the official SDK read the entry otherwise (-want +have):\n%s", diff)
	}
}

// flagsOfStaff returns the evaluations of testdata/flags.json for the user staff.
func flagsOfStaff() map[string]flag {
	return map[string]flag{
		"newCheckout":  {Value: true, VariationID: "nc-on"},
		"greeting":     {Value: "Szia, világ", VariationID: "gr-hu"},
		"itemsPerPage": {Value: 50.0, VariationID: "ip-50"},
		"discount":     {Value: 0.15, VariationID: "di-15"},
	}
}

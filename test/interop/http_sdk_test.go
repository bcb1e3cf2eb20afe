package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// httpReading is what an official SDK has from an HTTP server.
type httpReading struct {
	Changed bool            `json:"changed"` // the SDK received another config
	At      int64           `json:"at"`      // Unix milliseconds
	Flags   map[string]flag `json:"flags"`
	Errors  []string        `json:"errors"`
}

// version returns the value of the flag with the config's version; 0: there is none.
func (r httpReading) version() float64 {
	version, _ := r.Flags[fakecdn.VersionFlag].Value.(float64)
	return version
}

// httpSDK is an official SDK that reads from an HTTP server: in Node, or in a page of a browser.
type httpSDK struct {
	name string
	last float64 // version that it received

	write func(line string) error
	next  func() ([]byte, error) // the next line that it prints
}

// fetchers are the ways in which the SDK for Node makes requests.
var fetchers = []string{"node", "undici", "browser"}

// startHTTPSDK starts the official SDK for Node on a base URL. It ends with the test.
func startHTTPSDK(t testing.TB, baseURL string, args ...string) *httpSDK {
	t.Helper()
	return startHTTPSDKAs(t, sdkKey, baseURL, args...)
}

// startHTTPSDKAs is [startHTTPSDK] with another SDK key.
func startHTTPSDKAs(t testing.TB, key, baseURL string, args ...string) *httpSDK {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node(t), append([]string{"serve.mjs", "--base-url", baseURL}, args...)...)
	cmd.Env = append(os.Environ(), "CATBRIDGE_SDK_KEY="+key)
	return nodeSDK(startLines(t, cmd))
}

// nodeSDK returns the SDK that a process in Node runs.
func nodeSDK(p process) *httpSDK {
	return &httpSDK{
		write: func(line string) error {
			_, err := io.WriteString(p.in, line+"\n")
			return err
		},
		next: func() ([]byte, error) {
			if !p.lines.Scan() {
				return nil, fmt.Errorf("the process ended: %v\n%s", p.lines.Err(), p.stderr)
			}
			return p.lines.Bytes(), nil
		},
	}
}

// ask returns what the SDK has for a user, whose attributes are JSON; empty: none.
func (s *httpSDK) ask(t *testing.T, user string) httpReading {
	t.Helper()
	if err := s.write(user); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return s.read(t)
}

func (s *httpSDK) read(t testing.TB) httpReading {
	t.Helper()
	line, err := s.next()
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	var r httpReading
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%s printed %q: %v", s.name, line, err)
	}
	return r
}

// receive waits until the SDK has received that version. It must never receive an older one.
func (s *httpSDK) receive(t *testing.T, version int64, since time.Time) {
	t.Helper()
	for s.last != float64(version) {
		r := s.read(t)
		if len(r.Errors) > 0 {
			t.Logf("%s: %q", s.name, r.Errors)
		}
		have := r.version()
		if !r.Changed || have < s.last {
			t.Fatalf("%s: had version %v and printed %+v", s.name, s.last, r)
		}
		s.last = have
		t.Logf("%s: version %v after %v", s.name, have, time.UnixMilli(r.At).Sub(since).Round(time.Millisecond))
	}
}

// group is official SDKs that all read the same config.
type group []*httpSDK

// add adds one under a name.
func (g *group) add(name string, sdk *httpSDK) {
	sdk.name = name
	*g = append(*g, sdk)
}

// receive waits until all have received that version.
func (g group) receive(t *testing.T, version int64) {
	t.Helper()
	since := time.Now()
	for _, sdk := range g {
		sdk.receive(t, version, since)
	}
}

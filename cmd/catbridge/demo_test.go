package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/goleak"
)

// transcript stores the output of a command, and lets a test wait for text in it.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
	seen int // the end of the previous match
	more chan struct{}
}

func newTranscript() *transcript { return &transcript{more: make(chan struct{}, 1)} }

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(p)
	select {
	case t.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// expect waits for text that matches after the previous match, and returns it.
func (t *transcript) expect(tb testing.TB, pattern string) string {
	tb.Helper()
	expression := regexp.MustCompile(pattern)
	late := time.After(time.Minute)
	for {
		t.mu.Lock()
		rest := t.text.String()[t.seen:]
		if at := expression.FindStringIndex(rest); at != nil {
			t.seen += at[1]
			t.mu.Unlock()
			return rest[at[0]:at[1]]
		}
		t.mu.Unlock()
		select {
		case <-t.more:
		case <-late:
			tb.Fatalf("%q does not come; the output is\n%s", pattern, t)
		}
	}
}

// peek waits for text as expect does, and leaves it for the next match.
func (t *transcript) peek(tb testing.TB, pattern string) string {
	tb.Helper()
	t.mu.Lock()
	seen := t.seen
	t.mu.Unlock()
	found := t.expect(tb, pattern)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = seen
	return found
}

// session is a command that runs in this process.
type session struct {
	out, err *transcript
	in       *io.PipeWriter
	cancel   context.CancelFunc
	code     chan int
}

func startSession(t *testing.T, args ...string) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	s := &session{out: newTranscript(), err: newTranscript(), in: out, cancel: cancel, code: make(chan int, 1)}
	go func() { s.code <- run(ctx, args, in, s.out, s.err) }()
	t.Cleanup(cancel)
	return s
}

func (s *session) typeLine(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// end waits for the command's end.
func (s *session) end(t *testing.T, want int) {
	t.Helper()
	if code := <-s.code; code != want {
		t.Errorf("exit code %d, want %d\n%s%s", code, want, s.out, s.err)
	}
	s.in.Close()
}

func startDemo(t *testing.T, args ...string) *session {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	return startSession(t, append([]string{"demo"}, args...)...)
}

// TestTheDemoShowsEditsAndSurvivesAKill tries what the demo suggests.
func TestTheDemoShowsEditsAndSurvivesAKill(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := startDemo(t)
	s.out.expect(t, `leader-[12] leads\n`)
	s.out.expect(t, `flag +ann +ben +nobody\n(.*\n)*newCheckout +true +(true|false) +false\n`)
	s.out.expect(t, `all 3 followers have these values\nann: +plan pro, United Kingdom, @acme.example\n`)
	s.out.expect(t, `What to try next`)
	base := regexp.MustCompile(`base URL (http://127\.0\.0\.1:\d+), SDK key configcat-proxy/demo\n`).FindStringSubmatch(s.out.peek(t, `base URL .*\n`))
	if base == nil {
		t.Fatal("there is no base URL")
	}
	etag := sdkAnswer(t, base[1], "", `"Willkommen!"`)
	path := strings.TrimPrefix(strings.TrimSpace(s.out.expect(t, `Edit     .*\n`)), "Edit     ")

	edit := func(old, replacement string) {
		t.Helper()
		config, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		edited := strings.Replace(string(config), old, replacement, 1)
		if edited == string(config) {
			t.Fatalf("%q is not in the config", old)
		}
		if err := os.WriteFile(path+"~", []byte(edited), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+"~", path); err != nil {
			t.Fatal(err)
		}
	}
	edit(`"Willkommen!"`, `"Servus!"`)
	s.out.expect(t, `the config changed\n +welcomeText: "Willkommen!" → "Servus!"  for ben\n`+
		` +reached follower-1 in [0-9.]+ m?s, follower-2 in [0-9.]+ m?s, follower-3 in [0-9.]+ m?s\n`)
	sdkAnswer(t, base[1], etag, `"Servus!"`)
	edit(`"p": 30`, `"p": 40`)
	edit(`"p": 70`, `"p": 60`)
	s.out.expect(t, `newCheckout: other rules, but the same values for these users\n`)
	edit(`"f": {`, `"f": {,`)
	s.out.expect(t, `the new version is invalid; the last valid one stays in effect\n +.*config\.json: line \d+, column \d+: invalid JSON`)
	edit(`"f": {,`, `"f": {`)
	s.out.expect(t, `the file is valid again\n`)

	s.typeLine(t, "k")
	s.out.expect(t, `leader-[12] was killed`)
	edit(`"Servus!"`, `"Moin!"`)
	s.out.expect(t, `the CDN serves new content, but there is no leader`)
	s.out.expect(t, `leader-[12] leads, [0-9.]+ s after the kill`)
	s.out.expect(t, `welcomeText: "Servus!" → "Moin!"  for ben\n`)
	s.typeLine(t, "kill") // only the first letter counts
	s.out.expect(t, `leader-[12] is back`)
	s.typeLine(t, "x")
	s.out.expect(t, `unknown command`)
	s.typeLine(t, "t")
	s.out.expect(t, `welcomeText +"Welcome!" +"Moin!" +"Welcome!"\n`)
	s.typeLine(t, "v")
	s.out.expect(t, `history says:\n.* welcomeText\n(.*\n)*.*  first\n`)
	s.typeLine(t, "s")
	s.out.expect(t, `read\.mjs:\nimport `)
	s.typeLine(t, "q")
	s.end(t, exitOK)
	if s.err.String() != "" {
		t.Errorf("standard error: %s", s.err)
	}
	if strings.Contains(s.out.String(), "\x1b") {
		t.Error("there are escape sequences in plain output")
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the edited config is gone: %v", err)
	}
}

// What is forced, by a key or from another terminal, is in force while the CDN's config changes.
func TestTheDemoForcesAndWithdraws(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := startDemo(t)
	path := strings.TrimPrefix(strings.TrimSpace(s.out.expect(t, `Edit     .*\n`)), "Edit     ")
	redisURL := regexp.MustCompile(`REDIS_URL=(\S+) `).FindStringSubmatch(s.out.expect(t, `export CATBRIDGE_REDIS_URL=.*\n`))[1]
	t.Setenv("CATBRIDGE_REDIS_URL", redisURL)
	t.Setenv("CATBRIDGE_SDK_KEY", strings.TrimPrefix(strings.TrimSpace(s.out.expect(t, `CATBRIDGE_SDK_KEY=.*\n`)), "CATBRIDGE_SDK_KEY="))
	shown := strings.Fields(s.out.expect(t, `force maintenanceBanner true --for 10m --reason trial\n`))
	edit := func(old, replacement string) {
		t.Helper()
		config, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+"~", []byte(strings.Replace(string(config), old, replacement, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+"~", path); err != nil {
			t.Fatal(err)
		}
	}
	command := func(want string, args ...string) {
		t.Helper()
		other := startSession(t, args...)
		other.end(t, exitOK)
		if !strings.Contains(other.out.String(), want) {
			t.Errorf("%v: %s, want %s", args, other.out, want)
		}
	}

	// the command that the demo prints
	command("done; the leader acted", append(shown, "--yes")...)
	s.out.expect(t, `an operator forced a flag\n +maintenanceBanner: false → true  for all\n +reached 3 followers\n`)
	edit(`"Willkommen!"`, `"Servus!"`)
	s.out.expect(t, `the config changed\n +welcomeText: "Willkommen!" → "Servus!"  for ben\n +reached follower-1 in `)
	command("  force ", "history")

	// The key withdraws what another process forced.
	s.typeLine(t, "f")
	s.out.expect(t, `as an operator: .* unforce maintenanceBanner\n`)
	s.out.expect(t, `an operator withdrew what was in force\n`)
	command("nothing is in force", "controls")

	command("done; the leader acted", "pin", "--for", "10m", "--reason", "trial", "--yes")
	edit(`"Servus!"`, `"Moin!"`)
	s.out.expect(t, `the CDN serves new content; with what is in force, it changes nothing for the followers\n`)
	s.typeLine(t, "f")
	s.out.expect(t, `as an operator: .* unpin\n.* an operator withdrew what was in force\n +welcomeText: "Servus!" → "Moin!"  for ben\n`)

	s.typeLine(t, "f")
	s.out.expect(t, `as an operator: .* force maintenanceBanner (true|false) --for 10m --reason trial\n.* an operator forced a flag\n`)
	s.typeLine(t, "v")
	s.out.expect(t, `history says:\n.*  force +maintenanceBanner\n`)
	s.typeLine(t, "q")
	s.end(t, exitOK)
}

// sdkAnswer requests the config as an official SDK that has the config with the ETag. It returns
// the ETag of the answer, which must contain a text.
func sdkAnswer(t *testing.T, base, etag, part string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/configuration-files/configcat-proxy/demo/config_v6.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("If-None-Match", etag)
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), part) {
		t.Errorf("%s, %v: %s, want %s", res.Status, err, body, part)
	}
	return res.Header.Get("ETag")
}

func TestTheDemoEndsOnASignalAndCleansUp(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := startDemo(t)
	s.out.expect(t, `What to try next`)
	s.in.Close() // the end of the input is not the end of the demo
	s.out.expect(t, `More .*\n`)
	s.cancel()
	s.end(t, exitOK)
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestTheDemoReportsKeysThatItCouldNotDelete(t *testing.T) {
	defer goleak.VerifyNone(t)
	mini := miniredis.NewMiniRedis()
	if err := mini.StartAddr("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer mini.Close()
	mini.Set("any", "thing")
	s := startDemo(t, "--redis", "redis://"+mini.Addr(), "--log-level", "error")
	s.out.expect(t, `Redis redis:.*\n`)
	mini.SetError("LOADING for good")
	s.cancel()
	s.end(t, exitFailure)
	s.err.expect(t, `catbridge demo: the demo's keys could not be deleted from Redis \([0-9a-f]{40} .*LOADING for good\n`)
	mini.SetError("")
}

func TestTheDemoLeavesAGivenRedisAsItWas(t *testing.T) {
	defer goleak.VerifyNone(t)
	mini := miniredis.NewMiniRedis()
	mini.ClockTTL(true)
	if err := mini.StartAddr("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer mini.Close()
	mini.Set("any", "thing")
	s := startDemo(t, "--redis", "redis://"+mini.Addr())
	s.out.expect(t, `What to try next`)
	if keys := mini.Keys(); len(keys) < 4 {
		t.Errorf("keys are %v, want the demo's", keys)
	}
	s.typeLine(t, "q")
	s.end(t, exitOK)
	if keys := mini.Keys(); len(keys) != 1 || keys[0] != "any" {
		t.Errorf("keys are %v, want those from before", keys)
	}
}

func TestACDNServesItsFile(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "config.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"f":{"a":{"t":9}}}`)
	s := startSession(t, "cdn", "--flags", path, "--listen", "127.0.0.1:0", "--log-format", "text")
	s.out.expect(t, `serving .*, base URL http://127\.0\.0\.1:\d+\n`)
	s.err.expect(t, `WRN a flag of the config has errors; followers return its default value error="Setting type is invalid." flag=a`)
	write(`{"f":{}}`)
	s.err.expect(t, `INF serving a new version`)
	write(`{"f":`)
	s.err.expect(t, `ERR the new version is invalid; the last valid one stays in effect error=.*line 1, column 5`)
	write(`{"f":{}}`)
	s.err.expect(t, `INF the file is valid again`)
	s.cancel()
	s.end(t, exitOK)
}

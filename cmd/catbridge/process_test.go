package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// TestTheSecondLeaderServesTheNextChangeAfterAKill runs two leaders and two followers as
// processes on a real redis-server, and kills the leader that leads by SIGKILL.
func TestTheSecondLeaderServesTheNextChangeAfterAKill(t *testing.T) {
	server := redistest.Start(t, "--requirepass", testPassword)
	cdn := localcdn.New(testContent(t, "one"), slog.New(slog.DiscardHandler))
	web := httptest.NewServer(cdn)
	defer web.Close()
	environment := []string{
		"CATBRIDGE_SDK_KEY=" + testKey, "CATBRIDGE_REDIS_URL=" + server.URL(), "CATBRIDGE_REDIS_PASSWORD=" + testPassword,
	}
	arguments := []string{"leader", "--fast", "--base-url", web.URL, "--log-format", "json", "--log-level", "debug"}
	leaders := []*process{startProcess(t, environment, arguments...), startProcess(t, environment, arguments...)}
	watches := []*process{
		startProcess(t, environment, "watch", "--fast", "--json", "--log-level", "debug"),
		startProcess(t, environment, "watch", "--fast", "--json", "--log-level", "debug"),
	}
	var last int64
	for _, w := range watches {
		e := w.event(t, "config")
		if e.Values["text"] != "one" {
			t.Fatalf("values are %v, want one", e.Values)
		}
		last = max(last, e.Rev)
	}

	killed, other := leaders[0], leaders[1]
	if !leads(t, server, leaders[0]) {
		killed, other = other, killed
	}
	killed.kill(t)
	began := time.Now()
	cdn.Publish(testContent(t, "two"))
	for i, w := range watches {
		e := w.event(t, "change")
		t.Logf("watch %d has the change %v after the kill (lock expiry 6s)", i, time.Since(began).Round(time.Millisecond))
		if len(e.Changes) != 1 || e.Changes[0].From == nil || *e.Changes[0].From != "one" || *e.Changes[0].To != "two" {
			t.Errorf("changes are %+v, want text from one to two", e.Changes)
		}
		if e.Rev <= last {
			t.Errorf("rev is %d, not above %d", e.Rev, last)
		}
	}
	if !leads(t, server, other) {
		t.Error("the second leader does not hold the lock")
	}
	for _, p := range append(watches, other) {
		p.interrupt(t)
	}
	for _, p := range append(watches, leaders...) {
		for _, secret := range []string{testKey, "secretsecret", testPassword} {
			if strings.Contains(p.all(), secret) {
				t.Errorf("%q shows up in the output of %v", secret, p.cmd.Args)
			}
		}
	}
}

// TestALeaderGoesThroughTheProxyOfTheEnvironment uses a proxy in $HTTP_PROXY.
func TestALeaderGoesThroughTheProxyOfTheEnvironment(t *testing.T) {
	asked := make(chan string, 100)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host + " " + r.Header.Get("Proxy-Authorization")
		http.Error(w, "not today", http.StatusBadGateway)
	}))
	defer proxy.Close()
	mini := miniredis.RunT(t)
	p := startProcess(t, []string{
		"CATBRIDGE_SDK_KEY=" + testKey, "CATBRIDGE_REDIS_URL=redis://" + mini.Addr(),
		"HTTPS_PROXY=" + strings.Replace(proxy.URL, "//", "//user:"+testPassword+"@", 1),
	}, "leader", "--log-level", "debug")
	want := "CONNECT cdn-global.configcat.com:443 Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+testPassword))
	if have := <-asked; have != want {
		t.Errorf("the proxy was asked %q, want %q", have, want)
	}
	p.interrupt(t)
	if strings.Contains(p.all(), testPassword) {
		t.Error("the proxy's password shows up")
	}
}

// leads reports whether the process holds the lock.
func leads(t *testing.T, server *redistest.Process, p *process) bool {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), Password: testPassword})
	defer client.Close()
	lock, err := client.Get(t.Context(), cachekeys.For(testKey, "", 0).Lock).Result()
	if err != nil {
		t.Fatal(err)
	}
	holder, _, err := wire.ParseLock(lock)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(p.all(), `"leader":"`+holder+`"`)
}

func testContent(t *testing.T, text string) *localcdn.Content {
	t.Helper()
	content, err := localcdn.NewContent([]byte(`{"f":{"text":{"t":1,"v":{"s":"` + text + `"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// process is a running catbridge.
type process struct {
	cmd   *exec.Cmd
	lines chan string // of standard output
	ended chan struct{}

	mu     sync.Mutex
	output strings.Builder // both outputs
	more   chan struct{}   // closed when there is more output
}

// startProcess starts catbridge with a minimal environment, and kills it at the end of the
// test.
func startProcess(t *testing.T, environment []string, args ...string) *process {
	t.Helper()
	return startProgram(t, "catbridge", environment, args...)
}

func startProgram(t *testing.T, name string, environment []string, args ...string) *process {
	t.Helper()
	startsPrograms(t)
	p := &process{cmd: exec.CommandContext(t.Context(), name, args...), lines: make(chan string, 1000), ended: make(chan struct{}), more: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GORACE=atexit_sleep_ms=0"}, environment...)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.read(stdout, func(line string) { p.lines <- line }) })
	readers.Go(func() { p.read(stderr, func(string) {}) })
	go func() {
		defer close(p.ended)
		readers.Wait()
		p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%v:\n%s", args, p.all())
		}
	})
	return p
}

func (p *process) read(from io.Reader, line func(string)) {
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		p.mu.Lock()
		p.output.WriteString(scanner.Text() + "\n")
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
		line(scanner.Text())
	}
}

// all returns the output of the process so far.
func (p *process) all() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// expect waits until a pattern matches the output of the process after the mark, and returns
// the end of the match as the next mark.
func (p *process) expect(t *testing.T, mark int, pattern string) int {
	t.Helper()
	compiled := regexp.MustCompile(pattern)
	timeout := time.After(time.Minute)
	for {
		p.mu.Lock()
		text, more := p.output.String()[mark:], p.more
		p.mu.Unlock()
		if found := compiled.FindStringIndex(text); found != nil {
			return mark + found[1]
		}
		select {
		case <-more:
		case <-p.ended:
			t.Fatalf("%v ended before it printed %q", p.cmd.Args, pattern)
		case <-timeout:
			t.Fatalf("no %q within a minute", pattern)
		}
	}
}

// event waits for an event of a watch.
func (p *process) event(t *testing.T, kind string) event {
	t.Helper()
	for {
		select {
		case line := <-p.lines:
			var e event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			if e.Event == kind {
				return e
			}
		case <-p.ended:
			t.Fatalf("%v ended before it printed %q", p.cmd.Args, kind)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(time.Minute):
			t.Fatalf("no %q within a minute", kind)
		}
	}
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	<-p.ended
}

func (p *process) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// interrupt ends the process as Ctrl-C does, which must be a success.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGINT)
	<-p.ended
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%v: exit code %d", p.cmd.Args, code)
	}
}

// startsPrograms skips a test that starts programs if -short is set.
func startsPrograms(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts programs: not with -short")
	}
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

func init() {
	programs["catbridge-broken-listener"] = brokenListener
	programs["catbridge-panics"] = panics
}

// brokenListener is a catbridge whose listeners fail on SIGUSR1.
func brokenListener() {
	breaks := make(chan os.Signal, 1)
	signal.Notify(breaks, syscall.SIGUSR1)
	go func() {
		<-breaks
		for fd := range 1000 {
			if listens, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN); err == nil && listens == 1 {
				_ = syscall.Shutdown(fd, syscall.SHUT_RDWR)
			}
		}
	}()
	main()
}

// panics is a leader with two SDK keys. The transport panics when one of them polls for the
// second time.
func panics() {
	options, err := redis.ParseURL(os.Getenv("CATBRIDGE_REDIS_URL"))
	if err != nil {
		panic(err)
	}
	options.ContextTimeoutEnabled = true
	timing := leader.DefaultTimings()
	timing.PollInterval = time.Second
	l, err := leader.New(leader.Config{
		Redis: redis.NewClient(options), Timings: timing, Transport: &panicking{}, Logger: slog.New(slog.NewJSONHandler(os.Stdout, nil)),
		SDKKeys: []leader.SDKKey{
			{Name: "a", Key: testKey, BaseURL: os.Getenv("CATBRIDGE_BASE_URL")}, {Name: "b", Key: otherTestKey, BaseURL: os.Getenv("CATBRIDGE_BASE_URL")},
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, together(context.Background(), shutdownTimeout, l.Run))
	os.Exit(exitFailure)
}

type panicking struct{ polls atomic.Int64 }

func (p *panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, testKey) && p.polls.Add(1) == 3 {
		panic("by the test")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// ends is a Redis and a CDN, with helpers that check the locks.
type ends struct {
	*testing.T
	client      *redis.Client
	cdn         *localcdn.Server
	environment []string
}

func newEnds(t *testing.T) *ends {
	t.Helper()
	server := redistest.Start(t)
	e := &ends{T: t, cdn: localcdn.New(testContent(t, "one"), slog.New(slog.DiscardHandler)), client: redis.NewClient(&redis.Options{Addr: server.Addr()})}
	t.Cleanup(func() { e.client.Close() })
	web := httptest.NewServer(e.cdn)
	t.Cleanup(web.Close)
	e.environment = []string{
		"CATBRIDGE_SDK_KEY=" + testKey, "CATBRIDGE_REDIS_URL=" + server.URL(), "CATBRIDGE_BASE_URL=" + web.URL, "CATBRIDGE_POLL_INTERVAL=1s",
		"CATBRIDGE_LISTEN=127.0.0.1:0",
	}
	return e
}

// released checks that no lock is held. A lock would expire only after 15 s.
func (e *ends) released() {
	e.Helper()
	if locks := e.client.Keys(e.Context(), "catbridge:*:lock").Val(); len(locks) != 0 {
		e.Errorf("held: %q", locks)
	}
}

// holds waits until the given number of locks is held.
func (e *ends) holds(locks int) {
	e.Helper()
	e.until("the locks are held", func() bool { return len(e.client.Keys(e.Context(), "catbridge:*:lock").Val()) == locks })
}

func (e *ends) until(what string, so func() bool) {
	e.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.Fatalf("not within a minute: %s", what)
		}
	}
}

// A lock that is not released blocks other leaders until it expires.
func TestALeaderReleasesItsLocksHoweverItEnds(t *testing.T) {
	for name, c := range map[string]struct {
		program string
		signal  os.Signal // nil: the process ends on its own
		locks   int
		code    int
		says    string
	}{
		"SIGINT":         {"catbridge", syscall.SIGINT, 1, exitOK, ""},
		"SIGTERM":        {"catbridge", syscall.SIGTERM, 1, exitOK, ""},
		"SIGQUIT":        {"catbridge", syscall.SIGQUIT, 1, exitOK, "goroutine 1 ["},
		"listener fails": {"catbridge-broken-listener", syscall.SIGUSR1, 1, exitFailure, "HTTP server: accept"},
		"panic":          {"catbridge-panics", nil, 2, exitFailure, "panic: by the test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnds(t)
			p := startProgram(t, c.program, e.environment, "leader")
			p.expect(t, 0, `A new config was published`)
			if c.signal != nil {
				e.holds(c.locks)
				p.signal(t, c.signal.(syscall.Signal))
			}
			<-p.ended
			e.released()
			if code := p.cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(p.all(), c.says) {
				t.Errorf("exit code %d, want %d and %q", code, c.code, c.says)
			}
		})
	}
}

// For example catbridge leader 2>&1 | head -1.
func TestALeaderKeepsRunningWhenItsOutputIsNotRead(t *testing.T) {
	e := newEnds(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "catbridge", "leader", "--log-level", "debug")
	cmd.Env, cmd.Stdout, cmd.Stderr = e.environment, writer, writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	if _, err := bufio.NewReader(reader).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	reader.Close()
	e.holds(1)
	lock := e.client.Get(t.Context(), cachekeys.For(testKey, "", 0).Lock).Val()
	e.cdn.Publish(testContent(t, "two")) // which it logs
	e.until("the new config is published", func() bool {
		return strings.Contains(e.client.Get(t.Context(), cachekeys.For(testKey, "", 0).Entry).Val(), "two")
	})
	if now := e.client.Get(t.Context(), cachekeys.For(testKey, "", 0).Lock).Val(); now != lock {
		t.Errorf("the lock was %s, and is %s", lock, now)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	e.released()
}

// A demo's leaders may hold locks in a Redis that is not embedded.
func TestADemoCleansUpWhenItsOutputIsNotRead(t *testing.T) {
	// If SIGHUP is ignored, as with nohup, a child inherits that and ignores it, too.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangups) })
	for name, end := range map[string]func(cmd *exec.Cmd, stdout io.Closer) error{
		"reader gone": func(_ *exec.Cmd, stdout io.Closer) error { return stdout.Close() },
		"SIGHUP":      func(cmd *exec.Cmd, _ io.Closer) error { return cmd.Process.Signal(syscall.SIGHUP) },
		"SIGQUIT":     func(cmd *exec.Cmd, _ io.Closer) error { return cmd.Process.Signal(syscall.SIGQUIT) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnds(t)
			cmd := exec.CommandContext(t.Context(), "catbridge", "demo", "--redis", "redis://"+e.client.Options().Addr)
			cmd.Env = append(e.environment, "TMPDIR="+t.TempDir())
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			e.holds(1)
			if err := end(cmd, stdout); err != nil {
				t.Fatal(err)
			}
			if name == "reader gone" {
				_, _ = io.WriteString(stdin, "h\n") // so that it prints something
			} else {
				_, _ = io.Copy(io.Discard, stdout)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if keys := e.client.Keys(t.Context(), "*").Val(); len(keys) != 0 {
				t.Errorf("left: %q", keys)
			}
		})
	}
}

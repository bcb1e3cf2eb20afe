package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// Lock and meta may have any size. refresh uses no memory for more than the limits.
func TestRefreshReadsNoMoreThanTheLimits(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	huge := strings.Repeat("x", 32<<20)
	client.Set(t.Context(), keys.Lock, huge, 0)
	client.HSet(t.Context(), keys.Meta, "etags", huge)
	var errs strings.Builder
	var code int
	took := memory.Allocated(func() {
		code = run(t.Context(), []string{"refresh", "--sdk-key", testKey, "--redis", "redis://" + server.Addr(), "--timeout", "5s"}, strings.NewReader(""), &strings.Builder{}, &errs)
	})
	if code != exitFailure || !strings.Contains(errs.String(), "the leader was asked to poll, but ") {
		t.Errorf("exit %d, %s", code, errs.String())
	}
	if took > 16<<20 {
		t.Errorf("%d bytes allocated", took)
	}
}

// refreshWith runs refresh for testKey, and returns its exit code and what it wrote.
func refreshWith(ctx context.Context, server *redistest.Process, args ...string) (code int, text string) {
	var out strings.Builder
	args = append([]string{"refresh", "--sdk-key", "main=" + testKey, "--redis", server.URL()}, args...)
	code = run(ctx, args, strings.NewReader(""), &out, &out)
	return code, out.String()
}

// An unanswered refresh fails and says why, as far as the lock shows it.
func TestAnUnansweredRefreshSaysWhy(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	want := func(pattern string, code int, text string) {
		t.Helper()
		if code != exitFailure || !regexp.MustCompile(`^catbridge refresh: main: `+pattern+`\n$`).MatchString(text) {
			t.Errorf("exit %d, %s, want %q", code, text, pattern)
		}
	}

	code, text := refreshWith(t.Context(), server)
	want(`there is no leader; the next leader will poll when it takes over`, code, text)

	lock := wire.LockValue("dead", time.Now().UnixMilli())
	client.Set(t.Context(), keys.Lock, lock, time.Hour)
	code, text = refreshWith(t.Context(), server, "--timeout", "300ms")
	want(`the leader was asked to poll, but it has not renewed its lock for \S+ \(--timeout\): it may have died\. `+
		`The lock expires in (1h0m0s|59m\S+s), and then a candidate takes over and polls`, code, text)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, text = refreshWith(ctx, server)
	if code != exitFailure || strings.Contains(text, "died") {
		t.Errorf("interrupted: exit %d, %s", code, text)
	}
	client.Del(t.Context(), keys.Lock)

	// A CDN that answers 404 at once.
	cdn := httptest.NewServer(http.NotFoundHandler())
	defer cdn.Close()
	t.Setenv("CATBRIDGE_REDIS_URL", server.URL())
	t.Setenv("CATBRIDGE_SDK_KEY", "main="+testKey)
	leader := startSession(t, "leader", "--fast", "--base-url", cdn.URL)
	leader.err.expect(t, `Your SDK Key seems to be wrong`)
	code, text = refreshWith(t.Context(), server, "--timeout", "4s")
	want(`the leader was asked to poll and is alive, but it has had no usable answer from the CDN for \S+ \(--timeout\); `+
		`see the leader's log, or run catbridge doctor`, code, text)
	watch := startSession(t, "watch", "--fast", "--once", "--timeout", "3s")
	watch.end(t, exitFailure)
	if text := watch.err.String(); !strings.Contains(text, "connected, but Redis has no config: see catbridge status") {
		t.Errorf("watch: %s", text)
	}
	leader.cancel()
	leader.end(t, exitOK)
}

// An SDK key whose leader does not answer does not hide the answer for another one.
func TestAnAnswerIsFoundWhileAnotherKeyIsUnanswered(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	client.Set(t.Context(), cachekeys.For(testKey, "", 0).Lock, wire.LockValue("dead", time.Now().UnixMilli()), time.Hour)
	web := httptest.NewServer(localcdn.New(testContent(t, "one"), slog.New(slog.DiscardHandler)))
	defer web.Close()
	t.Setenv("CATBRIDGE_REDIS_URL", server.URL())
	leader := startSession(t, "leader", "--fast", "--base-url", web.URL, "--sdk-key", "other="+otherTestKey)
	leader.err.expect(t, `Started leading`)
	code, text := refreshWith(t.Context(), server, "--sdk-key", "other="+otherTestKey, "--timeout", "3s")
	if code != exitFailure || !strings.Contains(text, "other: the leader polled") || !strings.Contains(text, "main: the leader was asked to poll, but it has not renewed") {
		t.Errorf("exit %d, %s", code, text)
	}
	leader.cancel()
	leader.end(t, exitOK)
}

// A slow connection to Redis does not look like a renewal.
func TestOnlyALaterExpiryIsARenewal(t *testing.T) {
	reply := func(left time.Duration) *redis.DurationCmd { return redis.NewDurationResult(left, nil) }
	start := time.Now()
	at := start.Add
	for name, test := range map[string]struct {
		sent, received, left time.Duration
		want                 bool
	}{
		"a later look":                {time.Second, time.Second, 9 * time.Second, false},
		"the reply took long":         {time.Second, 3 * time.Second, 9 * time.Second, false},
		"the request took long":       {time.Second, 3 * time.Second, 7 * time.Second, false},
		"renewed":                     {time.Second, time.Second, 10 * time.Second, true},
		"renewed, no expiry any more": {time.Second, time.Second, -1, false},
	} {
		var r asked
		r.note(reply(10*time.Second), at(-time.Second), at(0))
		r.note(reply(test.left), at(test.sent), at(test.received))
		if r.renewed != test.want {
			t.Errorf("%s: %v", name, r.renewed)
		}
	}
	var r asked
	r.note(redis.NewDurationResult(0, errors.New("i/o timeout")), at(0), at(0))
	r.note(reply(10*time.Second), at(0), at(0))
	if r.renewed {
		t.Error("the first known expiry is not a renewal")
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// evil contains control sequences, and text that looks like another line.
const evil = "a\x1b[2J\a\x7f\u009b31m\r\nFORGED\u202e\u2066"

// wantHarmless checks that the output of a command contains no control sequences and no line
// from an input.
func wantHarmless(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range text {
		if !unicode.IsPrint(r) && r != '\n' {
			t.Errorf("%s prints %U:\n%q", what, r, text)
			return
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "FORGED") {
			t.Errorf("%s prints a line that it was told:\n%s", what, text)
		}
	}
}

// evilFlags returns a config whose flags have evil names and values.
func evilFlags(t *testing.T) []byte {
	t.Helper()
	config, err := json.Marshal(map[string]any{"f": map[string]any{
		evil:         map[string]any{"t": 1, "v": map[string]any{"s": evil}},
		evil + "bad": map[string]any{"t": 9, "v": map[string]any{"s": evil}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// TestUntrustedTextCannotControlTheTerminal runs every command with evil flags, values,
// ETags, names of lock holders and followers, settings, and errors of Redis and of the CDN.
func TestUntrustedTextCannotControlTheTerminal(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	folder := t.TempDir()
	file := filepath.Join(folder, "evil.json")
	if err := os.WriteFile(file, evilFlags(t), 0o600); err != nil {
		t.Fatal(err)
	}
	content, err := localcdn.NewContent(evilFlags(t))
	if err != nil {
		t.Fatal(err)
	}
	cdn := localcdn.New(content, slog.New(slog.DiscardHandler))
	var broken atomic.Bool
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			w.Header().Set("CF-RAY", "a\u009b31m\u202e")
			w.Header().Set("Location", "https://a\u009b31m.example/\u202e")
			w.WriteHeader(http.StatusFound)
			return
		}
		cdn.ServeHTTP(w, r)
	}))
	defer web.Close()
	server := redistest.Start(t)
	client := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	t.Setenv("CATBRIDGE_SDK_KEY", "main="+testKey)
	t.Setenv("CATBRIDGE_REDIS_URL", server.URL())
	t.Setenv("CATBRIDGE_BASE_URL", web.URL)

	// try runs a command to its end, or for a while.
	try := func(wanted string, args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var out, errOut bytes.Buffer
		run(ctx, args, strings.NewReader(""), &out, &errOut)
		what := strings.Join(args, " ")
		wantHarmless(t, what, out.String())
		wantHarmless(t, what+" on standard error", errOut.String())
		if all := out.String() + errOut.String(); !strings.Contains(all, wanted) || ctx.Err() != nil {
			t.Errorf("%s: want %q in\n%s", what, wanted, all)
		}
	}
	const seen = `\u202e`

	t.Run("files", func(t *testing.T) {
		try(seen, "eval", "--flags", file, "--all", "--log")
		try(seen, "eval", "--flags", file, "--all", "--json", "--log")
		try(seen, "eval", "--flags", file, "--key", evil)
		try(seen, "eval", "--flags", file, "--key", evil, "--json")
		try(seen, "eval", "--flags", file, "--key", "nope"+evil)
		try(seen, "demo", "--once", "--flags", file, "--leaders", "1", "--log-level", "debug")
		try("no such file", "cdn", "--flags", "absent"+evil)
		settings := filepath.Join(folder, "catbridge.yaml")
		text := "log: {level: \"a\\e[2J\\a\\u009b\\nFORGED\\u202e\"}\nredis: {url: 'redis://h', username: \"a\\e[2J\\nFORGED\\u202e\"}\n"
		if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		try("log.level", "config", "check", "--config", settings)
		try("log.level", "doctor", "--config", settings)
		try("log.level", "doctor", "--config", settings, "--json")
	})

	for _, format := range []string{"text", "json"} {
		leader := startSession(t, "leader", "--fast", "--log-format", format, "--log-level", "debug")
		leader.err.expect(t, "published")
		var flags []string
		if format == "json" {
			flags = []string{"--json"}
		}
		with := func(args ...string) []string { return append(args, flags...) }
		try(seen, with("watch", "--once", "--log-level", "debug", "--log-format", format)...)
		try(seen, with("watch", "--once", "--flag", evil)...)
		try("has no flag", with("watch", "--once", "--flag", "nope"+evil)...)
		try("main", with("status")...)
		leader.cancel()
		leader.end(t, exitOK)
		wantHarmless(t, "leader's log as "+format, leader.err.String())

		// Then Redis contains values that no leader wrote.
		ctx := t.Context()
		client.Set(ctx, keys.Lock, wire.LockValue(evil+"/"+evil, time.Now().UnixMilli()), 0)
		client.HSet(ctx, keys.Meta, "etag", strings.NewReplacer("\n", "", "\r", "").Replace(evil))
		try("1b[2J", with("status")...)
		try(seen, with("doctor", "--timeout", "300ms")...)
		candidate := startSession(t, "leader", "--fast", "--log-format", format, "--log-level", "debug")
		candidate.err.expect(t, "started")
		candidate.cancel()
		candidate.end(t, exitOK)
		wantHarmless(t, "candidate's log as "+format, candidate.err.String())
		client.Set(ctx, keys.Blob, evil, 0)
		client.Set(ctx, keys.Entry, evil, 0)
		client.Del(ctx, keys.Fleet)
		client.ZAdd(ctx, keys.Fleet, redis.Z{Score: float64(time.Now().UnixMilli()), Member: evil})
		try("corrupt", with("status")...)
		try("corrupt", with("doctor", "--timeout", "300ms")...)
		client.FlushAll(ctx)

		broken.Store(true)
		lost := startSession(t, "leader", "--fast", "--log-format", format, "--log-level", "debug")
		lost.err.expect(t, `(?i)"error"|ERR|WRN`)
		lost.cancel()
		lost.end(t, exitOK)
		wantHarmless(t, "lost leader's log as "+format, lost.err.String())
		try("CDN", with("doctor", "--timeout", "300ms")...)
		broken.Store(false)
		client.FlushAll(ctx)
	}

	mini := miniredis.NewMiniRedis()
	if err := mini.StartAddr("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer mini.Close()
	mini.SetError("ERR a\x1b[2J\a\u009b\u202e")
	t.Setenv("CATBRIDGE_REDIS_URL", "redis://"+mini.Addr())
	try(seen, "status")
	try(seen, "status", "--json")
	try("redis login", "doctor", "--timeout", "300ms")
	try("redis login", "doctor", "--timeout", "300ms", "--json")
	try(seen, "refresh", "--timeout", "2s")
	try("no config", "watch", "--once", "--timeout", "100ms", "--log-level", "debug")
	try("does not answer", "demo", "--once", "--redis", "redis://"+mini.Addr())
}

// TestCommandsWriteOnlyThroughTheTerminalPackage finds other writes to the outputs.
func TestCommandsWriteOnlyThroughTheTerminalPackage(t *testing.T) {
	around := regexp.MustCompile(`fmt\.(Fp|P)rint|json\.NewEncoder|os\.Std(out|err)\b`)
	err := filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		switch {
		case err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return err
		case path == "main.go", path == "signals.go", strings.HasPrefix(path, filepath.Join("internal", "terminal")), strings.HasPrefix(path, filepath.Join("internal", "httpd")),
			strings.HasPrefix(path, filepath.Join("internal", "ui")):
			return nil // main passes the outputs on, and a signal may arrive before; terminal is the package; httpd and ui write to sockets
		case path == filepath.Join("internal", "demo", "automatic.go"), path == filepath.Join("internal", "settings", "read.go"):
			return nil // into a file, and into a hash
		}
		text, err := os.ReadFile(path)
		if found := around.Find(text); found != nil {
			t.Errorf("%s: %s: write by terminal.Output", path, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

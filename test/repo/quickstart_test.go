package repo

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

var (
	goProgram = regexp.MustCompile("(?s)```go\n(package main\n.*?)```")
	madeUpKey = regexp.MustCompile(`(?m)^    export CATBRIDGE_SDK_KEY=(configcat-sdk-1/\S+)$`)
	watchLine = regexp.MustCompile(`(?m)^    catbridge watch --user '(.*)'$`)
)

// TestQuickStartWorks runs what README.md shows: the local CDN, a leader and a follower with the
// made-up SDK key, and the Go program, whose first value must be the one of the config.
func TestQuickStartWorks(t *testing.T) {
	path := program.Path(t)
	t.Parallel()
	page := pages(t)["README.md"]
	var found []string
	for _, sample := range []*regexp.Regexp{goProgram, madeUpKey, watchLine} {
		m := sample.FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("README.md has no %s", sample)
		}
		found = append(found, m[1])
	}
	source, key, user := found[0], found[1], found[2]

	dir := t.TempDir()
	file, service := filepath.Join(dir, "main.go"), filepath.Join(dir, "service")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", service, file).CombinedOutput(); err != nil {
		t.Fatalf("the program does not compile: %v\n%s", err, out)
	}

	env := []string{"CATBRIDGE_SDK_KEY=" + key, "CATBRIDGE_REDIS_URL=" + redistest.Start(t).URL()}
	cdn := startCommand(t, env, path, "cdn", "--flags", root.Path(t, "deploy/flags.json"), "--listen", "127.0.0.1:0")
	_, address, _ := strings.Cut(awaitLine(t, cdn, "base URL "), "base URL ")
	env = append(env, "CATBRIDGE_BASE_URL="+address)
	startCommand(t, env, path, "leader")
	awaitLine(t, startCommand(t, env, path, "watch", "--user", user), "newCheckout = true")

	run := exec.CommandContext(t.Context(), service)
	run.Env = env
	var log strings.Builder
	run.Stderr = &log
	out, err := run.Output()
	if err != nil || string(out) != "true\n" {
		t.Errorf("the program prints %q: %v\n%s", out, err, log.String())
	}
}

// startCommand starts a program, which is killed at the end of the test, and returns its lines.
func startCommand(t *testing.T, env []string, path string, args ...string) *bufio.Scanner {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, path, args...)
	var log strings.Builder
	cmd.Env, cmd.Stderr = env, &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", args[0], log.String())
		}
	})
	return bufio.NewScanner(out)
}

// awaitLine returns the next line with that part.
func awaitLine(t *testing.T, lines *bufio.Scanner, part string) string {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), part) {
			return lines.Text()
		}
	}
	t.Fatalf("no line has %q: %v", part, lines.Err())
	return ""
}

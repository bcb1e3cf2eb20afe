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

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// TestProgramsOfTheReadmeWork builds and runs the Go program of README.md, and runs its programs for Node. Each
// prints the value of a flag. TestCommandsOfThePages runs the commands.
func TestProgramsOfTheReadmeWork(t *testing.T) {
	t.Parallel()
	b := newSandbox(t)
	page := root.Read(t, "README.md")
	exports := map[string]string{}
	for _, assignment := range exportedKey.FindAllStringSubmatch(page, -1) {
		name, value := b.export(t, assignment[1], exports)
		exports[name] = value
	}
	if exports["CONFIGCAT_SDK_KEY"] != playgroundKey {
		t.Errorf("the page exports %q", exports)
	}
	t.Run("Go", func(t *testing.T) {
		file, service := filepath.Join(b.dir, "main.go"), filepath.Join(b.dir, "service")
		if err := os.WriteFile(file, []byte(blockWith(t, fences(page, "go"), "package main\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", service, file).CombinedOutput(); err != nil {
			t.Fatalf("the program does not compile: %v\n%s", err, out)
		}
		b.prints(t, "true\n", service)
	})
	programs := fences(page, "js")
	if len(programs) != 3 {
		t.Fatalf("%d programs for Node", len(programs))
	}
	adapter := root.Read(t, "examples/adapters/node/catbridge-cache.mjs")
	for part, want := range map[string]string{"configcat-proxy/shop": "Other text\n", "OFREPProvider": "true\n", "catbridgeCache": "Other text\n"} {
		t.Run(part, func(t *testing.T) {
			node, modules := nodeModules(t)
			folder := t.TempDir()
			if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(folder, "service.mjs")
			// Clients keep the process alive.
			text := b.here(blockWith(t, programs, part)) + "\nprocess.exit(0);\n"
			for name, text := range map[string]string{file: text, filepath.Join(folder, "catbridge-cache.mjs"): adapter} {
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b.prints(t, want, node, file)
		})
	}
}

var exportedKey = regexp.MustCompile(`(?m)^export (\w+_SDK_KEY=.*)$`)

// prints runs a program with the variables of the README's programs, and compares its standard output.
func (b *sandbox) prints(t *testing.T, want, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append([]string{"CONFIGCAT_SDK_KEY=" + playgroundKey, "CATBRIDGE_REDIS_URL=" + b.redis}, b.env...)
	var log strings.Builder
	cmd.Stderr = &log
	if out, err := cmd.Output(); err != nil || string(out) != want {
		t.Errorf("%s %q prints %q, want %q: %v\n%s", name, args, out, want, err, log.String())
	}
}

var (
	readmeVaries = regexp.MustCompile(`[0-9][0-9.:]*(?: ?(?:µs|ms|s)\b)?`)
	readmeSpace  = regexp.MustCompile(`\s+`)
)

// likeOutput returns a line of the demo without what differs between runs.
func likeOutput(line string) string {
	return strings.TrimSpace(readmeSpace.ReplaceAllString(readmeVaries.ReplaceAllString(line, "#"), " "))
}

// TestTheReadmeShowsWhatTheDemoPrints compares the excerpt of README.md with the output of its command, apart
// from numbers. The excerpt may leave out lines.
func TestTheReadmeShowsWhatTheDemoPrints(t *testing.T) {
	b := newReader(t)
	lines := strings.Split(strings.TrimSpace(blockWith(t, fences(root.Read(t, "README.md"), "console"), "demo")), "\n")
	command, ok := strings.CutPrefix(lines[0], "$ go run ./cmd/")
	if !ok || len(lines) < 10 {
		t.Fatalf("the excerpt starts with %q and has %d lines", lines[0], len(lines))
	}
	if _, err := exec.LookPath("bash"); err != nil {
		missing.Skip(t, "bash is missing (%v)", err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
	cmd.Dir, cmd.Env = b.dir, b.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	printed := strings.Split(string(out), "\n")
	for _, line := range lines[1:] {
		line, found := strings.ReplaceAll(line, "go run ./cmd/", ""), false
		for !found && len(printed) > 0 {
			found = likeOutput(printed[0]) == likeOutput(line)
			printed = printed[1:]
		}
		if !found {
			t.Fatalf("README.md shows the line %q, which the demo does not print (or not in this order):\n%s", line, out)
		}
	}
}

var measuredFigure = regexp.MustCompile(`[0-9][0-9.]* (?:ns|µs|ms)\b`)

// TestFiguresOfTheReadmeWereMeasured looks up the figures of README.md on the pages with measurements.
func TestFiguresOfTheReadmeWereMeasured(t *testing.T) {
	_, compared, found := strings.Cut(root.Read(t, "README.md"), "\n## Compared\n")
	measured := root.Read(t, "docs/performance.md") + root.Read(t, "docs/serve.md")
	figures := measuredFigure.FindAllString(compared, -1)
	if !found || len(figures) < 4 {
		t.Fatalf("README.md compares %q", figures)
	}
	for _, figure := range figures {
		if !strings.Contains(measured, figure) {
			t.Errorf("README.md: neither docs/performance.md nor docs/serve.md has %s", figure)
		}
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

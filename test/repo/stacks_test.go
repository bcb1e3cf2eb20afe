package repo

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// blockWith returns the only block with a text.
func blockWith(t *testing.T, blocks []string, part string) string {
	t.Helper()
	var found []string
	for _, block := range blocks {
		if strings.Contains(block, part) {
			found = append(found, block)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d blocks have %q", len(found), part)
	}
	return found[0]
}

// command splits a block into the variables that it exports and the arguments of its last line.
func command(t *testing.T, block string) (env, args []string) {
	t.Helper()
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		if assignment, ok := strings.CutPrefix(line, "export "); ok {
			env = append(env, assignment)
		} else if line != "" {
			args = strings.Fields(line)
		}
	}
	if len(args) == 0 {
		t.Fatalf("no command in %q", block)
	}
	return env, args
}

// nodeModules returns the path of a program and the folder with the official SDK for Node.
func nodeModules(t *testing.T) (node, modules string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing.Skip(t, "node is missing: install Node 18 or later (%v)", err)
	}
	modules = root.Path(t, "test/interop/node_modules")
	if _, err := os.Stat(filepath.Join(modules, "@configcat/sdk")); err != nil {
		missing.Skip(t, "the official SDK is missing: run npm ci in test/interop (%v)", err)
	}
	return node, modules
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// bridge runs the commands of docs/stacks/node.md: the local CDN, a leader and serve, on a Redis and
// on ports of its own. It returns the address of serve and the file with the flags.
func bridge(t *testing.T) (serve, flags string) {
	t.Helper()
	path, page := program.Path(t), pages(t)["docs/stacks/node.md"]
	cdn, serve := freeAddress(t), freeAddress(t)
	flags = filepath.Join(t.TempDir(), "flags.json")
	if err := os.WriteFile(flags, []byte(root.Read(t, "deploy/flags.json")), 0o600); err != nil {
		t.Fatal(err)
	}
	own := strings.NewReplacer("redis://localhost:6379", redistest.Start(t).URL(), "127.0.0.1:8080", cdn, "deploy/flags.json", flags)
	blocks := fences(page, "sh")
	variables := own.Replace(blockWith(t, blocks, "export CATBRIDGE_REDIS_URL="))
	for _, c := range []struct{ name, started, more string }{{"cdn", "base URL ", " --listen " + cdn}, {"leader", "", ""}, {"serve", "", ""}} {
		env, args := command(t, variables+strings.TrimSpace(own.Replace(blockWith(t, blocks, "catbridge "+c.name+" --")))+c.more)
		lines := startCommand(t, append(env, "CATBRIDGE_SERVE_LISTEN="+serve), path, args[1:]...)
		if c.started != "" {
			awaitLine(t, lines, c.started)
		}
	}
	return serve, flags
}

// TestTheNodePageWorks moves the service of docs/stacks/node.md as the page says.
func TestTheNodePageWorks(t *testing.T) {
	node, modules := nodeModules(t)
	page := pages(t)["docs/stacks/node.md"]
	code := fences(page, "js")
	if len(code) != 2 {
		t.Fatalf("%d programs", len(code))
	}
	if head, rest, _ := strings.Cut(code[1], ", {\n"); !strings.HasPrefix(code[0], head) || !strings.HasSuffix(code[0], rest[strings.Index(rest, "});")+1:]) {
		t.Error("the service differs in more than its options")
	}
	serve, flags := bridge(t)
	folder := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	service := strings.ReplaceAll(code[1], "127.0.0.1:8093", serve)
	file := filepath.Join(folder, "service.mjs")
	if err := os.WriteFile(file, []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	env, _ := command(t, blockWith(t, fences(page, "sh"), "node service.mjs"))
	lines := startCommand(t, env, node, file)
	awaitLine(t, lines, "Free shipping!")
	setFlag(t, flags)
	awaitLine(t, lines, "Other text")
}

// TestTheNodeExampleReceivesItsFlagsFromServe runs examples/node with the variables of
// docker-compose.yml.
func TestTheNodeExampleReceivesItsFlagsFromServe(t *testing.T) {
	node, modules := nodeModules(t)
	folder := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "server.mjs")
	if err := os.WriteFile(file, []byte(root.Read(t, "examples/node/server.mjs")), 0o600); err != nil {
		t.Fatal(err)
	}
	serve, flags := bridge(t)
	env := []string{"PORT=0", "CONFIGCAT_BASE_URL=http://" + serve, "CONFIGCAT_SDK_KEY=configcat-proxy/shop"}
	lines := startCommand(t, env, node, file)
	port := regexp.MustCompile(`port (\d+)`).FindStringSubmatch(awaitLine(t, lines, "listening on port "))
	if want := `"bannerText":"Free shipping!"`; !strings.Contains(getText(t, "http://127.0.0.1:"+port[1]+"/flags?user=42"), want) {
		t.Errorf("the service does not answer with %s", want)
	}
	setFlag(t, flags)
	awaitLine(t, lines, "received a new config")
	if want := `"bannerText":"Other text"`; !strings.Contains(getText(t, "http://127.0.0.1:"+port[1]+"/flags?user=42"), want) {
		t.Errorf("the service does not answer with %s", want)
	}
	if have := getText(t, "http://127.0.0.1:"+port[1]+"/healthz"); have != "\"alive\"\n" {
		t.Errorf("/healthz: %q", have)
	}
}

func getText(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

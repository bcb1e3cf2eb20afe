package repo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// playgroundKey is the made-up SDK key of the pages.
const playgroundKey = "configcat-sdk-1/local-playground-00000/local-playground-00000"

// sandbox is a folder in which a reader of the pages works, with the program in its PATH. Commands that need
// a bridge find one: a Redis, the local CDN, a leader, and catbridge serve, all on ports of their own.
type sandbox struct {
	root    string
	dir     string
	env     []string
	targets map[string]bool     // of make
	known   map[string][]string // the faults of commands that were checked

	redis, cdn, serve string // addresses, as URLs
	flags             string // the path of the file that the CDN serves
	pages             *strings.Replacer
}

// newReader returns a sandbox without a bridge.
func newReader(t *testing.T) *sandbox {
	t.Helper()
	b := &sandbox{root: root.Path(t), dir: t.TempDir(), targets: map[string]bool{}, known: map[string][]string{}}
	b.env = []string{"PATH=" + filepath.Dir(program.Path(t)) + ":" + os.Getenv("PATH"), "HOME=" + b.dir, "NO_COLOR=1"}
	for _, m := range makeTarget.FindAllStringSubmatch(root.Read(t, "Makefile"), -1) {
		for target := range strings.FieldsSeq(m[1]) {
			b.targets[target] = true
		}
	}
	if len(b.targets) < 20 {
		t.Fatalf("the Makefile has %d targets", len(b.targets))
	}
	return b
}

// newSandbox returns a sandbox with a bridge whose flags have changed once.
func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	b := newReader(t)
	if err := os.CopyFS(filepath.Join(b.dir, "deploy"), os.DirFS(root.Path(t, "deploy"))); err != nil {
		t.Fatal(err)
	}
	b.flags = filepath.Join(b.dir, "deploy/flags.json")
	server := redistest.Start(t)
	if _, err := server.Do(t, "ACL", "SETUSER", "leader", "on", ">secret", "~*", "&*", "+@all"); err != nil {
		t.Fatal(err)
	}
	b.redis = server.URL()
	settings := blockWith(t, fences(root.Read(t, "README.md"), "yaml"), "# catbridge.yaml")
	own := strings.NewReplacer("rediss://leader@redis.example.com:6380", "redis://leader@"+server.Addr(), "listen: :8080", "listen: 127.0.0.1:0")
	for name, text := range map[string]string{
		"catbridge.yaml": own.Replace(settings), "follower.yaml": own.Replace(settings), "redis.password": "secret\n",
		"shop.key": playgroundKey + "\n",
	} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.env = append(b.env, "API_SDK_KEY=configcat-sdk-1/local-playground-00000/local-playground-api-0")
	_, address, _ := strings.Cut(b.start(t, "base URL ", "catbridge cdn --flags deploy/flags.json --listen 127.0.0.1:0"), "base URL ")
	b.cdn = address
	b.env = append(b.env, "CATBRIDGE_BASE_URL="+b.cdn)
	b.start(t, "started", "catbridge leader --config catbridge.yaml --poll-interval 1s")
	listen := freeAddress(t)
	b.serve = "http://" + listen
	b.start(t, "started", "CATBRIDGE_SDK_KEY=shop="+playgroundKey+" catbridge serve --redis "+b.redis+" --listen "+listen)
	watch := b.open(t, "CATBRIDGE_SDK_KEY="+playgroundKey+" catbridge watch --redis "+b.redis)
	for _, text := range []string{"Free shipping!", "Other text"} {
		if err := watch.await(text); err != nil {
			t.Fatal(err)
		}
		if text == "Free shipping!" {
			setFlag(t, b.flags)
		}
	}
	b.pages = strings.NewReplacer(
		"go run ./cmd/catbridge", "catbridge",
		"redis://localhost:6379", b.redis,
		"http://127.0.0.1:8080", b.cdn, " --listen 127.0.0.1:8080", " --listen 127.0.0.1:0",
		"http://127.0.0.1:8093", b.serve, "http://proxy:8050", b.serve, "http://serve:8050", b.serve, " --listen 127.0.0.1:8050", " --listen 127.0.0.1:0",
		" 2h current", " -1 current", // nothing is two hours old
		"…", playgroundKey,
	)
	return b
}

// here returns a text of a page with the addresses and the SDK key of the sandbox.
func (b *sandbox) here(text string) string { return b.pages.Replace(text) }

// start starts a command that runs until the end of the test, and returns the line with which it says that
// it works.
func (b *sandbox) start(t *testing.T, prints, text string) string {
	t.Helper()
	p := b.open(t, text)
	if err := p.await(prints); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p.last
}

func (b *sandbox) open(t *testing.T, text string) *shellProcess {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p, err := startShell(ctx, b.dir, b.env, text)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = p.end()
	})
	return p
}

// shellProcess is a command that a shell started and that has replaced the shell.
type shellProcess struct {
	cmd  *exec.Cmd
	last string // the line that await found

	lines chan string   // of both outputs; closed at their end
	all   sync.Mutex    // guards seen
	seen  []string      // all lines
	ended chan struct{} // closed once lines is
}

func startShell(ctx context.Context, dir string, env []string, text string) (*shellProcess, error) {
	words := strings.Fields(text)
	for len(words) > 0 && variable.MatchString(words[0]) {
		env = append(slices.Clone(env), words[0])
		words = words[1:]
		_, text, _ = strings.Cut(strings.TrimSpace(text), " ")
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &shellProcess{cmd: exec.CommandContext(ctx, "bash", "-euc", "exec "+text), lines: make(chan string, 10_000), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, env, in, in
	err = p.cmd.Start()
	_ = in.Close()
	if err != nil {
		_ = out.Close()
		return nil, err
	}
	go p.read(out)
	return p, nil
}

func (p *shellProcess) read(out io.ReadCloser) {
	defer close(p.ended)
	defer close(p.lines)
	defer out.Close()
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		p.all.Lock()
		p.seen = append(p.seen, scanner.Text())
		p.all.Unlock()
		select {
		case p.lines <- scanner.Text():
		default: // nobody waits for so many
		}
	}
}

// output returns what the command has printed so far.
func (p *shellProcess) output() string {
	p.all.Lock()
	defer p.all.Unlock()
	return strings.Join(p.seen, "\n")
}

// await waits for the next line with a text.
func (p *shellProcess) await(text string) error {
	timeout := time.After(time.Minute)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return fmt.Errorf("it ended before it printed %q:\n%s", text, p.output())
			}
			if strings.Contains(line, text) {
				p.last = line
				return nil
			}
		case <-timeout:
			return fmt.Errorf("it did not print %q within a minute:\n%s", text, p.output())
		}
	}
}

// end waits for the end of the command.
func (p *shellProcess) end() error {
	<-p.ended
	return p.cmd.Wait()
}

// setFlag changes the value of a flag in the file.
func setFlag(t *testing.T, flags string) {
	t.Helper()
	text, err := os.ReadFile(flags)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "Free shipping!", "Other text", 1)
	if changed == string(text) {
		t.Fatal("deploy/flags.json has another text")
	}
	if err := os.WriteFile(flags, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

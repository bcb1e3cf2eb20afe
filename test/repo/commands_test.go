package repo

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// notRun are the commands of the pages that this test checks but does not run, with the reason. What can be
// checked is: flags and commands of catbridge, targets of make, packages of Go, and paths.
var notRun = map[string]string{
	"make test":         "it runs this test",
	"make bench":        "it takes minutes and needs the machine alone",
	"make bench-full":   "likewise",
	"make bench-report": "it writes pages; test/bench/report has its own tests",

	"go build -o bin/catbridge ./cmd/catbridge": "the test builds the same program in another folder",
	`export PATH="$PWD/bin:$PATH"`:              "the program is in the test's folder",
	"redis-server --save ''":                    "the test has its own Redis",

	"go get github.com/catbridge/catbridge/follower":                                                      "needs a released version; make release-dry-run does this",
	"go get github.com/catbridge/catbridge/metrics":                                                       "likewise",
	"go get github.com/catbridge/catbridge/leader/otel":                                                   "likewise",
	"go get github.com/catbridge/catbridge/follower/openfeature":                                          "likewise",
	"go install github.com/catbridge/catbridge/cmd/catbridge@latest":                                      "likewise",
	"go mod edit -replace github.com/catbridge/catbridge=../catbridge":                                    "needs the module of a service",
	"go mod edit -replace github.com/catbridge/catbridge/metrics=../catbridge/metrics":                    "likewise",
	"go mod edit -dropreplace github.com/catbridge/catbridge -droprequire github.com/catbridge/catbridge": "likewise; TestAServiceNeedsOnlyTheReplaceLines runs it",
	"go mod tidy":                      "likewise, and a module proxy; TestAServiceNeedsOnlyTheReplaceLines builds a service",
	"go run .":                         "TestProgramsOfTheReadmeWork runs the program",
	"npm install @configcat/sdk@1.1.0": "needs a registry; test/interop has the package",
	"npm install @configcat/sdk@1.1.0 @redis/client@5.9.0":                         "likewise",
	"npm install @openfeature/server-sdk@1.23.0 @openfeature/ofrep-provider@0.1.3": "likewise",
	"node service.mjs":                   "TestTheNodePageWorks runs it",
	"kubectl create namespace catbridge": "needs a cluster",
	"make build":                         "the test builds the same program in another folder",
	"sudo install -m 755 bin/catbridge /usr/local/bin/":                         "needs root, and a machine of its own",
	"sudo install -m 644 deploy/systemd/catbridge.service /etc/systemd/system/": "likewise; TestUnitIsSoundAndHardened checks the unit",
	"sudo install -d -m 700 /etc/catbridge/credentials":                         "likewise",
	"sudo install -m 600 sdk-keys redis-password /etc/catbridge/credentials/":   "likewise",
	"sudo install -m 644 deploy/systemd/catbridge.yaml /etc/catbridge/":         "likewise; TestConfigurationsAreAccepted checks the file",
	"sudoedit /etc/catbridge/catbridge.yaml":                                    "likewise",
	"sudo systemctl enable --now catbridge":                                     "likewise",
	"systemctl status catbridge":                                                "likewise",
	"journalctl -u catbridge":                                                   "likewise",
	"sudo catbridge status --config /etc/catbridge/catbridge.yaml --sdk-key-file /etc/catbridge/credentials/sdk-keys --redis-password-file /etc/catbridge/credentials/redis-password": "likewise",
	"kubectl -n catbridge create secret generic catbridge --from-file=sdk-keys --from-file=redis-password":                                                                            "likewise",
	"kubectl -n catbridge apply -k overlay":                                                                                                                                                      "likewise",
	"kubectl -n catbridge rollout status deployment/catbridge":                                                                                                                                   "likewise",
	"kubectl -n catbridge exec deployment/catbridge -- /catbridge status --config=/etc/catbridge/catbridge.yaml":                                                                                 "likewise",
	"kubectl -n catbridge exec deployment/catbridge -- /catbridge doctor --config=/etc/catbridge/catbridge.yaml":                                                                                 "likewise",
	"kubectl -n catbridge logs --selector app.kubernetes.io/name=catbridge --all-containers --prefix --tail=200":                                                                                 "likewise",
	"kubectl -n catbridge exec deployment/catbridge -- /catbridge force --config=/etc/catbridge/catbridge.yaml shop newCheckout false --for 30m --reason 'payments fail' --by you --yes":         "likewise",
	"helm -n catbridge install catbridge deploy/helm/catbridge --values values.yaml --wait":                                                                                                      "likewise; test/chart renders the chart",
	"helm -n catbridge upgrade catbridge deploy/helm/catbridge --values values.yaml --set image.tag=v2 --wait":                                                                                   "likewise",
	"helm -n catbridge rollback catbridge --wait":                                                                                                                                                "likewise",
	"helm -n catbridge test catbridge --logs":                                                                                                                                                    "likewise",
	"helm -n catbridge template catbridge deploy/helm/catbridge --values values.yaml --kube-version 1.31":                                                                                        "test/chart renders the chart",
	"catbridge leader --redis rediss://leader@redis.example.com:6380 --redis-password-file password --redis-tls-ca-file ca.pem --redis-tls-cert-file client.pem --redis-tls-key-file client.key": "needs a Redis with TLS; cmd/catbridge tests that",
}

// untilStopped are the commands that run until they are stopped, by their start, with what they print
// once they work, and arguments that the test adds if they lack the flag.
var untilStopped = []struct{ start, prints, flag, value string }{
	{"catbridge demo", "What to try next", "", ""},
	{"catbridge cdn", "base URL ", "--listen", "127.0.0.1:0"},
	{"catbridge leader", "started", "", ""},
	{"catbridge serve", "started", "--listen", "127.0.0.1:0"},
	{"catbridge watch", "newCheckout = ", "", ""},
	{"curl -N", "data: ", "", ""},
}

// shellCommand is a command on a page. Only a loop has several lines.
type shellCommand struct {
	in   fence
	text string
}

var shellComment = regexp.MustCompile(`(^|\s+)# .*$`)

// shellCommands returns the commands of a block, without comments.
func shellCommands(f fence) (all []shellCommand) {
	loop, more := false, false
	for line := range strings.Lines(f.text) {
		line = strings.TrimSpace(line)
		between := " "
		switch {
		case loop:
			between = "\n"
		case !more:
			if line = strings.TrimSpace(shellComment.ReplaceAllString(line, "")); line == "" {
				continue
			}
			all = append(all, shellCommand{in: f})
		}
		last := &all[len(all)-1]
		more = strings.HasSuffix(line, `\`)
		last.text = strings.TrimSpace(last.text + between + strings.TrimSpace(strings.TrimSuffix(line, `\`)))
		loop = strings.HasPrefix(line, "for ") || loop && line != "done"
	}
	return all
}

// TestCommandsOfThePages runs the commands in the blocks of README.md and of the pages in docs, on a bridge without
// a ConfigCat account. It checks what it does not run, and the commands on other pages and in sentences.
func TestCommandsOfThePages(t *testing.T) {
	for _, name := range []string{"bash", "curl", "openssl"} {
		if _, err := exec.LookPath(name); err != nil {
			missing.Skip(t, "%s is missing: install the Debian package %s (%v)", name, name, err)
		}
	}
	t.Parallel()
	b := newSandbox(t)
	all := pages(t)
	used := map[string]bool{}
	ran := 0
	for _, page := range slices.Sorted(maps.Keys(all)) {
		exports := map[string]string{}
		blocks, _ := fencesOf(page, all[page])
		for _, f := range blocks {
			if f.language != "sh" {
				continue
			}
			t.Run(f.String(), func(t *testing.T) {
				for _, c := range shellCommands(f) {
					reason, listed := notRun[c.text]
					used[c.text] = true
					b.check(t, f.String(), c.text)
					assignment, isExport := strings.CutPrefix(c.text, "export ")
					switch {
					case listed:
						t.Logf("checked, not run: %s: %s", c.text, reason)
					case !isRun(page):
						t.Logf("checked, not run: %s: it is on a page outside docs", c.text)
					case isExport:
						name, value := b.export(t, assignment, exports)
						exports[name] = value
					default:
						ran++
						b.run(t, c, exports)
					}
				}
			})
		}
		for _, m := range quoted.FindAllStringSubmatch(withoutFences(all[page]), -1) {
			b.check(t, page, strings.Join(strings.Fields(m[1]), " "))
		}
	}
	for text := range notRun {
		if !used[text] {
			t.Errorf("no page has the command %q, which is not run", text)
		}
	}
	b.acceptsUsers(t)
	t.Logf("%d commands were run", ran)
	if ran < 40 {
		t.Error("few commands are seen")
	}
}

// export returns the variable that an export sets in a shell with other exports before it.
func (b *sandbox) export(t *testing.T, assignment string, before map[string]string) (name, value string) {
	t.Helper()
	name, _, _ = strings.Cut(assignment, "=")
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", "export "+b.here(assignment)+`; printf %s "$`+name+`"`)
	cmd.Env = slices.Clone(b.env)
	for other, value := range before {
		cmd.Env = append(cmd.Env, other+"="+value)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("export %s: %v", assignment, err)
	}
	return name, string(out)
}

// acceptsUsers starts a Redis with the users whose passwords the commands of deploy/acl have set.
func (b *sandbox) acceptsUsers(t *testing.T) {
	t.Helper()
	server := redistest.Start(t)
	folder := filepath.Join(b.dir, "deploy/acl")
	password, err := os.ReadFile(filepath.Join(folder, "leader.password"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile(filepath.Join(folder, "single.acl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(rules)) {
		words := []any{"ACL", "SETUSER"}
		for _, word := range strings.Fields(line)[1:] {
			words = append(words, word)
		}
		if words[2] != "default" {
			if _, err := server.Do(t, words...); err != nil {
				t.Errorf("deploy/acl/single.acl: %v: %v", words[2], err)
			}
		}
	}
	if _, err := server.Do(t, "AUTH", "leader", string(password)); err != nil {
		t.Errorf("the password of the user leader: %v", err)
	}
}

// check reports what is wrong with a command.
func (b *sandbox) check(t *testing.T, where, text string) {
	t.Helper()
	for _, fault := range b.faults(t.Context(), text) {
		t.Errorf("%s: %s: %s", where, text, fault)
	}
}

// isRun reports whether the commands of a page are run: those for readers who follow the pages in docs.
func isRun(page string) bool { return inDocs(page) || page == "deploy/acl/README.md" }

func inDocs(page string) bool { return page == "README.md" || strings.HasPrefix(page, "docs/") }

// quoted matches commands in sentences.
var quoted = regexp.MustCompile("`((?:\\w+=\\S+ )*(?:catbridge|make|go run|go test|docker compose) [^`]*)`")

func withoutFences(text string) string {
	var b strings.Builder
	open := false
	for line := range strings.Lines(text) {
		if fenceLine.MatchString(strings.TrimSuffix(line, "\n")) {
			open = !open
		} else if !open {
			b.WriteString(line)
		}
	}
	return b.String()
}

var (
	makeTarget    = regexp.MustCompile(`(?m)^([a-z-]+)(?: [a-z-]+)*:.*## `)
	ownPackage    = regexp.MustCompile(`^` + regexp.QuoteMeta(module) + `(/[\w/]+)?(?:[@=].*)?$`)
	pathOfTheRepo = regexp.MustCompile(`^(?:\./)?(?:cmd|deploy|docs|examples|test|gateway|leader|follower)(?:/[\w.-]+)*$`)
	variable      = regexp.MustCompile(`^[A-Z][A-Z_]*=`)
	substitution  = regexp.MustCompile(`\b[a-z]+=\$\(`)
	separator     = regexp.MustCompile(`\s(?:&&|\|\||\||;)\s`)
)

// programs are the programs that pages name besides catbridge, make and go.
var programs = []string{"export", "cd", "for", "do", "done", "curl", "cut", "docker", "echo", "git", "head", "helm", "install", "journalctl", "kubectl", "node", "npm", "openssl", "printf", "redis-server", "sed", "sha256sum", "sudoedit", "systemctl"}

// faults returns what is wrong with a command as far as that can be known without running it.
func (b *sandbox) faults(ctx context.Context, text string) (wrong []string) {
	text = substitution.ReplaceAllString(strings.ReplaceAll(text, "\n", " ; "), "")
	for _, part := range separator.Split(text, -1) {
		words := strings.Fields(part)
		for len(words) > 0 && (variable.MatchString(words[0]) || words[0] == "do" || words[0] == "sudo") {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		for _, word := range words {
			wrong = append(wrong, b.missingPaths(strings.Trim(word, `'"`))...)
		}
		switch name := words[0]; {
		case name == "catbridge":
			wrong = append(wrong, b.flagFaults(ctx, strings.TrimSpace(part[strings.Index(part, "catbridge "):]))...)
		case name == "make":
			for _, target := range words[1:] {
				if !strings.Contains(target, "=") && target != "…" && !b.makes(target) {
					wrong = append(wrong, "make has no target "+target)
				}
			}
		case name != "go" && !strings.HasPrefix(name, "bin/") && !slices.Contains(programs, name):
			wrong = append(wrong, "unknown program "+name)
		}
	}
	return wrong
}

// makes reports whether make has a target. The tools below bin are those of the folders in tools.
func (b *sandbox) makes(target string) bool {
	if tool, ok := strings.CutPrefix(target, "bin/"); ok {
		_, err := os.Stat(path.Join(b.root, "tools", tool, "go.mod"))
		return err == nil
	}
	return b.targets[target]
}

// missingPaths returns an error if a word names a file or a package of this repository that does not exist.
func (b *sandbox) missingPaths(word string) []string {
	name := ""
	if pathOfTheRepo.MatchString(word) {
		name = word
	} else if m := ownPackage.FindStringSubmatch(word); m != nil {
		name = "." + m[1]
	}
	if name != "" {
		if _, err := os.Stat(path.Join(b.root, name)); err != nil {
			return []string{err.Error()}
		}
	}
	return nil
}

// flagFaults asks the program for the help of a command with its arguments: it rejects unknown commands and
// flags before. A sentence may name a flag without its value.
func (b *sandbox) flagFaults(ctx context.Context, text string) []string {
	text, _, _ = strings.Cut(text, " > ")
	if wrong, known := b.known[text]; known {
		return wrong
	}
	words := strings.Fields(text)
	help := func(text string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "bash", "-c", text+" --help")
		cmd.Dir, cmd.Env = b.dir, b.env
		return cmd.CombinedOutput()
	}
	out, err := help(text)
	if err != nil && strings.HasPrefix(words[len(words)-1], "--") { // help may have been its value
		out, err = help(text + " value")
	}
	var wrong []string
	if err != nil {
		wrong = append(wrong, fmt.Sprintf("%v: %.300s", err, out))
	} else if name := commandName(words, strings.Contains(string(out), "Available Commands:")); !strings.Contains(string(out), name) {
		wrong = append(wrong, "unknown command "+name)
	}
	b.known[text] = wrong
	return wrong
}

// commandName returns the words that name a command: all at the start that can, if others follow below it.
func commandName(words []string, isGroup bool) string {
	end := 1
	for end < len(words) && plainWord.MatchString(words[end]) && (end == 1 || isGroup) {
		end++
	}
	return strings.Join(words[:end], " ")
}

var plainWord = regexp.MustCompile(`^[a-z]+$`)

// run runs a command. If it runs until it is stopped, it must print that it works, and end well.
func (b *sandbox) run(t *testing.T, c shellCommand, exports map[string]string) {
	t.Helper()
	text, env := b.here(c.text), slices.Clone(b.env)
	if !strings.Contains(text, "--config") { // a file replaces the variables, as the README says
		for name, value := range exports {
			env = append(env, name+"="+value)
		}
	}
	bare := text
	for variable.MatchString(bare) {
		_, bare, _ = strings.Cut(bare, " ")
	}
	if fields := strings.Fields(bare); fields[0] == "catbridge" && slices.Contains([]string{"pin", "unpin", "force", "unforce"}, fields[1]) && !strings.Contains(bare, "--yes") {
		text += " --yes" // without a terminal
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, u := range untilStopped {
		if !strings.HasPrefix(bare, u.start) || strings.Contains(bare, "--once") {
			continue
		}
		if u.flag != "" && !strings.Contains(bare, u.flag+" ") {
			text += " " + u.flag + " " + u.value
		}
		b.runUntil(ctx, t, env, text, u.prints)
		return
	}
	if strings.HasSuffix(text, " --watch") {
		b.runUntil(ctx, t, env, text, "shop")
		return
	}
	cmd := exec.CommandContext(ctx, "bash", "-euc", text)
	cmd.Dir, cmd.Env = b.dir, env
	if !inDocs(c.in.page) { // its commands are for the files beside it
		cmd.Dir = filepath.Join(b.dir, filepath.Dir(c.in.page))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", c.text, err, out)
	} else {
		t.Logf("%s\n%s", c.text, out)
	}
}

// runUntil starts a command, waits until it prints a text, and interrupts it.
func (b *sandbox) runUntil(ctx context.Context, t *testing.T, env []string, text, prints string) {
	t.Helper()
	p, err := startShell(ctx, b.dir, env, text)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.await(prints); err != nil {
		t.Errorf("%s: %v", text, err)
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	if err := p.end(); err != nil && strings.Contains(text, "catbridge") {
		t.Errorf("%s: after an interrupt: %v", text, err)
	}
}

func TestCommandsOfABlock(t *testing.T) {
	block := fence{text: "a b  # comment\n# comment\n\nc \\\n  --d\nfor x in 1 2; do\n  e $x | f\ndone\ng 'h#i'\n"}
	var have []string
	for _, c := range shellCommands(block) {
		have = append(have, c.text)
	}
	want := []string{"a b", "c --d", "for x in 1 2; do\ne $x | f\ndone", "g 'h#i'"}
	if !slices.Equal(have, want) {
		t.Errorf("found %q, want %q", have, want)
	}
	if got := withoutFences("a\n```sh\nb\n```\nc `make x`\n"); got != "a\nc `make x`\n" {
		t.Errorf("outside fences: %q", got)
	}
}

// The checks must find what is wrong.
func TestWrongCommandsAreFound(t *testing.T) {
	b := newReader(t)
	for _, text := range []string{
		"catbridge nothing", "catbridge leader --nothing", "catbridge config check --nothing x", "make nothing", "make bin/nothing", "go run ./cmd/nothing", "nothing",
		"kubectl apply -k deploy/nothing", "go get " + module + "/nothing", "catbridge status | nothing", "catbridge watch --user 'x", "for x in 1; do\nnothing $x\ndone",
	} {
		if len(b.faults(t.Context(), text)) == 0 {
			t.Errorf("%s: nothing is found", text)
		}
	}
	for _, text := range []string{
		"catbridge leader --config x.yaml", "A=b catbridge pin shop -1 --for 2h --reason 'a b'", "catbridge show shop > x.json", "make test ARGS=1", "make bin/helm",
		"go get " + module + "/follower@VERSION", "go test ./test/interop -run XXX", "kubectl apply -k deploy/kubernetes",
	} {
		if wrong := b.faults(t.Context(), text); len(wrong) > 0 {
			t.Errorf("%s: %q", text, wrong)
		}
	}
}

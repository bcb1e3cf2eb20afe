package repo

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// script is a script of .ci in a folder with programs that record how they are called.
type script struct {
	t              *testing.T
	dir, path      string
	output, called string // of the last run
}

// newScript copies a script. Each of the programs records its arguments, and then runs its lines of shell code.
func newScript(t *testing.T, name string, programs map[string]string) *script {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		missing.Skip(t, "bash is missing (%v)", err)
	}
	s := &script{t: t, dir: t.TempDir()}
	s.path = s.write(name, root.Read(t, name))
	for program, code := range programs {
		s.write("bin/"+program, "#!/bin/sh\necho \""+program+" $*\" >>"+filepath.Join(s.dir, "calls")+"\n"+code+"\n")
	}
	return s
}

func (s *script) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o700)); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// run runs the script with its programs and the system's, and returns its exit code.
func (s *script) run(env []string, args ...string) int {
	s.t.Helper()
	calls := filepath.Join(s.dir, "calls")
	if err := os.WriteFile(calls, nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
	shell := "bash"
	if strings.HasPrefix(root.Read(s.t, s.name()), "#!/bin/sh\n") {
		shell = "sh"
	}
	cmd := exec.CommandContext(s.t.Context(), shell, append([]string{s.path}, args...)...)
	cmd.Env = append([]string{"PATH=" + filepath.Join(s.dir, "bin") + ":/usr/bin:/bin", "TMPDIR=" + s.dir}, env...)
	output, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		s.t.Fatal(err)
	}
	called, err := os.ReadFile(calls)
	if err != nil {
		s.t.Fatal(err)
	}
	s.output, s.called = string(output), string(called)
	return cmd.ProcessState.ExitCode()
}

func (s *script) name() string {
	name, err := filepath.Rel(s.dir, s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	return name
}

// expect checks the exit code of a run, what it printed and what it called.
func (s *script) expect(code, want int, printed []string, called ...string) {
	s.t.Helper()
	if code != want {
		s.t.Errorf("exit code %d, want %d", code, want)
	}
	for _, text := range printed {
		if !strings.Contains(s.output, text) {
			s.t.Errorf("not printed: %q", text)
		}
	}
	for _, call := range called {
		if !strings.Contains(s.called, call) {
			s.t.Errorf("not called: %q", call)
		}
	}
	if s.t.Failed() {
		s.t.Fatalf("printed\n%s\ncalled\n%s", s.output, s.called)
	}
}

// steps are the targets that every check of a release makes.
var steps = []string{"golangci-lint\n", "workflows\n", "chart\n", "release-dry-run RELEASE=v1.2.3\n", "packages RELEASE=v1.2.3\n"}

func TestACheckOfAReleaseSaysWhatItDidNotTry(t *testing.T) {
	release := []string{"RELEASE=v1.2.3"}
	if _, err := os.Stat("/usr/bin/docker"); err != nil { // the script also finds the system's programs
		s := newScript(t, ".ci/release-check", map[string]string{"make": ""})
		s.expect(s.run(release), 0, []string{
			"not tried: the image: docker is not installed\n", "not tried: the playground of docker-compose.yml: docker is not installed\n",
			"not tried: publishing", "all 5 steps for v1.2.3 passed",
		}, steps...)
	}

	s := newScript(t, ".ci/release-check", map[string]string{"make": `case "$*" in *packages*) echo "not tried: rpm" ;; esac`, "docker": "exit 1"})
	s.expect(s.run(release), 0, []string{"not tried: the image: docker cannot reach its daemon\n", "all 5 steps for v1.2.3 passed"}, steps...)
	if strings.Count(s.output, "not tried: rpm\n") != 2 {
		t.Errorf("the end does not repeat what a step did not try:\n%s", s.output)
	}

	s = newScript(t, ".ci/release-check", map[string]string{"make": "", "docker": `[ "$1" != compose ]`})
	s.expect(s.run(release), 0, []string{"not tried: the playground of docker-compose.yml: docker has no plugin compose\n", "all 6 steps"}, "image VERSION=v1.2.3\n")

	s = newScript(t, ".ci/release-check", map[string]string{"make": "", "docker": ""})
	s.write("SECURITY.md", "security@catbridge.example")
	s.expect(s.run(release), 0, []string{"all 7 steps", "to fill in: the address in SECURITY.md\n"}, append([]string{"image VERSION=v1.2.3\n", "playground\n"}, steps...)...)
}

func TestACheckOfAReleaseFailsWithAnyStep(t *testing.T) {
	for _, step := range append([]string{"image", "playground"}, steps...) {
		step, _, _ = strings.Cut(strings.TrimSpace(step), " ")
		s := newScript(t, ".ci/release-check", map[string]string{"make": `case "$*" in *" ` + step + `"*) exit 3 ;; esac`, "docker": ""})
		s.expect(s.run([]string{"RELEASE=v1.2.3"}), 1, []string{"failed: the ", "v1.2.3 cannot be released"}, append([]string{"playground\n"}, steps...)...)
	}
	s := newScript(t, ".ci/release-check", map[string]string{"make": "", "docker": ""})
	s.expect(s.run(nil), 1, []string{"RELEASE"})
}

func TestAFailureOfThePlaygroundIsReported(t *testing.T) {
	s := newScript(t, ".ci/playground", map[string]string{"docker": "", "curl": ""})
	s.expect(s.run(nil), 0, []string{"Grafana"}, "compose up --build --detach --wait", "compose run --rm status\n", "/flags\n", "compose down --volumes")
	if strings.Contains(s.called, " logs ") {
		t.Error("logs of a success")
	}
	for name, programs := range map[string]map[string]string{
		"up":     {"docker": `case "$*" in *" up "*) exit 4 ;; esac`, "curl": ""},
		"status": {"docker": `case "$*" in *" status") exit 4 ;; esac`, "curl": ""},
		"down":   {"docker": `case "$*" in *" down "*) exit 1 ;; esac`, "curl": ""},
		"look":   {"docker": "", "curl": `case "$*" in *8084*) exit 22 ;; esac`},
	} {
		s := newScript(t, ".ci/playground", programs)
		if code := s.run(nil); code == 0 || !strings.Contains(s.called, "compose down --volumes") || name != "down" && !strings.Contains(s.called, "compose logs") {
			t.Errorf("%s: exit code %d\n%s", name, code, s.called)
		}
	}
}

// Ports that the script looks at must be those of docker-compose.yml.
func TestThePlaygroundIsThatOfTheComposeFile(t *testing.T) {
	text, file := root.Read(t, ".ci/playground"), root.Read(t, "docker-compose.yml")
	ports := regexp.MustCompile(`\$\{[A-Z_0-9]+:-\d+\}`).FindAllString(text, -1)
	for _, port := range ports {
		if !strings.Contains(file, port) {
			t.Errorf("docker-compose.yml has no %s", port)
		}
	}
	if len(ports) < 8 {
		t.Errorf("ports %q", ports)
	}
}

func TestPackagesStartNothingAndStopWhatTheyRemove(t *testing.T) {
	const services = "catbridge.service catbridge-serve.service\n"
	for _, test := range []struct {
		script string
		args   []string
		want   string
	}{
		{"postinstall.sh", []string{"configure", ""}, "systemctl daemon-reload\nsystemctl --no-block try-restart " + services}, // deb
		{"postinstall.sh", []string{"1"}, "systemctl daemon-reload\nsystemctl --no-block try-restart " + services},             // rpm
		{"preremove.sh", []string{"remove"}, "systemctl disable --now " + services},
		{"preremove.sh", []string{"0"}, "systemctl disable --now " + services},
		{"preremove.sh", []string{"upgrade", "1.2.3"}, ""},
		{"preremove.sh", []string{"1"}, ""},
		{"postremove.sh", []string{"remove"}, "systemctl daemon-reload\n"},
	} {
		for _, code := range []string{"", "exit 1"} { // a service that does not stop must not prevent the removal
			s := newScript(t, "deploy/packages/"+test.script, map[string]string{"systemctl": code})
			s.write("deploy/packages/"+test.script, strings.ReplaceAll(root.Read(t, "deploy/packages/"+test.script), "/run/systemd/system", s.dir))
			if exit := s.run(nil, test.args...); exit != 0 || s.called != test.want {
				t.Errorf("%s %q: exit code %d, called\n%s\nwant\n%s\n%s", test.script, test.args, exit, s.called, test.want, s.output)
			}
			s.write("deploy/packages/"+test.script, strings.ReplaceAll(root.Read(t, "deploy/packages/"+test.script), "/run/systemd/system", s.dir+"/none"))
			if exit := s.run(nil, test.args...); exit != 0 || s.called != "" {
				t.Errorf("%s %q without systemd: exit code %d, called\n%s", test.script, test.args, exit, s.called)
			}
		}
	}
}

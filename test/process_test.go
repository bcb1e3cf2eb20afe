package test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/fakecdn"
	"github.com/catbridge/catbridge/test/missing"
	"github.com/catbridge/catbridge/test/redistest"
)

// binaries is where the program is built, once.
var binaries string

// program builds catbridge and gives its path.
var program = sync.OnceValues(func() (path string, err error) {
	if binaries, err = os.MkdirTemp("", "catbridge-test"); err != nil {
		return "", err
	}
	path = filepath.Join(binaries, "catbridge")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/catbridge").CombinedOutput()
	if err != nil {
		return "", &buildError{string(out), err}
	}
	return path, nil
})

type buildError struct {
	output string
	err    error
}

func (e *buildError) Error() string { return "build catbridge: " + e.err.Error() + "\n" + e.output }

// fleet is a world whose leaders are processes of the real program.
type fleet struct {
	*world
	path     string
	redisURL string
	cdnURL   string
}

// onProcesses plays with processes on a real server, with the program's fast timing.
func onProcesses(t *testing.T, play func(f *fleet)) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	if _, err := exec.LookPath("go"); err != nil {
		missing.Skip(t, "the go command is missing (%v)", err)
	}
	t.Parallel()
	inLanes(t, func(t *testing.T, rounds int) {
		server := redistest.Start(t)
		path, err := program()
		if err != nil {
			t.Fatal(err)
		}
		p := profile{leader: leader.FastTiming(), follower: follower.FastTimings(), slack: time.Minute}
		p.leader.PollInterval = time.Second
		f := &fleet{world: newWorld(t, to(server), p, false), path: path, redisURL: server.URL()}
		f.lane = rounds
		f.tap(server)
		web := httptest.NewServer(f.cdn)
		t.Cleanup(web.Close)
		f.cdnURL = web.URL
		play(f)
	})
}

// process is a catbridge leader of its own.
type process struct {
	cmd    *exec.Cmd
	log    string // path of its log
	id     string // its ID as a leader
	exited chan struct{}
}

// launch starts a leader and waits until it says its ID. It is killed at the end of
// the test.
func (f *fleet) launch() *process {
	f.Helper()
	p := &process{log: filepath.Join(f.TempDir(), "log"), exited: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.cmd = exec.CommandContext(context.WithoutCancel(f.Context()), f.path, "leader",
		"--fast", "--poll-interval", f.leader.PollInterval.String(), "--base-url", f.cdnURL,
		"--log-format", "json", "--log-level", "debug")
	p.cmd.Env = []string{
		"CATBRIDGE_SDK_KEY=" + sdkKey, "CATBRIDGE_REDIS_URL=" + f.redisURL,
	}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		f.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait()
	}()
	f.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
		p.inspect(f.T)
	})
	f.eventually(10*time.Second, "the process says its ID", func() bool {
		p.id = p.started()
		return p.id != ""
	})
	return p
}

// started finds the leader's ID in the log.
func (p *process) started() string {
	text, _ := os.ReadFile(p.log)
	line, _, _ := strings.Cut(string(text), "\n")
	var event struct{ Leader string }
	_ = json.Unmarshal([]byte(line), &event)
	return event.Leader
}

// inspect looks through the log for the SDK key (I13), and shows it if the test failed.
func (p *process) inspect(t *testing.T) {
	text, err := os.ReadFile(p.log)
	if err != nil {
		t.Error(err)
	}
	guard := secretGuard{t: t}
	for line := range strings.Lines(string(text)) {
		guard.check([]byte(line))
	}
	if t.Failed() {
		t.Logf("leader %s:\n%s", p.id, text)
	}
}

func (f *fleet) signal(p *process, sig syscall.Signal) {
	f.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		f.Fatal(err)
	}
}

// holder is the ID in the lock; empty: nobody leads.
func (f *fleet) holder() string {
	id, _, _ := cachekeys.ParseLock(f.admin.Get(f.Context(), f.keys.Lock).Val())
	return id
}

func (f *fleet) awaitHolder(p *process) {
	f.Helper()
	f.eventually(f.takeover(), "process "+p.id+" leads", func() bool { return f.holder() == p.id })
}

// launchAll starts leaders, the first of which leads, and followers that have content.
func (f *fleet) launchAll(leaders, followers int) []*process {
	f.Helper()
	all := []*process{f.launch()}
	f.awaitHolder(all[0])
	for len(all) < leaders {
		all = append(all, f.launch())
	}
	f.followers(followers)
	f.reached(f.cdn.Version(), f.poll())
	f.subscribed(leaders + followers)
	return all
}

func TestF02_KilledProcessIsReplaced(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		all := f.launchAll(2, 3)
		for range 2 {
			f.signal(all[0], syscall.SIGKILL)
			killed := time.Now()
			f.awaitHolder(all[1])
			f.Logf("another leads %v after kill -9 (lock expiry %v)", time.Since(killed).Round(time.Millisecond), f.leader.LockExpiry)
			f.reached(f.cdn.Publish(), f.poll())
			all = []*process{all[1], f.launch()}
		}
		f.settle()
	})
}

func TestF03_TerminatedProcessHandsOver(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		all := f.launchAll(3, 3)
		for range 3 {
			f.signal(all[0], syscall.SIGTERM)
			terminated := time.Now()
			f.eventually(f.takeover(), "another leads", func() bool { return f.holder() != all[0].id && f.holder() != "" })
			f.Logf("another leads %v after SIGTERM", time.Since(terminated).Round(time.Millisecond))
			<-all[0].exited
			if code := all[0].cmd.ProcessState.ExitCode(); code != 0 {
				f.Errorf("exit code %d", code)
			}
			f.reached(f.cdn.Publish(), f.poll())
			all = append(all[1:], f.launch())
			if f.holder() != all[0].id {
				all[0], all[1] = all[1], all[0]
			}
			f.awaitHolder(all[0])
		}
		f.settle()
	})
}

// F1: stopped while the CDN's answer is under way, past the end of the lock, and
// resumed when another has published newer content.
func TestF01_StoppedProcessWritesNothingLate(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		all := f.launchAll(2, 3)
		for range 2 {
			release := make(chan struct{})
			asked := make(chan struct{}, 100)
			f.cdn.Break(fakecdn.Announce(asked, fakecdn.Hang(release)))
			<-asked
			f.cdn.Publish()
			f.signal(all[0], syscall.SIGSTOP)
			close(release)
			f.cdn.Mend()
			f.awaitHolder(all[1])
			f.reached(f.cdn.Publish(), f.poll())
			f.signal(all[0], syscall.SIGCONT)
			f.pass(2 * f.leader.Renewal)
			if id := f.holder(); id != all[1].id {
				f.Errorf("%s leads after the other went on", id)
			}
			f.settle()
			all[0], all[1] = all[1], all[0]
		}
	})
}

package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Process is a running catbridge.
type Process struct {
	Cmd    *exec.Cmd
	log    string // path of its log
	ID     string // its ID, if it is a leader
	Addr   string // its address, if it serves HTTP
	out    *bufio.Scanner
	Exited chan struct{}
}

// Run starts the program. At the end of the test it is killed, and its log is checked.
func (f *Fleet) Run(env []string, args ...string) *Process {
	f.Helper()
	p := &Process{log: filepath.Join(f.TempDir(), "log"), Exited: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.Cmd = exec.CommandContext(context.WithoutCancel(f.Context()), f.path, args...)
	p.Cmd.Env = append([]string{"CATBRIDGE_SDK_KEY=" + SDKKey, "CATBRIDGE_REDIS_URL=" + f.redisURL}, slices.Concat(f.Env, env)...)
	p.Cmd.Stderr = log
	read, write, err := os.Pipe()
	if err != nil {
		f.Fatal(err)
	}
	p.Cmd.Stdout, p.out = write, bufio.NewScanner(read)
	err = p.Cmd.Start()
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		f.Fatal(err)
	}
	go func() {
		defer close(p.Exited)
		_ = p.Cmd.Wait()
	}()
	f.Cleanup(func() {
		p.end(f.T, f.sockets())
		text, _ := io.ReadAll(read) // empty if a watcher has read it
		(&secretGuard{t: f.T}).check(text)
		_ = read.Close()
		p.inspect(f.T)
	})
	return p
}

// The limit for the number of a process's connections, whatever has happened: a process
// needs four, and to each node of a cluster one or two.
const (
	maxSockets        = 12
	maxClusterSockets = 24
)

func (f *Fleet) sockets() int {
	if f.cluster != nil {
		return maxClusterSockets
	}
	return maxSockets
}

// end kills the process, and checks that it does not have more connections than most.
func (p *Process) end(t *testing.T, most int) {
	if n := descriptorsOf(strconv.Itoa(p.Cmd.Process.Pid))["socket"]; n > most {
		t.Errorf("%s %s has %d sockets", p.Cmd.Args[1], p.ID, n)
	}
	_ = p.Cmd.Process.Kill()
	<-p.Exited
}

// inspect checks that the log does not contain the SDK key (I13), and prints it if the test
// failed.
func (p *Process) inspect(t *testing.T) {
	text, err := os.ReadFile(p.log)
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(string(text), "DATA RACE") {
		t.Errorf("a data race in %s %s", p.Cmd.Args[1], p.ID)
	}
	guard := secretGuard{t: t}
	for line := range strings.Lines(string(text)) {
		guard.check([]byte(line))
	}
	if t.Failed() {
		t.Logf("%s %s:\n%s", p.Cmd.Args[1], p.ID, text)
	}
}

// CountEvents counts the lines of the log with that event and all of these parts.
func (p *Process) CountEvents(id int, parts ...string) int {
	return p.CountLines(append(parts, `"event_id":`+strconv.Itoa(id))...)
}

// CountLines counts the lines of the log with all of these parts.
func (p *Process) CountLines(parts ...string) int {
	text, _ := os.ReadFile(p.log)
	n := 0
lines:
	for line := range strings.Lines(string(text)) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		n++
	}
	return n
}

// HasStarted looks in the log of a leader for its ID, and for its address if it serves HTTP.
func (p *Process) HasStarted() bool {
	text, _ := os.ReadFile(p.log)
	line, _, _ := strings.Cut(string(text), "\n")
	var event struct{ Leader, Listen string }
	_ = json.Unmarshal([]byte(line), &event)
	p.ID, p.Addr = event.Leader, event.Listen
	return p.ID != ""
}

// Signal sends a signal to a process.
func (f *Fleet) Signal(p *Process, sig syscall.Signal) {
	f.Helper()
	if err := p.Cmd.Process.Signal(sig); err != nil {
		f.Fatal(err)
	}
}

// StopFor stops a process for the given time.
func (f *Fleet) StopFor(p *Process, d time.Duration) {
	f.Helper()
	f.Signal(p, syscall.SIGSTOP)
	f.Pass(d)
	f.Signal(p, syscall.SIGCONT)
}

// ProcStatus returns a number of /proc/…/status in bytes.
func (p *Process) ProcStatus(t *testing.T, field string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatalf("no %s", field)
	return 0
}

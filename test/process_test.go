package test

import (
	"bufio"
	"context"
	"encoding/json"
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

// process is a running catbridge.
type process struct {
	cmd     *exec.Cmd
	log     string // path of its log
	id      string // its ID, if it is a leader
	listens string // its address, if it serves HTTP
	out     *bufio.Scanner
	exited  chan struct{}
}

// run starts the program. At the end of the test it is killed, and its log is checked.
func (f *fleet) run(env []string, args ...string) *process {
	f.Helper()
	p := &process{log: filepath.Join(f.TempDir(), "log"), exited: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.cmd = exec.CommandContext(context.WithoutCancel(f.Context()), f.path, args...)
	p.cmd.Env = append([]string{"CATBRIDGE_SDK_KEY=" + sdkKey, "CATBRIDGE_REDIS_URL=" + f.redisURL}, slices.Concat(f.env, env)...)
	p.cmd.Stderr = log
	read, write, err := os.Pipe()
	if err != nil {
		f.Fatal(err)
	}
	p.cmd.Stdout, p.out = write, bufio.NewScanner(read)
	err = p.cmd.Start()
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		f.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait()
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

func (f *fleet) sockets() int {
	if f.cluster != nil {
		return maxClusterSockets
	}
	return maxSockets
}

// end kills the process, and checks that it does not have more connections than most.
func (p *process) end(t *testing.T, most int) {
	if n := descriptorsOf(strconv.Itoa(p.cmd.Process.Pid))["socket"]; n > most {
		t.Errorf("%s %s has %d sockets", p.cmd.Args[1], p.id, n)
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// inspect checks that the log does not contain the SDK key (I13), and prints it if the test
// failed.
func (p *process) inspect(t *testing.T) {
	text, err := os.ReadFile(p.log)
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(string(text), "DATA RACE") {
		t.Errorf("a data race in %s %s", p.cmd.Args[1], p.id)
	}
	guard := secretGuard{t: t}
	for line := range strings.Lines(string(text)) {
		guard.check([]byte(line))
	}
	if t.Failed() {
		t.Logf("%s %s:\n%s", p.cmd.Args[1], p.id, text)
	}
}

// events counts the lines of the log with that event and all of these parts.
func (p *process) events(id int, parts ...string) int {
	return p.lines(append(parts, `"event_id":`+strconv.Itoa(id))...)
}

// lines counts the lines of the log with all of these parts.
func (p *process) lines(parts ...string) int {
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

// started looks in the log of a leader for its ID, and for its address if it serves HTTP.
func (p *process) started() bool {
	text, _ := os.ReadFile(p.log)
	line, _, _ := strings.Cut(string(text), "\n")
	var event struct{ Leader, Listen string }
	_ = json.Unmarshal([]byte(line), &event)
	p.id, p.listens = event.Leader, event.Listen
	return p.id != ""
}

func (f *fleet) signal(p *process, sig syscall.Signal) {
	f.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		f.Fatal(err)
	}
}

// stopFor stops a process for the given time.
func (f *fleet) stopFor(p *process, d time.Duration) {
	f.Helper()
	f.signal(p, syscall.SIGSTOP)
	f.pass(d)
	f.signal(p, syscall.SIGCONT)
}

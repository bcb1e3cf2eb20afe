package bench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/leader"
	"github.com/redis/go-redis/v9"
)

// childVariable makes this program run as a child process, so that memory and processor
// time can be measured for it alone.
const childVariable = "CATBRIDGE_BENCH_CHILD"

// childConfig is the configuration of a child process.
type childConfig struct {
	Redis, CDN string
	Keys       int           // number of SDK keys that it leads for
	Poll       time.Duration // the leader's poll interval
	Follow     bool          // whether it follows the first SDK key, too
	Followers  int           // it leads nothing, but has this many followers of the first SDK key
}

// keyOf returns one of many SDK keys; the first is that of all other measurements.
func keyOf(i int) string {
	if i == 0 {
		return sdkKey
	}
	return fmt.Sprintf("configcat-sdk-1/BENCHMARKS-%011d/1234567890123456789012", i)
}

// runChild runs as a child process, until its standard input ends.
func runChild(text string) int {
	var cfg childConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if cfg.Followers > 0 {
		if err := runFollowers(cfg); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	client := redis.NewClient(&redis.Options{Addr: cfg.Redis, ContextTimeoutEnabled: true, MaxRetries: -1})
	keys := make([]leader.SDKKey, cfg.Keys)
	for i := range keys {
		keys[i] = leader.SDKKey{Name: strconv.Itoa(i), Key: keyOf(i), BaseURL: cfg.CDN}
	}
	l, err := leader.New(leader.Config{Redis: client, SDKKeys: keys, Timings: leader.Timings{PollInterval: cfg.Poll}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = l.Run(ctx) })
	if cfg.Follow {
		f, err := follower.NewClient(sdkKey, client)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer f.Close()
	}
	fmt.Println("started")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// child is a child process, seen from its parent.
type child struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Scanner // what it prints after it has started
}

// startChild starts a child process and waits until it is ready. It ends with the test.
func startChild(t testing.TB, cfg childConfig) *child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if inErr != nil || outErr != nil {
		t.Fatal(inErr, outErr)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t, cmd, in, bufio.NewScanner(out)}
	c.out.Buffer(nil, 1<<20)
	t.Cleanup(c.stop)
	for c.out.Text() != "started" {
		if !c.out.Scan() {
			t.Fatalf("a child process did not start: %v", c.out.Err())
		}
	}
	return c
}

// stop shuts the process down. It is idempotent.
func (c *child) stop() {
	if c.cmd.ProcessState == nil {
		_ = c.in.Close()
		if err := c.cmd.Wait(); err != nil {
			c.t.Errorf("a child process: %v", err)
		}
	}
}

// cpu returns the processor time of the process's live threads, in seconds. Go's threads
// live as long as the process.
func (c *child) cpu() float64 {
	c.t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", c.cmd.Process.Pid))
	if err != nil || len(threads) == 0 {
		c.t.Fatalf("no threads of process %d: %v", c.cmd.Process.Pid, err)
	}
	var sum float64
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			c.t.Fatal(err)
		}
		var ns float64
		if _, err := fmt.Sscan(string(text), &ns); err != nil {
			c.t.Fatalf("%s: %v", thread, err)
		}
		sum += ns
	}
	return sum / 1e9
}

// memory returns the current and the peak memory of the process, in bytes.
func (c *child) memory() (now, most float64) {
	c.t.Helper()
	for line := range strings.Lines(c.proc("status")) {
		name, value, _ := strings.Cut(line, ":")
		kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		switch name {
		case "VmRSS":
			now = kb * 1024
		case "VmHWM":
			most = kb * 1024
		}
	}
	return now, most
}

func (c *child) proc(name string) string {
	c.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", c.cmd.Process.Pid, name))
	if err != nil {
		missing.Skip(c.t, "processor time and memory of a process are read from Linux's /proc (%v)", err)
	}
	return string(data)
}

// ownCPU returns the processor time of this process, in seconds.
func ownCPU(t testing.TB) float64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

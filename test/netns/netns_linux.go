package netns

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/catbridge/catbridge/internal/testenv/missing"
)

// Program changes the rules; Package is the Debian package that has it.
const (
	Program = "nft"
	Package = "nftables"
)

// Network is a namespace. All methods are safe for concurrent use.
type Network struct {
	handle *os.File
	tasks  chan func()
	ended  chan struct{}
}

// New makes a network that exists until the end of the test. Without the program the test
// ends, see [missing.Skip]. If the kernel does not permit it, which no installation would
// change, the test is skipped.
func New(t testing.TB) *Network {
	t.Helper()
	if _, err := exec.LookPath(Program); err != nil {
		missing.Skip(t, "%s is missing: install the Debian package %s (%v)", Program, Package, err)
	}
	n := &Network{tasks: make(chan func()), ended: make(chan struct{})}
	made := make(chan error)
	go n.serve(made)
	if err := <-made; err != nil {
		t.Skipf("a network namespace cannot be made: run the test as root, where that is allowed (%v)", err)
	}
	t.Cleanup(func() {
		close(n.tasks)
		<-n.ended
		_ = n.handle.Close()
	})
	if err := n.rules(t.Context(), "add table inet faults"); err != nil {
		t.Skipf("packets cannot be filtered: the kernel must have nf_tables, and allow it (%v)", err)
	}
	return n
}

// serve runs on the thread in the namespace, which starts the processes.
func (n *Network) serve(made chan<- error) {
	defer close(n.ended)
	back, err := leaveable()
	if err != nil {
		made <- err
		return
	}
	defer back()
	if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
		err = loopbackUp()
	}
	if err == nil {
		n.handle, err = own()
	}
	made <- err
	if err != nil {
		return
	}
	for task := range n.tasks {
		task()
	}
}

// own opens the namespace of this thread.
func own() (*os.File, error) {
	return os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
}

// leaveable keeps the goroutine on its thread until it calls back, which returns the thread
// to its original namespace. The thread must not end with the goroutine: redistest makes
// the kernel kill a process whose parent ends, and the parent is a thread. So every process
// that any test ever started from this thread would be killed.
func leaveable() (back func(), err error) {
	runtime.LockOSThread()
	home, err := own()
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	return func() {
		defer func() { _ = home.Close() }()
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(fmt.Sprintf("netns: the way back to the network of the machine: %v", err))
		}
		runtime.UnlockOSThread()
	}, nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// Do calls f on a thread of the network: processes that f starts are in it.
func (n *Network) Do(f func() error) error {
	done := make(chan error)
	n.tasks <- func() { done <- f() }
	return <-done
}

// DialContext connects within the network.
func (n *Network) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return n.Host("127.0.0.1")(ctx, network, addr)
}

// Host returns a dialer that connects as the host of that address.
func (n *Network) Host(ip string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	type result struct {
		conn net.Conn
		err  error
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		// A socket belongs to the namespace of the thread that makes it.
		done := make(chan result)
		go func() {
			var r result
			defer func() { done <- r }()
			back, err := leaveable()
			if err != nil {
				r.err = err
				return
			}
			defer back()
			if r.err = unix.Setns(int(n.handle.Fd()), unix.CLONE_NEWNET); r.err == nil {
				r.conn, r.err = dialer.DialContext(ctx, network, addr)
			}
		}()
		r := <-done
		return r.conn, r.err
	}
}

// Filter replaces all rules. Each is for incoming packets, in the syntax of nft, such as
//
//	ip saddr 127.0.0.2 tcp dport 6379 drop
//
// Without rules every packet arrives.
func (n *Network) Filter(t testing.TB, rules ...string) {
	t.Helper()
	text := "flush table inet faults\ntable inet faults {\nchain in {\ntype filter hook input priority 0;\n" +
		strings.Join(rules, "\n") + "\n}\n}\n"
	if err := n.rules(t.Context(), text); err != nil {
		t.Fatalf("netns: %v\n%s", err, text)
	}
}

var counted = regexp.MustCompile(`counter packets (\d+)`)

// Counted returns the number of packets that matched the current rules with "counter".
func (n *Network) Counted(t testing.TB) (packets int) {
	t.Helper()
	err := n.Do(func() error {
		out, err := exec.CommandContext(t.Context(), Program, "list", "table", "inet", "faults").Output()
		for _, m := range counted.FindAllSubmatch(out, -1) {
			more, _ := strconv.Atoi(string(m[1])) // digits
			packets += more
		}
		return err
	})
	if err != nil {
		t.Fatalf("netns: list the rules: %v", err)
	}
	return packets
}

func (n *Network) rules(ctx context.Context, text string) error {
	return n.Do(func() error {
		cmd := exec.CommandContext(ctx, Program, "-f", "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", Program, err, out)
		}
		return nil
	})
}

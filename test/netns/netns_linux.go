package netns

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/catbridge/catbridge/test/missing"
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

// New makes a network, which is gone at the end of the test. Without the program the
// test ends, see [missing.Skip]; where the kernel does not allow it, which nothing that
// could be installed would change, it is skipped.
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

// serve is the thread that lives in the namespace: processes are started by it, and
// must not outlive it. It is not given back to other goroutines.
func (n *Network) serve(made chan<- error) {
	defer close(n.ended)
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNET)
	if err == nil {
		err = loopbackUp()
	}
	if err == nil {
		n.handle, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	}
	made <- err
	if err != nil {
		return
	}
	for task := range n.tasks {
		task()
	}
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

// Host gives a dialer that connects as the host of that address.
func (n *Network) Host(ip string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	type result struct {
		conn net.Conn
		err  error
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		// A thread of its own: a socket belongs to the namespace of the thread that makes
		// it. The thread ends with its goroutine, since it is not unlocked.
		done := make(chan result)
		go func() {
			runtime.LockOSThread()
			var r result
			if r.err = unix.Setns(int(n.handle.Fd()), unix.CLONE_NEWNET); r.err == nil {
				r.conn, r.err = dialer.DialContext(ctx, network, addr)
			}
			done <- r
		}()
		r := <-done
		return r.conn, r.err
	}
}

// Filter lets only those rules be in force, each as nft writes what comes in, such as
//
//	ip saddr 127.0.0.2 tcp dport 6379 drop
//
// None: every packet arrives.
func (n *Network) Filter(t testing.TB, rules ...string) {
	t.Helper()
	text := "flush table inet faults\ntable inet faults {\nchain in {\ntype filter hook input priority 0;\n" +
		strings.Join(rules, "\n") + "\n}\n}\n"
	if err := n.rules(t.Context(), text); err != nil {
		t.Fatalf("netns: %v\n%s", err, text)
	}
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

package netns_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/test/netns"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo serves one connection at a time within the network.
func echo(t *testing.T, n *netns.Network) (addr string) {
	t.Helper()
	var listener net.Listener
	err := n.Do(func() (err error) {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 10)
			for {
				k, err := conn.Read(buf)
				if err != nil {
					break
				}
				_, _ = conn.Write(buf[:k])
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

func TestPacketsOfOneHostAreDroppedSilently(t *testing.T) {
	n := netns.New(t)
	addr := echo(t, n)
	if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		_ = conn.Close()
		t.Fatal("the machine's own network has the address, too")
	}
	conn, err := n.Host("127.0.0.2")(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	answered := func(within time.Duration) error {
		_ = conn.SetDeadline(time.Now().Add(within))
		if _, err := conn.Write([]byte("x")); err != nil {
			return err
		}
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	if err := answered(time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{"ip saddr 127.0.0.2 drop", "ip daddr 127.0.0.2 drop"} {
		n.Filter(t, rule)
		if err := answered(200 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", rule, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if _, err := n.Host("127.0.0.2")(ctx, "tcp", addr); err == nil {
			t.Errorf("%s: connected", rule)
		}
		cancel()
		n.Filter(t)
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := conn.Read(make([]byte, 1)); err != nil { // TCP sends the lost data again
			t.Errorf("after %s: %v", rule, err)
		}
	}
}

// A process that ends with its parent ends with the thread that started it.
func TestEndOfANetworkDoesNotKillOtherProcesses(t *testing.T) {
	const count = 16
	processes := make([]*exec.Cmd, count)
	var all, started sync.WaitGroup
	all.Add(count)
	for i := range processes {
		started.Go(func() {
			runtime.LockOSThread() // so that each starts from its own thread
			defer runtime.UnlockOSThread()
			all.Done()
			all.Wait()
			processes[i] = exec.Command("sleep", "600")
			processes[i].SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
			if err := processes[i].Start(); err != nil {
				t.Error(err)
				processes[i] = nil
			}
		})
	}
	started.Wait()
	for range count {
		t.Run("network", func(t *testing.T) {
			n := netns.New(t)
			if _, err := n.DialContext(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Error(err)
			}
		})
	}
	for _, process := range processes {
		if process == nil {
			continue
		}
		_ = process.Process.Kill()
		_ = process.Wait()
		if status := process.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
			t.Errorf("it was ended by %v", status.Signal())
		}
	}
}

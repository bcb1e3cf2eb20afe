package redistest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/redis/go-redis/v9"
)

const (
	// ProgramVariable is the environment variable that names another program for Redis
	// processes, such as valkey-server. It is searched in the PATH.
	ProgramVariable = "CATBRIDGE_REDIS_SERVER"
	// Program is the default program, and also the name of its Debian package.
	Program = "redis-server"
)

// startTimeout is the maximum time until a process answers.
const startTimeout = time.Minute

// Process is a real redis-server on a free loopback port. It writes nothing to disk unless
// its arguments say so. Its methods are not safe for concurrent use.
type Process struct {
	Port int
	Dir  string // its working directory, removed at the end of the test

	guard   *Guard
	program string
	args    []string
	cmd     *exec.Cmd
	exited  chan struct{}

	dial    dialer
	busPort int           // of a cluster node
	own     *redis.Client // for the harness itself
}

var _ Server = (*Process)(nil)

// Start starts a redis-server with further arguments, which override the default ones, and
// waits until it answers. The process is killed at the end of the test. Without a
// redis-server the test ends, see [missing.Skip]; with -short it always ends.
func Start(t testing.TB, args ...string) *Process {
	t.Helper()
	return (*Guard)(nil).Start(t, args...)
}

// Version returns the version that a program prints, such as "Redis server v=7.0.15".
func Version(program string) (string, error) {
	out, err := exec.Command(program, "--version").Output()
	version, _, _ := strings.Cut(string(out), " sha=")
	return strings.TrimSpace(version), err
}

// Named returns the program for processes: that of the environment variable, or the
// default.
func Named() string { return cmp.Or(os.Getenv(ProgramVariable), Program) }

// launchServer starts a redis-server with further arguments.
func launchServer(t testing.TB, guard *Guard, more func(p *Process) []string) *Process {
	t.Helper()
	return launchProgram(t, guard, func(p *Process) []string {
		return slices.Concat(guard.listen(t, p), []string{
			"--bind", "127.0.0.1", "--dir", p.Dir,
			"--save", "", "--appendonly", "no", "--daemonize", "no", "--enable-debug-command", "yes",
			"--repl-diskless-sync-delay", "0", // which waits for more replicas than one
		}, guard.users(t, p), more(p))
	})
}

// launchProgram starts the program with arguments that may depend on port and folder.
func launchProgram(t testing.TB, guard *Guard, args func(p *Process) []string) *Process {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a server: not with -short")
	}
	program := Named()
	path, err := exec.LookPath(program)
	if err != nil {
		missing.Skip(t, "%s is missing: install the Debian package %[1]s, or name another program by $%s (%v)", program, ProgramVariable, err)
	}
	return start(t, path, guard, args)
}

// start tries several ports: another process may take a free port before it is used.
func start(t testing.TB, path string, guard *Guard, args func(p *Process) []string) *Process {
	t.Helper()
	var err error
	dial := guard.dialer(t)
	for range 5 {
		p := &Process{Port: freePort(t), Dir: t.TempDir(), guard: guard, program: path, dial: dial}
		p.args = args(p)
		if err = p.launch(t.Context()); err == nil {
			t.Cleanup(func() {
				p.Kill()
				if t.Failed() {
					t.Logf("%s on port %d said last:\n%s", filepath.Base(path), p.Port, p.tail())
				}
			})
			return p
		}
		p.Kill()
		if strings.Contains(p.tail(), "tls-port") {
			missing.Skip(t, "%s is built without TLS: install Debian's, or another that has it\n%s", filepath.Base(path), p.tail())
		}
		if !strings.Contains(p.tail(), "Address already in use") {
			err = fmt.Errorf("%w\n%s", err, p.tail())
			break
		}
	}
	t.Fatalf("redistest: %s does not start: %v", filepath.Base(path), err)
	return nil
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("redistest: no free port: %v", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (p *Process) launch(ctx context.Context) error {
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	p.cmd = exec.Command(p.program, p.args...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.Dir, log, log
	p.cmd.SysProcAttr = dieWithParent()
	if err := p.guard.begin(p.cmd); err != nil {
		return err
	}
	p.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait()
		close(exited)
	}(p.cmd, p.exited)
	return p.awaitPing(ctx)
}

// awaitPing waits until the process answers PING; a server that is still loading does not.
func (p *Process) awaitPing(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := p.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("no answer to PING: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ping sends PING without a client, which would print each failure. A request for a
// password is an answer, too.
func (p *Process) ping(ctx context.Context) error {
	conn, err := p.dial(ctx, "tcp", p.Addr())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(answer, "+PONG") && !strings.HasPrefix(answer, "-NOAUTH") {
		err = fmt.Errorf("it answers %q", answer)
	}
	return err
}

// Addr returns host and port.
func (p *Process) Addr() string { return "127.0.0.1:" + strconv.Itoa(p.Port) }

// Dial connects without a client, to write commands line by line. If Redis asks for users,
// the connection has all rights.
func (p *Process) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := p.dial(ctx, "tcp", p.Addr())
	if err != nil {
		return nil, err
	}
	if admin := p.guard.admin(); admin.Name != "" {
		answer := make([]byte, len("+OK\r\n"))
		_, err = fmt.Fprintf(conn, "AUTH %s %s\r\n", admin.Name, admin.Password)
		if deadline, ok := ctx.Deadline(); ok {
			_ = conn.SetReadDeadline(deadline)
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		if err == nil {
			_, err = io.ReadFull(conn, answer)
		}
		if !stop() {
			err = cmp.Or(ctx.Err(), err)
		}
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("log in at port %d: %w", p.Port, err)
	}
	_ = conn.SetReadDeadline(time.Time{})
	return conn, nil
}

// URL returns the address as the programs of the bridge accept it.
func (p *Process) URL() string {
	if p.guard != nil && p.guard.Authority != nil {
		return "rediss://" + p.Addr()
	}
	return "redis://" + p.Addr()
}

// Client implements [Server]. The client has all rights.
func (p *Process) Client(t testing.TB, link *Link) *redis.Client {
	t.Helper()
	return p.ClientAs(t, p.guard.admin(), link)
}

// ClientAs is [Process.Client] for another user.
func (p *Process) ClientAs(t testing.TB, user User, link *Link) *redis.Client {
	t.Helper()
	return newClient(t, p.Addr(), user, p.guard.dialer(t), link)
}

// Pause stops the process by SIGSTOP: connections stay open, but get no answers.
func (p *Process) Pause(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGSTOP)
}

// Resume ends [Process.Pause].
func (p *Process) Resume(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGCONT)
}

func (p *Process) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("redistest: %v to port %d: %v", sig, p.Port, err)
	}
}

// Do sends a command as the harness itself.
func (p *Process) Do(t testing.TB, args ...any) (any, error) {
	t.Helper()
	return p.client(t).Do(t.Context(), args...).Result()
}

// Kill ends the process by SIGKILL and waits for its end. It has no effect on a process
// that has ended.
func (p *Process) Kill() {
	if p.exited == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// Restart starts the process again on the same port, after ending it if it runs. Data that
// it did not save is lost.
func (p *Process) Restart(t testing.TB) {
	t.Helper()
	p.Kill()
	if err := p.launch(t.Context()); err != nil {
		t.Fatalf("redistest: restart: %v\n%s", err, p.tail())
	}
}

func (p *Process) logFile() string { return filepath.Join(p.Dir, "log") }

// tail returns the end of the process's output.
func (p *Process) tail() string {
	const limit = 4 << 10
	log, _ := os.ReadFile(p.logFile())
	return string(log[max(0, len(log)-limit):])
}

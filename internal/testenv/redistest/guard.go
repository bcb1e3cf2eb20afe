package redistest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
)

// User is the login of a client at Redis. The zero value is Redis's default user.
type User struct{ Name, Password string }

// Network is the network of servers and clients, see package netns.
type Network interface {
	// Do calls f. Processes that f starts are in the network.
	Do(f func() error) error
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// Guard is the access control of servers: certificates and users. With a nil Guard they
// accept every client as the default user.
type Guard struct {
	// Authority issues the certificates of servers and clients, each of which verifies the
	// other's; nil: no TLS. It cannot be combined with a Network.
	Authority *Authority
	// Network is the network of the servers; nil: the machine's own.
	Network Network
	// Clock is the wall clock of the servers, on Linux only; nil: the machine's.
	Clock *Clock
	// Nodes is the content of the ACL file of Redis nodes, Sentinels that of Sentinels.
	// Empty: no file.
	Nodes, Sentinels string

	Admin    User // with all rights, on nodes and on Sentinels: the harness itself
	Replica  User // with which a replica logs in at its primary
	Sentinel User // with which Sentinels log in at nodes and at each other
	Discover User // with which clients log in at Sentinels
}

// Start starts one guarded server, see [Start].
func (g *Guard) Start(t testing.TB, args ...string) *Process {
	t.Helper()
	return launchServer(t, g, func(*Process) []string { return args })
}

// Guard returns the access control of the process; nil: none.
func (p *Process) Guard() *Guard { return p.guard }

// begin starts a process in the network of the servers.
func (g *Guard) begin(cmd *exec.Cmd) error {
	if g != nil && g.Clock != nil {
		cmd.Env = append(cmd.Environ(), g.Clock.environ()...)
	}
	if g == nil || g.Network == nil {
		return cmd.Start()
	}
	return g.Network.Do(cmd.Start)
}

func (g *Guard) admin() User {
	if g == nil {
		return User{}
	}
	return g.Admin
}

// listen returns the arguments for a port and for certificates.
func (g *Guard) listen(t testing.TB, p *Process) []string {
	t.Helper()
	port := strconv.Itoa(p.Port)
	if g == nil || g.Authority == nil {
		return []string{"--port", port}
	}
	c := g.Authority.Issue(t, "server")
	return []string{
		"--port", "0", "--tls-port", port, "--tls-replication", "yes", "--tls-cluster", "yes", "--tls-auth-clients", "yes",
		"--tls-cert-file", c.CertFile, "--tls-key-file", c.KeyFile, "--tls-ca-cert-file", g.Authority.CAFile,
	}
}

// users writes the ACL file of a node to its folder, and returns the arguments for it.
func (g *Guard) users(t testing.TB, p *Process) []string {
	t.Helper()
	if g == nil || g.Nodes == "" {
		return nil
	}
	return []string{"--aclfile", p.write(t, "users.acl", g.Nodes), "--masteruser", g.Replica.Name, "--masterauth", g.Replica.Password}
}

// dialer connects to the guarded servers; the TLS handshake is complete when it returns.
func (g *Guard) dialer(t testing.TB) dialer {
	t.Helper()
	plain := &net.Dialer{Timeout: dialTimeout}
	config := g.clientConfig(t)
	switch {
	case g != nil && g.Network != nil: // without TLS
		return g.Network.DialContext
	case config == nil:
		return plain.DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return (&tls.Dialer{NetDialer: plain, Config: config}).DialContext(ctx, network, addr)
	}
}

// dialThrough dials in the guard's network, and through a link below TLS, since the link
// must read the data. It returns nil for go-redis's own dialer, which works by its own
// settings.
func (g *Guard) dialThrough(t testing.TB, link *Link) dialer {
	t.Helper()
	if link == nil {
		return nil
	}
	return link.through(g.dialer(t))
}

// Through returns a dialer whose connections go through link; nil: they are direct.
func Through(link *Link, dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(ctx context.Context, network, addr string) (net.Conn, error) {
	if link == nil {
		return dial
	}
	return link.through(dial)
}

// clientConfig returns nil without TLS.
func (g *Guard) clientConfig(t testing.TB) *tls.Config {
	t.Helper()
	if g == nil || g.Authority == nil {
		return nil
	}
	return g.Authority.ClientConfig(t)
}

// own returns a client for the harness itself.
func (g *Guard) own(t testing.TB, addr string) *redis.Client {
	t.Helper()
	admin := g.admin()
	return redis.NewClient(&redis.Options{
		Addr: addr, Username: admin.Name, Password: admin.Password, Dialer: g.dialer(t),
		DisableIdentity: true, DialerRetries: 1,
	})
}

// write writes a file to the process's folder and returns its path.
func (p *Process) write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(p.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatalf("redistest: %v", err)
	}
	return path
}

// Denials returns what the node has refused since its start to users that lacked the right
// or had a wrong password. It returns nothing if the node is down.
func (p *Process) Denials(t testing.TB) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	client := p.guard.own(t, p.Addr())
	defer func() { _ = client.Close() }()
	log, err := client.ACLLog(ctx, 100).Result()
	if _, refused := errors.AsType[redis.Error](err); refused {
		t.Errorf("redistest: ACL LOG on port %d: %v", p.Port, err)
	}
	var all []string
	for _, entry := range log {
		all = append(all, fmt.Sprintf("%s: %s %s (%s), %d times", entry.Username, entry.Reason, entry.Object, entry.Context, entry.Count))
	}
	return all
}

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

// User is who a client is to Redis. The zero value is Redis's default user.
type User struct{ Name, Password string }

// Network is one that servers and clients are in, see package netns.
type Network interface {
	// Do calls f so that processes which it starts are in the network.
	Do(f func() error) error
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// Guard is what servers ask of whoever connects: certificates, and users. With a nil
// Guard they ask for nothing, and take every client for the default user.
type Guard struct {
	// Authority issues the certificates of servers and clients, each of which asks for
	// the other's; nil: no TLS. Not together with a Network.
	Authority *Authority
	// Network is the network that the servers are in; nil: the machine's own.
	Network Network
	// Nodes is the text of the ACL file of Redis nodes, Sentinels that of Sentinels.
	// Empty: there is none.
	Nodes, Sentinels string

	Admin    User // may do everything, on nodes and on Sentinels: the harness itself
	Replica  User // as which a replica logs in at its primary
	Sentinel User // as which Sentinels log in at nodes and at each other
	Discover User // as which clients log in at Sentinels
}

// Start starts one guarded server, see [Start].
func (g *Guard) Start(t testing.TB, args ...string) *Process {
	t.Helper()
	return launchServer(t, g, func(*Process) []string { return args })
}

// Guard is what the process asks for; nil: nothing.
func (p *Process) Guard() *Guard { return p.guard }

// begin starts a process where the servers are.
func (g *Guard) begin(cmd *exec.Cmd) error {
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

// listen gives the arguments for a port, and for what comes with certificates.
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

// users gives the arguments for the ACL file of a node, which is written to its folder.
func (g *Guard) users(t testing.TB, p *Process) []string {
	t.Helper()
	if g == nil || g.Nodes == "" {
		return nil
	}
	return []string{"--aclfile", p.write(t, "users.acl", g.Nodes), "--masteruser", g.Replica.Name, "--masterauth", g.Replica.Password}
}

// dialer makes connections to the guarded servers; TLS is done when it returns.
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

// dialThrough dials over the network, and beneath a link, which must see what is said;
// nil stands for go-redis's own dialer, which works by its own settings.
func (g *Guard) dialThrough(t testing.TB, link *Link) dialer {
	t.Helper()
	if link == nil {
		return nil
	}
	return link.through(g.dialer(t))
}

// Through gives a dialer whose connections go through link; nil: nothing stands between.
func Through(link *Link, dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(ctx context.Context, network, addr string) (net.Conn, error) {
	if link == nil {
		return dial
	}
	return link.through(dial)
}

// clientConfig is nil where there is no TLS.
func (g *Guard) clientConfig(t testing.TB) *tls.Config {
	t.Helper()
	if g == nil || g.Authority == nil {
		return nil
	}
	return g.Authority.ClientConfig(t)
}

// own is a client of the harness itself.
func (g *Guard) own(t testing.TB, addr string) *redis.Client {
	t.Helper()
	admin := g.admin()
	return redis.NewClient(&redis.Options{
		Addr: addr, Username: admin.Name, Password: admin.Password, Dialer: g.dialer(t),
		DisableIdentity: true, DialerRetries: 1,
	})
}

// write writes a file to the process's folder and gives its path.
func (p *Process) write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(p.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatalf("redistest: %v", err)
	}
	return path
}

// Denials tells what the node refused to users for want of a right, or of the right
// password, since it was started; nothing of a node that is down.
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

package harness

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// Secrets are the credentials of clients. They are read again for each connection, as in a
// service that keeps them in files.
type Secrets struct {
	Suffix    atomic.Pointer[string] // of the passwords
	Authority atomic.Pointer[redistest.Authority]
}

// RereadSecrets makes the environment's clients log in with the current secrets.
func (env *Environment) RereadSecrets(guard *redistest.Guard) *Secrets {
	s := &Secrets{}
	s.Suffix.Store(new(""))
	s.Authority.Store(guard.Authority)
	env.Connect = func(t testing.TB, as Role, link *redistest.Link) redis.UniversalClient {
		given := env.Server.ClientAs(t, as.User(), nil)
		opts := *given.Options()
		opts.CredentialsProvider = func() (string, string) {
			user := as.User()
			return user.Name, user.Password + *s.Suffix.Load()
		}
		opts.Dialer = redistest.Through(link, func(ctx context.Context, network, addr string) (net.Conn, error) {
			return (&tls.Dialer{Config: s.Authority.Load().ClientConfig(t)}).DialContext(ctx, network, addr)
		})
		client := redis.NewClient(&opts)
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
	return s
}

// RenewCertificate replaces the certificate of a server by one of another authority, and makes it
// trust only clients of that authority.
func (env *Environment) RenewCertificate(authority *redistest.Authority) {
	env.Helper()
	c := authority.Issue(env.T, "server")
	err := env.Admin.Do(env.Context(), "CONFIG", "SET", "tls-cert-file", c.CertFile, "tls-key-file", c.KeyFile,
		"tls-ca-cert-file", authority.CAFile).Err()
	if err != nil {
		env.Fatal(err)
	}
}

// SetPasswords changes the passwords of users.
func (env *Environment) SetPasswords(suffix string, users ...Role) {
	env.Helper()
	for _, user := range users {
		env.SetUser(user, "resetpass", ">"+user.User().Password+suffix)
	}
}

// DisconnectAll closes all connections but its own, at one moment.
func (env *Environment) DisconnectAll() {
	env.Helper()
	kill := env.Admin.TxPipeline()
	kill.Do(env.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
	kill.Do(env.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	if _, err := kill.Exec(env.Context()); err != nil {
		env.Fatal(err)
	}
}

// OnGuard runs a test of the guard of a server.
func OnGuard(t *testing.T, run func(env *Environment, guard *redistest.Guard)) {
	t.Helper()
	t.Parallel()
	InLanes(t, newOpen, func(env *Environment) { run(env, env.Server.Guard()) })
}

// newOpen is a guarded environment to which its administrator always has access,
// whatever certificates change.
func newOpen(t *testing.T) *Environment {
	guard := Guarded(t, "single.acl")
	server := guard.Start(t, "--unixsocket", "socket")
	clientAs := func(t testing.TB, user redistest.User, link *redistest.Link) *redis.Client {
		if user != guard.Admin {
			return server.ClientAs(t, user, link)
		}
		client := redis.NewClient(&redis.Options{
			Network: "unix", Addr: filepath.Join(server.Dir, "socket"), Username: user.Name, Password: user.Password,
			ContextTimeoutEnabled: true,
		})
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
	env := onGuarded(t, clientAs, server)
	env.Server = server
	return env
}

package test

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// secrets are the credentials of clients. They are read again for each connection, as in a
// service that keeps them in files.
type secrets struct {
	suffix    atomic.Pointer[string] // of the passwords
	authority atomic.Pointer[redistest.Authority]
}

// rereading makes the environment's clients log in with the current secrets.
func (env *environment) rereading(guard *redistest.Guard) *secrets {
	s := &secrets{}
	s.suffix.Store(new(""))
	s.authority.Store(guard.Authority)
	env.connect = func(t testing.TB, as role, link *redistest.Link) redis.UniversalClient {
		given := env.server.ClientAs(t, as.user(), nil)
		opts := *given.Options()
		opts.CredentialsProvider = func() (string, string) {
			user := as.user()
			return user.Name, user.Password + *s.suffix.Load()
		}
		opts.Dialer = redistest.Through(link, func(ctx context.Context, network, addr string) (net.Conn, error) {
			return (&tls.Dialer{Config: s.authority.Load().ClientConfig(t)}).DialContext(ctx, network, addr)
		})
		client := redis.NewClient(&opts)
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
	return s
}

// renew replaces the certificate of a server by one of another authority, and makes it
// trust only clients of that authority.
func (env *environment) renew(authority *redistest.Authority) {
	env.Helper()
	c := authority.Issue(env.T, "server")
	err := env.admin.Do(env.Context(), "CONFIG", "SET", "tls-cert-file", c.CertFile, "tls-key-file", c.KeyFile,
		"tls-ca-cert-file", authority.CAFile).Err()
	if err != nil {
		env.Fatal(err)
	}
}

// setPasswords changes the passwords of users.
func (env *environment) setPasswords(suffix string, users ...role) {
	env.Helper()
	for _, user := range users {
		env.change(user, "resetpass", ">"+user.user().Password+suffix)
	}
}

// disconnectAll closes all connections but its own, at one moment.
func (env *environment) disconnectAll() {
	env.Helper()
	kill := env.admin.TxPipeline()
	kill.Do(env.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
	kill.Do(env.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	if _, err := kill.Exec(env.Context()); err != nil {
		env.Fatal(err)
	}
}

// onGuard runs a test of the guard of a server.
func onGuard(t *testing.T, run func(env *environment, guard *redistest.Guard)) {
	t.Helper()
	t.Parallel()
	inLanes(t, openEnvironment, func(env *environment) { run(env, env.server.Guard()) })
}

// openEnvironment is a guarded environment to which its administrator always has access,
// whatever certificates change.
func openEnvironment(t *testing.T) *environment {
	guard := guarded(t, "single.acl")
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
	env.server = server
	return env
}

// F25: clients that read passwords and certificates again reconnect with the new ones.
func TestF25_ChangedSecretsAreUsed(t *testing.T) {
	onGuard(t, func(env *environment, guard *redistest.Guard) {
		env.late = true
		s := env.rereading(guard)
		first, second := env.ready(3)
		for round := range env.rounds(2) {
			suffix, authority := "-"+strconv.Itoa(round), redistest.NewAuthority(env.T)
			s.suffix.Store(&suffix)
			env.setPasswords(suffix, asLeader, asFollower)
			env.renew(authority)
			s.authority.Store(authority)
			connects := env.readers[0].client.Stats().Connects
			env.disconnectAll()
			env.reached(env.cdn.Publish(), env.reconnectBound()+env.takeover()+env.poll())
			env.states(env.reconnectBound(), follower.Live)
			if n := env.readers[0].client.Stats().Connects; n == connects {
				env.Error("the client did not reconnect")
			}
		}
		env.eventually(env.takeover(), "one leads", func() bool { return first.leads() || second.leads() })
		env.renew(guard.Authority)
		s.authority.Store(guard.Authority)
		env.settle()
	})
}

// F25: a client with an old password reports it clearly, evaluates the content that it has,
// and recovers once the password is accepted.
func TestF25_WrongPasswordIsReported(t *testing.T) {
	onGuard(t, func(env *environment, _ *redistest.Guard) {
		var ofLeaders, ofFollowers *loggedErrors
		env.leaderLog, ofLeaders = recordErrors(env.leaderLog)
		env.followerLog, ofFollowers = recordErrors(env.followerLog)
		env.ready(2)
		env.setPasswords("-changed", asLeader, asFollower)
		env.disconnectAll()
		before := env.cdn.Version()
		version := env.cdn.Publish()
		env.eventually(env.takeover(), "leaders and followers report the reason", func() bool {
			return ofLeaders.contain("WRONGPASS") && ofFollowers.contain("WRONGPASS")
		})
		env.states(env.reconnectBound(), follower.Disconnected)
		env.has(before)
		env.setPasswords("", asLeader, asFollower)
		env.reached(version, env.reconnectBound()+env.takeover()+env.poll())
		env.clearRefusals()
		env.settle()
	})
}

// F25: the same with a certificate of an untrusted authority.
func TestF25_UntrustedCertificateIsReported(t *testing.T) {
	onGuard(t, func(env *environment, guard *redistest.Guard) {
		var ofLeaders, ofFollowers *loggedErrors
		env.leaderLog, ofLeaders = recordErrors(env.leaderLog)
		env.followerLog, ofFollowers = recordErrors(env.followerLog)
		env.rereading(guard)
		env.ready(2)
		env.renew(redistest.NewAuthority(env.T))
		env.disconnectAll()
		before := env.cdn.Version()
		version := env.cdn.Publish()
		env.eventually(env.takeover(), "leaders and followers report the reason", func() bool {
			return ofLeaders.contain("certificate") && ofFollowers.contain("certificate")
		})
		env.has(before)
		env.renew(guard.Authority)
		env.reached(version, env.reconnectBound()+env.takeover()+env.poll())
		env.settle()
	})
}

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
	"github.com/catbridge/catbridge/test/redistest"
	"github.com/redis/go-redis/v9"
)

// secrets are what clients log in with, read anew for each connection as a service does
// that gets them from files.
type secrets struct {
	suffix    atomic.Pointer[string] // of passwords
	authority atomic.Pointer[redistest.Authority]
}

// rereading lets the world's clients log in with what is current.
func (w *world) rereading(guard *redistest.Guard) *secrets {
	s := &secrets{}
	s.suffix.Store(new(""))
	s.authority.Store(guard.Authority)
	w.connect = func(t testing.TB, as role, link *redistest.Link) redis.UniversalClient {
		given := w.server.ClientAs(t, as.user(), nil)
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

// renew has a server show a certificate of another authority, and trust its clients only.
func (w *world) renew(authority *redistest.Authority) {
	w.Helper()
	c := authority.Issue(w.T, "server")
	err := w.admin.Do(w.Context(), "CONFIG", "SET", "tls-cert-file", c.CertFile, "tls-key-file", c.KeyFile,
		"tls-ca-cert-file", authority.CAFile).Err()
	if err != nil {
		w.Fatal(err)
	}
}

// setPasswords gives users other passwords.
func (w *world) setPasswords(suffix string, users ...role) {
	w.Helper()
	for _, user := range users {
		w.change(user, "resetpass", ">"+user.user().Password+suffix)
	}
}

// disconnectAll closes all connections but its own.
func (w *world) disconnectAll() {
	w.Helper()
	for _, kind := range []string{"pubsub", "normal"} {
		if err := w.admin.Do(w.Context(), "CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes").Err(); err != nil {
			w.Fatal(err)
		}
	}
}

// onGuard plays what concerns the guard of a server.
func onGuard(t *testing.T, play func(w *world, guard *redistest.Guard)) {
	t.Helper()
	t.Parallel()
	inLanes(t, openWorld, func(w *world) { play(w, w.server.Guard()) })
}

// openWorld is a guarded world that its administrator gets into, whatever happens to
// certificates.
func openWorld(t *testing.T) *world {
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
	w := onGuarded(t, clientAs, server)
	w.server = server
	return w
}

// F25: who reads passwords and certificates anew comes back with the new ones.
func TestF25_ChangedSecretsAreTakenUp(t *testing.T) {
	onGuard(t, func(w *world, guard *redistest.Guard) {
		w.late = true
		s := w.rereading(guard)
		first, second := w.ready(3)
		for round := range w.rounds(2) {
			suffix, authority := "-"+strconv.Itoa(round), redistest.NewAuthority(w.T)
			s.suffix.Store(&suffix)
			w.setPasswords(suffix, asLeader, asFollower)
			w.renew(authority)
			s.authority.Store(authority)
			connects := w.readers[0].client.Stats().Connects
			w.disconnectAll()
			w.reached(w.cdn.Publish(), w.back()+w.takeover()+w.poll())
			w.states(w.back(), follower.Live)
			if n := w.readers[0].client.Stats().Connects; n == connects {
				w.Error("the connection was not made anew")
			}
		}
		w.eventually(w.takeover(), "one leads", func() bool { return first.leads() || second.leads() })
		w.renew(guard.Authority)
		s.authority.Store(guard.Authority)
		w.settle()
	})
}

// F25: who has only the old password says so clearly, evaluates what it holds, and comes
// back once it is let in.
func TestF25_WrongPasswordIsSaid(t *testing.T) {
	onGuard(t, func(w *world, _ *redistest.Guard) {
		var ofLeaders, ofFollowers *heard
		w.loud, ofLeaders = listen(w.loud)
		w.quiet, ofFollowers = listen(w.quiet)
		w.ready(2)
		w.setPasswords("-changed", asLeader, asFollower)
		w.disconnectAll()
		before := w.cdn.Version()
		version := w.cdn.Publish()
		w.eventually(w.takeover(), "leaders and followers say why", func() bool {
			return ofLeaders.said("WRONGPASS") && ofFollowers.said("WRONGPASS")
		})
		w.states(w.back(), follower.Disconnected)
		for _, r := range w.readers {
			if v := r.version(); v != before {
				w.Errorf("%s answers with version %d", r.name, v)
			}
		}
		w.setPasswords("", asLeader, asFollower)
		w.reached(version, w.back()+w.takeover()+w.poll())
		w.forgive()
		w.settle()
	})
}

// F25: the same for a certificate of an authority that is not trusted.
func TestF25_UntrustedCertificateIsSaid(t *testing.T) {
	onGuard(t, func(w *world, guard *redistest.Guard) {
		var ofLeaders, ofFollowers *heard
		w.loud, ofLeaders = listen(w.loud)
		w.quiet, ofFollowers = listen(w.quiet)
		w.rereading(guard)
		w.ready(2)
		w.renew(redistest.NewAuthority(w.T))
		w.disconnectAll()
		before := w.cdn.Version()
		version := w.cdn.Publish()
		w.eventually(w.takeover(), "leaders and followers say why", func() bool {
			return ofLeaders.said("certificate") && ofFollowers.said("certificate")
		})
		for _, r := range w.readers {
			if v := r.version(); v != before {
				w.Errorf("%s answers with version %d", r.name, v)
			}
		}
		w.renew(guard.Authority)
		w.reached(version, w.back()+w.takeover()+w.poll())
		w.settle()
	})
}

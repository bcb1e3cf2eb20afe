package redisurl

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

const (
	password = "pa55word-of-redis"
	users    = "user default off\nuser admin on >of-admin ~* &* +@all\nuser app on >" + password + " ~* &* +@all\n"
)

// guarded requires certificates, users and passwords everywhere.
func guarded(t *testing.T) *redistest.Guard {
	t.Helper()
	admin := redistest.User{Name: "admin", Password: "of-admin"}
	return &redistest.Guard{
		Authority: redistest.NewAuthority(t), Nodes: users, Sentinels: users,
		Admin: admin, Replica: admin, Sentinel: admin, Discover: redistest.User{Name: "app", Password: password},
	}
}

// shown returns TLS settings with a certificate that the guard's servers accept.
func shown(t *testing.T, g *redistest.Guard) TLS {
	t.Helper()
	c := g.Authority.Issue(t, "client")
	return TLS{Enabled: true, CAFile: g.Authority.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func must(t *testing.T, s Settings) Options {
	t.Helper()
	o, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestEveryTopologyWithTLSAndPasswordsIsReached runs each topology with certificates, users
// and passwords, including those of Sentinels.
func TestEveryTopologyWithTLSAndPasswordsIsReached(t *testing.T) {
	works := func(t *testing.T, s Settings) {
		t.Helper()
		for name, client := range map[string]redis.UniversalClient{"leader": must(t, s).LeaderClient(nil), "follower": must(t, s).Client()} {
			if err := client.Set(t.Context(), "key", "value", 0).Err(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			client.Close()
		}
	}
	file := filepath.Join(t.TempDir(), "password")
	write(t, file, password+"\n")
	t.Run("single", func(t *testing.T) {
		g := guarded(t)
		works(t, Settings{Addresses: []string{g.Start(t).Addr()}, Username: "app", PasswordFile: file, TLS: shown(t, g)})
	})
	t.Run("socket", func(t *testing.T) {
		socket := filepath.Join(t.TempDir(), "redis.sock")
		redistest.Start(t, "--unixsocket", socket, "--requirepass", password)
		works(t, Settings{Socket: socket, PasswordFile: file})
	})
	t.Run("sentinel", func(t *testing.T) {
		g := guarded(t)
		s := Settings{
			Mode: Sentinel, MasterName: redistest.MasterName, Username: "app", PasswordFile: file,
			SentinelUsername: "app", SentinelPassword: password, TLS: shown(t, g),
		}
		for _, sentinel := range g.StartSentinel(t, 1).Sentinels {
			s.Addresses = append(s.Addresses, sentinel.Addr())
		}
		works(t, s)
	})
	t.Run("cluster", func(t *testing.T) {
		g := guarded(t)
		works(t, Settings{Mode: Cluster, Addresses: []string{g.StartCluster(t, 3, 0).Nodes()[0].Addr()}, Username: "app", PasswordFile: file, TLS: shown(t, g)})
	})
}

// TestARotatedPasswordNeedsNoNewClient changes the password in Redis and in its file (F25).
func TestARotatedPasswordNeedsNoNewClient(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "first")
	file := filepath.Join(t.TempDir(), "password")
	write(t, file, "first\n")
	client := must(t, Settings{Addresses: []string{server.Addr()}, PasswordFile: file}).LeaderClient(nil)
	defer client.Close()
	ctx := t.Context()
	if err := client.Do(ctx, "CONFIG", "SET", "requirepass", "second").Err(); err != nil {
		t.Fatal(err)
	}
	kill := func() {
		t.Helper()
		if err := client.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no").Err(); err != nil {
			t.Fatal(err)
		}
	}
	kill()
	eventually(t, client, "WRONGPASS")
	// A missing file in the middle of a rotation changes nothing.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	eventually(t, client, "WRONGPASS")
	write(t, file, "second\n")
	eventually(t, client, "")
	kill()
	eventually(t, client, "")
}

// eventually sends PINGs until the error contains the text, or without a text until one
// succeeds. The first PINGs may use a closed connection.
func eventually(t *testing.T, client redis.UniversalClient, want string) {
	t.Helper()
	var err error
	for range 10 {
		if err = client.Ping(t.Context()).Err(); err == nil && want == "" || err != nil && want != "" && strings.Contains(err.Error(), want) {
			return
		}
	}
	t.Fatalf("%v, want %q", err, want)
}

// TestRotatedCertificatesNeedNoNewClient starts with certificates of an authority that
// Redis does not trust (F25).
func TestRotatedCertificatesNeedNoNewClient(t *testing.T) {
	g := guarded(t)
	server := g.Start(t)
	good := shown(t, g)
	old := shown(t, &redistest.Guard{Authority: redistest.NewAuthority(t)})
	client := must(t, Settings{Addresses: []string{server.Addr()}, Username: "app", Password: password, TLS: old}).LeaderClient(nil)
	defer client.Close()
	eventually(t, client, "set redis.tls.ca_file to the certificate of its authority")
	write(t, old.CAFile, read(t, good.CAFile))
	eventually(t, client, "Redis rejects the certificate in redis.tls.cert_file")
	// In the middle of the rotation, certificate and key do not match.
	write(t, old.CertFile, read(t, good.CertFile))
	eventually(t, client, "Redis rejects the certificate in redis.tls.cert_file")
	write(t, old.KeyFile, read(t, good.KeyFile))
	eventually(t, client, "")
}

// TestConnectionErrorsAreExplainedInOneLine connects to real servers that reject the client.
func TestConnectionErrorsAreExplainedInOneLine(t *testing.T) {
	g := guarded(t)
	secured, plain, protected := g.Start(t).Addr(), redistest.Start(t).Addr(), redistest.Start(t, "--requirepass", "x").Addr()
	cluster := redistest.StartCluster(t, 3, 0).Nodes()[0].Addr()
	change := func(change func(*TLS)) TLS {
		c := shown(t, g)
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		s    Settings
		want string
	}{
		"no TLS":         {Settings{Addresses: []string{secured}}, "if it requires TLS, write rediss://"},
		"talks at once":  {Settings{Addresses: []string{talks(t)}, TLS: TLS{Enabled: true}}, "Redis does not use TLS on this port"},
		"TLS":            {Settings{Addresses: []string{plain}, TLS: TLS{Enabled: true}, DialTimeout: 100 * time.Millisecond}, "if Redis does not use TLS on this port, write redis://"},
		"no certificate": {Settings{Addresses: []string{secured}, TLS: TLS{Enabled: true, CAFile: g.Authority.CAFile}}, "set redis.tls.cert_file and redis.tls.key_file"},
		"authority":      {Settings{Addresses: []string{secured}, TLS: change(func(t *TLS) { t.CAFile = "" })}, "set redis.tls.ca_file to the certificate of its authority"},
		"name":           {Settings{Addresses: []string{secured}, TLS: change(func(t *TLS) { t.ServerName = "other.test" })}, "not for other.test: set redis.tls.server_name"},
		"no password":    {Settings{Addresses: []string{protected}}, "give a password"},
		"wrong password": {Settings{Addresses: []string{protected}, Password: password}, "the user or the password for Redis is wrong"},
		"wrong user":     {Settings{Addresses: []string{secured}, Username: "app", Password: "x", TLS: shown(t, g)}, "the user or the password for Redis is wrong"},
		"cluster":        {Settings{Addresses: []string{cluster}}, "set redis.mode to cluster"},
		"no cluster":     {Settings{Mode: Cluster, Addresses: []string{plain}}, "set redis.mode to single"},
		"no sentinel":    {Settings{Mode: Sentinel, MasterName: "m", Addresses: []string{plain}}, "no Sentinel named a primary: check redis.master_name"},
	} {
		t.Run(name, func(t *testing.T) {
			client := must(t, c.s).LeaderClient(nil)
			defer client.Close()
			var err error
			for _, key := range []string{"a", "b", "c", "d", "e", "f"} { // in several slots
				if err = Explain(client.Get(t.Context(), key).Err()); err != nil && err != redis.Nil {
					break
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), password) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// talks returns the address of a server that writes first, unlike a TLS server.
func talks(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("-DENIED protected\r\n"))
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	return listener.Addr().String()
}

package redistest_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// guarded returns a guard that asks for certificates, and has one user in addition to those
// of the harness.
func guarded(t *testing.T) *redistest.Guard {
	t.Helper()
	return &redistest.Guard{
		Authority: redistest.NewAuthority(t),
		Nodes: "user default off\nuser admin on >a ~* &* +@all\nuser guest on >g ~k +get +cluster|slots\n" +
			"user replica on >r +psync +replconf +ping\nuser sentinel on >s ~* &* +@all\n",
		Sentinels: "user default off\nuser admin on >a ~* &* +@all\nuser sentinel on >s ~* &* +@all\nuser discover on >d &* +@all\n",
		Admin:     redistest.User{Name: "admin", Password: "a"},
		Replica:   redistest.User{Name: "replica", Password: "r"},
		Sentinel:  redistest.User{Name: "sentinel", Password: "s"},
		Discover:  redistest.User{Name: "discover", Password: "d"},
	}
}

var guest = redistest.User{Name: "guest", Password: "g"}

// refused reports whether an error is Redis's for a user without the right.
func refused(err error) bool { return err != nil && strings.Contains(err.Error(), "NOPERM") }

func TestGuardedServerAsksForCertificateAndUser(t *testing.T) {
	t.Parallel()
	guard := guarded(t)
	server := guard.Start(t)
	if err := server.Client(t, nil).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	as := server.ClientAs(t, guest, new(redistest.Link))
	if v, err := as.Get(t.Context(), "k").Result(); v != "v" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if err := as.Set(t.Context(), "k", "w", 0).Err(); !refused(err) {
		t.Errorf("a guest's SET: %v", err)
	}
	for name, opts := range map[string]*redis.Options{
		"no TLS":         {Username: "admin", Password: "a"},
		"no certificate": {Username: "admin", Password: "a", TLSConfig: &tls.Config{InsecureSkipVerify: true}},
		"another's":      {Username: "admin", Password: "a", TLSConfig: redistest.NewAuthority(t).ClientConfig(t)},
		"no user":        {TLSConfig: guard.Authority.ClientConfig(t)},
		"wrong password": {Username: "guest", Password: "a", TLSConfig: guard.Authority.ClientConfig(t)},
	} {
		opts.Addr, opts.DialerRetries, opts.MaxRetries = server.Addr(), 1, -1
		client := redis.NewClient(opts)
		if err := client.Get(within(t, time.Minute), "k").Err(); err == nil {
			t.Errorf("%s: no error", name)
		}
		_ = client.Close()
	}
}

func TestGuardedClusterMovesASlotUnderItsClients(t *testing.T) {
	t.Parallel()
	guard := guarded(t)
	cluster := guard.StartCluster(t, 3, 0)
	client, link := cluster.Client(t, nil), new(redistest.Link)
	as := cluster.ClientAs(t, guest, link)
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	from, to := cluster.Primaries[1], cluster.Primaries[2] // k lies in slot 7629
	for range 4 {
		cluster.MoveSlot(t, "k", from, to)
		for _, c := range []*redis.ClusterClient{client, as} {
			if v, err := c.Get(t.Context(), "k").Result(); v != "v" || err != nil {
				t.Errorf("%q, %v", v, err)
			}
		}
		if err := from.Client(t, nil).Get(t.Context(), "k").Err(); err == nil || !strings.HasPrefix(err.Error(), "MOVED ") {
			t.Errorf("at the former primary: %v", err)
		}
		from, to = to, from
	}
	if err := as.Set(t.Context(), "k", "w", 0).Err(); !refused(err) {
		t.Errorf("a guest's SET: %v", err)
	}
	if link.Dialed() == 0 {
		t.Error("the link was not used")
	}
}

func TestGuardedSentinelsReplaceAKilledPrimary(t *testing.T) {
	t.Parallel()
	guard := guarded(t)
	sentinel := guard.StartSentinel(t, 2)
	client := sentinel.Client(t, new(redistest.Link))
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	sentinel.ReplaceSilent(t)
	sentinel.Primary(t).Kill()
	for ctx := within(t, time.Minute); client.Set(ctx, "k", "w", 0).Err() != nil; {
		if ctx.Err() != nil {
			t.Fatal("no primary can be written to")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := sentinel.ClientAs(t, guest, nil).Set(t.Context(), "k", "x", 0).Err(); !refused(err) {
		t.Errorf("a guest's SET: %v", err)
	}
	// No client gets in without TLS.
	conn, err := net.Dial("tcp", sentinel.Sentinels[0].Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if n, err := conn.Read(make([]byte, 100)); err == nil && n > 0 && n < 7 {
		t.Errorf("an answer of %d bytes in plain", n)
	}
}

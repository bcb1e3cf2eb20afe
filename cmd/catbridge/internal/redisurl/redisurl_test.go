package redisurl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

func TestClientsHaveTheOptionsThatTheBridgeReliesOn(t *testing.T) {
	for mode, text := range map[Mode]string{
		Single:   "rediss://user:word@h1:6380/2?read_timeout=7s&pool_size=5",
		Sentinel: "redis://h1:26379?master_name=main&addr=h2:26379&pool_size=5",
		Cluster:  "redis://user:word@h1:7000?addr=h2:7000&pool_size=5",
	} {
		o, err := Parse(text, mode)
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		for name, client := range map[string]redis.UniversalClient{"leader": o.LeaderClient(nil), "follower": o.Client()} {
			defer client.Close()
			var contexts, identity bool
			var notifications maintnotifications.Mode
			var retries, pool int
			switch client := client.(type) {
			case *redis.Client:
				c := client.Options()
				contexts, identity, notifications, retries, pool = c.ContextTimeoutEnabled, c.DisableIdentity, c.MaintNotificationsConfig.Mode, c.MaxRetries, c.PoolSize
			case *redis.ClusterClient:
				c := client.Options()
				contexts, identity, notifications, retries, pool = c.ContextTimeoutEnabled, c.DisableIdentity, c.MaintNotificationsConfig.Mode, c.MaxRetries, c.PoolSize
			}
			if !contexts || !identity || notifications != maintnotifications.ModeDisabled || pool != 5 {
				t.Errorf("%s %s: contexts %v, no identity %v, notifications %v, pool %d", mode, name, contexts, identity, notifications, pool)
			}
			if leader := name == "leader"; leader && max(retries, 0) != 0 || !leader && mode != Cluster && retries == 0 {
				t.Errorf("%s %s: %d retries", mode, name, retries)
			}
		}
	}
}

func TestAURLIsTheShortFormOfSettings(t *testing.T) {
	for text, want := range map[string]Settings{
		"redis://h": {Addresses: []string{"h:6379"}},
		"rediss://user:p%40ss@h:1/3?dial_timeout=1s&read_timeout=2s&write_timeout=3s&conn_max_idle_time=4s&conn_max_lifetime=5s&pool_size=6&protocol=2": {
			Addresses: []string{"h:1"}, Username: "user", Password: "p@ss", DB: 3, TLS: TLS{Enabled: true}, PoolSize: 6, Protocol: 2,
			DialTimeout: time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 3 * time.Second, ConnMaxIdleTime: 4 * time.Second, ConnMaxLifetime: 5 * time.Second,
		},
		"redis://:word@[::1]":             {Addresses: []string{"[::1]:6379"}, Password: "word"},
		"redis://h?db=2":                  {Addresses: []string{"h:6379"}, DB: 2},
		"unix://user:word@/run/x?db=1":    {Socket: "/run/x", Username: "user", Password: "word", DB: 1},
		"redis://h:1?pool_size=0&addr=::": {},
		"redis://u:p@h1?master_name=main": {},
	} {
		o, err := Parse(text, Single)
		if want.Addresses == nil && want.Socket == "" {
			if err == nil {
				t.Errorf("%s: no error", text)
			}
			continue
		}
		want.Mode = Single
		if diff := cmp.Diff(want, o.settings); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +have)\n%s", text, err, diff)
		}
	}
	o, err := Parse("redis://u:p@h1?master_name=main&addr=h2:2", Sentinel)
	want := Settings{Mode: Sentinel, MasterName: "main", Addresses: []string{"h1:26379", "h2:2"}, Username: "u", Password: "p"}
	if diff := cmp.Diff(want, o.settings); err != nil || diff != "" {
		t.Errorf("%v (-want +have)\n%s", err, diff)
	}
}

// TestInvalidCombinationsAreRejected checks that the error of each wrong combination names a setting.
func TestInvalidCombinationsAreRejected(t *testing.T) {
	one := []string{"h"}
	for _, c := range []struct {
		name string
		s    Settings
	}{
		{"addresses", Settings{}},
		{"addresses", Settings{Addresses: []string{"a", "b"}}},
		{"addresses", Settings{Addresses: []string{"a:0"}}},
		{"addresses", Settings{Addresses: []string{"a:b:c"}}},
		{"addresses", Settings{Addresses: []string{"user@h"}}},
		{"mode", Settings{Addresses: one, Mode: "ring"}},
		{"socket", Settings{Addresses: one, Socket: "/x"}},
		{"socket", Settings{Socket: "/x", Mode: Sentinel, MasterName: "m"}},
		{"socket", Settings{Socket: "/x", TLS: TLS{Enabled: true}}},
		{"master_name", Settings{Addresses: one, Mode: Sentinel}},
		{"master_name", Settings{Addresses: one, MasterName: "m"}},
		{"sentinel_username", Settings{Addresses: one, SentinelPassword: "x"}},
		{"sentinel_username", Settings{Addresses: one, Mode: Sentinel, MasterName: "m", SentinelUsername: "x"}},
		{"db", Settings{Addresses: one, DB: -1}},
		{"db", Settings{Addresses: one, Mode: Cluster, DB: 1}},
		{"namespace", Settings{Addresses: one, Namespace: "a:b"}},
		{"username", Settings{Addresses: one, Username: "x"}},
		{"password_file", Settings{Addresses: one, Password: "x", PasswordFile: "y"}},
		{"password_file", Settings{Addresses: one, PasswordFile: "/absent/file"}},
		{"pool_size", Settings{Addresses: one, PoolSize: -1}},
		{"protocol", Settings{Addresses: one, Protocol: 4}},
		{"read_timeout", Settings{Addresses: one, ReadTimeout: -2}},
		{"tls.enabled", Settings{Addresses: one, TLS: TLS{CAFile: "x"}}},
		{"tls.cert_file", Settings{Addresses: one, TLS: TLS{Enabled: true, CertFile: "x"}}},
		{"tls.min_version", Settings{Addresses: one, TLS: TLS{Enabled: true, MinVersion: "1.1"}}},
		{"tls.ca_file", Settings{Addresses: one, TLS: TLS{Enabled: true, CAFile: "/absent/file"}}},
		{"tls.ca_file", Settings{Addresses: one, TLS: TLS{Enabled: true, CAFile: os.DevNull}}},
	} {
		_, err := New(c.s)
		field, ok := errors.AsType[*FieldError](err)
		if !ok || field.Name != c.name {
			t.Errorf("%+v: %v, want an error of %s", c.s, err, c.name)
		}
	}
	_, err := New(Settings{DB: -1, PoolSize: -1})
	if text := fmt.Sprint(err); strings.Count(text, "\n") != 2 {
		t.Errorf("not every error is told at once: %v", err)
	}
}

func TestAddressShowsNoSecret(t *testing.T) {
	for text, want := range map[string]string{
		"redis://user:word@h1:1/3": "h1:1",
		"redis://h1":               "h1:6379",
		"redis://[::1]:1":          "[::1]:1",
		"unix://user:word@/run/x":  "/run/x",
	} {
		if o, err := Parse(text, Single); err != nil || o.Address() != want {
			t.Errorf("%s: %q, %v, want %q", text, o.Address(), err, want)
		}
	}
	if o, err := Parse("redis://u:p@h1:1?master_name=main&addr=h2:2", Sentinel); err != nil || o.Address() != "main at h1:1, h2:2" {
		t.Errorf("%q, %v", o.Address(), err)
	}
	if o, err := Parse("redis://u:p@h1:1?addr=h2:2", Cluster); err != nil || o.Address() != "h1:1, h2:2" {
		t.Errorf("%q, %v", o.Address(), err)
	}
}

// TestTheLeadersConnectionsGoThroughWrap dials in each mode.
func TestTheLeadersConnectionsGoThroughWrap(t *testing.T) {
	errRefused := errors.New("refused by the test")
	for mode, text := range map[Mode]string{
		Single: "redis://127.0.0.1:1", Cluster: "rediss://127.0.0.1:1",
		Sentinel: "redis://127.0.0.1:1?master_name=main",
	} {
		o, err := Parse(text, mode)
		if err != nil {
			t.Fatal(err)
		}
		dialled := false
		client := o.LeaderClient(func(Dial) Dial {
			return func(context.Context, string, string) (net.Conn, error) {
				dialled = true
				return nil, errRefused
			}
		})
		if err := client.Ping(t.Context()).Err(); err == nil {
			t.Errorf("%s: no error", mode)
		}
		client.Close()
		if !dialled {
			t.Errorf("%s: a connection goes another way", mode)
		}
	}
}

// FuzzParse checks that no error contains the password.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "#", "/", "?", "@", ":", "%", "%zz", "#@", "1#", "?db=", "&", " ", "\x00", "]", "é"} {
		f.Add("redis://user:", seed, "@host:6379/0", "single")
		f.Add("redis://", seed, "@host", "sentinel")
		f.Add("unix://:", seed, "@/path", "cluster")
	}
	f.Fuzz(func(t *testing.T, before, middle, after, mode string) {
		const secret = "s3cr3t"
		if strings.Contains(before+after, secret) {
			return
		}
		o, err := Parse(before+secret+middle+secret+after, Mode(mode))
		if err == nil {
			o.Client().Close()
			return
		}
		// Text in the place of a host or an option is not a secret.
		if strings.Contains(before, "@") || strings.ContainsAny(before, "?#") || !strings.HasPrefix(after, "@") {
			return
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in %q", secret, err)
		}
	})
}

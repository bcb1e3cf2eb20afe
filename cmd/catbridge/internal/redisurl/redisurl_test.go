package redisurl

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

func TestClientsHaveWhatTheBridgeReliesOn(t *testing.T) {
	for mode, text := range map[Mode]string{
		Single:   "rediss://user:word@h1:6380/2?read_timeout=7s&max_retries=5",
		Sentinel: "redis://h1:26379?master_name=main&addr=h2:26379&max_retries=5",
		Cluster:  "redis://user:word@h1:7000?addr=h2:7000&max_retries=5",
	} {
		o, err := Parse(text, mode)
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		for name, client := range map[string]redis.UniversalClient{"leader": o.LeaderClient(nil), "follower": o.Client()} {
			defer client.Close()
			retries := 5
			if name == "leader" {
				retries = -1
			}
			switch client := client.(type) {
			case *redis.Client:
				c := client.Options()
				if !c.ContextTimeoutEnabled || !c.DisableIdentity || c.MaintNotificationsConfig.Mode != maintnotifications.ModeDisabled {
					t.Errorf("%s %s: %+v", mode, name, c)
				}
				if max(c.MaxRetries, 0) != max(retries, 0) {
					t.Errorf("%s %s: %d retries, want %d", mode, name, c.MaxRetries, retries)
				}
			case *redis.ClusterClient:
				c := client.Options()
				if !c.ContextTimeoutEnabled || !c.DisableIdentity || c.MaintNotificationsConfig.Mode != maintnotifications.ModeDisabled {
					t.Errorf("%s %s: %+v", mode, name, c)
				}
				if max(c.MaxRetries, 0) != max(retries, 0) {
					t.Errorf("%s %s: %d retries, want %d", mode, name, c.MaxRetries, retries)
				}
			}
		}
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
		Single: "redis://127.0.0.1:1", Cluster: "rediss://127.0.0.1:1?max_redirects=-1",
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

// FuzzParse holds a password against everything that an error says.
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
		// A secret that stands where a host or an option stands is none.
		if strings.Contains(before, "@") || strings.ContainsAny(before, "?#") || !strings.HasPrefix(after, "@") {
			return
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in %q", secret, err)
		}
	})
}

package follower

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
)

// online makes a client fetch from cdn.
func online(cdn *fakecdn.CDN) func(*Config) {
	return func(c *Config) { c.Online, c.Transport = true, cdn }
}

// cdnAt returns a CDN that serves the given version.
func cdnAt(version int64) *fakecdn.CDN {
	cdn := fakecdn.New()
	for cdn.Version() < version {
		cdn.Publish()
	}
	return cdn
}

func wantRequests(t *testing.T, cdn *fakecdn.CDN, want int) {
	t.Helper()
	synctest.Wait()
	if got := len(cdn.Requests()); got != want {
		t.Fatalf("%d requests to the CDN, want %d: %+v", got, want, cdn.Requests())
	}
}

// S42: while a leader is alive, followers do not request the config from the CDN.
func TestWithALiveLeaderAnOnlineFollowerNeverAsksTheCDN(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				w.beat()
				cdn := cdnAt(9)
				c := n.ready(t, online(cdn), func(c *Config) { c.PollingMode = mode })
				for range 60 {
					time.Sleep(10 * time.Second)
					wantVersion(t, c, 1)
				}
				wantRequests(t, cdn, 0)
				w.commit(configJSON(2))
				time.Sleep(61 * time.Second)
				wantVersion(t, c, 2)
				wantRequests(t, cdn, 0)
				if s := c.CacheState(); (s == HasUpToDateFlagData) != (mode != Manual) {
					t.Errorf("%v", s) // S47
				}
			})
		})
	}
}

// S13: offline is the default and means no HTTP.
func TestOfflineNeverAsksTheCDN(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := fakecdn.New()
				c := n.ready(t, func(c *Config) { c.PollingMode, c.Transport = mode, cdn })
				for range 5 {
					time.Sleep(time.Minute)
					wantVersion(t, c, -1)
				}
				// S21: the content of Redis was read, so Refresh succeeds.
				if err := c.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
				if !c.IsOffline() {
					t.Error("not offline")
				}
				wantRequests(t, cdn, 0)
			})
		})
	}
}

// S13, S97: Redis is empty, so the follower asks the CDN, and writes nothing to Redis.
func TestAnOnlineFollowerFetchesWhileRedisIsEmpty(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := cdnAt(5)
				changes := 0
				c := n.ready(t, online(cdn), func(c *Config) { c.PollingMode, c.Hooks = mode, onChange(func() { changes++ }) })
				wantVersion(t, c, 5)
				wantRequests(t, cdn, 1)
				if s := c.Stats(); s.Source != SourceCDN || s.Fetches != 1 || s.Rev != 0 || c.CacheState() != HasUpToDateFlagData {
					t.Errorf("%+v, %v", s, c.CacheState())
				}
				if d := c.GetIntValueDetails("version", 0, nil); time.Since(d.Data.FetchTime) > time.Second {
					t.Errorf("fetched %v", d.Data.FetchTime)
				}
				// S82: a 304 updates the fetch time and does not count as a change (S48).
				time.Sleep(2 * time.Minute)
				wantVersion(t, c, 5)
				if r := cdn.Requests(); len(r) < 2 || r[len(r)-1].Status != http.StatusNotModified || changes != 1 {
					t.Errorf("%+v, %d changes", r, changes)
				}
				if d := c.GetIntValueDetails("version", 0, nil); time.Since(d.Data.FetchTime) > time.Minute+time.Second {
					t.Errorf("fetched %v", d.Data.FetchTime)
				}
				if keys := n.Keys(); len(keys) != 0 {
					t.Errorf("written to Redis: %q", keys)
				}
				// Content of a leader that the CDN answers later wins, even if it is older.
				c.SetOffline()
				w := n.writer(t, 4)
				w.beat()
				for range 12 {
					time.Sleep(10 * time.Second)
					_ = version(c)
				}
				wantVersion(t, c, 4)
			})
		})
	}
}

// S13: fetched content keeps the rev of the content before it, and yields to a newer one.
func TestFetchedContentReplacesAStaleEntryAndYieldsToANewerRev(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		cdn := cdnAt(2)
		c := n.ready(t, online(cdn))
		wantVersion(t, c, 1)
		held := c.Stats()
		time.Sleep(5 * time.Minute) // the leader is gone
		wantVersion(t, c, 2)
		if s := c.Stats(); s.Rev != held.Rev || s.Source != SourceCDN || c.CacheState() != HasUpToDateFlagData {
			t.Errorf("%+v", s)
		}
		// Reading the previous content again does not bring it back.
		if err := c.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		wantVersion(t, c, 2)
		time.Sleep(11 * time.Second) // so that the CDN's answer to the leader is certainly later
		w.acquire()
		w.commit(configJSON(3))
		wantVersion(t, c, 3)
		if s := c.Stats(); s.Rev != w.rev || s.Anomalies != 0 || s.Waits != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// I14: an answer of the CDN does not confirm other content that replaced its own.
func TestAnAnswerConfirmsOnlyItsOwnContent(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c := n.ready(t, online(cdnAt(5)))
		wantVersion(t, c, 5)
		if s := c.Stats(); s.LastConfirmed.IsZero() || c.CacheState() != HasUpToDateFlagData {
			t.Errorf("%+v", s)
		}
		c.SetOffline()
		time.Sleep(time.Second)
		n.entry(0, 6)
		if err := c.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		wantVersion(t, c, 6)
		if s := c.Stats(); !s.LastConfirmed.IsZero() || c.CacheState() != HasCachedFlagDataOnly {
			t.Errorf("%+v, %v", s, c.CacheState())
		}
	})
}

// S13: SetOnline and SetOffline take effect at once and log 5200.
func TestSetOnlineAndSetOfflineTakeEffectAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := cdnAt(3)
		log, logging := recorded(slog.LevelInfo)
		c := n.ready(t, logging, func(c *Config) { c.Transport, c.Offline = cdn, true })
		wantVersion(t, c, -1)
		c.SetOffline() // no change
		c.SetOnline()
		c.SetOnline()
		wantVersion(t, c, 3)
		wantRequests(t, cdn, 1)
		if c.IsOffline() {
			t.Error("offline")
		}
		time.Sleep(10 * time.Minute)
		wantRequests(t, cdn, 11) // each time the config has expired
		c.SetOffline()
		before := len(cdn.Requests())
		cdn.Publish()
		time.Sleep(10 * time.Minute)
		wantVersion(t, c, 3)
		wantRequests(t, cdn, before)
		if found := log.with(5200); len(found) != 2 || !strings.Contains(found[0].text, "[5200] Switched to ONLINE mode.") ||
			!strings.Contains(found[1].text, "[5200] Switched to OFFLINE mode.") {
			t.Errorf("%+v", found)
		}
		c.Close()
		c.SetOnline()
		c.SetOffline()
		wantEvents(t, log, 3201, 2)
		if again := n.start(t, online(cdn)); again.IsOffline() {
			t.Error("offline")
		} else if again.Close(); !again.IsOffline() {
			t.Error("a closed client is online")
		}
	})
}

// S13: SetOnline takes effect at once in every mode that fetches by itself.
func TestSetOnlineFetchesAtOnceInEveryMode(t *testing.T) {
	for mode, want := range map[PollingMode]int{Subscribe: 4, AutoPoll: 4, Lazy: 4, Manual: 1} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				n.entry(time.Hour, 1)
				c := n.ready(t, polling(mode, 0), func(c *Config) { c.Transport = cdnAt(4) })
				wantVersion(t, c, 1)
				time.Sleep(10 * time.Second)
				c.SetOnline()
				wantVersion(t, c, want)
			})
		})
	}
}

// S13: a hanging request ends when the client goes offline or is closed.
func TestGoingOfflineCancelsAFetch(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := fakecdn.New()
		cdn.Break(fakecdn.Hang(nil))
		c := n.start(t, online(cdn))
		refreshed := make(chan error)
		go func() { refreshed <- c.Refresh(context.Background()) }()
		time.Sleep(time.Second)
		start := time.Now()
		c.SetOffline()
		if err := <-refreshed; err != nil || time.Since(start) > time.Second { // Redis was read
			t.Errorf("%v after %v", err, time.Since(start))
		}
		c.SetOnline()
		time.Sleep(time.Second)
		go func() { refreshed <- c.Refresh(context.Background()) }()
		time.Sleep(time.Second)
		c.Close()
		if err := <-refreshed; !errors.Is(err, ErrClosed) || time.Since(start) > 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// S81–S84, S87, S88: failures have a type, are logged, and leave the config in force.
func TestFetchFailures(t *testing.T) {
	for name, test := range map[string]struct {
		fault  fakecdn.Fault
		code   int
		status int
	}{
		"403 (S83)":                  {fakecdn.Status(403), 1100, 403},
		"404 (S83)":                  {fakecdn.Status(404), 1100, 404},
		"500 (S84)":                  {fakecdn.Status(500), 1101, 500},
		"timeout (S84)":              {fakecdn.Hang(nil), 1102, 0},
		"network (S84, S85)":         {fakecdn.Network(errors.New("unplugged")), 1103, 0},
		"no config (S81)":            {fakecdn.HTML(), 1105, 200},
		"empty body (S81)":           {fakecdn.Body("application/json", ""), 1105, 200},
		"loop (S87)":                 {redirectInTurn, 1104, 200},
		"304 without a config (S82)": {fakecdn.Status(304), 1106, 304},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := cdnAt(7)
				log, logging := recorded(slog.LevelWarn)
				if test.code == 1106 {
					cdn.Break(test.fault)
				}
				c := n.ready(t, online(cdn), logging)
				cdn.Break(test.fault)
				log.events = nil
				err := c.Refresh(t.Context())
				failure, ok := errors.AsType[*FetchError](err)
				if !ok || failure.Code != test.code || failure.Status != test.status {
					t.Fatalf("%v", err)
				}
				if strings.Contains(err.Error(), testSDKKey) {
					t.Error("the SDK key shows (S103)")
				}
				wantEvents(t, log, test.code, 1)
				want := 7
				if test.code == 1106 {
					want = -1
				}
				wantVersion(t, c, want)
				cdn.Repair()
				cdn.Publish()
				if err := c.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
				wantVersion(t, c, 8)
			})
		})
	}
}

// redirectInTurn redirects each request from one host to the other.
func redirectInTurn(w http.ResponseWriter, r *http.Request, _ func() fakecdn.Config) {
	next := "https://a.configcat.com"
	if r.Host == "a.configcat.com" {
		next = "https://b.configcat.com"
	}
	fmt.Fprintf(w, `{"p":{"u":%q,"r":1},"f":{}}`, next)
}

// S83: after 403 or 404 the next request waits as long as after an answer; after other failures the
// next tick retries (S84). Neither confirms the content (I14).
func TestAnUnknownSDKKeyIsNotRequestedRepeatedly(t *testing.T) {
	for status, want := range map[int][3]int{403: {1, 1, 2}, 500: {20, 21, 22}} {
		inBubble(t, func(t *testing.T, n *network) {
			cdn := fakecdn.New()
			cdn.Break(fakecdn.Status(status))
			c := n.ready(t, online(cdn), func(c *Config) { c.PollingMode = Lazy })
			for range 20 {
				wantVersion(t, c, -1)
				time.Sleep(time.Second)
			}
			wantRequests(t, cdn, want[0])
			if s := c.CacheState(); s != NoFlagData {
				t.Error(s)
			}
			time.Sleep(39400 * time.Millisecond) // 59.4 s after the first, with S42's tolerance
			wantVersion(t, c, -1)
			wantRequests(t, cdn, want[1])
			time.Sleep(200 * time.Millisecond)
			wantVersion(t, c, -1)
			wantRequests(t, cdn, want[2])
		})
	}
}

// S85: the CDN receives no request before the time of Retry-After, not even by Refresh.
func TestRetryAfterIsHonoured(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := cdnAt(2)
		cdn.Break(fakecdn.TooMany(5 * time.Minute))
		c := n.ready(t, online(cdn))
		wantRequests(t, cdn, 1)
		cdn.Repair()
		time.Sleep(4 * time.Minute)
		if err := c.Refresh(t.Context()); err == nil {
			t.Error("no error")
		}
		wantRequests(t, cdn, 1)
		time.Sleep(2 * time.Minute)
		wantVersion(t, c, 2)
	})
}

// S3, S4, S7, S8, S10, S80: the settings determine URL, header and transport of a request.
func TestCDNSettingsAreUsed(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		url    string
	}{
		"Global (S10)":  {func(*Config) {}, "https://cdn-global.configcat.com/configuration-files/" + testSDKKey + "/config_v6.json"},
		"EUOnly (S10)":  {func(c *Config) { c.DataGovernance = EUOnly }, "https://cdn-eu.configcat.com/configuration-files/" + testSDKKey + "/config_v6.json"},
		"base URL (S4)": {func(c *Config) { c.BaseURL = "https://cdn.example.com/x" }, "https://cdn.example.com/x/configuration-files/" + testSDKKey + "/config_v6.json"},
		"proxy key (S3)": {func(c *Config) { c.BaseURL, c.SDKKey = "http://127.0.0.1:9", "configcat-proxy/my" },
			"http://127.0.0.1:9/configuration-files/configcat-proxy/my/config_v6.json"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := fakecdn.New()
				var url string
				var header http.Header
				c := n.ready(t, online(cdn), test.change, func(c *Config) {
					c.PollingMode = AutoPoll
					c.Transport = transport(func(r *http.Request) (*http.Response, error) {
						url, header = r.URL.String(), r.Header
						return cdn.RoundTrip(r)
					})
				})
				wantVersion(t, c, 1)
				c.Close()
				if url != test.url || !strings.HasPrefix(header.Get("X-ConfigCat-UserAgent"), "ConfigCat-Go-catbridge/a-") {
					t.Errorf("%s, %v", url, header)
				}
			})
		})
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// I1: the late answer of a slow CDN does not replace a rev that a leader committed meanwhile.
func TestARevCommittedDuringAFetchWins(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := cdnAt(1)
		release := make(chan struct{})
		cdn.Break(fakecdn.Hang(release))
		c := n.start(t, online(cdn))
		time.Sleep(time.Second)
		w := n.writer(t, 6)
		wantVersion(t, c, 6)
		close(release)
		synctest.Wait()
		wantVersion(t, c, 6)
		if s := c.Stats(); s.Rev != w.rev || s.Hash != wire.ContentHash(configJSON(6)) {
			t.Errorf("%+v", s)
		}
	})
}

// The config counts as the same though Redis confirmed it during the fetch.
func TestAFetchCountsThoughRedisConfirmedTheFileMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		path := snapshotFile(t, 10*time.Minute, 2)
		n.entry(10*time.Minute, 2) // the same content and rev
		n.link.Down()
		cdn := cdnAt(9)
		release := make(chan struct{})
		cdn.Break(fakecdn.Hang(release))
		c := n.start(t, online(cdn), withSnapshotFile(path))
		time.Sleep(time.Second)
		if s := c.Stats(); s.Source != SourceFile || s.Fetches != 1 {
			t.Fatalf("%+v", s)
		}
		n.link.Up()
		time.Sleep(10 * time.Second)
		if s := c.Stats(); s.Source == SourceFile || s.Fetches != 1 {
			t.Fatalf("%+v", s)
		}
		close(release)
		wantVersion(t, c, 9)
	})
}

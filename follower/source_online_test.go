package follower

import (
	"context"
	"errors"
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

// Switching many times while a fetch hangs neither blocks nor loses the last switch.
func TestSwitchingOftenDuringAFetch(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn, asked := cdnAt(2), make(chan struct{}, 1)
				cdn.Break(fakecdn.Announce(asked, fakecdn.Hang(nil)))
				c := n.start(t, online(cdn), polling(mode, time.Minute))
				<-asked
				for range 50 {
					c.SetOffline()
					c.SetOnline()
				}
				cdn.Repair()
				time.Sleep(time.Second)
				wantVersion(t, c, 2)
				c.SetOffline()
				time.Sleep(10 * time.Minute)
				cdn.Publish()
				c.SetOnline()
				wantVersion(t, c, 3)
			})
		})
	}
}

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

package follower

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/internal/wire"
)

const reportEvery = 30 * time.Second

func reporting(c *Config) { c.FleetReport, c.FleetName = reportEvery, "shop-1" }

// fleet returns the reports in the set, the oldest first.
func (n *network) fleet(t *testing.T) []wire.FleetReport {
	t.Helper()
	key := cachekeys.For(testSDKKey, "", 0).Fleet
	if !n.Exists(key) {
		return nil
	}
	members, err := n.ZMembers(key)
	if err != nil {
		t.Fatal(err)
	}
	var reports []wire.FleetReport
	for _, member := range members {
		report, err := wire.ParseFleetReport(member)
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, report)
	}
	return reports
}

// onlyReport returns the only report. The test fails if there are more or fewer.
func (n *network) onlyReport(t *testing.T) wire.FleetReport {
	t.Helper()
	reports := n.fleet(t)
	if len(reports) != 1 {
		t.Fatalf("%d reports, want 1: %+v", len(reports), reports)
	}
	return reports[0]
}

// sleep advances the time by d, then waits for the work that is under way.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// I11: without FleetReport nothing is written.
func TestNoReportByDefault(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		c := n.start(t)
		sleep(time.Hour)
		if reports := n.fleet(t); reports != nil || c.Stats().Reports != 0 {
			t.Errorf("%+v, %d", reports, c.Stats().Reports)
		}
	})
}

func TestAReportDescribesTheConfigInForce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c := n.start(t, reporting)
		sleep(reportEvery)
		r := n.onlyReport(t)
		if r.Rev != 0 || r.Hash != "" || r.State != string(StateNoLeader) || r.Interval != reportEvery ||
			!strings.HasPrefix(r.ID, "shop-1~") || r.Version == "" {
			t.Errorf("before there is content: %+v", r)
		}
		w := n.writer(t, 1)
		w.beat()
		sleep(2 * time.Minute)
		w.spread = 4 * time.Second
		w.commit(configJSON(2))
		sleep(w.spread + reportEvery/2)
		r = n.onlyReport(t)
		if r.Hash != c.Stats().Hash[:wire.FleetHashBytes] || r.Rev < w.rev-reportEvery.Milliseconds() || r.State != string(StateLive) {
			t.Errorf("half an interval after a change: %+v, leader at %d", r, w.rev)
		}
		if r.Lag <= 0 || r.Lag > w.spread {
			t.Errorf("lag is %v, the spread window %v", r.Lag, w.spread)
		}
	})
}

// Each report replaces the previous one, and Close removes the last one.
func TestAFollowerHasOneReport(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		c := n.start(t, reporting)
		sleep(reportEvery)
		id := n.onlyReport(t).ID
		for i := range 50 {
			if i%3 == 0 {
				w.commit(configJSON(i))
			}
			sleep(11 * time.Second)
			if r := n.onlyReport(t); r.ID != id {
				t.Fatalf("another id: %q, before %q", r.ID, id)
			}
		}
		if s := c.Stats(); s.Reports < 15 || s.FailedReports != 0 {
			t.Errorf("%d reports, %d failed", s.Reports, s.FailedReports)
		}
		c.Close()
		if reports := n.fleet(t); len(reports) != 0 {
			t.Errorf("left behind: %+v", reports)
		}
	})
}

func TestClientsThatShareAFeedReportOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		shared := withRedis(n.client(t))
		first, second := n.start(t, shared, reporting), n.start(t, shared, reporting)
		other := n.start(t, shared)
		if !shareFeed(first, second) || shareFeed(first, other) {
			t.Error("feeds are not shared by what they report")
		}
		sleep(time.Minute)
		n.onlyReport(t)
		first.Close()
		sleep(time.Minute)
		n.onlyReport(t)
	})
}

// Frequent changes do not make reports frequent.
func TestManyChangesDoNotMakeManyReports(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		var times []time.Time
		n.intercept(func(_ *server.Peer, cmd string, _ ...string) bool {
			if cmd == "ZADD" {
				times = append(times, time.Now())
			}
			return false
		})
		w := n.writer(t)
		w.inline = true
		n.start(t, reporting)
		for i := range 600 {
			w.commit(configJSON(i))
			sleep(time.Second)
		}
		for i := range times[1:] {
			if gap := times[i+1].Sub(times[i]); gap < wire.MinFleetInterval {
				t.Errorf("reports %v apart", gap)
			}
		}
		if most := 600/int(reportEvery.Seconds())*4 + 1; len(times) > most || len(times) < 600/36 {
			t.Errorf("%d reports in 10 min, want at most %d", len(times), most)
		}
	})
}

// Followers do not all report at the same moment after a change.
func TestReportsAfterAChangeAreSpread(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.inline = true
		w.commit(configJSON(1))
		const followers = 200
		for range followers {
			n.start(t, reporting, func(c *Config) { c.Logger = nil })
		}
		sleep(2 * time.Minute)
		var mu sync.Mutex // connections run the hook side by side
		perSecond := map[int]int{}
		changed := time.Now()
		n.intercept(func(_ *server.Peer, cmd string, _ ...string) bool {
			if cmd == "ZADD" {
				mu.Lock()
				defer mu.Unlock()
				perSecond[int(time.Since(changed).Seconds())]++
			}
			return false
		})
		w.commit(configJSON(2))
		sleep(reportEvery / 2)
		hash := wire.ContentHash(configJSON(2))[:wire.FleetHashBytes]
		current := 0
		for _, r := range n.fleet(t) {
			if r.Hash == hash {
				current++
			}
		}
		if current != followers {
			t.Errorf("after half an interval %d of %d report the change", current, followers)
		}
		mu.Lock()
		defer mu.Unlock()
		for second, reports := range perSecond {
			if reports > followers/4 {
				t.Errorf("%d of %d report in second %d: %v", reports, followers, second, perSecond)
			}
		}
	})
}

// A follower with a wrong clock does not remove the reports of others, and uses Redis's clock for
// its own report as soon as it knows that clock.
func TestAWrongClockRemovesNoReports(t *testing.T) {
	for name, skew := range map[string]time.Duration{"ahead": -2 * time.Hour, "behind": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				key := cachekeys.For(testSDKKey, "", 0).Fleet
				w := n.writer(t)
				w.skew = skew // of Redis's clock against the follower's
				other := wire.FleetReport{ID: "other", Version: "v1", State: "live", Interval: wire.MaxFleetInterval}
				gone := other
				gone.ID = "gone"
				add := func(r wire.FleetReport, age time.Duration) {
					if _, err := n.ZAdd(key, float64(w.now()-age.Milliseconds()), string(r.Append(nil))); err != nil {
						t.Fatal(err)
					}
				}
				add(other, 0)
				add(gone, wire.FleetExpiry)
				w.commit(configJSON(1))
				w.beat()
				n.start(t, reporting)
				for range 10 {
					sleep(time.Minute)
					ids := []string{}
					for _, r := range n.fleet(t) {
						ids = append(ids, r.ID)
					}
					if !slices.Contains(ids, "other") || len(ids) > 3 {
						t.Fatalf("reports are of %q", ids)
					}
					if slices.Contains(ids, "gone") && time.Since(time.UnixMilli(w.cdn).Add(-skew)) > 2*time.Minute {
						t.Fatalf("an expired report stays: %q", ids)
					}
				}
				if reports := n.fleet(t); len(reports) != 2 {
					t.Errorf("an expired report stays: %+v", reports)
				}
				const heartbeat = 3000 // the accuracy of Redis's clock, in ms
				scores, err := n.SortedSet(key)
				if err != nil {
					t.Fatal(err)
				}
				for member, score := range scores {
					if age := float64(w.now()) - score; !strings.Contains(member, "other") && (age < -heartbeat || age > 1.3*float64(reportEvery.Milliseconds())) {
						t.Errorf("%s is %v ms old by Redis's clock", member, age)
					}
				}
			})
		})
	}
}

// A follower without the right to report logs that once, and retries rarely.
func TestDeniedReportsAreLoggedOnce(t *testing.T) {
	for name, test := range map[string]struct {
		command, reply string
	}{
		"no ZADD":             {"ZADD", "NOPERM User follower has no permissions to run the 'zadd' command"},
		"no ZREMRANGEBYSCORE": {"ZREMRANGEBYSCORE", "NOPERM User follower has no permissions to run the 'zremrangebyscore' command"},
		"no such command":     {"ZADD", "ERR unknown command 'ZADD'"},
		"another type":        {"ZADD", "WRONGTYPE Operation against a key holding the wrong kind of value"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				w.beat()
				var refuse atomic.Bool
				refuse.Store(true)
				n.intercept(func(peer *server.Peer, cmd string, _ ...string) bool {
					if refuse.Load() && cmd == test.command {
						peer.WriteError(test.reply)
						return true
					}
					return false
				})
				log, logging := recorded(slog.LevelInfo)
				c := n.start(t, reporting, logging)
				sleep(time.Hour)
				wantEvents(t, log, eventid.FleetDenied, 1)
				wantEvents(t, log, eventid.FleetFailed, 0)
				if s := c.Stats(); s.FailedReports < 4 || s.FailedReports > 9 || version(c) != 1 || s.State != StateLive {
					t.Errorf("in an hour: %+v", s)
				}
				refuse.Store(false)
				sleep(15 * time.Minute)
				if s := c.Stats(); s.Reports-s.FailedReports == 0 {
					t.Errorf("with the right: %+v", s)
				}
				sleep(wire.FleetExpiry) // for reports that could not be removed before
				n.onlyReport(t)
				wantEvents(t, log, eventid.FleetRecovery, 1)
			})
		})
	}
}

// An outage of reporting is logged once and counted. Nothing else is affected.
func TestAnOutageOfReportingIsLoggedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		log, logging := recorded(slog.LevelInfo)
		c := n.start(t, reporting, logging)
		sleep(time.Minute)
		n.link.Freeze()
		sleep(10 * time.Minute)
		wantEvents(t, log, eventid.FleetFailed, 1)
		if s := c.Stats(); s.FailedReports < 10 || version(c) != 1 {
			t.Errorf("%+v", s)
		}
		n.link.Thaw()
		sleep(2 * time.Minute)
		wantEvents(t, log, eventid.FleetRecovery, 1)
		wantEvents(t, log, eventid.FleetDenied, 0)
		latest := n.fleet(t)
		if r := latest[len(latest)-1]; r.State != string(StateLive) {
			t.Errorf("%+v", r)
		}
	})
}

// Close removes the report even if a report is under way, or Redis's reply to it was lost.
func TestAClosedFollowerLeavesNoReport(t *testing.T) {
	t.Run("under way", func(t *testing.T) {
		inBubble(t, func(t *testing.T, n *network) {
			sent := make(chan struct{}, 1)
			n.intercept(func(_ *server.Peer, cmd string, _ ...string) bool {
				if cmd == "ZADD" {
					sent <- struct{}{}
					time.Sleep(time.Second)
				}
				return false
			})
			c := n.start(t, reporting)
			<-sent
			c.Close()
			sleep(2 * time.Second)
			if reports := n.fleet(t); len(reports) != 0 {
				t.Errorf("left behind: %+v", reports)
			}
		})
	})
	t.Run("replies lost", func(t *testing.T) {
		inBubble(t, func(t *testing.T, n *network) {
			w := n.writer(t, 1)
			w.beat()
			c := n.start(t, reporting)
			n.link.Drop(func(frame []byte) bool { return frame[0] == ':' }) // as to ZADD
			for c.Stats().FailedReports < 3 {
				sleep(time.Second)
			}
			if reports := n.fleet(t); len(reports) == 0 {
				t.Error("no report arrived")
			}
			n.link.Drop(nil)
			c.Close()
			if reports := n.fleet(t); len(reports) != 0 {
				t.Errorf("left behind: %+v", reports)
			}
		})
	})
}

func TestBadFleetSettingsAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"too often":  {func(c *Config) { c.FleetReport = 4999 * time.Millisecond }, "Config.FleetReport is 4.999s, want 5s to 5m0s, or 0 for none"},
		"too rarely": {func(c *Config) { c.FleetReport = time.Hour }, "Config.FleetReport is 1h0m0s"},
		"negative":   {func(c *Config) { c.FleetReport = -1 }, "Config.FleetReport is -1ns"},
		"name":       {func(c *Config) { c.FleetReport, c.FleetName = reportEvery, "a b" }, `Config.FleetName is "a b", want 1 to 53 letters`},
		"long name":  {func(c *Config) { c.FleetReport, c.FleetName = reportEvery, strings.Repeat("x", 54) }, "Config.FleetName"},
		"no Redis": {func(c *Config) {
			c.FleetReport, c.Redis, c.PollingMode, c.Online = reportEvery, nil, AutoPoll, true
		}, "Config.FleetReport needs Config.Redis"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cfg := Config{SDKKey: testSDKKey, Redis: n.client(t)}
				test.change(&cfg)
				if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want %q", err, test.want)
				}
			})
		})
	}
}

func TestHostNamesFitReports(t *testing.T) {
	if name := hostName(); len(name) > feed.MaxReportName || !wire.ValidFleetName(name) {
		t.Errorf("%q", name)
	}
}

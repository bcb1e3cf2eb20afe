package follower

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

func polling(mode PollingMode, interval time.Duration) func(*Config) {
	return func(c *Config) { c.PollingMode, c.PollInterval = mode, interval }
}

// entry writes an entry as an official SDK does.
func (n *network) entry(age time.Duration, version int) {
	e := cachekeys.Entry{FetchTime: time.Now().Add(-age).UnixMilli(), ETag: `"x"`, JSON: configJSON(version)}
	_ = n.Set(cachekeys.For(testSDKKey, "", 0).Entry, string(e.Append(nil)))
}

// S5: only mode Subscribe subscribes.
func TestOnlySubscribeSubscribes(t *testing.T) {
	for _, mode := range []PollingMode{AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				n.writer(t, 1)
				c := n.ready(t, polling(mode, 0))
				wantVersion(t, c, 1)
				if channels := n.PubSubChannels(""); len(channels) != 0 {
					t.Errorf("subscribed to %q", channels)
				}
				if s := c.Stats(); s.State != StateUnsubscribed || s.Connects != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// S40, S98: Redis is read at every interval, online or offline; the default is 60 s, the minimum 1 s.
func TestAutoPollReadsEveryInterval(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{
		0: time.Minute, time.Millisecond: time.Second, -time.Hour: time.Second, 10 * time.Second: 10 * time.Second,
	} {
		t.Run(given.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				n.entry(0, 1)
				c := n.ready(t, polling(AutoPoll, given))
				wantVersion(t, c, 1)
				for v := range 5 {
					time.Sleep(want / 4)
					n.entry(0, 2+v)
					time.Sleep(want / 4)
					wantVersion(t, c, 1+v)
					time.Sleep(want / 2)
					wantVersion(t, c, 2+v)
				}
			})
		})
	}
}

// S42: while the shared entry has not expired there is no request, with a tolerance of 500 ms.
func TestAutoPollAsksTheCDNOnlyIfTheEntryHasExpired(t *testing.T) {
	for age, want := range map[time.Duration]int{
		0: 0, 50 * time.Second: 0, 59400 * time.Millisecond: 0, 59600 * time.Millisecond: 1, time.Hour: 1, -time.Hour: 1,
	} {
		t.Run(age.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				n.entry(age, 1)
				cdn := cdnAt(2)
				c := n.ready(t, online(cdn), polling(AutoPoll, 0))
				wantRequests(t, cdn, want)
				wantVersion(t, c, 1+want)
			})
		})
	}
}

// S40, S41: before the client is ready, a get waits, for the initial wait at most.
func TestAGetWaitsUntilReadyInAutoPoll(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		answer time.Duration // of the CDN
		want   time.Duration
		value  int
	}{
		"in time":        {func(*Config) {}, 2 * time.Second, 2 * time.Second, 1},
		"too late":       {func(*Config) {}, 9 * time.Second, 5 * time.Second, -1},
		"other wait":     {func(c *Config) { c.MaxInitWait = time.Second }, 9 * time.Second, time.Second, -1},
		"forever":        {func(c *Config) { c.MaxInitWait = -1 }, 25 * time.Second, 25 * time.Second, 1},
		"not to wait":    {func(c *Config) { c.NoWaitForRefresh = true }, 2 * time.Second, 0, -1},
		"Subscribe mode": {func(c *Config) { c.PollingMode = Subscribe }, 2 * time.Second, 0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := fakecdn.New()
				release := make(chan struct{})
				cdn.Break(fakecdn.Hang(release))
				time.AfterFunc(test.answer, func() { close(release) })
				start := time.Now()
				c := n.start(t, online(cdn), polling(AutoPoll, 0), test.change)
				if got := version(c); got != test.value || time.Since(start) != test.want {
					t.Errorf("%d after %v, want %d after %v", got, time.Since(start), test.value, test.want)
				}
				time.Sleep(30 * time.Second)
				wantVersion(t, c, 1)
			})
		})
	}
}

// S43: a get refreshes a missing or expired config. Concurrent gets share one refresh.
func TestLazyRefreshesWithinTheGet(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := fakecdn.New()
		c := n.ready(t, online(cdn), polling(Lazy, 0))
		time.Sleep(time.Hour)
		wantRequests(t, cdn, 0)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if got := version(c); got != 1 {
					t.Errorf("version %d", got)
				}
			})
		}
		group.Wait()
		wantRequests(t, cdn, 1)
		cdn.Publish()
		time.Sleep(59 * time.Second)
		wantVersion(t, c, 1)
		wantRequests(t, cdn, 1)
		time.Sleep(time.Second)
		wantVersion(t, c, 2)
		// An entry that another process refreshed saves the request.
		time.Sleep(time.Hour)
		n.entry(time.Second, 9)
		wantVersion(t, c, 9)
		wantRequests(t, cdn, 2)
	})
}

// S43.
func TestLazyWithoutWaitingAnswersAtOnceAndRefreshesInTheBackground(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := fakecdn.New()
		c := n.ready(t, online(cdn), polling(Lazy, 0), func(c *Config) { c.NoWaitForRefresh = true })
		if got := version(c); got != -1 {
			t.Errorf("version %d", got)
		}
		wantVersion(t, c, 1)
		cdn.Publish()
		time.Sleep(time.Minute)
		if got := version(c); got != 1 {
			t.Errorf("version %d", got)
		}
		wantVersion(t, c, 2)
		wantRequests(t, cdn, 2)
	})
}

// S44: Manual fetches only on Refresh, but reads the shared cache.
func TestManualFetchesOnlyOnRefresh(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := cdnAt(5)
		c := n.start(t, online(cdn), polling(Manual, 0))
		if got := version(c); got != -1 {
			t.Errorf("version %d", got)
		}
		n.entry(time.Hour, 1)
		time.Sleep(time.Minute)
		wantVersion(t, c, 1)
		wantRequests(t, cdn, 0)
		if err := c.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		wantVersion(t, c, 5)
		wantRequests(t, cdn, 1)
		if s := c.CacheState(); s != HasCachedFlagDataOnly { // S47
			t.Error(s)
		}
		time.Sleep(time.Second)
		n.entry(0, 6)
		time.Sleep(time.Minute)
		wantVersion(t, c, 6)
	})
}

// I1: an entry has the time of Redis's clock, which was ahead; its leader is gone. No message reported
// that clock, so the time of the entry does not outrank content that the client fetched itself.
func TestAnEntryOfAGoneLeaderIsNotComparedByTheLocalClock(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.skew = time.Minute
		w.commit(configJSON(1))
		c := n.start(t, online(cdnAt(5)), polling(Manual, 0))
		wantVersion(t, c, 1)
		time.Sleep(5 * time.Second)
		if err := c.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		wantVersion(t, c, 5)
		if err := w.redis.Del(t.Context(), w.keys.Meta, w.keys.Lock).Err(); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			time.Sleep(time.Minute)
			wantVersion(t, c, 5)
		}
	})
}

// S44: getters return the default only while the shared cache is empty. They do not wait repeatedly
// for a cache that cannot be read.
func TestManualReadsTheSharedCacheWhileItHasNoConfig_S44(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := cdnAt(5)
		c := n.start(t, online(cdn), polling(Manual, 0))
		wantVersion(t, c, -1)
		n.link.Freeze()
		time.Sleep(70 * time.Second) // a background read fails
		start := time.Now()
		if wantVersion(t, c, -1); time.Since(start) != 0 {
			t.Errorf("waited %v for a Redis that does not answer", time.Since(start))
		}
		n.link.Thaw()
		time.Sleep(time.Minute)
		wantVersion(t, c, -1)
		n.entry(time.Hour, 1)
		if got := version(c); got != 1 {
			t.Errorf("version %d", got)
		}
		n.entry(0, 2) // from now on gets use the config in force
		if got := version(c); got != 1 {
			t.Errorf("version %d", got)
		}
		wantRequests(t, cdn, 0)
		c.Close()
	})
}

// A get directly after the start uses the content of the shared cache (S41, S44).
func TestTheFirstGetWaitsForTheSharedCache(t *testing.T) {
	for _, mode := range []PollingMode{AutoPoll, Lazy, Manual} {
		inBubble(t, func(t *testing.T, n *network) {
			n.entry(time.Hour, 3)
			c := n.start(t, polling(mode, 0))
			if got := version(c); got != 3 {
				t.Errorf("%v: version %d", mode, got)
			}
		})
	}
}

// S45: callers that arrive during a refresh get its result.
func TestOneRefreshAtATime(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				n.entry(0, 1)
				cdn := cdnAt(2)
				c := n.ready(t, online(cdn), polling(mode, 0))
				release := make(chan struct{})
				cdn.Break(fakecdn.Hang(release))
				var group sync.WaitGroup
				for range 10 {
					group.Go(func() {
						if err := c.Refresh(t.Context()); err != nil {
							t.Error(err)
						}
						if got := version(c); got != 2 {
							t.Errorf("version %d", got)
						}
					})
				}
				synctest.Wait()
				close(release)
				group.Wait()
				wantRequests(t, cdn, 1)
			})
		})
	}
}

// S21.
func TestRefreshIfOlder(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.entry(0, 1)
		cdn := cdnAt(2)
		c := n.ready(t, online(cdn), polling(Manual, time.Hour))
		refresh := func(age time.Duration, version, requests int) {
			t.Helper()
			if err := c.RefreshIfOlder(t.Context(), age); err != nil {
				t.Error(err)
			}
			wantVersion(t, c, version)
			wantRequests(t, cdn, requests)
		}
		time.Sleep(30 * time.Second)
		refresh(time.Minute, 1, 0)
		n.entry(10*time.Second, 7)
		refresh(20*time.Second, 7, 0) // read from Redis: young enough
		refresh(5*time.Second, 2, 1)
		refresh(5*time.Second, 2, 1)
		cdn.Publish()
		refresh(0, 3, 2)
		refresh(-time.Hour, 3, 3)
	})
}

// S21: offline, Refresh reads Redis. Without Redis it returns an error, 3200.
func TestRefreshOffline(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.entry(time.Hour, 1)
		c := n.ready(t, polling(Manual, time.Hour))
		n.entry(0, 2)
		if err := c.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		wantVersion(t, c, 2)
		n.link.Down()
		if err := c.Refresh(t.Context()); err == nil || errors.Is(err, ErrOffline) {
			t.Error(err)
		}

		log, logging := recorded(slog.LevelWarn)
		alone := n.ready(t, logging, online(fakecdn.New()), polling(AutoPoll, 0), func(c *Config) { c.Redis = nil })
		wantVersion(t, alone, 1)
		alone.SetOffline()
		if err := alone.Refresh(t.Context()); !errors.Is(err, ErrOffline) {
			t.Error(err)
		}
		wantEvents(t, log, 3200, 1)
	})
}

// S46: the client is ready when the first sync finds an entry that has not expired, when the first
// fetch is done, successful or not, or after the initial wait; in Lazy and Manual, and offline,
// after the first read.
func TestReady(t *testing.T) {
	hang := func(cdn *fakecdn.CDN) { cdn.Break(fakecdn.Hang(nil)) }
	for name, test := range map[string]struct {
		mode PollingMode
		age  time.Duration // of the entry
		fail func(*fakecdn.CDN)
		off  bool
		want time.Duration
	}{
		"AutoPoll, fresh entry":       {AutoPoll, 0, hang, false, 0},
		"AutoPoll, expired, good":     {AutoPoll, time.Hour, func(*fakecdn.CDN) {}, false, 0},
		"AutoPoll, expired, failed":   {AutoPoll, time.Hour, func(c *fakecdn.CDN) { c.Break(fakecdn.Status(500)) }, false, 0},
		"AutoPoll, expired, hanging":  {AutoPoll, time.Hour, hang, false, 5 * time.Second},
		"AutoPoll, offline":           {AutoPoll, time.Hour, hang, true, 0},
		"Subscribe, fresh entry":      {Subscribe, 0, hang, false, 0},
		"Subscribe, expired, hanging": {Subscribe, time.Hour, hang, false, 5 * time.Second},
		"Subscribe, offline":          {Subscribe, time.Hour, hang, true, 0},
		"Lazy, expired":               {Lazy, time.Hour, hang, false, 0},
		"Manual, expired":             {Manual, time.Hour, hang, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				n.entry(test.age, 1)
				cdn := fakecdn.New()
				test.fail(cdn)
				start := time.Now()
				c := n.ready(t, polling(test.mode, 0), func(c *Config) { c.Transport, c.Online = cdn, !test.off })
				if took := time.Since(start); took != test.want {
					t.Errorf("ready after %v, want %v", took, test.want)
				}
				if test.off || test.age == 0 {
					wantRequests(t, cdn, 0)
				}
				c.Close()
			})
		})
	}
}

// In the other modes, too, clients with one Redis client share their reads.
func TestPollersShareAFeed(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.entry(0, 1)
		shared := withRedis(n.client(t))
		first := n.start(t, shared, polling(AutoPoll, 0))
		second := n.start(t, shared, polling(Manual, 0))
		other := n.ready(t, shared)
		if !shareFeed(first, second) || shareFeed(first, other) {
			t.Error("shared wrongly")
		}
		wantVersion(t, first, 1)
		wantVersion(t, second, 1)
	})
}

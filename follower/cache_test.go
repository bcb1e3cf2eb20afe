package follower

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
)

// memoryCache is a Cache in memory.
type memoryCache struct {
	mu     sync.Mutex
	values map[string][]byte
	sets   int
	err    error
}

func (m *memoryCache) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[key], m.err
}

func (m *memoryCache) Set(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	if m.values == nil {
		m.values = map[string][]byte{}
	}
	m.sets++
	m.values[key] = value
	return nil
}

func (m *memoryCache) store(age time.Duration, version int) {
	e := cachekeys.Entry{FetchTime: time.Now().Add(-age).UnixMilli(), ETag: `"x"`, JSON: configJSON(version)}
	_ = m.Set(context.Background(), cachekeys.For(testSDKKey, "", 0).Entry, e.Append(nil))
}

func (m *memoryCache) entry(t *testing.T) cachekeys.Entry {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := cachekeys.ParseEntry(m.values[cachekeys.For(testSDKKey, "", 0).Entry])
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func withCache(cache ConfigCache) func(*Config) {
	return func(c *Config) { c.Redis, c.Cache, c.PollingMode = nil, cache, AutoPoll }
}

// S6, S97: without Redis the Cache is read first.
func TestWithoutRedisTheCacheIsReadFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cache := new(memoryCache)
		cache.store(time.Second, 1)
		cdn := cdnAt(5)
		c := n.ready(t, online(cdn), withCache(cache))
		wantVersion(t, c, 1)
		wantRequests(t, cdn, 0)
		if s := c.Stats(); s.Source != SourceCache || s.State != StateUnsubscribed || c.CacheState() != HasUpToDateFlagData {
			t.Errorf("%+v", s)
		}
		time.Sleep(time.Minute)
		wantVersion(t, c, 5)
		// S92, S96: the entry is written as an official SDK writes it, with an ETag.
		e := cache.entry(t)
		if e.ETag != cdn.Config().ETag() || string(e.JSON) != string(cdn.Config().JSON()) || time.Since(e.Time()) > time.Second {
			t.Errorf("%d %s", e.FetchTime, e.ETag)
		}
		// S95: an older entry is refused, a newer one is taken.
		cache.store(time.Hour, 8)
		time.Sleep(time.Second)
		c.SetOffline()
		time.Sleep(time.Minute)
		wantVersion(t, c, 5)
		cache.store(0, 9)
		time.Sleep(time.Minute)
		wantVersion(t, c, 9)
		time.Sleep(time.Minute)
		if s := c.CacheState(); s != HasCachedFlagDataOnly {
			t.Error(s)
		}
	})
}

// S82: a 304 of the CDN updates the time in the Cache.
func TestAConfirmationUpdatesTheTimeInTheCache(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cache := new(memoryCache)
		cdn := cdnAt(5)
		n.ready(t, online(cdn), withCache(cache))
		first := cache.entry(t)
		time.Sleep(time.Minute)
		wantRequests(t, cdn, 2)
		if second := cache.entry(t); second.FetchTime != first.FetchTime+60000 || second.ETag != first.ETag {
			t.Errorf("%d then %d", first.FetchTime, second.FetchTime)
		}
	})
}

// S13: with Redis the Cache is read while Redis is empty. What Redis has is not written to it.
func TestTheCacheIsReadWhileRedisIsEmpty(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cache := new(memoryCache)
				cache.store(-time.Hour, 3) // written by a process whose clock is ahead
				c := n.ready(t, polling(mode, 0), func(c *Config) { c.Cache = cache })
				wantVersion(t, c, 3)
				n.entry(time.Minute, 4)
				time.Sleep(2 * time.Minute)
				wantVersion(t, c, 4)
				if cache.sets != 1 {
					t.Error("what Redis has is written to the Cache")
				}
				c.Close()
			})
		})
	}
}

// S94, S96: an error of the cache is logged and has no other effect.
func TestAFailingCacheIsLoggedAndIgnored(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		log, logging := recorded(slog.LevelWarn)
		c := n.ready(t, logging, online(cdnAt(5)), withCache(&memoryCache{err: errors.New("no disk")}))
		wantVersion(t, c, 5)
		wantEvents(t, log, 2200, 1)
		wantEvents(t, log, 2201, 1)
		if e := log.with(2201); !strings.Contains(e[0].text, "[2201] Error occurred while writing the cache.") || !strings.Contains(e[0].text, "no disk") {
			t.Error(e)
		}
	})
}

// S83, I4: content that is not a valid config is not taken.
func TestGarbageInTheCacheIsNotTaken(t *testing.T) {
	for _, garbage := range []string{"x", "1767225600000\n\"x\"\n", "1767225600000\n\"x\"\n[]", "1767225600000\n\"x\"\n{\"f\":null}"} {
		inBubble(t, func(t *testing.T, n *network) {
			cache := new(memoryCache)
			_ = cache.Set(t.Context(), cachekeys.For(testSDKKey, "", 0).Entry, []byte(garbage))
			log, logging := recorded(slog.LevelWarn)
			c := n.ready(t, logging, withCache(cache))
			wantVersion(t, c, -1)
			wantEvents(t, log, 2200, 1)
		})
	}
}

// S6, S90, S91, S93: the Redis cache reads and writes the entry that all SDKs share.
func TestTheRedisCacheUsesTheSharedEntry(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		var cache ConfigCache = NewRedisCache(n.client(t))
		key := cachekeys.For(testSDKKey, "", 0).Entry
		if value, err := cache.Get(t.Context(), key); value != nil || err != nil {
			t.Errorf("%q, %v", value, err)
		}
		c := n.ready(t, online(cdnAt(5)), withCache(cache))
		wantVersion(t, c, 5)
		c.Close()
		if n.TTL(key) != 0 {
			t.Error("the entry expires")
		}
		reader := n.start(t) // a follower reads the entry
		<-reader.Ready()
		wantVersion(t, reader, 5)
		n.link.Down()
		if _, err := cache.Get(t.Context(), key); err == nil {
			t.Error("no error")
		}
		if err := cache.Set(t.Context(), key, nil); err == nil {
			t.Error("no error")
		}
	})
}

func (m *memoryCache) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// A failed write is retried though no new content arrives, so that the config survives a crash.
func TestAFailedWriteToTheCacheIsRetried(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		log, logging := recorded(slog.LevelWarn)
		cache := &memoryCache{err: errors.New("no disk")}
		cdn := cdnAt(5)
		c := n.start(t, logging, online(cdn), withCache(cache), polling(Manual, 0))
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		wantEvents(t, log, eventid.CacheWrite, 1) // not once per attempt
		cache.fail(nil)
		time.Sleep(cacheRetry)
		synctest.Wait()
		if e := cache.entry(t); string(e.JSON) != string(cdn.Config().JSON()) {
			t.Errorf("the Cache holds %s", e.JSON)
		}
		time.Sleep(time.Hour)
		wantRequests(t, cdn, 1)
		if cache.sets != 1 {
			t.Errorf("%d writes", cache.sets)
		}
	})
}

func TestARetriedWriteToTheCacheReplacesNothingNewer(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cache := &memoryCache{err: errors.New("no disk")}
		c := n.start(t, online(cdnAt(5)), withCache(cache), polling(Manual, 0))
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		cache.fail(nil)
		cache.store(-time.Second, 6) // by another process
		time.Sleep(time.Hour)
		if e := cache.entry(t); string(e.JSON) != string(configJSON(6)) {
			t.Errorf("the Cache holds %s", e.JSON)
		}
	})
}

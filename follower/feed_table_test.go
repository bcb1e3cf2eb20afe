package follower

import (
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower/internal/eventid"
)

const otherSDKKey = "configcat-sdk-1/aaaaaaaaaaaaaaaaaaaaaa/cccccccccccccccccccccc"

func withRedis(client redis.UniversalClient) func(*Config) {
	return func(c *Config) { c.Redis = client }
}

// shareFeed reports whether two clients are members of one feed.
func shareFeed(a, b *Client) bool { return a.feed.Synced() == b.feed.Synced() }

// S1: clients with the same SDK key and Redis client share a subscription, reads and the config.
func TestClientsOfOneSDKKeyShareAFeed(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		shared := withRedis(n.client(t))
		first := n.ready(t, shared)
		reads := first.Stats().Reads
		var changes [2]int
		second := n.start(t, shared, func(c *Config) { c.Hooks = onChange(func() { changes[0]++ }) })
		third := n.start(t, shared, func(c *Config) { c.Hooks = onChange(func() { changes[1]++ }) })
		wantVersion(t, second, 1) // at once: the feed has it
		if !shareFeed(first, second) || !shareFeed(first, third) {
			t.Error("feeds of their own")
		}
		w.commit(configJSON(2))
		for _, c := range []*Client{first, second, third} {
			wantVersion(t, c, 2)
			if s := c.Stats(); s.Connects != 1 || s.Reads != reads+1 || c.CacheState() != HasUpToDateFlagData {
				t.Errorf("%+v, %v", s, c.CacheState())
			}
		}
		if first.inForce().Config != third.inForce().Config {
			t.Error("the config was compiled twice")
		}
		if changes != [2]int{2, 2} {
			t.Errorf("hooks called %v times", changes)
		}
		// A client that is closed keeps its config and does not affect the others (S2).
		first.Close()
		third.Close()
		w.commit(configJSON(3))
		wantVersion(t, second, 3)
		wantVersion(t, first, 2)
		if s := first.Stats(); s.State != StateClosed {
			t.Errorf("%+v", s)
		}
		if s := second.Stats(); s.State != StateLive {
			t.Errorf("%+v", s)
		}
		if changes != [2]int{3, 2} {
			t.Errorf("hooks called %v times", changes)
		}
		second.Close()
		again := n.ready(t, shared)
		wantVersion(t, again, 3)
		if shareFeed(again, second) {
			t.Error("the new client uses a stopped feed")
		}
	})
}

func TestClientsWithSeparateRedisClientsShareOneConfig(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		first, second := n.start(t), n.start(t)
		for version := 1; version <= 2; version++ {
			wantVersion(t, first, version)
			wantVersion(t, second, version)
			if shareFeed(first, second) || first.Snapshot(nil).Config() != second.Snapshot(nil).Config() {
				t.Errorf("version %d was compiled twice", version)
			}
			w.commit(configJSON(version + 1))
		}
	})
}

func TestClientsThatDifferShareNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t, 1)
		shared := withRedis(n.client(t))
		first := n.start(t, shared)
		for name, other := range map[string]*Client{
			"namespace": n.start(t, shared, func(c *Config) { c.Namespace = "shop" }),
			"SDK key":   n.start(t, shared, func(c *Config) { c.SDKKey = otherSDKKey }),
			"Redis":     n.start(t),
			"timings":   n.start(t, shared, func(c *Config) { c.Timings = FastTimings() }),
		} {
			if shareFeed(first, other) {
				t.Errorf("another %s, the same feed", name)
			}
		}
		<-first.Ready()
	})
}

// S1: 3000 is logged when there is another live client, and only then.
func TestASecondClientLogs3000(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		shared := withRedis(n.client(t))
		log, logging := recorded(slog.LevelWarn)
		first := n.start(t, shared, logging)
		n.start(t, logging)
		n.start(t, shared, logging, func(c *Config) { c.SDKKey = otherSDKKey })
		wantEvents(t, log, 3000, 0)
		second := n.start(t, shared, logging)
		wantEvents(t, log, 3000, 1)
		first.Close()
		second.Close()
		n.start(t, shared, logging)
		wantEvents(t, log, 3000, 1)
	})
}

// Further clients of a feed cost memory only, except while a change is applied.
func TestFurtherClientsOfAFeedHaveNoGoroutines(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		shared := withRedis(n.client(t))
		n.ready(t, shared)
		time.Sleep(time.Minute)
		synctest.Wait()
		before := runtime.NumGoroutine()
		const some = 10 // other goroutines that the process may have
		var ready, changes atomic.Int64
		clients := make([]*Client, 100)
		for i := range clients {
			clients[i] = n.start(t, shared, func(c *Config) {
				c.Hooks = onChange(func() { changes.Add(1) })
				c.Hooks.OnClientReady = func(CacheState) { ready.Add(1) }
			})
			select {
			case <-clients[i].Ready():
			default:
				t.Fatal("not ready, though what it shares is")
			}
			wantVersion(t, clients[i], 1)
			synctest.Wait()
		}
		if more := runtime.NumGoroutine() - before; more > some {
			t.Errorf("%d goroutines more for %d clients more", more, len(clients))
		}
		if n := int64(len(clients)); ready.Load() != n || changes.Load() != n {
			t.Errorf("%d ready hooks were called, %d change hooks", ready.Load(), changes.Load())
		}
		w.commit(configJSON(2))
		for _, c := range clients {
			wantVersion(t, c, 2)
			if err := c.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		if more := runtime.NumGoroutine() - before; more > some {
			t.Errorf("%d goroutines more after a change", more)
		}
		// The clients are closed in any order, and the remaining ones miss no change.
		for i := range clients {
			if i%3 != 0 {
				clients[i].Close()
			}
		}
		w.commit(configJSON(3))
		for i := range clients {
			wantVersion(t, clients[i], map[bool]int{true: 3, false: 2}[i%3 == 0])
		}
	})
}

// Each client of a shared feed logs the events of the feed.
func TestASharedFeedLogsForAllItsClients(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		shared := withRedis(n.client(t))
		one, oneLogs := recorded(slog.LevelInfo)
		two, twoLogs := recorded(slog.LevelWarn)
		n.link.Down() // so that nothing happens before both have started
		n.start(t, shared, oneLogs)
		n.start(t, shared, twoLogs)
		n.link.Up()
		time.Sleep(time.Minute)
		synctest.Wait()
		wantEvents(t, one, eventid.NoLeader, 1)
		wantEvents(t, two, eventid.NoLeader, 1)
		wantEvents(t, two, eventid.Live, 0)
	})
}

// S2
func TestCloseAllClosesEveryClient(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		shared := withRedis(n.client(t))
		all := []*Client{n.start(t, shared), n.start(t, shared), n.start(t)}
		CloseAll()
		CloseAll()
		for _, c := range all {
			if s := c.Stats().State; s != StateClosed {
				t.Error(s)
			}
		}
		if len(clients.open) != 0 || len(clients.serving) != 0 {
			t.Errorf("left: %d clients, %v", len(clients.open), clients.serving)
		}
	})
}

func TestClientsJoinAndLeaveAFeedConcurrently(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		shared := n.client(t)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 5 {
					c, err := New(Config{SDKKey: testSDKKey, Redis: shared})
					if err != nil {
						t.Error(err)
						return
					}
					<-c.Ready()
					if version(c) < 1 {
						t.Errorf("version %d", version(c))
					}
					time.Sleep(time.Millisecond)
					c.Close()
				}
			})
		}
		group.Wait()
	})
}

// A client that joins a feed shares its file with the other clients while Redis has no content.
func TestAJoiningClientSharesItsSnapshotFile(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		shared := withRedis(n.client(t))
		n.link.Down()
		first := n.ready(t, shared)
		second := n.start(t, shared, withSnapshotFile(snapshotFile(t, -time.Hour, 2))) // by a clock that is ahead
		if got := version(second); got != 2 {
			t.Errorf("version %d at once", got)
		}
		wantVersion(t, first, 2)
		third := n.start(t, shared, withSnapshotFile(snapshotFile(t, time.Hour, 1)))
		wantVersion(t, third, 2)
		fourth := n.start(t, shared, withSnapshotFile(snapshotFile(t, -2*time.Hour, 4)))
		for _, c := range []*Client{first, second, third, fourth} {
			wantVersion(t, c, 4)
		}
		// The rebase rule returns all of them to the content of Redis.
		n.link.Up()
		w := n.writer(t, 5)
		w.beat()
		time.Sleep(3 * time.Minute)
		for _, c := range []*Client{first, second, third, fourth} {
			wantVersion(t, c, 5)
			if s := c.Stats(); s.Rebases != 1 || c.CacheState() != HasUpToDateFlagData {
				t.Errorf("%+v, %v", s, c.CacheState())
			}
		}
		// A file does not replace content from Redis.
		fifth := n.start(t, shared, withSnapshotFile(snapshotFile(t, -time.Hour, 6)))
		for _, c := range []*Client{first, fifth} {
			wantVersion(t, c, 5)
		}
	})
}

// S2: CloseAll closes only clients that are complete.
func TestCloseAllWhileClientsStart(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		shared := n.client(t)
		var group sync.WaitGroup
		for i := range 8 {
			cfg := Config{SDKKey: testSDKKey, Redis: shared}
			if i%2 == 1 {
				cfg = Config{FlagOverrides: &FlagOverrides{Values: map[string]any{"on": true}}}
			}
			group.Go(func() {
				for range 50 {
					if _, err := New(cfg); err != nil {
						t.Error(err)
					}
					CloseAll()
				}
			})
		}
		group.Wait()
		CloseAll()
	})
}

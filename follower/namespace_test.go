package follower

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
)

// clientOf returns a Redis client that uses database db.
func (n *network) clientOf(t *testing.T, db int) *redis.Client {
	t.Helper()
	opts := *n.client(t).Options()
	opts.DB = db
	client := redis.NewClient(&opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func inNamespace(namespace string) func(*Config) {
	return func(c *Config) { c.Namespace = namespace }
}

// writerFor returns a writer for another database or namespace.
func (n *network) writerFor(t *testing.T, db int, namespace string) *writer {
	t.Helper()
	w := &writer{t: t, redis: n.clientOf(t, db), keys: cachekeys.For(testSDKKey, namespace, db), poll: 55 * time.Second}
	w.acquire()
	return w
}

// F37: two fleets use the same SDK key on one Redis.
func TestFleetsOfOtherDatabasesAndNamespacesAreIgnored(t *testing.T) {
	type place struct {
		db        int
		namespace string
	}
	for name, places := range map[string][2]place{
		"databases":                   {{1, ""}, {2, ""}},
		"databases 0 and 1":           {{1, ""}, {0, ""}},
		"databases, one namespace":    {{1, "shop"}, {2, "shop"}},
		"namespaces":                  {{0, "shop"}, {0, "api"}},
		"a namespace and none":        {{0, "shop"}, {0, ""}},
		"none and a namespace":        {{0, ""}, {0, "shop"}},
		"namespaces of database 3":    {{3, "shop"}, {3, "api"}},
		"one namespace, databases 0…": {{0, "shop"}, {1, "shop"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				other, own := places[0], places[1]
				w := n.writerFor(t, other.db, other.namespace)
				w.commit(configJSON(1))
				c := n.start(t, withRedis(n.clientOf(t, own.db)), inNamespace(own.namespace))
				second := n.start(t, withRedis(n.clientOf(t, other.db)), inNamespace(other.namespace))
				<-c.Ready()
				<-second.Ready()
				w.inline = true
				w.commit(configJSON(2))
				w.heartbeat()
				time.Sleep(time.Minute)
				wantVersion(t, second, 2)
				if s := second.Stats(); s.Messages == 0 {
					t.Errorf("its own follower receives nothing: %+v", s)
				}
				wantVersion(t, c, -1)
				if s := c.Stats(); s.Messages != 0 || s.State != StateNoLeader || s.Rev != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// S1: a second client with the same SDK key causes a warning, a client of another fleet does not.
func TestClientsOfOtherNamespacesCauseNoWarning(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		log, logging := recorded(slog.LevelWarn)
		shared := withRedis(n.client(t))
		first := n.start(t, shared, logging)
		n.start(t, shared, logging, inNamespace("shop"))
		n.start(t, shared, logging, inNamespace("api"))
		n.start(t, withRedis(n.clientOf(t, 1)), logging)
		wantEvents(t, log, eventid.AnotherClient, 0)
		n.start(t, shared, logging, inNamespace("shop"))
		wantEvents(t, log, eventid.AnotherClient, 1)
		<-first.Ready()
	})
}

func TestASnapshotFileOfAnotherFleetIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		for name, other := range map[string]func(*Config){
			"namespace": inNamespace("api"),
			"database":  withRedis(n.clientOf(t, 2)),
		} {
			path := t.TempDir() + "/flags"
			shop := []func(*Config){withRedis(n.clientOf(t, 1)), inNamespace("shop"), withSnapshotFile(path)}
			n.writerFor(t, 1, "shop").commit(configJSON(1))
			c := n.ready(t, shop...)
			c.Close()
			if _, err := os.Stat(path); err != nil {
				t.Fatal(err)
			}
			n.FlushAll()
			log, logging := recorded(slog.LevelWarn)
			wantVersion(t, n.start(t, append(shop, other, logging)...), -1)
			wantEvents(t, log, eventid.FileRead, 1)
			wantVersion(t, n.start(t, shop...), 1)
			if t.Failed() {
				t.Fatalf("another %s", name)
			}
		}
	})
}

func TestABadNamespaceIsRefused(t *testing.T) {
	client := redis.NewClient(&redis.Options{})
	t.Cleanup(func() { _ = client.Close() })
	_, err := New(Config{SDKKey: testSDKKey, Redis: client, Namespace: "a b"})
	if err == nil || !strings.Contains(err.Error(), "Config.Namespace: \"a b\"") {
		t.Errorf("%v", err)
	}
	if cache, err := NewRedisCache(client).WithNamespace("a:b"); err == nil || cache != nil || !strings.Contains(err.Error(), "\"a:b\"") {
		t.Errorf("%v, %v", cache, err)
	}
}

// Official SDKs, and clients with a RedisCache in the leader's namespace, read what the leader writes.
func TestARedisCacheHasANamespace(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		client := n.client(t)
		cache, err := NewRedisCache(client).WithNamespace("shop")
		if err != nil {
			t.Fatal(err)
		}
		n.writerFor(t, 0, "shop").commit(configJSON(1))
		for _, key := range []string{cachekeys.Key(testSDKKey), "shop:" + cachekeys.Key(testSDKKey)} {
			if value, err := cache.Get(t.Context(), key); err != nil || !strings.HasSuffix(string(value), string(configJSON(1))) {
				t.Errorf("%s: %q, %v", key, value, err)
			}
			if err := cache.Set(t.Context(), key, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if keys := client.Keys(t.Context(), "*"+cachekeys.Key(testSDKKey)).Val(); len(keys) != 1 || keys[0] != "shop:"+cachekeys.Key(testSDKKey) {
				t.Errorf("%q", keys)
			}
			n.writerFor(t, 0, "shop").commit(configJSON(1))
		}
		none, err := cache.WithNamespace("")
		if err != nil {
			t.Fatal(err)
		}
		if value, err := none.Get(t.Context(), cachekeys.Key(testSDKKey)); value != nil || err != nil {
			t.Errorf("%q, %v", value, err)
		}
		c := n.ready(t, withRedis(nil), inNamespace("shop"), func(c *Config) { c.Cache, c.PollingMode = cache, Manual })
		wantVersion(t, c, 1)
	})
}

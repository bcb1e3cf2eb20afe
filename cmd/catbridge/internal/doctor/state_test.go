package doctor

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

func TestFaultsOfTheStateInRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client(t, nil)
	web := healthyCDN(t)
	s := load(t, "REDIS_URL="+server.URL(), "BASE_URL="+web.URL)
	stop := lead(t, client, web.URL)
	stop()
	list := examine(t, Leader, s)
	list.want(t, "state", Bad, "no leader: start a leader, or see its log")
	list.want(t, "messages", Good, "a published test message arrived")
	list.only(t, "state")
	examine(t, Follower, s).want(t, "messages", Good, "subscribed; no messages, because there is no leader")

	// A lock whose holder sends no messages.
	client.Set(t.Context(), keys.Lock, wire.LockValue("mute", time.Now().UnixMilli()), time.Minute)
	list = examine(t, Follower, s, soon)
	list.want(t, "messages", Bad, "a leader holds the lock, but no message arrived within 3s", "check that this node is connected to the primary, and see the leader's log")
	list.want(t, "state", Bad, "the lock has epoch")
	client.Persist(t.Context(), keys.Lock)
	client.SetRange(t.Context(), keys.Blob, 100, "x")
	list = examine(t, Follower, s, soon)
	list.want(t, "state", Bad, "the lock never expires, and no other leader can take over: delete it")
	list.want(t, "state", Bad, "the blob, which followers read, is corrupt")
}

func TestALaggardIsNamed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client(t, nil)
	web := healthyCDN(t)
	lead(t, client, web.URL)
	// The content has been current for long, according to meta and the history.
	client.HSet(t.Context(), keys.Meta, "etags", "1700000000000 before")
	newest := client.XRevRangeN(t.Context(), keys.History, "+", "-", 1).Val()[0].Values
	newest["time"] = "1700000000000"
	if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: keys.History, Values: newest}).Err(); err != nil {
		t.Fatal(err)
	}
	report := wire.FleetReport{ID: "shop-1~AB", Version: "v1", State: "polling", Interval: time.Minute, Rev: 1700000000000, Hash: "0123456789abcdef"}
	client.Do(t.Context(), "ZADD", keys.Fleet, time.Now().UnixMilli(), report.Append(nil))
	list := examine(t, Follower, load(t, "REDIS_URL="+server.URL()))
	list.want(t, "state", Bad, "the follower shop-1~AB is behind: it reported rev 1700000000000", "see the follower's log")
	list.want(t, "state", Bad, "1 of 1 followers that report are behind")
}

// A Redis with a wrong clock and an old version, simulated because no real one is available.
func TestFaultsOfRedisClockAndVersion(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	s := load(t, "REDIS_URL=redis://"+mini.Addr())
	mini.SetTime(time.Now().Add(time.Minute))
	examine(t, Follower, s).want(t, "redis clock", Bad, "the clock of "+mini.Addr()+" is ", "ahead of this host's", "synchronize both clocks by NTP")
	mini.SetTime(time.Now().Add(-90 * time.Minute))
	examine(t, Follower, s).want(t, "redis clock", Bad, "the clock of "+mini.Addr()+" is 1h", "behind this host's")
	mini.SetTime(time.Now().Add(2 * time.Second))
	examine(t, Follower, s).want(t, "redis clock", Good, "agrees with this host's, within ")
	mini.Server().SetPreHook(func(peer *server.Peer, cmd string, args ...string) bool {
		if cmd != "HELLO" || len(args) > 0 {
			return false
		}
		peer.WriteMapLen(4)
		for _, text := range []string{"server", "redis", "version", "6.2.14", "mode", "standalone", "role", "master"} {
			peer.WriteBulk(text)
		}
		return true
	})
	examine(t, Follower, s).want(t, "redis server", Bad, "is redis 6.2.14, standalone, master", "upgrade to Redis 7.0 or later, or Valkey")
}

package doctor

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// inDatabase returns a client of another database.
func inDatabase(t *testing.T, server *redistest.Process, db int) *redis.Client {
	t.Helper()
	opts := *server.Client(t, nil).Options()
	opts.DB = db
	client := redis.NewClient(&opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestTheChannelAndFleetsOfOtherDatabasesAreReported(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	web := healthyCDN(t)
	lead(t, inDatabase(t, server, 1), web.URL)
	lead(t, inDatabase(t, server, 2), web.URL)
	list := examine(t, Follower, load(t, "REDIS_URL="+server.URL(), "REDIS_DB=2"))
	list.want(t, "fleets", Good, "the channel is "+cachekeys.For(sdkKey, "", 2).Events+": database 2, namespace none")
	list.want(t, "fleets", Unknown, "database 1 has a fleet of the same SDK key, ")
	list.only(t)

	list = examine(t, Follower, load(t, "REDIS_URL="+server.URL(), "REDIS_DB=2", "REDIS_NAMESPACE=shop"))
	list.want(t, "fleets", Good, "the channel is "+cachekeys.For(sdkKey, "shop", 2).Events+": database 2, namespace shop")
	list.want(t, "state", Bad, "no leader")

	admin := server.Client(t, nil)
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "default", "-select").Err(); err != nil {
		t.Fatal(err)
	}
	examine(t, Follower, load(t, "REDIS_URL="+server.URL())).want(t, "fleets", Unknown, "unknown whether other databases have fleets of this SDK key: ")
}

// A leader of an old version, whose channels do not have the database in their names.
func TestALeaderOnTheChannelOfAnotherDatabaseIsAFault(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	old := inDatabase(t, server, 2)
	epoch := time.Now().UnixMilli()
	old.Set(t.Context(), keys.Lock, wire.LockValue("old", epoch), time.Minute)
	heartbeat := wire.Message{Type: wire.Heartbeat, Epoch: epoch}.Append(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for old.Publish(t.Context(), keys.Events, heartbeat).Err() == nil {
			select {
			case <-t.Context().Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() { <-done })
	const advice = "upgrade the leaders and followers of that database together"
	examine(t, Follower, load(t, "REDIS_URL="+server.URL())).want(t, "fleets", Bad, "the leader of database 2 publishes on the channel of this database", advice)
	examine(t, Follower, load(t, "REDIS_URL="+server.URL(), "REDIS_DB=2"), soon).want(t, "fleets", Bad, "the leader of this database publishes on "+keys.Events, advice)
}

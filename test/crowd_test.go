package test

import (
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// crowd is the number of followers that lose their connections at once: a thousand, but
// fewer in the short set, which runs with other tests and the race detector.
func crowd() int {
	if manyRounds() {
		return 1000
	}
	return 150
}

// Redis closes the connections of all followers. They reconnect within the jitter, and each
// dials only for its subscription and to read.
func TestF13_ThousandFollowersReconnectWithinTheirBudget(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *environment { return onPlain(t, redistest.Start(t), fastProfile()) }
	inLanes(t, start, func(env *environment) {
		env.ready(0)
		// No link is between these clients and Redis: it would cost more than the clients
		// do.
		env.connect = func(t testing.TB, _ role, _ *redistest.Link) redis.UniversalClient { return env.server.Client(t, nil) }
		env.followers(crowd())
		env.reached(env.cdn.Version(), env.poll())
		env.subscribed(2 + len(env.readers))
		for range env.rounds(1) {
			// Connections that are lost early are retried later each time; these were
			// stable.
			env.pass(env.follower.BackoffMax)
			connects, dialled := env.connects(), env.info(env.server, "stats", "total_connections_received")
			env.disconnectAll()
			env.connectedAgain(connects)
			env.settle()
			// Two per follower, and those of the leaders and of the test.
			if n, most := env.info(env.server, "stats", "total_connections_received")-dialled, 2*int64(len(env.readers))+20; n > most {
				env.Errorf("%d connections for %d followers, want at most %d", n, len(env.readers), most)
			}
		}
	})
}

package e2e

import (
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
	"github.com/redis/go-redis/v9"
)

// crowd is the number of followers that lose their connections at once: a thousand, but
// fewer in the short set, which runs with other tests and the race detector.
func crowd() int {
	if harness.ManyRounds() {
		return 1000
	}
	return 150
}

// Redis closes the connections of all followers. They reconnect within the jitter, and each
// dials only for its subscription and to read.
func TestF13_ThousandFollowersReconnectWithinTheirBudget(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *harness.Environment {
		return harness.NewPlain(t, redistest.Start(t), harness.FastProfile())
	}
	harness.InLanes(t, start, func(env *harness.Environment) {
		env.StartAll(0)
		// No link is between these clients and Redis: it would cost more than the clients
		// do.
		env.Connect = func(t testing.TB, _ harness.Role, _ *redistest.Link) redis.UniversalClient {
			return env.Server.Client(t, nil)
		}
		env.FollowN(crowd())
		env.AwaitVersion(env.CDN.Version(), env.PollBound())
		env.AwaitSubscribers(2 + len(env.Followers))
		for range env.Rounds(1) {
			// Connections that are lost early are retried later each time; these were
			// stable.
			env.Pass(env.Follower.BackoffMax)
			connects, dialled := env.Connects(), env.Info(env.Server, "stats", "total_connections_received")
			env.DisconnectAll()
			env.AwaitReconnected(connects)
			env.Settle()
			// Two per follower, and those of the leaders and of the test.
			if n, most := env.Info(env.Server, "stats", "total_connections_received")-dialled, 2*int64(len(env.Followers))+20; n > most {
				env.Errorf("%d connections for %d followers, want at most %d", n, len(env.Followers), most)
			}
		}
	})
}

func TestF13_FollowersReconnectWhenTheirConnectionsAreClosed(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(10)
		for range env.Rounds(1) {
			connects := env.Connects()
			for _, r := range env.Followers {
				r.Link.Cut()
			}
			env.AwaitReconnected(connects)
			env.Settle()
		}
	})
}

// The server itself closes the connections.
func TestF13_KilledClientsReconnect(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
		env.StartAll(10)
		for range env.Rounds(1) {
			connects := env.Connects()
			env.DisconnectAll()
			env.AwaitReconnected(connects)
			env.Settle()
		}
	})
}

package test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
	"github.com/redis/go-redis/v9"
)

// crowd is the number of followers that lose their connections at once: a thousand, but
// fewer in the short set, which runs with other tests and the race detector.
func (env *environment) crowd() int {
	if env.left > 0 {
		return 1000
	}
	return 150
}

// connections returns the number of connections that Redis has accepted so far.
func (env *environment) connections(server *redistest.Process) int {
	env.Helper()
	const field = "total_connections_received:"
	for line := range strings.Lines(env.do(server, "INFO", "stats").(string)) {
		if number, ok := strings.CutPrefix(strings.TrimSpace(line), field); ok {
			n, err := strconv.Atoi(number)
			if err != nil {
				env.Fatal(err)
			}
			return n
		}
	}
	env.Fatal("INFO has no " + field)
	return 0
}

// killAll closes all connections but its own at one moment.
func (env *environment) killAll() {
	env.Helper()
	kill := env.admin.TxPipeline()
	kill.Do(env.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
	kill.Do(env.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	if _, err := kill.Exec(env.Context()); err != nil {
		env.Fatal(err)
	}
}

// Redis closes the connections of all followers. They reconnect within the jitter, and each
// dials only for its subscription and to read.
func TestF13_ThousandFollowersReconnectWithinTheirBudget(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *environment {
		server := redistest.Start(t)
		p := profile{leader: leader.FastTiming(), follower: follower.FastTimings(), slack: busy}
		p.leader.PollInterval = time.Second
		env := newEnvironment(t, to(server), p, false)
		env.server = server
		return env
	}
	inLanes(t, start, func(env *environment) {
		env.ready(0)
		// No link is between these clients and Redis: it would cost more than the clients
		// do.
		env.connect = func(t testing.TB, _ role, _ *redistest.Link) redis.UniversalClient { return env.server.Client(t, nil) }
		env.followers(env.crowd())
		env.reached(env.cdn.Version(), env.poll())
		env.subscribed(2 + len(env.readers))
		for range env.rounds(1) {
			// Connections that are lost early are retried later each time; these were
			// stable.
			env.pass(env.follower.BackoffMax)
			connects, dialled := env.connects(), env.connections(env.server)
			env.killAll()
			env.connectedAgain(connects)
			env.settle()
			// Two per follower, and those of the leaders and of the test.
			if n, most := env.connections(env.server)-dialled, 2*len(env.readers)+20; n > most {
				env.Errorf("%d connections for %d followers, want at most %d", n, len(env.readers), most)
			}
		}
	})
}

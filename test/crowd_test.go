package test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/redistest"
	"github.com/redis/go-redis/v9"
)

// crowd is how many followers lose their connections at once: a thousand, but in the
// short set, which runs beside other tests and with the race detector.
func (w *world) crowd() int {
	if w.left > 0 {
		return 1000
	}
	return 150
}

// connections is how many Redis has taken so far.
func (w *world) connections(server *redistest.Process) int {
	w.Helper()
	const field = "total_connections_received:"
	for line := range strings.Lines(w.do(server, "INFO", "stats").(string)) {
		if number, ok := strings.CutPrefix(strings.TrimSpace(line), field); ok {
			n, err := strconv.Atoi(number)
			if err != nil {
				w.Fatal(err)
			}
			return n
		}
	}
	w.Fatal("INFO has no " + field)
	return 0
}

// killAll closes all connections but its own, at one moment.
func (w *world) killAll() {
	w.Helper()
	kill := w.admin.TxPipeline()
	kill.Do(w.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
	kill.Do(w.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	if _, err := kill.Exec(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// Redis closes the connections of all followers. They come back within the jitter, and
// none of them dials more often than it must: for its subscription, and to read.
func TestF13_ThousandFollowersComeBackWithinTheirBudget(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *world {
		server := redistest.Start(t)
		p := profile{leader: leader.FastTiming(), follower: follower.FastTimings(), slack: busy}
		p.leader.PollInterval = time.Second
		w := newWorld(t, to(server), p, false)
		w.server = server
		return w
	}
	inLanes(t, start, func(w *world) {
		w.ready(0)
		// Nothing stands between these and Redis, which would cost more than they do.
		w.connect = func(t testing.TB, _ role, _ *redistest.Link) redis.UniversalClient { return w.server.Client(t, nil) }
		w.followers(w.crowd())
		w.reached(w.cdn.Version(), w.poll())
		w.subscribed(2 + len(w.readers))
		for range w.rounds(1) {
			// Connections that are lost again soon come back later each time; these stood.
			w.pass(w.follower.BackoffMax)
			connects, dialled := w.connects(), w.connections(w.server)
			w.killAll()
			w.connectedAgain(connects)
			w.settle()
			// Two each, and those of the leaders and of the test itself.
			if n, most := w.connections(w.server)-dialled, 2*len(w.readers)+20; n > most {
				w.Errorf("%d connections for %d followers, want at most %d", n, len(w.readers), most)
			}
		}
	})
}

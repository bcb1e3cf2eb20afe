package test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/fakecdn"
	"github.com/catbridge/catbridge/test/redistest"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	allowParallel()
	open := descriptors()
	// A link of toxiproxy whose destination has gone never ends if it holds something that
	// it could not pass on, and no call of the proxy's ends it.
	proxied := goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")
	reading := goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read")
	goleak.VerifyTestMain(m, proxied, reading, goleak.Cleanup(func(code int) {
		if left := descriptorsLeft(open); code == 0 && len(left) > 0 {
			fmt.Fprintln(os.Stderr, "descriptors that were not closed:", strings.Join(left, ", "))
			code = 1
		}
		if binaries != "" {
			_ = os.RemoveAll(binaries)
		}
		if *reportFile != "" && *soakFor == 0 {
			if err := report(*reportFile); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		os.Exit(code)
	}))
}

// allowParallel lets more tests run at once than there are processors, unless the
// command line says how many: those on real servers wait most of the time.
func allowParallel() {
	const name = "test.parallel"
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if !given {
		_ = flag.Set(name, "8")
	}
}

const sdkKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

// profile is the durations that a scenario runs with.
type profile struct {
	leader   leader.Timing
	follower follower.Timings
	// slack is added to every bound: nothing in virtual time, where only the protocol
	// takes time; on a real server, with the load of the machine, bounds are not
	// what is tested.
	slack time.Duration
}

// busy is what the load of a machine may add to a bound, with the race detector and
// everything at once.
const busy = 30 * time.Second

func virtualProfile() profile {
	return profile{leader: leader.DefaultTiming(), follower: follower.DefaultTimings()}
}

func realProfile() profile {
	return profile{
		leader: leader.Timing{
			LeaseDuration: 3 * time.Second, RenewInterval: 250 * time.Millisecond, RenewDeadline: 2500 * time.Millisecond,
			RetryPeriod: 200 * time.Millisecond, PollInterval: time.Second, Idle: 500 * time.Millisecond, Dead: 1500 * time.Millisecond,
		},
		follower: follower.Timings{
			Idle: 500 * time.Millisecond, Dead: 1500 * time.Millisecond, Ack: 2 * time.Second,
			MetaReread: 2 * time.Second, Poll: 500 * time.Millisecond, Resubscribe: time.Second,
			BackoffMin: 20 * time.Millisecond, BackoffMax: 500 * time.Millisecond,
		},
		slack: busy,
	}
}

// connector gives a client of the world's Redis, through a network of its own.
type connector func(t testing.TB, as role, link *redistest.Link) redis.UniversalClient

func to(server redistest.Server) connector {
	return func(t testing.TB, _ role, link *redistest.Link) redis.UniversalClient { return server.Client(t, link) }
}

// world is what a scenario plays in: one Redis, one CDN, leaders and followers, each
// with a network of its own.
type world struct {
	*testing.T
	profile
	virtual bool
	connect connector
	route   string // where leaders and followers connect that start from now on; empty: to Redis
	toxic   *toxic
	// What the Redis is; all nil: virtual.
	server   *redistest.Process
	sentinel *redistest.Sentinel
	cluster  *redistest.Cluster
	cdn      *fakecdn.CDN
	admin    redis.UniversalClient
	keys     cachekeys.Keys
	loud     *slog.Logger // of leaders
	quiet    *slog.Logger // of followers, whose evaluations cost less without a log
	audit    *auditor
	watching *watch
	taps     map[*redistest.Process]*tap // what each real Redis runs
	programs *fleet                      // what leaders are processes of; nil: they are within this process
	runners  []*runner                   // leaders, those that have ended too
	readers  []*reader
	late     bool // passwords change: who connects just then may come with the old one
	left     int  // rounds to play, of many; 0: a few
	done     int  // rounds played
	account  *account
	random   *rand.Rand
}

// scenario plays in a world of virtual time, and in one with a real redis-server that
// asks for certificates and gives no more rights than deploy/acl does.
func scenario(t *testing.T, play func(w *world)) {
	t.Helper()
	t.Parallel()
	t.Run("virtual", func(t *testing.T) {
		if *manyRounds > 0 {
			t.Skip("the many rounds are those on real processes")
		}
		synctest.Test(t, func(t *testing.T) {
			play(newWorld(t, to(redistest.Virtual(t)), virtualProfile(), true))
		})
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		inLanes(t, func(t *testing.T) *world { return startWorld(t) }, play)
	})
}

// startWorld is a world on one real Redis, with further arguments.
func startWorld(t *testing.T, args ...string) *world {
	server := guarded(t, "single.acl").Start(t, args...)
	w := onGuarded(t, server.ClientAs, server)
	w.server = server
	return w
}

func newWorld(t *testing.T, connect connector, p profile, virtual bool) *world {
	w := &world{
		T: t, profile: p, virtual: virtual, connect: connect, cdn: fakecdn.New(), keys: cachekeys.For(sdkKey, "", 0),
		random: chance(t),
	}
	w.account = accountOf(w)
	guard := &secretGuard{t: t}
	w.loud = slog.New(slog.NewTextHandler(guard, nil))
	w.quiet = slog.New(slog.NewTextHandler(guard, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.admin = connect(t, asAdmin, nil)
	w.audit = startAuditor(w)
	w.watching = startWatch(w)
	return w
}

// secretGuard writes to the test's log, and fails the test when the SDK key stands in
// what is written (I13).
type secretGuard struct{ t *testing.T }

func (g *secretGuard) Write(line []byte) (int, error) {
	g.check(line)
	return g.t.Output().Write(line)
}

func (g *secretGuard) check(line []byte) {
	if secretIn(line) {
		g.t.Errorf("the SDK key stands in a log line: %s", line)
	}
}

// secretIn tells whether a secret part of the SDK key stands there.
func secretIn(text []byte) bool {
	for part := range bytes.SplitSeq([]byte(sdkKey), []byte("/")) {
		if bytes.Contains(text, part) && string(part) != "configcat-sdk-1" {
			return true
		}
	}
	return false
}

// pause is how often a condition is looked at again.
func (w *world) pause() time.Duration {
	if w.virtual {
		return 10 * time.Millisecond
	}
	return 2 * time.Millisecond
}

// eventually waits until a condition holds, at most for the bound.
func (w *world) eventually(bound time.Duration, what string, holds func() bool) {
	w.Helper()
	for deadline := time.Now().Add(bound + w.slack); !holds(); time.Sleep(w.pause()) {
		if time.Now().After(deadline) {
			w.Fatalf("not within %v: %s", bound+w.slack, what)
		}
	}
}

// pass lets time go by, in which the auditor and the readers watch.
func (w *world) pass(d time.Duration) { time.Sleep(d) }

// poll is the bound for a change to be noticed at the CDN and to reach followers.
func (w *world) poll() time.Duration { return w.leader.PollInterval + time.Second }

// takeover is the bound for a new leader after one that gave no sign: its lock expires,
// and a candidate that was waiting for that moment tries.
func (w *world) takeover() time.Duration { return w.leader.LeaseDuration + 500*time.Millisecond }

// reached waits until every follower has that version.
func (w *world) reached(version int64, bound time.Duration) {
	w.Helper()
	deadline := time.NewTimer(bound + w.slack)
	defer deadline.Stop()
	for _, r := range w.readers {
		if !r.await(version, deadline.C) {
			w.Fatalf("%s has version %d and not %d within %v: %+v", r.name, r.version(), version, bound+w.slack, r.client.Stats())
		}
	}
}

// settle changes the content once more, waits until all have it, and looks whether
// everything is in order then.
func (w *world) settle() {
	w.Helper()
	w.reached(w.cdn.Publish(), w.poll())
	w.audit.check(w.T)
	for _, r := range w.readers {
		r.check(w.T)
	}
}

func (w *world) del(keys ...string) {
	w.Helper()
	if err := w.admin.Del(w.Context(), keys...).Err(); err != nil {
		w.Fatal(err)
	}
}

func (w *world) flushAll() {
	w.Helper()
	if err := w.admin.FlushAll(w.Context()).Err(); err != nil {
		w.Fatal(err)
	}
}

// subscribed waits until that many processes hear messages, on any node.
func (w *world) subscribed(want int) {
	w.Helper()
	w.eventually(w.takeover(), strconv.Itoa(want)+" are subscribed", func() bool {
		have, _, err := w.subscriptions()
		return err == nil && have == int64(want)
	})
}

// subscriptions counts those who hear messages, and the nodes that they hear them from.
func (w *world) subscriptions() (all, nodes int64, err error) {
	var have, heard atomic.Int64
	count := func(ctx context.Context, node *redis.Client) error {
		counts, err := node.PubSubNumSub(ctx, w.keys.Events).Result()
		have.Add(counts[w.keys.Events])
		heard.Add(min(counts[w.keys.Events], 1))
		return err
	}
	switch client := w.admin.(type) {
	case *redis.Client:
		err = count(w.Context(), client)
	case *redis.ClusterClient:
		err = client.ForEachShard(w.Context(), count)
	}
	return have.Load(), heard.Load(), err
}

// present waits until all keys of the bridge are there, and a rev in meta.
func (w *world) present(bound time.Duration) {
	w.Helper()
	w.eventually(bound, "all keys are there", func() bool {
		n, err := w.admin.Exists(w.Context(), w.keys.Entry, w.keys.Lock, w.keys.Meta, w.keys.Blob).Result()
		return err == nil && n == 4 && w.admin.HExists(w.Context(), w.keys.Meta, "rev").Val()
	})
}

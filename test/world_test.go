package test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { runAll(m) }

// runAll runs the tests of a package that uses environments, and ends the process. It
// defines the flags of the tests, and checks that no goroutine and no descriptor is left.
func runAll(m *testing.M) {
	defineFlags()
	allowParallel()
	open := descriptors()
	// A link of toxiproxy whose destination has closed never ends while it has undelivered
	// data, and no call of the proxy ends it.
	proxied := goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")
	reading := goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read")
	goleak.VerifyTestMain(m, proxied, reading, goleak.Cleanup(func(code int) {
		if left := descriptorsLeft(open); code == 0 && len(left) > 0 {
			fmt.Fprintln(os.Stderr, "descriptors that were not closed:", strings.Join(left, ", "))
			code = 1
		}
		program.Remove()
		if settings.report != "" && manyRounds() {
			if err := report(settings.report); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		os.Exit(code)
	}))
}

// allowParallel allows more parallel tests than processors, unless the command line sets a
// number: tests on real servers wait most of the time.
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

// profile is the durations of a scenario.
type profile struct {
	leader   leader.Timing
	follower follower.Timings
	// slack is added to every bound. It is zero in virtual time, where only the protocol
	// takes time. On a real server it covers the load of the machine, and bounds are not
	// tested.
	slack time.Duration
}

// fastProfile is the program's fast timing, with a poll every second.
func fastProfile() profile {
	p := profile{leader: leader.FastTiming(), follower: follower.FastTimings(), slack: busy}
	p.leader.PollInterval = time.Second
	return p
}

// busy is how much the load of a machine may add to a bound, with the race detector and all
// tests at once.
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

// connector returns a client of the environment's Redis, through its own network.
type connector func(t testing.TB, as role, link *redistest.Link) redis.UniversalClient

func to(server redistest.Server) connector {
	return func(t testing.TB, _ role, link *redistest.Link) redis.UniversalClient { return server.Client(t, link) }
}

// environment is what a scenario runs in: one Redis, one CDN, leaders and followers, each
// with its own network.
type environment struct {
	*testing.T
	profile
	virtual bool
	connect connector
	route   string // where new leaders and followers connect; empty: to Redis
	toxic   *toxic
	// The kind of Redis; all nil: virtual.
	server      *redistest.Process
	sentinel    *redistest.Sentinel
	cluster     *redistest.Cluster
	cdn         *fakecdn.CDN
	admin       redis.UniversalClient
	keys        cachekeys.Keys
	leaderLog   *slog.Logger
	followerLog *slog.Logger // at a higher level: evaluations cost less without a log
	audit       *auditor
	watching    *watch
	taps        map[*redistest.Process]*tap // the taps of the real Redis servers
	programs    *fleet                      // the fleet whose processes lead; nil: leaders are within this process
	runners     []*runner                   // leaders, those that have ended included
	readers     []*reader
	late        bool // passwords change: a client that connects just then may use the old one
	left        int  // rounds to run, of many; 0: a few
	done        int  // rounds that have run
	account     *account
	random      *rand.Rand
}

// scenario runs in an environment of virtual time, and in one with a real redis-server that
// asks for certificates and grants only the rights in deploy/acl.
func scenario(t *testing.T, run func(env *environment)) {
	t.Helper()
	t.Parallel()
	t.Run("virtual", func(t *testing.T) {
		if manyRounds() {
			t.Skip("many rounds run only on real processes")
		}
		synctest.Test(t, func(t *testing.T) {
			run(inVirtualTime(t))
		})
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		inLanes(t, func(t *testing.T) *environment { return startEnvironment(t) }, run)
	})
}

// inVirtualTime returns an environment in virtual time. It must be called within
// [synctest.Test].
func inVirtualTime(t *testing.T) *environment {
	return newEnvironment(t, to(redistest.Virtual(t)), virtualProfile())
}

// onPlain returns an environment on a Redis without users and certificates.
func onPlain(t *testing.T, server *redistest.Process, p profile) *environment {
	env := newEnvironment(t, to(server), p)
	env.server = server
	return env
}

// startEnvironment is an environment on one real Redis, with further arguments.
func startEnvironment(t *testing.T, args ...string) *environment {
	server := guarded(t, "single.acl").Start(t, args...)
	env := onGuarded(t, server.ClientAs, server)
	env.server = server
	return env
}

// newEnvironment returns an environment whose clients the connector makes. It ends with the test.
func newEnvironment(t *testing.T, connect connector, p profile) *environment {
	env := &environment{
		T: t, profile: p, virtual: p.slack == 0, connect: connect, cdn: fakecdn.New(), keys: cachekeys.For(sdkKey, "", 0),
		random: chance(t),
	}
	env.account = accountOf(env)
	env.leaderLog = newLog(t, t.Output(), slog.LevelInfo)
	env.followerLog = newLog(t, t.Output(), slog.LevelWarn)
	env.admin = connect(t, asAdmin, nil)
	env.audit = startAuditor(env)
	env.watching = startWatch(env)
	return env
}

// newLog returns a logger that writes to out, and fails the test if the SDK key is in a line
// (I13).
func newLog(t *testing.T, out io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(&secretGuard{t, out}, &slog.HandlerOptions{Level: level}))
}

// secretGuard writes to out, and fails the test if the SDK key is in what is written.
type secretGuard struct {
	t   *testing.T
	out io.Writer
}

func (g *secretGuard) Write(line []byte) (int, error) {
	g.check(line)
	return g.out.Write(line)
}

func (g *secretGuard) check(line []byte) {
	if secretIn(line) {
		g.t.Errorf("the SDK key stands in a log line: %s", line)
	}
}

// secretIn reports whether text contains a secret part of the SDK key.
func secretIn(text []byte) bool {
	for part := range bytes.SplitSeq([]byte(sdkKey), []byte("/")) {
		if bytes.Contains(text, part) && string(part) != "configcat-sdk-1" {
			return true
		}
	}
	return false
}

// pause is the interval at which a condition is checked again.
func (env *environment) pause() time.Duration {
	if env.virtual {
		return 10 * time.Millisecond
	}
	return 2 * time.Millisecond
}

// eventually waits until a condition holds, at most for the bound.
func (env *environment) eventually(bound time.Duration, what string, holds func() bool) {
	env.Helper()
	for deadline := time.Now().Add(bound + env.slack); !holds(); time.Sleep(env.pause()) {
		if time.Now().After(deadline) {
			env.Fatalf("not within %v: %s", bound+env.slack, what)
		}
	}
}

// everyFollower waits until a condition holds for each follower, at most for the bound.
func (env *environment) everyFollower(bound time.Duration, what string, holds func(r *reader) bool) {
	env.Helper()
	env.eventually(bound, what, func() bool {
		return !slices.ContainsFunc(env.readers, func(r *reader) bool { return !holds(r) })
	})
}

// pass waits for d, while the auditor and the readers watch.
func (env *environment) pass(d time.Duration) { time.Sleep(d) }

// poll is the bound for a leader to notice a change at the CDN and for followers to get it.
func (env *environment) poll() time.Duration { return env.leader.PollInterval + time.Second }

// takeover is the bound for a new leader after one that did not resign: its lock expires,
// and a waiting candidate acquires it.
func (env *environment) takeover() time.Duration {
	return env.leader.LeaseDuration + 500*time.Millisecond
}

// reached waits until every follower has that version.
func (env *environment) reached(version int64, bound time.Duration) {
	env.Helper()
	deadline := time.NewTimer(bound + env.slack)
	defer deadline.Stop()
	for _, r := range env.readers {
		if !r.await(version, deadline.C) {
			env.Fatalf("%s has version %d and not %d within %v: %+v", r.name, r.version(), version, bound+env.slack, r.client.Stats())
		}
	}
}

// has reports an error for each follower that does not have exactly that version.
func (env *environment) has(version int64) {
	env.Helper()
	for _, r := range env.readers {
		if v := r.version(); v != version {
			env.Errorf("%s has version %d, want %d", r.name, v, version)
		}
	}
}

// settle changes the content once more, waits until all followers have it, and checks that
// everything is in order.
func (env *environment) settle() {
	env.Helper()
	env.reached(env.cdn.Publish(), env.poll())
	env.audit.check(env.T)
	for _, r := range env.readers {
		r.check(env.T)
	}
}

func (env *environment) del(keys ...string) {
	env.Helper()
	if err := env.admin.Del(env.Context(), keys...).Err(); err != nil {
		env.Fatal(err)
	}
}

func (env *environment) flushAll() {
	env.Helper()
	if err := env.admin.FlushAll(env.Context()).Err(); err != nil {
		env.Fatal(err)
	}
}

// subscribed waits until that many processes are subscribed, on any node.
func (env *environment) subscribed(want int) {
	env.Helper()
	env.eventually(env.takeover(), strconv.Itoa(want)+" are subscribed", func() bool {
		have, _, err := env.subscriptions()
		return err == nil && have == int64(want)
	})
}

// subscriptions returns the number of subscribers, and of the nodes that have any.
func (env *environment) subscriptions() (all, nodes int64, err error) {
	return subscriptionsOf(env.Context(), env.admin, env.keys.Events)
}

// subscriptionsOf returns the number of subscribers of a channel, and of the nodes that have any.
func subscriptionsOf(ctx context.Context, admin redis.UniversalClient, channel string) (all, nodes int64, err error) {
	var have, listening atomic.Int64
	err = forEachNode(ctx, admin, func(ctx context.Context, node *redis.Client) error {
		counts, err := node.PubSubNumSub(ctx, channel).Result()
		have.Add(counts[channel])
		listening.Add(min(counts[channel], 1))
		return err
	})
	return have.Load(), listening.Load(), err
}

// forEachNode calls do for a Redis, or at once for all nodes of a cluster.
func forEachNode(ctx context.Context, client redis.UniversalClient, do func(ctx context.Context, node *redis.Client) error) error {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachShard(ctx, do)
	}
	return do(ctx, client.(*redis.Client))
}

// present waits until all keys of the bridge exist, with a rev in meta.
func (env *environment) present(bound time.Duration) {
	env.Helper()
	env.eventually(bound, "all keys are there", func() bool {
		n, err := env.admin.Exists(env.Context(), env.keys.Entry, env.keys.Lock, env.keys.Meta, env.keys.Blob).Result()
		return err == nil && n == 4 && env.admin.HExists(env.Context(), env.keys.Meta, "rev").Val()
	})
}

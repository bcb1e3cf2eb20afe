package harness

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// SDKKey is the key of every environment. It is made up.
const SDKKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

// Connector returns a client of the environment's Redis, through its own network.
type Connector func(t testing.TB, as Role, link *redistest.Link) redis.UniversalClient

// ConnectTo returns a connector to a Redis without users.
func ConnectTo(server redistest.Server) Connector {
	return func(t testing.TB, _ Role, link *redistest.Link) redis.UniversalClient { return server.Client(t, link) }
}

// Environment is what a scenario runs in: one Redis, one CDN, leaders and followers, each
// with its own network.
type Environment struct {
	*testing.T
	Profile
	Virtual bool
	Connect Connector
	Route   string // where new leaders and followers connect; empty: to Redis
	toxic   *Toxic
	// The kind of Redis; all nil: virtual.
	Server          *redistest.Process
	Sentinel        *redistest.Sentinel
	cluster         *redistest.Cluster
	CDN             *fakecdn.CDN
	Admin           redis.UniversalClient
	Keys            cachekeys.Keys
	LeaderLog       *slog.Logger
	FollowerLog     *slog.Logger // at a higher level: evaluations cost less without a log
	Audit           *Auditor
	watching        *sightings
	inForce         inForce
	taps            map[*redistest.Process]*tap // the taps of the real Redis servers
	programs        *Fleet                      // the fleet whose processes lead; nil: leaders are within this process
	Leaders         []*Leader                   // leaders, those that have ended included
	Followers       []*Follower
	PasswordsChange bool // passwords change: a client that connects just then may use the old one
	left            int  // rounds to run, of many; 0: a few
	done            int  // rounds that have run
	account         *account
	Random          *rand.Rand
}

// Scenario runs in an environment of virtual time, and in one with a real redis-server that
// asks for certificates and grants only the rights in deploy/acl.
func Scenario(t *testing.T, run func(env *Environment)) {
	t.Helper()
	t.Parallel()
	t.Run("virtual", func(t *testing.T) {
		if ManyRounds() {
			t.Skip("many rounds run only on real processes")
		}
		Virtual(t)
		synctest.Test(t, func(t *testing.T) {
			run(NewVirtual(t))
		})
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		InLanes(t, func(t *testing.T) *Environment { return newGuarded(t) }, run)
	})
}

// NewVirtual returns an environment in virtual time. It must be called within
// [synctest.Test].
func NewVirtual(t *testing.T) *Environment {
	return New(t, ConnectTo(redistest.Virtual(t)), virtualProfile())
}

// NewPlain returns an environment on a Redis without users and certificates.
func NewPlain(t *testing.T, server *redistest.Process, p Profile) *Environment {
	env := New(t, ConnectTo(server), p)
	env.Server = server
	return env
}

// New returns an environment whose clients the connector makes. It ends with the test.
func New(t *testing.T, connect Connector, p Profile) *Environment {
	env := &Environment{
		T: t, Profile: p, Virtual: p.Slack == 0, Connect: connect, CDN: fakecdn.New(), Keys: cachekeys.For(SDKKey, "", 0),
		Random: chance(t),
	}
	env.account = accountOf(env)
	env.LeaderLog = NewLog(t, t.Output(), slog.LevelInfo)
	env.FollowerLog = NewLog(t, t.Output(), slog.LevelWarn)
	env.Admin = connect(t, AsAdmin, nil)
	env.Audit = startAuditor(env)
	env.watching = startWatch(env)
	return env
}

// CheckInterval is the interval at which a condition is checked again.
func (env *Environment) CheckInterval() time.Duration {
	if env.Virtual {
		return 10 * time.Millisecond
	}
	return 2 * time.Millisecond
}

// Eventually waits until a condition holds, at most for the bound.
func (env *Environment) Eventually(bound time.Duration, what string, holds func() bool) {
	env.Helper()
	for deadline := time.Now().Add(bound + env.Slack); !holds(); time.Sleep(env.CheckInterval()) {
		if time.Now().After(deadline) {
			env.Fatalf("not within %v: %s", bound+env.Slack, what)
		}
	}
}

// EventuallyAll waits until a condition holds for each follower, at most for the bound.
func (env *Environment) EventuallyAll(bound time.Duration, what string, holds func(r *Follower) bool) {
	env.Helper()
	env.Eventually(bound, what, func() bool {
		return !slices.ContainsFunc(env.Followers, func(r *Follower) bool { return !holds(r) })
	})
}

// Pass waits for d. The auditor and the followers are checked meanwhile.
func (env *Environment) Pass(d time.Duration) { time.Sleep(d) }

// PollBound is the bound for a leader to notice a change at the CDN and for followers to get it.
func (env *Environment) PollBound() time.Duration { return env.Leader.PollInterval + time.Second }

// TakeoverBound is the bound for a new leader after one that did not resign: its lock expires,
// and a waiting candidate acquires it.
func (env *Environment) TakeoverBound() time.Duration {
	return env.Leader.LeaseDuration + 500*time.Millisecond
}

// AwaitVersion waits until every follower has that version.
func (env *Environment) AwaitVersion(version int64, bound time.Duration) {
	env.Helper()
	deadline := time.NewTimer(bound + env.Slack)
	defer deadline.Stop()
	for _, r := range env.Followers {
		if !r.await(version, deadline.C) {
			env.Fatalf("%s has version %d and not %d within %v: %+v", r.Name, r.Version(), version, bound+env.Slack, r.Client.Stats())
		}
	}
}

// RequireVersion reports an error for each follower that does not have exactly that version.
func (env *Environment) RequireVersion(version int64) {
	env.Helper()
	for _, r := range env.Followers {
		if v := r.Version(); v != version {
			env.Errorf("%s has version %d, want %d", r.Name, v, version)
		}
	}
}

// Settle changes the content once more, waits until all followers have it, and checks that
// everything is in order.
func (env *Environment) Settle() {
	env.Helper()
	env.SettleWithin(env.PollBound())
}

// SettleWithin is like [Environment.Settle] with another bound for the change.
func (env *Environment) SettleWithin(bound time.Duration) {
	env.Helper()
	if !env.inForce.isEmpty() {
		next := env.CDN.Config()
		next.Version++
		env.Allow(ShownOf(next))
	}
	env.AwaitVersion(env.CDN.Publish(), bound)
	env.Audit.Check(env.T)
	for _, r := range env.Followers {
		r.check(env.T)
	}
}

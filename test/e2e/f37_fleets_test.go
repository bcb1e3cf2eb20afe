package e2e

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/harness"
	"github.com/redis/go-redis/v9"
)

// stranger is a leader and a follower that share Redis and SDK key with others, but not the
// CDN.
type stranger struct {
	*testing.T
	connect   func(as harness.Role, link *redistest.Link) redis.UniversalClient
	namespace string
	cdn       *fakecdn.CDN
	low, high int64 // versions that its CDN serves

	admin  redis.UniversalClient
	keys   cachekeys.Keys
	leader *leader.Leader
	kill   func() // without releasing the lock
	client *follower.Client
	wrong  atomic.Int64 // a version that another CDN served
}

// versionsApart is the distance between the versions of two strangers.
const versionsApart = 1000

func startStranger(t *testing.T, n int64, namespace string, connect func(as harness.Role, link *redistest.Link) redis.UniversalClient) *stranger {
	t.Helper()
	s := &stranger{T: t, connect: connect, namespace: namespace, cdn: fakecdn.New(), low: n * versionsApart, high: (n + 1) * versionsApart}
	for s.cdn.Version() < s.low {
		s.cdn.Publish()
	}
	s.admin = connect(harness.AsAdmin, nil)
	s.keys = cachekeys.For(harness.SDKKey, namespace, redisnode.OptionsOf(s.admin).DB)
	s.lead()
	s.follow()
	return s
}

func (s *stranger) lead() {
	s.Helper()
	link := new(redistest.Link)
	l, err := leader.New(leader.Config{
		Redis: s.connect(harness.AsLeader, link), Namespace: s.namespace, SDKKeys: []leader.SDKKey{{Name: "it", Key: harness.SDKKey}},
		Timings: harness.RealProfile().Leader, Transport: s.cdn,
	})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.Run(ctx); err != nil {
			s.Error(err)
		}
	}()
	s.leader = l
	s.kill = func() { link.Down(); cancel(); <-done }
	s.Cleanup(func() { cancel(); <-done })
}

func (s *stranger) follow() {
	s.Helper()
	client, err := follower.New(follower.Config{
		SDKKey: harness.SDKKey, Redis: s.connect(harness.AsReporter, nil), Namespace: s.namespace, Timings: harness.RealProfile().Follower,
		FleetReport: wire.MinFleetInterval, FleetName: "it",
		Hooks: &follower.Hooks{OnConfigChanged: func(config *evaluate.Config) { s.see(s.versionOf(config)) }},
	})
	if err != nil {
		s.Fatal(err)
	}
	s.client = client
	s.Cleanup(client.Close)
}

// versionOf returns the version in a config.
func (s *stranger) versionOf(config *evaluate.Config) int64 {
	s.Helper()
	var result evaluate.Result
	config.EvaluateTo(&result, fakecdn.VersionFlag, nil, evaluate.Value{}, nil)
	n, err := strconv.ParseInt(fmt.Sprint(result.Value.Any()), 10, 64)
	if err != nil {
		s.Error(err)
	}
	return n
}

func (s *stranger) see(version int64) {
	if version < s.low || version >= s.high {
		s.wrong.Store(version)
	}
}

func (s *stranger) version() int64 { return int64(s.client.GetIntValue(fakecdn.VersionFlag, -1, nil)) }

func (s *stranger) stats() leader.KeyStats { return s.leader.Stats().Keys[0] }

func (s *stranger) eventually(what string, holds func() bool) {
	s.Helper()
	for deadline := time.Now().Add(harness.Busy); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("namespace %q, channel %s: not within %v: %s; %+v", s.namespace, s.keys.Events, harness.Busy, what, s.client.Stats())
		}
	}
}

// subscribers returns the number of subscribers of the channel, on all nodes.
func (s *stranger) subscribers() int64 {
	n, _, _ := harness.SubscriptionsOf(s.Context(), s.admin, s.keys.Events)
	return n
}

// F37: two fleets share one SDK key on one Redis. Each one receives, reads and counts only
// its own data, also while the other has no leader.
func TestF37_FleetsOnOneRedisDoNotInterfere(t *testing.T) {
	harness.Real(t)
	t.Parallel()
	single := func(t *testing.T) func(db int) func(harness.Role, *redistest.Link) redis.UniversalClient {
		server := harness.Guarded(t, "single.acl").Start(t)
		return func(db int) func(harness.Role, *redistest.Link) redis.UniversalClient {
			return func(as harness.Role, link *redistest.Link) redis.UniversalClient {
				opts := *server.ClientAs(t, as.User(), link).Options()
				opts.DB = db
				client := redis.NewClient(&opts)
				t.Cleanup(func() { _ = client.Close() })
				return client
			}
		}
	}
	cluster := func(t *testing.T) func(db int) func(harness.Role, *redistest.Link) redis.UniversalClient {
		nodes := harness.Guarded(t, "cluster.acl").StartCluster(t, 3, 0)
		return func(int) func(harness.Role, *redistest.Link) redis.UniversalClient {
			return func(as harness.Role, link *redistest.Link) redis.UniversalClient {
				return nodes.ClientAs(t, as.User(), link)
			}
		}
	}
	for name, c := range map[string]struct {
		start      func(t *testing.T) func(db int) func(harness.Role, *redistest.Link) redis.UniversalClient
		databases  [2]int
		namespaces [2]string
	}{
		"databases 1 and 2":       {single, [2]int{1, 2}, [2]string{}},
		"databases 0 and 1":       {single, [2]int{0, 1}, [2]string{}},
		"namespaces":              {single, [2]int{}, [2]string{"shop", "api"}},
		"a namespace and none":    {single, [2]int{}, [2]string{"", "shop"}},
		"namespaces in a cluster": {cluster, [2]int{}, [2]string{"shop", "api"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := c.start(t)
			for i := range c.databases {
				permit(t, at(0)(harness.AsAdmin, nil), c.databases[i], c.namespaces[i])
			}
			a := startStranger(t, 1, c.namespaces[0], at(c.databases[0]))
			b := startStranger(t, 2, c.namespaces[1], at(c.databases[1]))
			areStrangers(t, a, b)
		})
	}
}

// permit adds the rights for other databases and namespaces to the users of deploy/acl.
func permit(t *testing.T, admin redis.UniversalClient, db int, namespace string) {
	t.Helper()
	give := func(ctx context.Context, node *redis.Client) error {
		for user, keys := range map[harness.Role]string{harness.AsLeader: "~", harness.AsReporter: "%R~", harness.AsOperator: "%R~"} {
			args := []any{"ACL", "SETUSER", string(user)}
			if db != 0 {
				args = append(args, "+select")
			}
			if namespace != "" {
				args = append(args, keys+namespace+":"+strings.Repeat("?", 40))
			}
			if err := node.Do(ctx, args...).Err(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := redisnode.Each(t.Context(), admin, give); err != nil {
		t.Fatal(err)
	}
}

func areStrangers(t *testing.T, a, b *stranger) {
	both := []*stranger{a, b}
	for _, s := range both {
		s.eventually("it follows its own CDN", func() bool { return s.version() == s.cdn.Version() && s.client.Stats().State == follower.StateLive })
		s.eventually("only the leader and the follower are subscribed to the channel", func() bool { return s.subscribers() == 2 })
		s.eventually("its follower reports", func() bool { return s.admin.ZCard(s.Context(), s.keys.Fleet).Val() == 1 })
	}
	// A change in one fleet does not appear in the other, and only its own counts it.
	for _, s := range both {
		for range 3 {
			version := s.cdn.Publish()
			s.eventually("a change arrives", func() bool { return s.version() == version })
		}
	}
	// Only the leader of the same fleet receives a request for a refresh.
	asked := b.client.Stats().RefreshAsked
	l, err := leader.New(leader.Config{
		Redis: a.connect(harness.AsOperator, nil), Namespace: a.namespace, SDKKeys: []leader.SDKKey{{Name: "it", Key: harness.SDKKey}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.RequestRefresh(t.Context(), "it"); err != nil {
		t.Fatal(err)
	}
	a.eventually("the leader receives the request", func() bool { return a.client.Stats().RefreshAsked == 1 })
	if n := b.client.Stats().RefreshAsked; n != asked {
		t.Errorf("the leader received a request to the other's")
	}
	if n := b.admin.HGet(t.Context(), b.keys.Meta, "refresh").Val(); n != "" && n != "0" {
		t.Errorf("a request to the other's leader was counted: %s", n)
	}
	// One fleet has no leader: its follower reports that, and takes nothing of the other.
	version := b.version()
	b.kill()
	b.eventually("the follower knows of no leader", func() bool { return b.client.Stats().State == follower.StateNoLeader })
	for range 3 {
		changed := a.cdn.Publish()
		a.eventually("a change arrives", func() bool { return a.version() == changed })
	}
	silent := b.client.Stats().Messages
	heartbeats := a.client.Stats().Heartbeats
	a.eventually("more heartbeats come", func() bool { return a.client.Stats().Heartbeats >= heartbeats+8 })
	if s := b.client.Stats(); b.version() != version || s.State != follower.StateNoLeader || s.Messages != silent {
		t.Errorf("a follower without leader: version %d of %d, %+v", b.version(), version, s)
	}
	b.lead()
	version = b.cdn.Publish()
	b.eventually("another leader takes over", func() bool { return b.version() == version && b.client.Stats().State == follower.StateLive })
	for _, s := range both {
		if wrong := s.wrong.Load(); wrong != 0 {
			t.Errorf("a follower of versions %d to %d had version %d", s.low, s.high, wrong)
		}
		if missing := s.stats().MissingRights; len(missing) > 0 {
			t.Errorf("the leader's user lacks %q", missing)
		}
	}
}

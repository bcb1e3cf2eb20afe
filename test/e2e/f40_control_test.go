package e2e

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader/control"
	"github.com/catbridge/catbridge/test/harness"
	"github.com/redis/go-redis/v9"
)

// F40: a flag is forced, and an official SDK that is online writes the CDN's config into the entry. The
// leader dies, another takes over, and Redis loses everything: no follower takes the CDN's config, not
// even one that is online, until the force is withdrawn.
func TestF40_FollowersKeepAForceWhileAnSDKFollowsTheCDN(t *testing.T) {
	harness.Real(t)
	t.Parallel()
	server := harness.Guarded(t, "single.acl").Start(t)
	s := startStranger(t, 1, "", func(as harness.Role, link *redistest.Link) redis.UniversalClient {
		return server.ClientAs(t, as.User(), link)
	})
	forced := s.low + 500
	var watching atomic.Bool
	var wrong atomic.Int64
	online, err := follower.New(follower.Config{
		SDKKey: harness.SDKKey, Redis: s.connect(harness.AsFollower, nil), Timings: harness.RealProfile().Follower,
		Online: true, Transport: s.cdn, PollInterval: time.Second,
		Hooks: &follower.Hooks{OnConfigChanged: func(config *evaluate.Config) {
			if v := s.versionOf(config); v != forced && watching.Load() {
				wrong.Store(v)
			}
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer online.Close()
	bothHave := func(version int64) func() bool {
		return func() bool {
			return s.version() == version && int64(online.GetIntValue(fakecdn.VersionFlag, -1, nil)) == version
		}
	}
	s.eventually("both have the CDN's config", bothHave(s.low))

	change := func(of func(*control.Controls) (*control.Change, error)) {
		t.Helper()
		controls, err := control.Read(t.Context(), s.connect(harness.AsController, nil), harness.SDKKey, "")
		if err != nil {
			t.Fatal(err)
		}
		c, err := of(controls)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	change(func(c *control.Controls) (*control.Change, error) {
		return c.Force(fakecdn.VersionFlag, evaluate.IntValue(forced), control.Order{By: "night shift", Reason: "wrong", For: time.Hour})
	})
	s.eventually("both have the forced flag", bothHave(forced))
	watching.Store(true)
	fetches := online.Stats().Fetches

	var sdk sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer func() { stop(); sdk.Wait() }()
	sdk.Go(func() {
		for ctx.Err() == nil {
			e := cachekeys.Entry{FetchTime: time.Now().UnixMilli(), ETag: `"sdk"`, JSON: s.cdn.Config().JSON()}
			s.admin.Set(ctx, s.keys.Entry, e.Append(nil), 0)
			time.Sleep(time.Second)
		}
	})
	clients := []*follower.Client{s.client, online}
	remain := func(what string) {
		t.Helper()
		for _, c := range clients {
			if err := c.Refresh(t.Context()); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if stats := c.Stats(); stats.Control == 0 {
				t.Errorf("%s: %+v", what, stats)
			}
		}
		if !bothHave(forced)() {
			t.Errorf("%s: version %d and %v", what, s.version(), online.GetIntValue(fakecdn.VersionFlag, -1, nil))
		}
	}
	s.kill()
	s.cdn.Publish()
	for _, c := range clients {
		s.eventually("no leader is left", func() bool { return c.Stats().State == follower.StateNoLeader })
	}
	remain("no leader is left")
	s.lead()
	for _, c := range clients {
		s.eventually("another leader leads", func() bool { return c.Stats().State == follower.StateLive })
	}
	remain("another leader leads")
	if err := s.admin.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.eventually("the force is restored", func() bool {
		return s.admin.HGet(t.Context(), s.keys.Meta, "control").Val() != "" && s.admin.Exists(t.Context(), s.keys.Control).Val() == 1
	})
	remain("Redis lost everything")
	if n := online.Stats().Fetches; n != fetches {
		t.Errorf("%d requests to the CDN", n-fetches)
	}
	if v := wrong.Load(); v != 0 {
		t.Errorf("version %d was in force meanwhile", v)
	}
	watching.Store(false)
	change(func(c *control.Controls) (*control.Change, error) { return c.Unforce(fakecdn.VersionFlag) })
	s.eventually("both have the CDN's config again", bothHave(s.cdn.Version()))
	for _, c := range clients {
		s.eventually("no control is known", func() bool { return c.Stats().Control == 0 })
	}
}

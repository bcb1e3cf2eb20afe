package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/acl"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/harness"
)

// Every environment checks at its end that Redis refused nothing.
func TestEachRoleHasTheRightsItNeeds(t *testing.T) {
	harness.OnTopologies(t, func(env *harness.Environment) {
		first, second := env.StartAll(2)
		checkRights(env)
		env.AwaitVersion(env.CDN.SetVaryingBytes(100<<10), env.PollBound()) // too large for a message

		env.FollowAs(harness.AsReporter, func(c *follower.Config) {
			c.FleetReport, c.FleetName = wire.MinFleetInterval, "shop-1"
		})
		env.Eventually(wire.MinFleetInterval, "the report can be read", func() bool {
			reports, err := env.Connect(env.T, harness.AsStatus, nil).ZRange(env.Context(), env.Keys.Fleet, 0, -1).Result()
			return err == nil && len(reports) == 1
		})
		asked := first.Stats().Polls + second.Stats().Polls
		ask(env)
		env.Eventually(env.Leader.RenewInterval+time.Second, "the request is answered by a poll", func() bool {
			return first.Stats().Polls+second.Stats().Polls > asked
		})
		for _, r := range env.Followers {
			r.Link.Cut()
		}
		env.AwaitState(env.ReconnectBound(), follower.StateLive)
		first.Stop() // to release the lock
		env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
		env.Settle()
	})
}

// checkRights checks the rights of leaders and of followers.
func checkRights(env *harness.Environment) {
	env.Helper()
	if err := acl.CheckLeader(env.Context(), env.Connect(env.T, harness.AsLeader, nil), harness.SDKKey, ""); err != nil {
		env.Error(err)
	}
	if err := acl.CheckFollower(env.Context(), env.Connect(env.T, harness.AsFollower, nil), harness.SDKKey, ""); err != nil {
		env.Error(err)
	}
	if err := acl.CheckReporter(env.Context(), env.Connect(env.T, harness.AsReporter, nil), harness.SDKKey, ""); err != nil {
		env.Error(err)
	}
}

// ask requests a poll, as an operator does.
func ask(env *harness.Environment) {
	env.Helper()
	const name = "it"
	l, err := leader.New(leader.Config{
		Redis: env.Connect(env.T, harness.AsOperator, nil), SDKKeys: []leader.SDKKey{{Name: name, Key: harness.SDKKey}}, Timings: env.Leader,
	})
	if err != nil {
		env.Fatal(err)
	}
	if err := l.RequestRefresh(env.Context(), name); err != nil {
		env.Fatal(err)
	}
}

// The program works with certificates and least rights on every kind of Redis.
func TestProgramRunsOnEveryGuardedRedis(t *testing.T) {
	harness.OnSecured(t, func(s *harness.Secured) {
		first := s.Launch(s.As(harness.AsLeader)...)
		s.AwaitHolder(first)
		second := s.Launch(s.As(harness.AsLeader)...)
		s.Watch(s.As(harness.AsFollower)...)
		s.FollowN(1)
		s.AwaitVersion(s.CDN.Publish(), s.PollBound())
		s.AwaitSubscribers(4)
		if out := s.Command(harness.AsOperator, "refresh"); !strings.Contains(out, "the leader polled") {
			s.Errorf("refresh: %s", out)
		}
		if out := s.Command(harness.AsStatus, "status"); !strings.Contains(out, "✓") {
			s.Errorf("status: %s", out)
		}
		if out := s.Command(harness.AsController, "pin", "--for", "1h", "--reason", "test", "--yes"); !strings.Contains(out, "the leader acted") {
			s.Errorf("pin: %s", out)
		}
		if out := s.Command(harness.AsOperator, "controls"); !strings.Contains(out, "pinned") || strings.Contains(out, "not acted") {
			s.Errorf("controls: %s", out)
		}
		if out := s.Command(harness.AsController, "unpin", "--yes"); !strings.Contains(out, "the leader acted") {
			s.Errorf("unpin: %s", out)
		}
		s.Signal(first, syscall.SIGTERM)
		<-first.Exited
		s.AwaitHolder(second)
		s.Settle()
	})
}

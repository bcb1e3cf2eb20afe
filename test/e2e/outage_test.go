package e2e

import (
	"testing"

	"github.com/catbridge/catbridge/test/harness"
)

// A change during an outage of the connection is read after it.
func TestChangeDuringAnOutageArrivesAfterwards(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(2)
		cut := env.Followers[0]
		cut.Link.Down()
		version := env.CDN.Publish()
		env.Eventually(env.PollBound(), "the other follower has it", func() bool { return env.Followers[1].Version() == version })
		if v := cut.Version(); v != version-1 {
			env.Errorf("version %d without a connection", v)
		}
		cut.Link.Up()
		env.AwaitVersion(version, env.ReconnectBound())
		env.Settle()
	})
}

// The leader's connections are closed at random moments: it goes on in the same term.
func TestLeaderSurvivesClosedConnections(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, _ := env.StartAll(2)
		terms := first.Stats().Terms
		for range 10 {
			first.Link.Cut()
			env.Pass(env.Leader.RenewInterval / 3)
		}
		env.Settle()
		if s := first.Stats(); env.Virtual && (s.Terms != terms || !first.Leads()) {
			env.Errorf("it lost its term: %+v", s)
		}
	})
}

// All processes are cut off for long, and recover completely.
func TestAllProcessesRecoverFromALongOutage(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(5)
		down := func(is bool) {
			for _, r := range env.Followers {
				setDown(r.Link, is)
			}
			setDown(first.Link, is)
			setDown(second.Link, is)
		}
		before := env.Followers[0].Age()
		down(true)
		env.Pass(2 * env.Leader.LeaseDuration)
		version := env.CDN.Publish()
		env.RequireVersion(version - 1)
		if after := env.Followers[0].Age(); after < before+2*env.Leader.LeaseDuration {
			env.Errorf("an age of %v became %v in an outage of %v (I14)", before, after, 2*env.Leader.LeaseDuration)
		}
		down(false)
		env.AwaitVersion(version, env.ReconnectBound()+env.Leader.RetryPeriod+env.PollBound())
		env.Settle()
	})
}

func setDown(l interface {
	Down()
	Up()
}, down bool) {
	if down {
		l.Down()
	} else {
		l.Up()
	}
}

// A leader whose every command times out stops acting before its lock expires, and stops
// polling the CDN.
func TestLeaderWithoutRedisStopsPolling(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first := env.Lead("leader A")
		env.AwaitElected(first)
		first.Link.Freeze()
		env.Eventually(env.Leader.LeaseDuration, "it gave up", func() bool { return !first.Leads() })
		polls := len(env.CDN.Requests())
		env.Pass(2 * env.Leader.PollInterval)
		if n := len(env.CDN.Requests()); n != polls {
			env.Errorf("%d polls without the lock", n-polls)
		}
		first.Link.Thaw()
		env.Eventually(env.TakeoverBound(), "it leads again", first.Leads)
		env.FollowN(1)
		env.Settle()
	})
}

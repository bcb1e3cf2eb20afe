package test

import (
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
)

// reconnectBound is the bound for a follower to reconnect after its connection was closed.
func (env *environment) reconnectBound() time.Duration {
	return env.follower.BackoffMax + env.follower.Ack + time.Second
}

func TestF13_FollowersReconnectWhenTheirConnectionsAreClosed(t *testing.T) {
	scenario(t, func(env *environment) {
		env.ready(10)
		for range env.rounds(1) {
			connects := env.connects()
			for _, r := range env.readers {
				r.link.Cut()
			}
			env.connectedAgain(connects)
			env.settle()
		}
	})
}

// connects returns how often each follower has subscribed.
func (env *environment) connects() []int64 {
	var n []int64
	for _, r := range env.readers {
		n = append(n, r.client.Stats().Connects)
	}
	return n
}

// connectedAgain waits until all followers have subscribed again, after their connections
// have just been closed.
func (env *environment) connectedAgain(before []int64) {
	env.Helper()
	closed, bound := time.Now(), env.follower.BackoffMin+2*time.Second
	for i, r := range env.readers {
		env.eventually(bound, r.name+" is subscribed again", func() bool {
			s := r.client.Stats()
			return s.Connects > before[i] && (s.State == follower.Live || s.State == follower.NoLeader)
		})
	}
	env.recovered(closed, bound)
}

// A change during an outage of the connection is read after it.
func TestChangeDuringAnOutageArrivesAfterwards(t *testing.T) {
	scenario(t, func(env *environment) {
		env.ready(2)
		cut := env.readers[0]
		cut.link.Down()
		version := env.cdn.Publish()
		env.eventually(env.poll(), "the other follower has it", func() bool { return env.readers[1].version() == version })
		if v := cut.version(); v != version-1 {
			env.Errorf("version %d without a connection", v)
		}
		cut.link.Up()
		env.reached(version, env.reconnectBound())
		env.settle()
	})
}

// No data arrives, and no connection is closed. Evaluation is not affected (I5).
func TestF11_SilentConnectionIsGivenUp(t *testing.T) {
	scenario(t, func(env *environment) {
		env.ready(2)
		for range env.rounds(1) {
			frozen := env.readers[0]
			frozen.link.Freeze()
			env.noticed(frozen, time.Now())
			version := env.cdn.Publish()
			env.eventually(env.poll(), "the other follower has it", func() bool { return env.readers[1].version() == version })
			if v := frozen.version(); v != version-1 {
				env.Errorf("version %d through a frozen connection", v)
			}
			frozen.link.Thaw()
			env.reached(version, env.reconnectBound()+env.follower.Dead)
			env.settle()
		}
	})
}

// The leader's network falls silent. The leader stops acting and logs it before its lock
// expires, and another one leads.
func TestF11_SilentLeaderStopsActing(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(2)
		for range env.rounds(1) {
			env.pass(env.upTo(env.leader.RenewInterval))
			first.link.Freeze()
			silent, bound := time.Now(), env.leader.RenewDeadline+roundTrip
			env.eventually(bound, "it stops acting", func() bool { return !first.leads() })
			env.recovered(silent, bound)
			env.eventually(env.takeover(), "the other leads", second.leads)
			env.part("another leads").recovered(silent, env.takeover())
			first.link.Thaw()
			env.eventually(env.takeover(), "it knows the new leader", func() bool { return first.stats().LockHolder == second.ID() })
			env.settle()
			first, second = second, first
		}
	})
}

// A read that hangs on the silent network does not delay the detection.
func TestF11_SilentConnectionIsGivenUpWhileAReadHangs(t *testing.T) {
	scenario(t, func(env *environment) {
		env.ready(1)
		for range env.rounds(1) {
			frozen := env.readers[0]
			frozen.link.Freeze()
			silent := time.Now()
			env.pass(env.follower.Dead - 100*time.Millisecond)
			var refresh sync.WaitGroup
			refresh.Go(func() {
				if err := frozen.client.Refresh(env.Context()); err == nil {
					env.Error("a frozen connection brought an answer")
				}
			})
			env.noticed(frozen, silent)
			refresh.Wait()
			frozen.link.Thaw()
			env.reached(env.cdn.Publish(), env.poll()+env.reconnectBound()+env.follower.Dead)
			env.settle()
		}
	})
}

// noticed waits until a follower detects that its connection is silent, since the given
// moment or since the last message (I7).
func (env *environment) noticed(r *reader, silent time.Time) {
	env.Helper()
	bound, messages := env.follower.Dead+roundTrip, r.client.Stats().Messages
	env.eventually(bound+env.leader.RenewInterval, r.name+" notices", func() bool {
		s := r.client.Stats()
		if s.Messages != messages {
			silent, messages = time.Now(), s.Messages
		}
		return s.State == follower.Disconnected
	})
	env.recovered(silent, bound)
}

// The leader's connections are closed at random moments: it goes on in the same term.
func TestLeaderSurvivesClosedConnections(t *testing.T) {
	scenario(t, func(env *environment) {
		first, _ := env.ready(2)
		terms := first.stats().Terms
		for range 10 {
			first.link.Cut()
			env.pass(env.leader.RenewInterval / 3)
		}
		env.settle()
		if s := first.stats(); env.virtual && (s.Terms != terms || !first.leads()) {
			env.Errorf("it lost its term: %+v", s)
		}
	})
}

// All processes are cut off for long, and recover completely.
func TestAllProcessesRecoverFromALongOutage(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(5)
		down := func(is bool) {
			for _, r := range env.readers {
				setDown(r.link, is)
			}
			setDown(first.link, is)
			setDown(second.link, is)
		}
		before := env.readers[0].client.Stats()
		down(true)
		env.pass(2 * env.leader.LeaseDuration)
		version := env.cdn.Publish()
		env.has(version - 1)
		if after := env.readers[0].client.Stats(); after.Age < before.Age+2*env.leader.LeaseDuration {
			env.Errorf("an age of %v became %v in an outage of %v (I14)", before.Age, after.Age, 2*env.leader.LeaseDuration)
		}
		down(false)
		env.reached(version, env.reconnectBound()+env.leader.RetryPeriod+env.poll())
		env.settle()
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

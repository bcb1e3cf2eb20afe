package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/harness"
)

var cuts = map[string][]harness.Direction{"to Redis": {harness.ToRedis}, "from Redis": {harness.FromRedis}, "both ways": {harness.ToRedis, harness.FromRedis}}

// The network silently drops packets, in each direction and in both.
func TestF11_FollowerNoticesThatItIsCutOff(t *testing.T) {
	for name, ways := range cuts {
		t.Run(name, func(t *testing.T) {
			harness.OnLAN(t, harness.DefaultProfile(), func(l *harness.LAN) {
				l.StartAll(2)
				for range l.Rounds(1) {
					cut := l.Followers[0]
					l.Pass(l.RandomBelow(l.Leader.RenewInterval))
					l.Cut(cut.Link, ways...)
					since, bound := time.Now(), l.Follower.Dead+harness.RoundTrip
					if !slices.Contains(ways, harness.FromRedis) {
						bound += l.Leader.RenewInterval // a heartbeat may arrive until TCP misses an acknowledgement
					}
					l.AwaitSilenceNoticed(cut, since)
					l.Part("from the cut on").Recovered(since, bound)
					version := l.CDN.Publish()
					l.Eventually(l.PollBound(), "the other follower has it", func() bool { return l.Followers[1].Version() == version })
					if v := cut.Version(); v != version-1 {
						l.Errorf("version %d through a network that is cut", v)
					}
					l.Reconnect()
					reconnected, bound := time.Now(), l.Follower.BackoffMax+l.Follower.Dead
					l.AwaitVersion(version, bound)
					l.Part("content after reconnecting").Recovered(reconnected, bound)
					l.Settle()
				}
			})
		})
	}
}

// A leader that is cut off detects it and stops acting. Another one takes over when the
// lock expires; if only the replies are lost, the leader's renewals arrive until it stops.
func TestF11_LeaderThatIsCutOffIsReplaced(t *testing.T) {
	for name, ways := range cuts {
		t.Run(name, func(t *testing.T) {
			harness.OnLAN(t, harness.DefaultProfile(), func(l *harness.LAN) {
				first, second := l.StartAll(2)
				for range l.Rounds(1) {
					l.Pass(l.RandomBelow(l.Leader.RenewInterval))
					l.Cut(first.Link, ways...)
					since := time.Now()
					bound := l.Leader.RenewDeadline + harness.RoundTrip
					l.Eventually(bound, "the one that is cut off stops acting", func() bool { return !first.Leads() })
					l.Recovered(since, bound)
					bound = l.TakeoverBound()
					if !slices.Contains(ways, harness.ToRedis) {
						bound += l.Leader.RenewDeadline
					}
					l.Eventually(bound, "the other leads", second.Leads)
					l.Part("another leads").Recovered(since, bound)
					l.AwaitVersion(l.CDN.Publish(), l.PollBound())
					l.Reconnect()
					l.Eventually(l.TakeoverBound(), "it knows the new leader", func() bool { return first.Stats().LockHolder == second.ID() })
					l.Settle()
					first, second = second, first
				}
			})
		})
	}
}

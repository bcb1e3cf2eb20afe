package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
	"github.com/redis/go-redis/v9"
)

// split is an environment with two Redis servers, one of which replicates the other at
// first. Every leader and every follower is routed to one of them.
type split struct {
	*harness.Environment
	left, right *redistest.Process
	watch       *redistest.Link // of the auditor
}

func onSplit(t *testing.T, run func(s *split)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts servers: not with -short")
	}
	t.Parallel()
	harness.InLanes(t, newSplit, run)
}

func newSplit(t *testing.T) *split {
	left, right := redistest.Start(t), redistest.Start(t)
	s := &split{left: left, right: right, watch: new(redistest.Link)}
	connect := func(t testing.TB, _ harness.Role, link *redistest.Link) redis.UniversalClient {
		if link == nil {
			link = s.watch
		}
		return left.Client(t, link)
	}
	s.Environment = harness.New(t, connect, harness.RealProfile())
	s.Server = left
	s.UseProcesses()
	s.Tap(left)
	s.Tap(right)
	s.replicate(right, left)
	return s
}

// replicate makes a Redis the replica of another and waits until it has all data.
func (s *split) replicate(replica, primary *redistest.Process) {
	s.Helper()
	s.Do(replica, "REPLICAOF", "127.0.0.1", primary.Port)
	s.Eventually(0, "the replica is in sync", func() bool {
		role, ok := s.Do(replica, "ROLE").([]any)
		return ok && role[0] == "slave" && role[3] == "connected"
	})
}

// route routes links to a Redis, with their existing connections.
func (s *split) route(to *redistest.Process, links ...*redistest.Link) {
	for _, link := range links {
		link.Route(to.Addr())
		link.Cut()
	}
}

// The network splits: each half has a primary, a leader and followers, and the config
// changes. Then the network reconnects, and the writes of one half are lost.
func TestF07_FollowersAgreeWithinAPollAfterASplit(t *testing.T) {
	onSplit(t, func(s *split) {
		first, second := s.StartAll(4)
		s.Audit.AllowLoss()
		stays, goes := s.left, s.right
		for range s.Rounds(1) {
			s.Do(goes, "REPLICAOF", "NO", "ONE")
			s.route(goes, second.Link, s.Followers[2].Link, s.Followers[3].Link, s.watch)
			s.Eventually(s.TakeoverBound(), "each half has a leader", func() bool { return first.Leads() && second.Leads() })
			for range 2 {
				s.AwaitVersion(s.CDN.Publish(), s.PollBound())
			}
			version := s.CDN.Publish() // one half may have it when the other takes over
			s.Pass(s.RandomBelow(s.Leader.PollInterval))

			s.Do(stays, "REPLICAOF", "127.0.0.1", goes.Port)
			s.route(goes, first.Link, s.Followers[0].Link, s.Followers[1].Link)
			reconnected, bound := time.Now(), s.PollBound()
			s.Eventually(bound, "one leads", func() bool { return !first.Leads() && second.Leads() })
			s.AwaitVersion(version, bound)
			s.Recovered(reconnected, bound)
			s.replicate(stays, goes)
			s.Eventually(s.TakeoverBound(), "the other knows", func() bool { return first.Stats().LockHolder == second.ID() })
			s.Settle()
			// The next time the other half is behind.
			first, second = second, first
			stays, goes = goes, stays
			s.Followers[0], s.Followers[1], s.Followers[2], s.Followers[3] = s.Followers[2], s.Followers[3], s.Followers[0], s.Followers[1]
		}
	})
}

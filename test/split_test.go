package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// split is an environment with two Redis servers, one of which replicates the other at
// first. Every leader and every follower is routed to one of them.
type split struct {
	*environment
	left, right *redistest.Process
	watch       *redistest.Link // of the auditor
}

func onSplit(t *testing.T, run func(s *split)) {
	t.Helper()
	if testing.Short() {
		t.Skip("waits for a lock to expire")
	}
	t.Parallel()
	inLanes(t, newSplit, run)
}

func newSplit(t *testing.T) *split {
	left, right := redistest.Start(t), redistest.Start(t)
	s := &split{left: left, right: right, watch: new(redistest.Link)}
	connect := func(t testing.TB, _ role, link *redistest.Link) redis.UniversalClient {
		if link == nil {
			link = s.watch
		}
		return left.Client(t, link)
	}
	s.environment = newEnvironment(t, connect, realProfile())
	s.server = left
	s.processes()
	s.tap(left)
	s.tap(right)
	s.replicate(right, left)
	return s
}

// replicate makes a Redis the replica of another and waits until it has all data.
func (s *split) replicate(replica, primary *redistest.Process) {
	s.Helper()
	s.do(replica, "REPLICAOF", "127.0.0.1", primary.Port)
	s.eventually(0, "the replica is in sync", func() bool {
		role, ok := s.do(replica, "ROLE").([]any)
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
		first, second := s.ready(4)
		s.audit.allowLoss()
		stays, goes := s.left, s.right
		for range s.rounds(1) {
			s.do(goes, "REPLICAOF", "NO", "ONE")
			s.route(goes, second.link, s.readers[2].link, s.readers[3].link, s.watch)
			s.eventually(s.takeover(), "each half has a leader", func() bool { return first.leads() && second.leads() })
			for range 2 {
				s.reached(s.cdn.Publish(), s.poll())
			}
			version := s.cdn.Publish() // one half may have it when the other takes over
			s.pass(s.upTo(s.leader.PollInterval))

			s.do(stays, "REPLICAOF", "127.0.0.1", goes.Port)
			s.route(goes, first.link, s.readers[0].link, s.readers[1].link)
			reconnected, bound := time.Now(), s.poll()
			s.eventually(bound, "one leads", func() bool { return !first.leads() && second.leads() })
			s.reached(version, bound)
			s.recovered(reconnected, bound)
			s.replicate(stays, goes)
			s.eventually(s.takeover(), "the other knows", func() bool { return first.stats().LockHolder == second.ID() })
			s.settle()
			// The next time the other half is behind.
			first, second = second, first
			stays, goes = goes, stays
			s.readers[0], s.readers[1], s.readers[2], s.readers[3] = s.readers[2], s.readers[3], s.readers[0], s.readers[1]
		}
	})
}

package harness

import (
	"context"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
	"github.com/redis/go-redis/v9"
)

// Leader is a leader of the environment: a process of the program, see
// [Environment.UseProcesses], or a leader within this process.
type Leader struct {
	*leader.Leader // nil in a process of the program
	name, id       string
	Link           *redistest.Link // for a process only if Redis is a single server without certificates
	Stats          func() leader.KeyStats
	shut           func() // as on a signal
	die            func() // without another command to Redis
	done           <-chan struct{}
}

// Lead starts a leader, which takes part in the election until the end of the test.
func (env *Environment) Lead(name string) *Leader {
	env.Helper()
	r := &Leader{name: name, Link: new(redistest.Link)}
	r.Link.Route(env.Route)
	if env.programs != nil {
		env.programs.leadAs(r)
	} else {
		env.leadWithin(r)
	}
	env.Leaders = append(env.Leaders, r)
	return r
}

// leadWithin starts a leader within this process.
func (env *Environment) leadWithin(r *Leader) {
	env.Helper()
	// With idle connections in the pool, a frozen process can send on one of them.
	client := env.Connect(env.T, AsLeader, r.Link)
	if single, ok := client.(*redis.Client); ok && env.Sentinel == nil { // a client that follows a Sentinel cannot be copied
		opts := *single.Options()
		opts.MinIdleConns = 4
		client = redis.NewClient(&opts)
	}
	l, err := leader.New(leader.Config{
		Redis: client, SDKKeys: []leader.SDKKey{{Key: SDKKey}},
		Timings: env.Leader, Transport: env.CDN, Logger: env.LeaderLog.With("who", r.name),
	})
	if err != nil {
		env.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(env.Context()))
	done := make(chan struct{})
	r.Leader, r.id, r.done = l, l.ID(), done
	r.Stats = func() leader.KeyStats { return l.Stats().Keys[0] }
	r.shut, r.die = cancel, func() { r.Link.Down(); cancel() }
	go func() {
		defer close(done)
		defer func() { _ = client.Close() }()
		if err := l.Run(ctx); err != nil {
			env.Errorf("%s: %v", r.name, err)
		}
	}()
	env.Cleanup(r.Stop)
}

// ID returns the ID that the lock has while this leader leads.
func (r *Leader) ID() string { return r.id }

// Stop shuts the leader down as on a signal.
func (r *Leader) Stop() {
	r.shut()
	<-r.done
}

// Kill ends the leader without another command to Redis.
func (r *Leader) Kill() {
	r.die()
	<-r.done
}

// Leads reports whether the leader holds the lock and acts.
func (r *Leader) Leads() bool {
	state := r.Stats().State
	return state == leader.StateWarm || state == leader.StateSteady
}

// AwaitElected waits until one of the leaders leads, and returns it and the others.
func (env *Environment) AwaitElected(all ...*Leader) (first *Leader, others []*Leader) {
	env.Helper()
	env.Eventually(env.TakeoverBound(), "a process leads", func() bool {
		first, others = nil, nil
		for _, r := range all {
			if first == nil && r.Stats().State == leader.StateSteady {
				first = r
			} else {
				others = append(others, r)
			}
		}
		return first != nil
	})
	return first, others
}

// StartAll starts two leaders, and followers, and waits until these have the first version.
// The first leader that it returns leads.
func (env *Environment) StartAll(followers int) (first, second *Leader) {
	env.Helper()
	first = env.Lead("leader A")
	env.AwaitElected(first)
	second = env.Lead("leader B")
	env.FollowN(followers)
	env.AwaitVersion(env.CDN.Version(), env.PollBound())
	// Both leaders must be subscribed: a resignation must not get lost.
	env.AwaitSubscribers(2 + followers)
	env.Eventually(env.TakeoverBound(), "one leads and the other knows", func() bool {
		if second.Leads() { // on a busy machine
			first, second = second, first
		}
		return first.Leads() && second.Stats().LockHolder == first.ID()
	})
	return first, second
}

// WriteError returns the error with which Redis refused a leader's write; empty: none.
func (env *Environment) WriteError() string {
	for _, r := range env.Leaders {
		if s := r.Stats(); s.WriteError != "" {
			return s.WriteError
		}
	}
	return ""
}

// SteadyFor publishes at intervals for the given time while the network is bad: the leader
// keeps its term, and followers get every version.
func (env *Environment) SteadyFor(first *Leader, d time.Duration) {
	env.Helper()
	before := first.Stats()
	for end := time.Now().Add(d); time.Now().Before(end); {
		changed := time.Now()
		version := env.CDN.Publish()
		env.AwaitVersion(version, env.PollBound()+env.Leader.RenewInterval+4*time.Second)
		env.Recovered(changed, env.PollBound()+env.Leader.RenewInterval+4*time.Second)
		env.Pass(env.RandomBelow(env.Leader.PollInterval))
	}
	if s := first.Stats(); s.Terms != before.Terms || s.Fenced != before.Fenced || s.Lapsed != before.Lapsed || !first.Leads() {
		env.Errorf("the leader lost its term: %+v", s)
	}
}

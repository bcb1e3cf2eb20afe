package test

import (
	"context"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
	"github.com/redis/go-redis/v9"
)

// runner is a leader of the environment: a process of the program, see
// [environment.processes], or a leader within this process.
type runner struct {
	*leader.Leader // nil in a process of the program
	name, id       string
	link           *redistest.Link // for a process only if Redis is a single server without certificates
	stats          func() leader.KeyStats
	shut           func() // as on a signal
	die            func() // without another command to Redis
	done           <-chan struct{}
}

// lead starts a leader, which takes part in the election until the end of the test.
func (env *environment) lead(name string) *runner {
	env.Helper()
	r := &runner{name: name, link: new(redistest.Link)}
	r.link.Route(env.route)
	if env.programs != nil {
		env.programs.leadAs(r)
	} else {
		env.leadWithin(r)
	}
	env.runners = append(env.runners, r)
	return r
}

// leadWithin starts a leader within this process.
func (env *environment) leadWithin(r *runner) {
	env.Helper()
	// With idle connections in the pool, a frozen process can send on one of them.
	client := env.connect(env.T, asLeader, r.link)
	if single, ok := client.(*redis.Client); ok && env.sentinel == nil { // a client that follows a Sentinel cannot be copied
		opts := *single.Options()
		opts.MinIdleConns = 4
		client = redis.NewClient(&opts)
	}
	l, err := leader.New(leader.Config{
		Redis: client, SDKKeys: []leader.SDKKey{{Key: sdkKey}},
		Timing: env.leader, Transport: env.cdn, Logger: env.leaderLog.With("who", r.name),
	})
	if err != nil {
		env.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(env.Context()))
	done := make(chan struct{})
	r.Leader, r.id, r.done = l, l.ID(), done
	r.stats = func() leader.KeyStats { return l.Stats().Keys[0] }
	r.shut, r.die = cancel, func() { r.link.Down(); cancel() }
	go func() {
		defer close(done)
		defer func() { _ = client.Close() }()
		if err := l.Run(ctx); err != nil {
			env.Errorf("%s: %v", r.name, err)
		}
	}()
	env.Cleanup(r.stop)
}

// ID returns the ID that the lock has while this leader leads.
func (r *runner) ID() string { return r.id }

// stop shuts the leader down as on a signal.
func (r *runner) stop() {
	r.shut()
	<-r.done
}

// kill ends the leader without another command to Redis.
func (r *runner) kill() {
	r.die()
	<-r.done
}

func (r *runner) leads() bool {
	state := r.stats().State
	return state == leader.Warm || state == leader.Steady
}

// elected waits until one of the leaders leads, and returns it and the others.
func (env *environment) elected(all ...*runner) (first *runner, others []*runner) {
	env.Helper()
	env.eventually(env.takeover(), "a process leads", func() bool {
		first, others = nil, nil
		for _, r := range all {
			if first == nil && r.stats().State == leader.Steady {
				first = r
			} else {
				others = append(others, r)
			}
		}
		return first != nil
	})
	return first, others
}

// ready starts two leaders, and followers, and waits until these have the first version.
// The first leader that it returns leads.
func (env *environment) ready(followers int) (first, second *runner) {
	env.Helper()
	first = env.lead("leader A")
	env.elected(first)
	second = env.lead("leader B")
	env.followers(followers)
	env.reached(env.cdn.Version(), env.poll())
	// Both leaders must be subscribed: a resignation must not get lost.
	env.subscribed(2 + followers)
	env.eventually(env.takeover(), "one leads and the other knows", func() bool {
		if second.leads() { // on a busy machine
			first, second = second, first
		}
		return first.leads() && second.stats().LockHolder == first.ID()
	})
	return first, second
}

package test

import (
	"context"

	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/redistest"
	"github.com/redis/go-redis/v9"
)

// runner is a leader of the world: a process of the program where the world has those, see
// [world.processes], or else one within this process.
type runner struct {
	*leader.Leader // of one within this process, for what only such a one can be asked
	name, id       string
	link           *redistest.Link // of a process only where Redis is one server that asks for no certificates
	stats          func() leader.KeyStats
	shut           func() // as a signal would
	die            func() // without a word to Redis
	done           <-chan struct{}
}

// lead starts a leader, which takes part in the election. It ends with the test.
func (w *world) lead(name string) *runner {
	w.Helper()
	r := &runner{name: name, link: new(redistest.Link)}
	r.link.Route(w.route)
	if w.programs != nil {
		w.programs.leadAs(r)
	} else {
		w.leadWithin(r)
	}
	w.runners = append(w.runners, r)
	return r
}

// leadWithin starts a leader within this process.
func (w *world) leadWithin(r *runner) {
	w.Helper()
	// Connections in stock: what a frozen process sends goes out on one of them.
	client := w.connect(w.T, asLeader, r.link)
	if single, ok := client.(*redis.Client); ok && w.sentinel == nil { // what follows a Sentinel cannot be copied
		opts := *single.Options()
		opts.MinIdleConns = 4
		client = redis.NewClient(&opts)
	}
	l, err := leader.New(leader.Config{
		Redis: client, SDKKeys: []leader.SDKKey{{Key: sdkKey}},
		Timing: w.leader, Transport: w.cdn, Logger: w.loud.With("who", r.name),
	})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	done := make(chan struct{})
	r.Leader, r.id, r.done = l, l.ID(), done
	r.stats = func() leader.KeyStats { return l.Stats().Keys[0] }
	r.shut, r.die = cancel, func() { r.link.Down(); cancel() }
	go func() {
		defer close(done)
		defer func() { _ = client.Close() }()
		if err := l.Run(ctx); err != nil {
			w.Errorf("%s: %v", r.name, err)
		}
	}()
	w.Cleanup(r.stop)
}

// ID stands in the lock when it leads.
func (r *runner) ID() string { return r.id }

// stop shuts the leader down as a signal would.
func (r *runner) stop() {
	r.shut()
	<-r.done
}

// kill ends the leader without a word to Redis.
func (r *runner) kill() {
	r.die()
	<-r.done
}

func (r *runner) leads() bool {
	state := r.stats().State
	return state == leader.Warm || state == leader.Steady
}

// elected waits for one of the processes to lead and returns it and the others.
func (w *world) elected(all ...*runner) (first *runner, others []*runner) {
	w.Helper()
	w.eventually(w.takeover(), "somebody leads", func() bool {
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

// ready is a world with two leaders, of which the first that it returns
// leads, and followers that have the first version.
func (w *world) ready(followers int) (first, second *runner) {
	w.Helper()
	first = w.lead("leader A")
	w.elected(first)
	second = w.lead("leader B")
	w.followers(followers)
	w.reached(w.cdn.Version(), w.poll())
	// Both hear each other: a resignation must not get lost.
	w.subscribed(2 + followers)
	w.eventually(w.takeover(), "one leads and the other knows", func() bool {
		if second.leads() { // on a busy machine
			first, second = second, first
		}
		return first.leads() && second.stats().LockHolder == first.ID()
	})
	return first, second
}

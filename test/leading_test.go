package test

import (
	"context"

	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/redistest"
	"github.com/redis/go-redis/v9"
)

// runner is a leader process of the world, in this process.
type runner struct {
	*leader.Leader
	name   string
	link   *redistest.Link
	cancel context.CancelFunc
	done   chan struct{}
}

// lead starts a process that takes part in the election. It ends with the test.
func (w *world) lead(name string) *runner {
	w.Helper()
	r := &runner{name: name, link: new(redistest.Link), done: make(chan struct{})}
	r.link.Route(w.route)
	// Connections in stock: what a frozen process sends goes out on one of them.
	client := w.connect(w.T, asLeader, r.link)
	if single, ok := client.(*redis.Client); ok && w.sentinel == nil { // what follows a Sentinel cannot be copied
		opts := *single.Options()
		opts.MinIdleConns = 4
		client = redis.NewClient(&opts)
	}
	var err error
	r.Leader, err = leader.New(leader.Config{
		Redis: client, SDKKeys: []leader.SDKKey{{Key: sdkKey}},
		Timing: w.leader, Transport: w.cdn, Logger: w.loud.With("who", name),
	})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	r.cancel = cancel
	go func() {
		defer close(r.done)
		defer func() { _ = client.Close() }()
		if err := r.Run(ctx); err != nil {
			w.Errorf("%s: %v", name, err)
		}
	}()
	w.Cleanup(r.stop)
	w.runners = append(w.runners, r)
	return r
}

// stop shuts the process down as a signal would.
func (r *runner) stop() {
	r.cancel()
	<-r.done
}

// kill ends the process without a word to Redis.
func (r *runner) kill() {
	r.link.Down()
	r.stop()
}

func (r *runner) stats() leader.KeyStats { return r.Stats().Keys[0] }

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

// ready is a world with two leader processes, of which the first that it returns
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

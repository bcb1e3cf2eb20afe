package demo

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/leader"
)

// node is one leader of the demo, as if it were a process of its own: it has its own
// connections, and can be killed.
type node struct {
	name   string
	leader *leader.Leader
	client redis.UniversalClient
	cable  *cable
	cancel context.CancelFunc
	done   chan struct{}
	killed bool
}

// keyName stands for the SDK key in the leaders.
const keyName = "demo"

// startNode starts a leader. It runs until it is stopped or killed, whatever happens to ctx's end.
func startNode(ctx context.Context, name string, to redisurl.Options, sdkKey, baseURL string, log *slog.Logger) (*node, error) {
	n := &node{name: name, cable: &cable{}, done: make(chan struct{})}
	n.client = to.LeaderClient(n.cable.through)
	var err error
	n.leader, err = leader.New(leader.Config{
		Redis: n.client, Namespace: to.Namespace(), Timing: leader.FastTiming(), Logger: log.With("leader", name),
		SDKKeys: []leader.SDKKey{{Name: keyName, Key: sdkKey, BaseURL: baseURL}},
	})
	if err != nil {
		n.client.Close()
		return nil, err
	}
	ctx, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(n.done)
		if err := n.leader.Run(ctx); err != nil {
			log.Error("the leader ended", "leader", name, "error", err)
		}
	}()
	return n, nil
}

func (n *node) stats() leader.KeyStats { return n.leader.Stats().Keys[0] }

func (n *node) leads() bool {
	state := n.stats().State
	return !n.killed && (state == leader.Warm || state == leader.Steady)
}

// kill ends the leader with no goodbye: first nothing comes through any more, then its
// loops end.
func (n *node) kill() {
	n.killed = true
	n.cable.cut()
	n.cancel()
}

// stop ends the leader, which gives up its lock unless it was killed, and waits for its end.
func (n *node) stop() {
	n.cancel()
	<-n.done
	n.client.Close()
}

// leading is the leader that leads; nil: none.
func (d *demo) leading() *node {
	for _, n := range d.leaders {
		if n.leads() {
			return n
		}
	}
	return nil
}

// killOrRevive kills the leader that leads, or starts one again that was killed.
func (d *demo) killOrRevive() {
	for i, n := range d.leaders {
		if n.killed {
			n.stop()
			again, err := startNode(d.ctx, n.name, d.redis, d.sdkKey, d.cdnURL, d.log)
			if err != nil {
				d.screen.eventf("%s does not start: %v", n.name, err)
				return
			}
			d.leaders[i] = again
			d.screen.eventf("%s is back, and waits until it is needed", n.name)
			return
		}
	}
	n := d.leading()
	if n == nil {
		d.screen.event("nobody leads at this moment, so there is nobody to kill")
		return
	}
	n.kill()
	d.killedAt = time.Now()
	d.screen.event(terminal.Sprintf("%s: all its connections are cut, and it said no goodbye.", terminal.Paint(terminal.Red, n.name+" was killed")),
		terminal.Sprintf("Its lock runs out within %v; the followers go on answering from memory.", leader.FastTiming().LeaseDuration))
}

// watchLeaders tells when somebody else leads, and of what goes wrong.
func (d *demo) watchLeaders() {
	n := d.leading()
	name := ""
	if n != nil {
		name = n.name
		d.watchPolls(n)
	}
	if name == d.leader {
		return
	}
	d.leader = name
	switch {
	case name == "":
		d.screen.event("nobody leads")
	case d.killedAt.IsZero():
		d.screen.event(terminal.Paint(terminal.Green, name+" leads"))
	default:
		d.screen.eventf("%s, %s after the kill", terminal.Paint(terminal.Green, name+" leads"), duration(time.Since(d.killedAt)))
		d.killedAt = time.Time{}
	}
}

// watchPolls tells why a change does not come through.
func (d *demo) watchPolls(n *node) {
	stats := n.stats()
	if stats.PollError != d.pollError {
		d.pollError = stats.PollError
		if d.pollError != "" {
			d.screen.eventf("%s cannot poll the CDN: %s", n.name, d.pollError)
		}
	}
	if stats.Suspect > d.doubted[n] {
		d.screen.event("the CDN serves what was replaced a moment ago; the leader asks once more before it believes that")
	}
	d.doubted[n] = stats.Suspect
}

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

// node is one leader, with its own connections. It can be killed like a process.
type node struct {
	name   string
	leader *leader.Leader
	client redis.UniversalClient
	cable  *cable
	cancel context.CancelFunc
	done   chan struct{}
	killed bool
}

const keyName = "demo"

// startNode starts a leader, which runs until it is stopped or killed. The end of ctx does not
// stop it.
func startNode(ctx context.Context, name string, to redisurl.Options, sdkKey, baseURL string, log *slog.Logger) (*node, error) {
	n := &node{name: name, cable: &cable{}, done: make(chan struct{})}
	n.client = to.LeaderClient(n.cable.through)
	var err error
	n.leader, err = leader.New(leader.Config{
		Redis: n.client, Namespace: to.Namespace(), Timings: leader.FastTimings(), Logger: log.With("leader", name),
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
			log.Error("the leader failed", "leader", name, "error", err)
		}
	}()
	return n, nil
}

func (n *node) stats() leader.KeyStats { return n.leader.Stats().Keys[0] }

func (n *node) leads() bool {
	state := n.stats().State
	return !n.killed && (state == leader.StateWarm || state == leader.StateSteady)
}

// kill ends the leader without releasing its lock: it cuts the connections before it stops the
// loops.
func (n *node) kill() {
	n.killed = true
	n.cable.cut()
	n.cancel()
}

// stop waits for the leader's end. The leader releases its lock unless it was killed.
func (n *node) stop() {
	n.cancel()
	<-n.done
	n.client.Close()
}

// leading returns the node that leads, or nil.
func (d *demo) leading() *node {
	for _, n := range d.leaders {
		if n.leads() {
			return n
		}
	}
	return nil
}

// killOrRevive starts a killed leader again, or else kills the one that leads.
func (d *demo) killOrRevive() {
	for i, n := range d.leaders {
		if n.killed {
			n.stop()
			again, err := startNode(d.ctx, n.name, d.redis, d.sdkKey, d.cdnURL, d.log)
			if err != nil {
				d.screen.eventf("%s could not be started: %v", n.name, err)
				return
			}
			d.leaders[i] = again
			d.screen.eventf("%s is back as a candidate", n.name)
			return
		}
	}
	n := d.leading()
	if n == nil {
		d.screen.event("there is no leader to kill at the moment")
		return
	}
	n.kill()
	d.killedAt = time.Now()
	d.screen.event(terminal.Sprintf("%s: its connections were cut before it could release the lock.", terminal.Paint(terminal.Red, n.name+" was killed")),
		terminal.Sprintf("The lock expires within %v; meanwhile the followers evaluate from memory.", leader.FastTimings().LeaseDuration))
}

func (d *demo) watchLeaders() {
	n := d.leading()
	name := ""
	if n != nil {
		name = n.name
		d.local.Store(n.leader)
		d.watchPolls(n)
	}
	if name == d.leader {
		return
	}
	d.leader = name
	switch {
	case name == "":
		d.screen.event("no leader")
	case d.killedAt.IsZero():
		d.screen.event(terminal.Paint(terminal.Green, name+" leads"))
	default:
		d.screen.eventf("%s, %s after the kill", terminal.Paint(terminal.Green, name+" leads"), duration(time.Since(d.killedAt)))
		d.killedAt = time.Time{}
	}
}

// watchPolls shows why a change is delayed.
func (d *demo) watchPolls(n *node) {
	stats := n.stats()
	if stats.PollError != d.pollError {
		d.pollError = stats.PollError
		if d.pollError != "" {
			d.screen.eventf("%s cannot poll the CDN: %s", n.name, d.pollError)
		}
	}
	if stats.Suspect > d.suspect[n] {
		d.screen.event("the CDN serves content that was just replaced; the leader polls again to confirm it")
	}
	d.suspect[n] = stats.Suspect
}

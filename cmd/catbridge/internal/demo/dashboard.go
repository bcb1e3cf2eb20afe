package demo

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/httpd"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/ui"
	"github.com/catbridge/catbridge/leader"
)

// dashboard is the dashboard of the leader that leads.
type dashboard struct {
	demo     *demo
	client   redis.UniversalClient
	observer *observe.Observer
}

// newDashboard returns a dashboard, which the caller must run or close.
func (d *demo) newDashboard() (*dashboard, error) {
	b := &dashboard{demo: d, client: d.redis.LeaderClient(nil)}
	d.local.Store(d.leaders[0].leader)
	var err error
	b.observer, err = observe.New(observe.Config{
		Redis: b.client, Namespace: d.redis.Namespace(), Leader: func() leader.Stats { return d.local.Load().Stats() },
	})
	if err == nil {
		err = b.observer.SetTargets([]observe.Target{{Label: keyName, Key: d.sdkKey, Client: d.readers[0].Client}})
	}
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// open returns what serves the dashboard. Only this machine reaches the demo, whose flags are its own.
func (b *dashboard) open(local bool) (httpd.UI, error) {
	return ui.New(ui.Config{
		Process: "leader", Observer: b.observer, Acts: true, Redis: b.client, Namespace: b.demo.redis.Namespace(),
		Open: local, OpenActions: true, Logger: b.demo.log.With("part", "ui"),
	})
}

func (b *dashboard) run(ctx context.Context) {
	if err := b.observer.Run(ctx); err != nil {
		b.demo.screen.eventf("the dashboard failed: %v", err)
	}
	b.close()
}

func (b *dashboard) close() { _ = b.client.Close() }

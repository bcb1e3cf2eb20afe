package main

import (
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
)

// leaderDashboard is the dashboard of a leader, with a follower for each SDK key: a leader itself
// keeps no config. It is not safe for concurrent use, apart from the dashboard's server.
type leaderDashboard struct {
	*dashboard
	client   redis.UniversalClient // of the followers
	starter  starter
	watching []servedKey
}

// newLeaderDashboard returns the dashboard of a leader, which shows nothing until show is called. If
// it is off, it only applies settings to the leader. The caller must close it.
func newLeaderDashboard(s *settings.Settings, l *leader.Leader, level slog.Leveler, log *slog.Logger) (*leaderDashboard, error) {
	base, err := newDashboard(s, l.Stats, log)
	if err != nil || base == nil {
		return &leaderDashboard{}, err
	}
	d := &leaderDashboard{dashboard: base, client: s.RedisOptions.Client()}
	d.starter = starter{redis: d.client, level: level, log: log.With("part", "ui"), configure: func(k settings.SDKKey) follower.Config {
		return plainFollower(s, k)
	}}
	return d, nil
}

// apply applies settings to the leader, by apply, and to its dashboard. If there is an error, nothing
// changes.
func (d *leaderDashboard) apply(s *settings.Settings, apply func() error) error {
	if d.dashboard == nil {
		return apply()
	}
	next, fresh, err := d.starter.plan(s.SDKKeys, d.watching)
	if err == nil {
		err = apply()
	}
	if err != nil {
		closeAll(fresh)
		return err
	}
	if err := d.show(s, next); err != nil {
		closeAll(fresh)
		return err // unreachable: the settings were checked
	}
	gone := without(next, d.watching)
	d.watching = next
	closeAll(gone)
	return nil
}

func (d *leaderDashboard) close() {
	closeAll(d.watching)
	if d.dashboard != nil {
		_ = d.client.Close()
		d.dashboard.close()
	}
}

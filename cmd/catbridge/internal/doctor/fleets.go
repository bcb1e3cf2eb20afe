package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/wire"
)

// databases is the default number of databases of a Redis.
const databases = 16

type fleet struct {
	db          int
	channel     string
	leader      string // empty: no leader, or its lock may not be read
	epoch       int64
	subscribers int64
}

// fleets reports the channel in use, fleets of the same SDK key in other databases, and leaders
// that publish on the wrong channel. Leaders of old versions do so: their channels lack the
// database's number.
func (d *Doctor) fleets(ctx context.Context, i int) {
	o := d.Settings.RedisOptions
	own := o.Keys(d.Settings.SDKKeys[i].Key)
	d.good("the channel is %s: database %d, namespace %s", own.Events, o.DB(), cmp.Or(o.Namespace(), "none"))
	if d.Settings.Redis.Mode == redisurl.Cluster {
		return // it has one database
	}
	others, err := d.otherFleets(ctx, i)
	if err != nil {
		d.unknown("unknown whether other databases have fleets of this SDK key: %v", redisurl.Explain(err))
	}
	for _, f := range others {
		who := "without a leader"
		if f.leader != "" {
			who = "led by " + f.leader
		}
		d.unknown("database %d has a fleet of the same SDK key, %s; its channel %[4]s has %[3]d subscribers", f.db, who, f.subscribers, f.channel)
	}
	d.strangers(ctx, i, own, others)
}

// otherFleets returns the fleets in other databases. If these cannot be read, it returns an error
// and the fleets whose channels have subscribers.
func (d *Doctor) otherFleets(ctx context.Context, i int) ([]fleet, error) {
	o, sdkKey := d.Settings.RedisOptions, d.Settings.SDKKeys[i].Key
	var others []fleet
	var channels []string
	for db := range databases {
		if db != o.DB() {
			channel := o.In(db).Keys(sdkKey).Events
			others, channels = append(others, fleet{db: db, channel: channel}), append(channels, channel)
		}
	}
	if counts, err := d.client.PubSubNumSub(ctx, channels...).Result(); err == nil {
		for k := range others {
			others[k].subscribers = counts[others[k].channel]
		}
	}
	var failed error
	for k := range others {
		if err := others[k].lookUp(ctx, o, sdkKey); err != nil {
			if !redis.HasErrorPrefix(err, "DB index is out of range") {
				failed = err
			}
			break
		}
	}
	found := others[:0]
	for _, f := range others {
		if f.leader != "" || f.subscribers > 0 {
			found = append(found, f)
		}
	}
	return found, failed
}

func (f *fleet) lookUp(ctx context.Context, o redisurl.Options, sdkKey string) error {
	client := o.In(f.db).LeaderClient(nil)
	defer client.Close()
	var lock *redis.StringCmd
	new(limited.Reader).Do(ctx, func(get limited.Get) { lock = get(client, o.Keys(sdkKey).Lock, wire.MaxLockBytes) })
	value, err := lock.Result()
	switch {
	case errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE"):
		return nil
	case err != nil:
		return fmt.Errorf("database %d: %w", f.db, err)
	}
	if id, epoch, err := wire.ParseLock(value); err == nil {
		f.leader, f.epoch = id, epoch
	}
	return nil
}

// strangers reports leaders that publish on the wrong channel. If there may be any, it listens
// long enough to receive a message of every leader.
func (d *Doctor) strangers(ctx context.Context, i int, own cachekeys.Keys, others []fleet) {
	channels := []string{own.Events}
	view := d.views[i]
	silent := view != nil && view.Leader != nil && !d.alive[i]
	if common := cachekeys.For(d.Settings.SDKKeys[i].Key, d.Settings.RedisOptions.Namespace(), 0).Events; common != own.Events && silent {
		channels = append(channels, common)
	}
	led := map[int64]fleet{}
	for _, f := range others {
		if f.leader != "" {
			led[f.epoch] = f
		}
	}
	if len(led) == 0 && len(channels) == 1 {
		return
	}
	options := d.subscription(own.Events)
	options.Channels = channels
	sub, err := subscription.Open(ctx, d.client, options)
	if err != nil {
		return // the check of messages reports it
	}
	defer sub.Close()
	const advice = "that leader is of a version whose channels do not have the database in their names: upgrade the leaders and followers of that database together"
	reported := map[int64]bool{}
	defer context.AfterFunc(ctx, sub.Close)()
	defer time.AfterFunc(d.Settings.Timings.RenewInterval+d.Settings.Timings.RenewInterval/2, sub.Close).Stop()
	for {
		raw, err := sub.Receive()
		if err != nil {
			return
		}
		m, err := wire.ParseMessage([]byte(raw.Payload))
		if err != nil {
			continue
		}
		f, other := led[m.Epoch]
		switch {
		case reported[m.Epoch]:
		case raw.Channel == own.Events && other:
			reported[m.Epoch] = true
			d.fault(advice, "the leader of database %d publishes on the channel of this database: followers here would take its config", f.db)
		case raw.Channel != own.Events && silent && m.Epoch == view.Leader.Epoch:
			reported[m.Epoch] = true
			d.fault(advice, "the leader of this database publishes on %s, to which followers of this version do not subscribe", raw.Channel)
		}
	}
}

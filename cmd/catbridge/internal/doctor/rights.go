package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
)

// rights sends the commands of the role to Redis, in a form that changes nothing.
func (d *Doctor) rights(ctx context.Context, i int) {
	k := d.Settings.SDKKeys[i]
	var missing []string
	var err error
	if d.As == Leader {
		missing, err = leaderRights(ctx, d.client, k.Key, d.Settings.RedisOptions.Namespace())
	} else {
		missing, err = d.followerRights(ctx, d.Settings.RedisOptions.Keys(k.Key))
	}
	switch {
	case err != nil:
		d.fault("", "the rights of a %s cannot be checked: %v", d.As, redisurl.Explain(err))
	case len(missing) > 0:
		d.fault("grant them with ACL SETUSER, see deploy/acl", "the user lacks rights of a %s: %s", d.As, strings.Join(missing, " "))
	default:
		d.good("this user has all rights of a %s", d.As)
	}
}

func leaderRights(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) ([]string, error) {
	err := leader.CheckRights(ctx, client, sdkKey, namespace)
	if lacks, ok := errors.AsType[*leader.RightsError](err); ok {
		return lacks.Missing, nil
	}
	return nil, err
}

// try is a command that changes nothing, and the rule that grants it.
type try struct {
	command string
	grant   string // for key or channel
	send    func() error
}

func (d *Doctor) followerRights(ctx context.Context, keys cachekeys.Keys) ([]string, error) {
	get := func(key string) try {
		return try{"get", "%R~" + key, func() error { return limited.Send(ctx, d.client, 0, "get", key).Err() }}
	}
	part := func(key string) try {
		return try{"getrange", "%R~" + key, func() error { return d.client.GetRange(ctx, key, 0, 0).Err() }}
	}
	tries := []try{
		get(keys.Entry), get(keys.Blob), get(keys.Lock), part(keys.Entry), part(keys.Blob), part(keys.Lock),
		{"hmget", "%R~" + keys.Meta, func() error { return limited.HMGet(ctx, d.client, 0, keys.Meta, wire.MetaFields()...).Err() }},
		{"subscribe", "&" + keys.Events, func() error { return d.subscribe(ctx, keys.Events) }},
	}
	if d.As == Reporter {
		none := redis.ZAddArgs{XX: true, Members: []redis.Z{{Member: "-"}}}
		tries = append(tries,
			try{"zadd", "~" + keys.Fleet, func() error { return d.client.ZAddArgs(ctx, keys.Fleet, none).Err() }},
			try{"zremrangebyscore", "~" + keys.Fleet, func() error { return d.client.ZRemRangeByScore(ctx, keys.Fleet, "(0", "(0").Err() }})
	}
	var missing []string
	for _, t := range tries {
		err := t.send()
		rule := t.grant
		if err != nil && strings.Contains(err.Error(), "'"+t.command+"' command") {
			rule = "+" + t.command
		}
		switch {
		case redis.IsPermissionError(err) || isRefused(err):
			if !slices.Contains(missing, rule) {
				missing = append(missing, rule)
			}
		case err == nil || errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE"):
		default:
			return nil, err
		}
	}
	return missing, nil
}

func isRefused(err error) bool {
	_, ok := errors.AsType[*subscription.RefusedError](err)
	return ok
}

func (d *Doctor) subscribe(ctx context.Context, channel string) error {
	sub, err := subscription.Open(ctx, d.client, d.subscription(channel))
	if err == nil {
		sub.Close()
	}
	return err
}

func (d *Doctor) subscription(channel string) subscription.Options {
	t := d.Settings.Timing
	return subscription.Options{Channels: []string{channel}, Idle: t.Idle, Dead: t.Dead, Ack: d.Timeout}
}

// scripts runs a script that reads like the bridge's scripts.
func (d *Doctor) scripts(ctx context.Context) {
	if d.As != Leader {
		d.unknown("not checked: a %s runs no scripts", d.As)
		return
	}
	err := leader.CheckScripts(ctx, d.client, d.Settings.SDKKeys[0].Key, d.Settings.RedisOptions.Namespace())
	if reply, ok := errors.AsType[redis.Error](err); ok {
		err = reply // the reply of Redis is enough
	}
	switch {
	case err == nil:
		d.good("Lua scripts run, and may call the commands that the bridge's scripts need")
	case redis.IsPermissionError(err):
		d.fault("grant +evalsha and +eval, and the rights that the check of rights lists", "this user may not run the bridge's scripts: %v", err)
	default:
		d.fault("use a Redis that allows EVALSHA and EVAL, and in scripts TIME, GET, GETRANGE, HMGET, PTTL and commands that write",
			"the bridge's scripts do not run: %v", redisurl.Explain(err))
	}
}

package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/internal/acl"
	"github.com/catbridge/catbridge/internal/subscription"
)

// rights checks the rights of the role. It changes nothing.
func (d *Doctor) rights(ctx context.Context, i int) {
	check := acl.CheckFollower
	switch d.As {
	case Leader:
		check = acl.CheckLeader
	case Reporter:
		check = acl.CheckReporter
	}
	err := check(ctx, d.client, d.Settings.SDKKeys[i].Key, d.Settings.RedisOptions.Namespace())
	lacks, ok := errors.AsType[*acl.RightsError](err)
	switch {
	case ok && len(lacks.Required()) == 0:
		d.fault(words.AdviceOnRights, "%s", words.MissingRights(string(d.As), lacks.Missing, true))
	case ok:
		d.fault(words.AdviceOnRights, "%s", words.MissingRights(string(d.As), lacks.Missing, false))
	case err != nil:
		d.fault("", "the rights of a %s cannot be checked: %v", d.As, redisurl.Explain(err))
	default:
		d.good("this user has all rights of a %s", d.As)
	}
}

// dashboard checks the rights to what the dashboard reads, if it is on.
func (d *Doctor) dashboard(ctx context.Context, i int) {
	err := acl.CheckDashboard(ctx, d.client, d.Settings.SDKKeys[i].Key, d.Settings.RedisOptions.Namespace())
	lacks, ok := errors.AsType[*acl.RightsError](err)
	switch {
	case ok:
		d.fault(words.AdviceOnRights, "the user lacks rights to what the dashboard shows: %s", strings.Join(lacks.Missing, " "))
	case err != nil:
		d.fault("", "the rights to what the dashboard shows cannot be checked: %v", redisurl.Explain(err))
	default:
		d.good("this user may read all that the dashboard shows")
	}
}

func (d *Doctor) subscription(channel string) subscription.Options {
	t := d.Settings.Timings
	return subscription.Options{Channels: []string{channel}, Idle: t.Idle, Dead: t.Dead, Ack: d.Timeout}
}

// scripts runs a script that reads like the bridge's scripts.
func (d *Doctor) scripts(ctx context.Context) {
	if d.As != Leader {
		d.unknown("not checked: a %s runs no scripts", d.As)
		return
	}
	err := acl.CheckScripts(ctx, d.client, d.Settings.SDKKeys[0].Key, d.Settings.RedisOptions.Namespace())
	if errors.Is(err, acl.ErrNoHistory) {
		d.fault("grant +xadd, +xrevrange and +xtrim, or set history.entries to 0", "Lua scripts run, but the leader leads without a history: %v", err)
		return
	}
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

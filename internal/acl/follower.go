package acl

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
)

// try is a command that changes nothing, and the rule that grants access to its key or channel.
type try struct {
	grant string
	send  func() error
}

// CheckFollower checks whether the client's user may run all commands of a follower of the
// SDK key in the namespace; an empty namespace means none. A follower has no right to ask Redis
// for its rights, so CheckFollower runs the follower's commands, which only read. It returns a
// [*RightsError] if rights are missing; any other error says that the check failed. If the right
// to a command is missing, missing rights to its keys are not reported. In a cluster it asks the
// nodes that a follower would ask.
func CheckFollower(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) error {
	keys := cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB)
	return check(client, followerTries(ctx, client, keys))
}

// CheckReporter is like [CheckFollower], for a follower that reports to the fleet report. The
// further commands change nothing: they find no member.
func CheckReporter(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) error {
	keys := cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB)
	none := redis.ZAddArgs{XX: true, Members: []redis.Z{{Member: "-"}}}
	return check(client, append(followerTries(ctx, client, keys),
		try{"~" + keys.Fleet, func() error { return client.ZAddArgs(ctx, keys.Fleet, none).Err() }},
		try{"~" + keys.Fleet, func() error { return client.ZRemRangeByScore(ctx, keys.Fleet, "(0", "(0").Err() }},
	))
}

// CheckDashboard is like [CheckFollower], for what the dashboard reads in addition. Without these rights
// it shows less.
func CheckDashboard(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) error {
	keys := cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB)
	bridge := "%R~" + strings.TrimSuffix(keys.Lock, "lock") + "*"
	return check(client, []try{
		{"", func() error { return client.Time(ctx).Err() }},
		{bridge, func() error { return client.PTTL(ctx, keys.Lock).Err() }},
		{bridge, func() error { return client.ZRange(ctx, keys.Fleet, 0, 0).Err() }},
		{bridge, func() error { return client.XRevRangeN(ctx, keys.History, "+", "-", 1).Err() }},
		{"", func() error { return client.PubSubNumSub(ctx, keys.Events).Err() }},
	})
}

func followerTries(ctx context.Context, client redis.UniversalClient, keys cachekeys.Keys) []try {
	entry, bridge := "%R~"+keys.Entry, "%R~"+strings.TrimSuffix(keys.Lock, "lock")+"*"
	tries := []try{{"", func() error { return client.Ping(ctx).Err() }}}
	for _, read := range []struct{ grant, key string }{{entry, keys.Entry}, {bridge, keys.Blob}, {bridge, keys.Patches}, {bridge, keys.Lock}} {
		tries = append(tries,
			try{read.grant, func() error { return limited.Send(ctx, client, limited.Limits{}, "get", read.key).Err() }},
			try{read.grant, func() error { return client.GetRange(ctx, read.key, 0, 0).Err() }})
	}
	return append(tries,
		try{bridge, func() error { return limited.HMGet(ctx, client, 0, keys.Meta, wire.MetaFields()...).Err() }},
		try{"&" + keys.Events, func() error { return subscribe(ctx, client, keys.Events) }})
}

func check(client redis.UniversalClient, tries []try) error {
	if err := redisnode.Check(client); err != nil {
		return rightsError(nil, nil, err)
	}
	var missing []string
	for _, try := range tries {
		switch err := try.send(); {
		case deniedRule(err) != "":
			missing = append(missing, deniedRule(err))
		case redis.IsPermissionError(err):
			missing = append(missing, try.grant)
		case err != nil && !errors.Is(err, redis.Nil) && !redis.HasErrorPrefix(err, "WRONGTYPE"):
			return rightsError(nil, nil, err)
		}
	}
	return rightsError(missing, nil, nil)
}

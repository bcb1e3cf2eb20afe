package leader

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

// CheckFollowerRights checks whether the client's user may run all commands of a follower
// of the SDK key in the namespace; an empty namespace means none. A follower has no right
// to ask Redis for its rights, so CheckFollowerRights runs the follower's commands, which
// only read. It returns a [*RightsError] if rights are missing; any other error says that
// the check failed. If the right to a command is missing, missing rights to its keys are not
// reported. In a cluster it asks the nodes that a follower would ask.
func CheckFollowerRights(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) error {
	keys := cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB)
	bridge := "%R~" + strings.TrimSuffix(keys.Lock, "lock") + "*"
	var missing []string
	for _, try := range []struct {
		grant string
		run   func() error
	}{
		{"", func() error { return client.Ping(ctx).Err() }},
		{"%R~" + keys.Entry, func() error { return limited.Send(ctx, client, 0, "get", keys.Entry).Err() }},
		{bridge, func() error { return limited.Send(ctx, client, 0, "get", keys.Blob).Err() }},
		{bridge, func() error { return limited.Send(ctx, client, 0, "get", keys.Lock).Err() }},
		{"%R~" + keys.Entry, func() error { return client.GetRange(ctx, keys.Entry, 0, 0).Err() }},
		{bridge, func() error { return client.GetRange(ctx, keys.Blob, 0, 0).Err() }},
		{bridge, func() error { return limited.HMGet(ctx, client, 0, keys.Meta, wire.MetaFields()...).Err() }},
		{"&" + keys.Events, func() error { return subscribe(ctx, client, keys.Events) }},
	} {
		switch err := try.run(); {
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

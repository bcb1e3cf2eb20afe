package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/leader"
)

const (
	rightsTimeout = 5 * time.Second  // of one try
	rightsRetry   = 10 * time.Second // where Redis could not be asked
)

// checkRights tells at the start which rights in Redis are missing. A leader runs
// without them all the same, as far as it can: they may be granted meanwhile.
func checkRights(ctx context.Context, client redis.UniversalClient, key leader.SDKKey, log *slog.Logger) error {
	for {
		try, cancel := context.WithTimeout(ctx, rightsTimeout)
		err := leader.CheckRights(try, client, key.Key)
		cancel()
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if missing, ok := errors.AsType[*leader.RightsError](err); ok {
			log.Error("the user of Redis lacks rights: grant them with ACL SETUSER", "missing", missing.Missing, "nodes", missing.Nodes)
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rightsRetry):
		}
	}
}

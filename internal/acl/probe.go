package acl

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/redisnode"
)

//go:embed probe.lua
var probeSource string

// ErrNoHistory is returned if the leader's scripts run, but cannot extend the history.
var ErrNoHistory = errors.New("the history cannot be extended")

var probeScript = redis.NewScript(probeSource)

// CheckScripts runs a script that reads what the leader's scripts read for an SDK key, with
// the same commands. Its error says what Redis refused: some managed services forbid commands
// within scripts only, for example TIME. The error is [ErrNoHistory] if Redis refuses only what the
// history needs.
func CheckScripts(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) error {
	keys := cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB)
	reply, err := probeScript.Run(ctx, client, []string{keys.Entry, keys.Lock, keys.Meta, keys.Blob, keys.History}).Text()
	switch {
	case err != nil:
		return fmt.Errorf("scripts in Redis: %w", err)
	case reply != "OK":
		return fmt.Errorf("scripts in Redis: %w: %s", ErrNoHistory, reply)
	}
	return nil
}

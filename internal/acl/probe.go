package acl

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/redisnode"
)

//go:embed probe.lua
var probeSource string

var probeScript = redis.NewScript(probeSource)

// CheckScripts runs a script that reads what the leader's scripts read for an SDK key, with
// the same commands. Its error says what Redis refused: some managed services forbid commands
// within scripts only, for example TIME.
func CheckScripts(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) error {
	keys := cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB)
	err := probeScript.Run(ctx, client, []string{keys.Entry, keys.Lock, keys.Meta, keys.Blob}).Err()
	if err != nil {
		return fmt.Errorf("scripts in Redis: %w", err)
	}
	return nil
}

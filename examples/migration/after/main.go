// Command after is the service after the migration: one leader fetches the flags for all
// processes, and a follower reads them from Redis. The changes are the import, the
// constructor with its Redis client, and waiting instead of fetching.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	options, err := redis.ParseURL(cmp.Or(os.Getenv("CATBRIDGE_REDIS_URL"), "redis://localhost:6379"))
	if err != nil {
		return fmt.Errorf("CATBRIDGE_REDIS_URL: %w", err)
	}
	options.ContextTimeoutEnabled = true
	redis.SetLogger(redisLog{slog.Default()})
	rdb := redis.NewClient(options)
	defer rdb.Close()
	client, err := follower.New(follower.Config{
		SDKKey: os.Getenv("CATBRIDGE_SDK_KEY"),
		Redis:  rdb,
		Logger: slog.Default(),
	})
	if err != nil {
		return err // the configuration is invalid
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if state, err := client.WaitForReady(ctx); err != nil || state == follower.NoFlagData {
		fmt.Fprintln(os.Stderr, "continuing with defaults:", state, err)
	}
	fmt.Println(greeting(client, "42", "jane@example.com"))
	return nil
}

func greeting(client *follower.Client, id, email string) string {
	user := &follower.UserData{Identifier: id, Email: email}
	if client.GetBoolValue("newGreeting", false, user) {
		return client.GetStringValue("greeting", "Hello", user)
	}
	return "Hello"
}

// redisLog logs go-redis's own lines at level debug instead of writing them to standard
// error. The client's events report the same with more context. go-redis has one logger for
// the whole process.
type redisLog struct{ log *slog.Logger }

func (r redisLog) Printf(ctx context.Context, format string, args ...any) {
	r.log.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
}

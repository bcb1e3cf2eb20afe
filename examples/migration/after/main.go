// Command after is the service after the migration: one leader fetches the flags for all
// processes, and a follower reads them from Redis. The import, the constructor with its Redis
// client, the hooks and the logger have changed; the evaluations have not.
package main

import (
	"cmp"
	"context"
	"expvar"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
)

// served counts the evaluations of each flag, failed the errors.
var (
	served = expvar.NewMap("flags_served")
	failed = expvar.NewInt("flags_failed")
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	logger := slog.New(handler{logger: printer{log.Default()}})
	redis.SetLogger(redisLog{logger})
	options, err := redis.ParseURL(cmp.Or(os.Getenv("CATBRIDGE_REDIS_URL"), "redis://localhost:6379"))
	if err != nil {
		return fmt.Errorf("CATBRIDGE_REDIS_URL: %w", err)
	}
	options.ContextTimeoutEnabled = true
	rdb := redis.NewClient(options)
	defer rdb.Close()

	client, err := newClient(rdb, logger)
	if err != nil {
		return err // the configuration is invalid
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if state, err := client.WaitForReady(ctx); err != nil || state == follower.NoFlagData {
		logger.Warn("continuing with defaults", "state", state, "error", err)
	}
	fmt.Println(greeting(client, "42", "jane@example.com"))
	return nil
}

func newClient(rdb *redis.Client, logger *slog.Logger) (*follower.Client, error) {
	return follower.New(follower.Config{
		SDKKey:       os.Getenv("CONFIGCAT_SDK_KEY"),
		Redis:        rdb,
		SnapshotFile: os.Getenv("FLAGS_FILE"),
		Logger:       logger,
		DefaultUser:  &follower.UserData{Identifier: "shop"},
		Hooks: &follower.Hooks{
			OnConfigChanged: func(*evaluate.Config) { log.Print("the flags have changed") },
			OnFlagEvaluated: countServed,
			OnError:         func(message string, err error) { failed.Add(1) },
		},
	})
}

// countServed counts like the official SDK's hook, which is not called for defaults.
func countServed(details *follower.EvaluationDetails) {
	if !details.Data.IsDefaultValue {
		served.Add(details.Data.Key, 1)
	}
}

func greeting(client *follower.Client, id, email string) string {
	user := &follower.UserData{Identifier: id, Email: email}
	if client.GetBoolValue("newCheckout", false, user) {
		return client.GetStringValue("bannerText", "Hello", user)
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

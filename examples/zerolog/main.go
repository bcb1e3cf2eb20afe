// Command zerolog logs a client's events through zerolog. It evaluates one flag and logs the
// evaluation, at level info.
//
//	CONFIGCAT_SDK_KEY=… go run ./examples/zerolog newCheckout
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/catbridge/catbridge/follower"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: zerolog <flag>")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, flag string) error {
	options, err := redis.ParseURL(cmp.Or(os.Getenv("CATBRIDGE_REDIS_URL"), "redis://localhost:6379"))
	if err != nil {
		return fmt.Errorf("CATBRIDGE_REDIS_URL: %w", err)
	}
	options.ContextTimeoutEnabled = true
	logger := newLogger(os.Stderr, zerolog.InfoLevel)
	redis.SetLogger(redisLog{logger})
	rdb := redis.NewClient(options)
	defer rdb.Close()
	client, err := follower.New(follower.Config{
		SDKKey: os.Getenv("CONFIGCAT_SDK_KEY"),
		Redis:  rdb,
		Logger: logger, LogLevel: follower.LogLevelInfo,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := client.WaitForReady(ctx); err != nil {
		return err
	}
	fmt.Println(client.GetBoolValue(flag, false, &follower.UserData{Identifier: "42"}))
	return nil
}

// redisLog logs go-redis's own lines at level debug instead of writing them to standard
// error. The client's events report the same with more context. go-redis has one logger for
// the whole process.
type redisLog struct{ log *slog.Logger }

func (r redisLog) Printf(ctx context.Context, format string, args ...any) {
	r.log.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
}

// newLogger returns a logger for [follower.Config] that writes JSON through zerolog. The
// attribute event_id is the event's number.
func newLogger(w io.Writer, level zerolog.Level) *slog.Logger {
	logger := zerolog.New(w).Level(level).With().Timestamp().Logger()
	return slog.New(zerolog.NewSlogHandler(logger))
}

// Command webserver serves feature flags over HTTP from a follower.
//
//	CONFIGCAT_SDK_KEY=… CATBRIDGE_REDIS_URL=redis://localhost:6379 go run ./examples/webserver
//	curl 'localhost:8083/flags?user=42&email=jane@example.com'
//	curl localhost:8083/metrics
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("webserver", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	options, err := redis.ParseURL(cmp.Or(os.Getenv("CATBRIDGE_REDIS_URL"), "redis://localhost:6379"))
	if err != nil {
		return fmt.Errorf("CATBRIDGE_REDIS_URL: %w", err)
	}
	options.ContextTimeoutEnabled = true
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	redis.SetLogger(redisLog{logger})
	rdb := redis.NewClient(options)
	defer rdb.Close()

	flags, err := follower.New(follower.Config{
		SDKKey: os.Getenv("CONFIGCAT_SDK_KEY"),
		Redis:  rdb,
		Logger: logger,
		// catbridge status counts this process by its reports. They need the Redis user reporter.
		FleetReport: 10 * time.Second,
	})
	if err != nil {
		return err
	}
	defer flags.Close()

	server := &http.Server{
		Addr:              cmp.Or(os.Getenv("ADDR"), "localhost:8083"),
		Handler:           newHandler(flags),
		ReadHeaderTimeout: 5 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = server.Shutdown(ctx)
	if ended := <-failed; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// redisLog logs go-redis's own lines at level debug instead of writing them to standard
// error. The client's events report the same with more context. go-redis has one logger for
// the whole process.
type redisLog struct{ log *slog.Logger }

func (r redisLog) Printf(ctx context.Context, format string, args ...any) {
	r.log.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
}

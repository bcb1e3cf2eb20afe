package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/leader"
)

const refreshLong = `refresh asks whoever leads to poll the CDN now, at most once a second however often it
is asked. A request is not lost: where nobody leads, the next leader's first poll answers it.
Followers are told of what is new as always; refresh does not wait for it.`

func newRefresh() *cobra.Command {
	var (
		f       settingsFlags
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:     "refresh",
		Short:   "Ask the leader to poll the CDN now",
		Long:    refreshLong,
		Example: "  catbridge refresh --sdk-key-file keys --redis redis://localhost:6379\n  catbridge refresh --config catbridge.yaml --name shop",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.load(cmd)
			if err != nil {
				return err
			}
			if timeout <= 0 {
				return usagef("--timeout: %v is not above zero", timeout)
			}
			client := s.RedisOptions.LeaderClient(nil)
			defer client.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return redisurl.Explain(refresh(ctx, cmd, client, s))
		},
	}
	f.AnySDKKey = true // nothing is fetched here
	f.add(cmd, settings.SDKKeys|settings.Redis)
	f.addName(cmd)
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "most that all of it may take, a `duration`")
	noCompletion(cmd, "timeout")
	return cmd
}

func refresh(ctx context.Context, cmd *cobra.Command, client redis.UniversalClient, s *settings.Settings) error {
	cfg := leader.Config{Redis: client, Namespace: s.RedisOptions.Namespace()}
	for _, k := range s.SDKKeys {
		cfg.SDKKeys = append(cfg.SDKKeys, leader.SDKKey{Name: k.Label(), Key: k.Key, BaseURL: "https://cdn.invalid"})
	}
	l, err := leader.New(cfg)
	if err != nil {
		return &usageError{err}
	}
	for _, k := range s.SDKKeys {
		if err := l.RequestRefresh(ctx, k.Label()); err != nil {
			return fmt.Errorf("%s: %w", k.Label(), err)
		}
		switch _, err := client.Get(ctx, s.RedisOptions.Keys(k.Key).Lock).Result(); {
		case errors.Is(err, redis.Nil):
			fmt.Fprintf(cmd.OutOrStdout(), "%s: nobody leads; the next leader will poll when it takes over\n", k.Label())
		case err != nil:
			return fmt.Errorf("%s: who leads: %w", k.Label(), err)
		default:
			fmt.Fprintf(cmd.OutOrStdout(), "%s: the leader was asked to poll now\n", k.Label())
		}
	}
	return nil
}

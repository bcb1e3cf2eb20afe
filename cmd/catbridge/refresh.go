package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/leader"
)

const refreshLong = `refresh asks whoever leads to poll the CDN now, at most once a second however often it
is asked. A request is not lost: where nobody leads, the next leader's first poll answers it.
Followers are told of what is new as always; refresh does not wait for it.`

func newRefresh() *cobra.Command {
	var (
		keys    sdkKeyFlags
		redises redisFlags
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:     "refresh",
		Short:   "Ask the leader to poll the CDN now",
		Long:    refreshLong,
		Example: "  catbridge refresh --sdk-key-file keys --redis redis://localhost:6379",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Nothing is fetched here, so that a proxy's key needs no base URL.
			given, err := keys.read(cmd, true)
			if err != nil {
				return err
			}
			if timeout <= 0 {
				return usagef("--timeout: %v is not above zero", timeout)
			}
			o, err := redises.read(cmd)
			if err != nil {
				return err
			}
			client := o.LeaderClient(nil)
			defer client.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return refresh(ctx, cmd, client, given)
		},
	}
	keys.add(cmd, "SDK key, `[name=]key`; may be repeated")
	redises.add(cmd)
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "most that all of it may take, a `duration`")
	return cmd
}

func refresh(ctx context.Context, cmd *cobra.Command, client redis.UniversalClient, keys []namedKey) error {
	cfg := leader.Config{Redis: client}
	for _, k := range keys {
		cfg.SDKKeys = append(cfg.SDKKeys, leader.SDKKey{Name: k.label(), Key: k.key, BaseURL: "https://cdn.invalid"})
	}
	l, err := leader.New(cfg)
	if err != nil {
		return usagef("%s", oneLine(err))
	}
	for _, k := range keys {
		if err := l.RequestRefresh(ctx, k.label()); err != nil {
			return fmt.Errorf("%s: %w", k.label(), err)
		}
		switch _, err := client.Get(ctx, cachekeys.For(k.key).Lock).Result(); {
		case errors.Is(err, redis.Nil):
			fmt.Fprintf(cmd.OutOrStdout(), "%s: nobody leads; the next leader will poll when it takes over\n", k.label())
		case err != nil:
			return fmt.Errorf("%s: who leads: %w", k.label(), err)
		default:
			fmt.Fprintf(cmd.OutOrStdout(), "%s: the leader was asked to poll now\n", k.label())
		}
	}
	return nil
}

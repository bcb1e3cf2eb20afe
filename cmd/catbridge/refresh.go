package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/leader"
)

const refreshLong = `refresh asks whoever leads to poll the CDN now, at most once a second however often it
is asked. A request is not lost: where nobody leads, the next leader's first poll answers it.
It says whether the CDN answered, and with what; followers are told of what is new as
always.

Exit codes: 0 the CDN answered, or nobody leads; 1 somebody leads, but no answer came
within --timeout, or Redis does not answer; 2 wrong usage.`

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
			return refresh(ctx, cmd, client, s)
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
	requests := make([]asked, len(s.SDKKeys))
	for i, k := range s.SDKKeys {
		requests[i] = asked{client: client, keys: s.RedisOptions.Keys(k.Key)}
		if err := requests[i].ask(ctx, l, k.Label()); err != nil {
			return fmt.Errorf("%s: %w", k.Label(), redisurl.Explain(err))
		}
	}
	var failed []error
	for i, k := range s.SDKKeys {
		answer, err := requests[i].answer(ctx)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", k.Label(), redisurl.Explain(err)))
			continue
		}
		if err := stdout(cmd).Linef("%s: %s", k.Label(), answer); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// asked is a request that was made, and what was current before.
type asked struct {
	client redis.UniversalClient
	keys   cachekeys.Keys
	before cachekeys.Meta
	blind  bool // meta may not be read, so that no answer can be seen
	at     time.Time
}

func (r *asked) ask(ctx context.Context, l *leader.Leader, name string) error {
	var err error
	if r.before, err = r.meta(ctx); redis.IsPermissionError(err) {
		r.blind = true
	} else if err != nil {
		return err
	}
	r.at = time.Now()
	return l.RequestRefresh(ctx, name)
}

// meta is what is current. What cannot be read as such is nothing.
func (r *asked) meta(ctx context.Context) (cachekeys.Meta, error) {
	fields, err := limited.HMGet(ctx, r.client, cachekeys.MaxMetaFieldBytes, r.keys.Meta, cachekeys.MetaFields()...).Values()
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return cachekeys.Meta{}, fmt.Errorf("what is current: %w", err)
	}
	meta, err := cachekeys.ParseMeta(fields)
	if err != nil {
		return cachekeys.Meta{}, nil // the leader mends it
	}
	return meta, nil
}

// locked reports whether there is a lock, of which it keeps nothing.
func (r *asked) locked(ctx context.Context) (bool, error) {
	lock, err := limited.Send(ctx, r.client, 0, "get", r.keys.Lock).Values()
	return len(lock) > 0 && lock[0] != nil, err
}

// answerEvery is how often it is looked whether the CDN answered.
const answerEvery = 50 * time.Millisecond

// errNoAnswer says that somebody leads, but does not get through to the CDN, or lives no more.
var errNoAnswer = errors.New("the leader was asked to poll, but no answer of the CDN came in time; see its log, and --timeout")

// answer waits for the CDN's answer to the leader, and says what came of it.
func (r *asked) answer(ctx context.Context) (string, error) {
	ticker := time.NewTicker(answerEvery)
	defer ticker.Stop()
	for {
		switch locked, err := r.locked(ctx); {
		case err == nil && !locked:
			return "nobody leads; the next leader will poll when it takes over", nil
		case redis.HasErrorPrefix(err, "WRONGTYPE"): // the next leader overwrites it
		case ctx.Err() != nil:
			return "", errNoAnswer
		case err != nil:
			return "", fmt.Errorf("who leads: %w", err)
		}
		if r.blind {
			return "the leader was asked to poll now; whether it does cannot be seen without the right to read meta (+hmget)", nil
		}
		meta, err := r.meta(ctx)
		took := time.Since(r.at).Round(time.Millisecond)
		switch {
		case ctx.Err() != nil:
			return "", errNoAnswer
		case err != nil:
			return "", err
		case meta.CDN <= r.before.CDN:
		case meta.Hash == r.before.Hash:
			return fmt.Sprintf("the leader polled, and the CDN answered within %v: nothing new, rev %d", took, meta.Rev), nil
		default:
			return fmt.Sprintf("the leader polled, and the CDN answered within %v: a new config, rev %d", took, meta.Rev), nil
		}
		select {
		case <-ctx.Done():
			return "", errNoAnswer
		case <-ticker.C:
		}
	}
}

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

const refreshLong = `refresh asks the leader to poll the CDN now. The leader polls at most once a second on
request. No request is lost: without a leader, the first poll of the next leader answers it.
refresh prints whether the CDN answered, and whether the config is new. Followers are
notified of a new config as always.

Exit codes: 0 the CDN answered, or there is no leader; 1 there is a leader, but no answer
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
	f.AnySDKKey = true // refresh fetches nothing
	f.add(cmd, settings.SDKKeys|settings.Redis)
	f.addName(cmd)
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "timeout of the command, a `duration`")
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

// asked is a request that was sent, and the state before it.
type asked struct {
	client redis.UniversalClient
	keys   cachekeys.Keys
	before cachekeys.Meta
	blind  bool // the right to read meta is missing, and with it any sign of an answer
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

// meta reads meta. If meta is malformed, it returns the zero value.
func (r *asked) meta(ctx context.Context) (cachekeys.Meta, error) {
	fields, err := limited.HMGet(ctx, r.client, cachekeys.MaxMetaFieldBytes, r.keys.Meta, cachekeys.MetaFields()...).Values()
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return cachekeys.Meta{}, fmt.Errorf("read meta: %w", err)
	}
	meta, err := cachekeys.ParseMeta(fields)
	if err != nil {
		return cachekeys.Meta{}, nil // the leader repairs it
	}
	return meta, nil
}

// locked reports whether the lock exists.
func (r *asked) locked(ctx context.Context) (bool, error) {
	lock, err := limited.Send(ctx, r.client, 0, "get", r.keys.Lock).Values()
	return len(lock) > 0 && lock[0] != nil, err
}

// answerEvery is how often meta is read for the answer of the CDN.
const answerEvery = 50 * time.Millisecond

// errNoAnswer means that the lock exists, but its leader cannot reach the CDN, or is dead.
var errNoAnswer = errors.New("the leader was asked to poll, but the CDN did not answer in time; see the leader's log, or raise --timeout")

// answer waits for the CDN's answer to the leader, and describes it.
func (r *asked) answer(ctx context.Context) (string, error) {
	ticker := time.NewTicker(answerEvery)
	defer ticker.Stop()
	for {
		switch locked, err := r.locked(ctx); {
		case err == nil && !locked:
			return "there is no leader; the next leader will poll when it takes over", nil
		case redis.HasErrorPrefix(err, "WRONGTYPE"): // the next leader overwrites it
		case ctx.Err() != nil:
			return "", errNoAnswer
		case err != nil:
			return "", fmt.Errorf("read the lock: %w", err)
		}
		if r.blind {
			return "the leader was asked to poll; grant the right to read meta (+hmget) to see its answer", nil
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

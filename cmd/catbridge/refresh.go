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
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
)

const refreshLong = `refresh asks the leader to poll the CDN now. The leader polls at most once a second on
request. No request is lost: without a leader, the first poll of the next leader answers it.
refresh prints whether the CDN answered, and whether the config is new. An answer without a
change raises the rev, too. Followers are notified of a new config as always.

Edges of the CDN may lag: if the CDN has nothing new, the leader polls again 2, 5 and 10 s
later. refresh does not wait for these polls.

Exit codes: 0 the CDN answered; 1 there is no leader, or no answer within --timeout, or
Redis does not answer; 2 wrong usage.`

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
			return cannotAsk(k.Label(), err)
		}
	}
	// One limit for all SDK keys.
	deadline, _ := ctx.Deadline()
	last, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline.Add(lastLook))
	defer cancel()
	var failed []error
	for i, k := range s.SDKKeys {
		answer, err := requests[i].answer(ctx, last)
		if unanswered, ok := errors.AsType[*noAnswerError](err); ok {
			failed = append(failed, fmt.Errorf("%s: %w", k.Label(), unanswered))
			continue
		}
		if err != nil {
			failed = append(failed, cannotAsk(k.Label(), err))
			continue
		}
		if err := stdout(cmd).Linef("%s: %s", k.Label(), answer); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

func cannotAsk(name string, err error) error {
	return fmt.Errorf("%s: %w; run catbridge doctor", name, redisurl.Explain(err))
}

type noAnswerError struct{ why string }

func (e *noAnswerError) Error() string { return e.why }

// asked is a request that was sent, and the state before it.
type asked struct {
	client redis.UniversalClient
	keys   cachekeys.Keys
	before wire.Meta
	blind  bool // the right to read meta is missing, and with it any sign of an answer
	at     time.Time

	// About the lock. Zero means unknown.
	left    time.Duration // how long it had until it expired, as last read
	expiry  time.Time     // when it would have expired, as first read
	renewed bool          // it was renewed since, so its leader is alive
}

func (r *asked) ask(ctx context.Context, l *leader.Leader, name string) error {
	// Without a login, Redis answers the long HMGET with a protocol error, but GET with NOAUTH.
	if _, err := r.locked(ctx); redis.IsAuthError(err) {
		return fmt.Errorf("read the lock: %w", err)
	}
	var err error
	if r.before, err = r.meta(ctx); redis.IsPermissionError(err) {
		r.blind = true
	} else if err != nil {
		return err
	}
	r.at = time.Now()
	return l.RequestRefresh(ctx, name)
}

// meta returns the zero value if meta is malformed.
func (r *asked) meta(ctx context.Context) (wire.Meta, error) {
	fields, err := limited.HMGet(ctx, r.client, wire.MaxMetaFieldBytes, r.keys.Meta, wire.MetaFields()...).Values()
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return wire.Meta{}, fmt.Errorf("read meta: %w", err)
	}
	meta, err := wire.ParseMeta(fields)
	if err != nil {
		return wire.Meta{}, nil //nolint:nilerr // the leader repairs it
	}
	return meta, nil
}

// locked reports whether the lock exists, and notes whether it was renewed.
func (r *asked) locked(ctx context.Context) (bool, error) {
	lock, err := limited.Send(ctx, r.client, limited.Limits{}, "get", r.keys.Lock).Values()
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return false, err
	}
	sent := time.Now()
	left := r.client.PTTL(ctx, r.keys.Lock)
	r.note(left, sent, time.Now())
	return len(lock) > 0 && lock[0] != nil, err
}

// note notes the expiry of the lock. It was read between sent and received. The first expiry is
// at most the noted one, and later ones are at least what is compared with it. So a slow
// connection does not look like a renewal.
func (r *asked) note(reply *redis.DurationCmd, sent, received time.Time) {
	left, err := reply.Result()
	if err != nil || left < time.Millisecond { // no right, no expiry, or no lock
		left = 0
	}
	r.left = left
	switch {
	case left == 0:
	case r.expiry.IsZero():
		r.expiry = received.Add(left)
	case sent.Add(left).After(r.expiry.Add(clockError)):
		r.renewed = true
	}
}

// clockError is the greatest difference between Redis's clock and this host's while refresh
// waits, and of rounding.
const clockError = 20 * time.Millisecond

// answerEvery is how often meta is read for the answer of the CDN.
const answerEvery = 50 * time.Millisecond

// lastLook is how long refresh looks for answers after --timeout: while it waited for one SDK
// key, others may have been answered.
const lastLook = time.Second

// answer waits until ctx is done for the CDN's answer to the leader, and describes it. It looks
// once more, until last is done.
func (r *asked) answer(ctx, last context.Context) (string, error) {
	ticker := time.NewTicker(answerEvery)
	defer ticker.Stop()
	for !ended(ctx) {
		answer, err := r.look(ctx)
		if answer != "" || err != nil && !ended(ctx) {
			return answer, err
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return "", &noAnswerError{"interrupted before the leader answered"}
	}
	answer, err := r.look(last)
	switch {
	case last.Err() != nil:
		return "", &noAnswerError{"the leader was asked to poll, but then Redis stopped answering; run catbridge doctor"}
	case answer != "" || err != nil:
		return answer, err
	}
	return "", r.unanswered()
}

// ended reports whether ctx is done. A connection may notice its deadline before ctx does.
func ended(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// unanswered says why the leader did not answer, as far as its lock shows it.
func (r *asked) unanswered() error {
	waited := time.Since(r.at).Round(100 * time.Millisecond)
	switch {
	case r.renewed:
		return &noAnswerError{fmt.Sprintf("the leader was asked to poll and is alive, but it has had no usable answer from the CDN for %v (--timeout); "+
			"see the leader's log, or run catbridge doctor", waited)}
	case r.left > 0:
		return &noAnswerError{fmt.Sprintf("the leader was asked to poll, but it has not renewed its lock for %v (--timeout): it may have died. "+
			"The lock expires in %v, and then a candidate takes over and polls", waited, r.left.Round(100*time.Millisecond))}
	}
	return &noAnswerError{fmt.Sprintf("the leader was asked to poll, but it has not answered for %v (--timeout); run catbridge status", waited)}
}

// look looks once and describes the answer, or returns "" if there is none yet.
func (r *asked) look(ctx context.Context) (string, error) {
	switch locked, err := r.locked(ctx); {
	case err == nil && !locked:
		return "", &noAnswerError{"there is no leader; the next leader will poll when it takes over"}
	case redis.HasErrorPrefix(err, "WRONGTYPE"): // the next leader overwrites it
	case err != nil:
		return "", fmt.Errorf("read the lock: %w", err)
	}
	if r.blind {
		return "the leader was asked to poll; grant the right to read meta (+hmget) to see its answer", nil
	}
	meta, err := r.meta(ctx)
	took := time.Since(r.at).Round(time.Millisecond)
	switch {
	case err != nil:
		return "", err
	case meta.CDN <= r.before.CDN:
		return "", nil
	case meta.Hash == r.before.Hash:
		return fmt.Sprintf("the leader polled, and the CDN answered within %v: nothing new, rev %d", took, meta.Rev), nil
	default:
		return fmt.Sprintf("the leader polled, and the CDN answered within %v: a new config, rev %d", took, meta.Rev), nil
	}
}

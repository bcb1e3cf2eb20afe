package harness

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/redis/go-redis/v9"
)

// AwaitState waits until all followers are in the given state.
func (env *Environment) AwaitState(bound time.Duration, want follower.State) {
	env.Helper()
	env.EventuallyAll(bound, "all followers are "+string(want), func(r *Follower) bool { return r.Client.Stats().State == want })
}

// AwaitHeartbeats waits until every follower has received some more messages at the usual rate,
// so that each has a working subscription.
func (env *Environment) AwaitHeartbeats() {
	env.Helper()
	const more = 3
	began, bound := time.Now(), (more+1)*env.Leader.RenewInterval+RoundTrip
	before := map[*Follower]uint64{}
	for _, r := range env.Followers {
		before[r] = r.Client.Stats().Messages
	}
	for _, r := range env.Followers {
		env.Eventually(bound, r.Name+" receives the heartbeats", func() bool {
			return r.Client.Stats().Messages >= before[r]+more
		})
	}
	env.Recovered(began, bound)
}

// ReconnectBound is the bound for a follower to reconnect after its connection was closed.
func (env *Environment) ReconnectBound() time.Duration {
	return env.Follower.BackoffMax + env.Follower.Ack + time.Second
}

// Connects returns how often each follower has subscribed.
func (env *Environment) Connects() []uint64 {
	var n []uint64
	for _, r := range env.Followers {
		n = append(n, r.Client.Stats().Connects)
	}
	return n
}

// AwaitReconnected waits until all followers have subscribed again, after their connections
// have just been closed.
func (env *Environment) AwaitReconnected(before []uint64) {
	env.Helper()
	closed, bound := time.Now(), env.Follower.BackoffMin+2*time.Second
	for i, r := range env.Followers {
		env.Eventually(bound, r.Name+" is subscribed again", func() bool {
			s := r.Client.Stats()
			return s.Connects > before[i] && (s.State == follower.StateLive || s.State == follower.StateNoLeader)
		})
	}
	env.Recovered(closed, bound)
}

// AwaitSilenceNoticed waits until a follower detects that its connection is silent, since the given
// moment or since the last message (I7).
func (env *Environment) AwaitSilenceNoticed(r *Follower, silent time.Time) {
	env.Helper()
	bound, messages := env.Follower.Dead+RoundTrip, r.Client.Stats().Messages
	env.Eventually(bound+env.Leader.RenewInterval, r.Name+" notices", func() bool {
		s := r.Client.Stats()
		if s.Messages != messages {
			silent, messages = time.Now(), s.Messages
		}
		return s.State == follower.StateDisconnected
	})
	env.Recovered(silent, bound)
}

// AwaitSubscribers waits until that many processes are subscribed, on any node.
func (env *Environment) AwaitSubscribers(want int) {
	env.Helper()
	env.Eventually(env.TakeoverBound(), strconv.Itoa(want)+" are subscribed", func() bool {
		have, _, err := env.Subscriptions()
		return err == nil && have == int64(want)
	})
}

// Subscriptions returns the number of subscribers, and of the nodes that have any.
func (env *Environment) Subscriptions() (all, nodes int64, err error) {
	return SubscriptionsOf(env.Context(), env.Admin, env.Keys.Events)
}

// SubscriptionsOf returns the number of subscribers of a channel, and of the nodes that have any.
func SubscriptionsOf(ctx context.Context, admin redis.UniversalClient, channel string) (all, nodes int64, err error) {
	var have, listening atomic.Int64
	err = redisnode.Each(ctx, admin, func(ctx context.Context, node *redis.Client) error {
		counts, err := node.PubSubNumSub(ctx, channel).Result()
		have.Add(counts[channel])
		listening.Add(min(counts[channel], 1))
		return err
	})
	return have.Load(), listening.Load(), err
}

package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/leader"
)

// askLogEvery is the least time between two logs of requests to a leader that failed.
const askLogEvery = time.Minute

// asker asks the leaders to poll, for refreshes and webhooks of catbridge serve. It leads for no SDK key
// itself. It is safe for concurrent use.
type asker struct {
	leader *leader.Leader // does not run
	log    *slog.Logger

	mu     sync.Mutex
	logged map[string]time.Time // by label, of failures
}

func newAsker(s *settings.Settings, client redis.UniversalClient, log *slog.Logger) (*asker, error) {
	l, err := leader.New(leader.Config{Redis: client, Namespace: s.RedisOptions.Namespace(), SDKKeys: askedKeys(s), Logger: log})
	if err != nil {
		return nil, err
	}
	return &asker{leader: l, log: log, logged: map[string]time.Time{}}, nil
}

func askedKeys(s *settings.Settings) []leader.SDKKey {
	var keys []leader.SDKKey
	for _, k := range s.SDKKeys {
		key := leader.SDKKey{Name: k.Label(), Key: k.Key, BaseURL: "https://cdn.invalid"} // it fetches nothing
		if s.Serve.Webhooks {
			key.WebhookKeys = k.WebhookKeys
		}
		keys = append(keys, key)
	}
	return keys
}

// apply makes the SDK keys of the settings those of the asker.
func (a *asker) apply(s *settings.Settings) error { return a.leader.SetSDKKeys(askedKeys(s)) }

// refresh returns the function that asks the leader for the SDK key with that label to poll.
func (a *asker) refresh(label string) func(context.Context) error {
	return func(ctx context.Context) error {
		err := a.leader.RequestRefresh(ctx, label)
		if err != nil && a.mayLog(label) {
			message := "The leader could not be asked to poll."
			if redis.IsPermissionError(err) {
				message += " The user in Redis needs the rights of the user serve in deploy/acl."
			}
			a.log.Warn(message, "name", label, "error", redisurl.Explain(err))
		}
		return err
	}
}

func (a *asker) mayLog(label string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if at, logged := a.logged[label]; logged && now.Sub(at) < askLogEvery {
		return false
	}
	a.logged[label] = now
	return true
}

// hooks returns the handler of ConfigCat's webhooks.
func (a *asker) hooks() http.Handler { return a.leader.WebhookHandler() }

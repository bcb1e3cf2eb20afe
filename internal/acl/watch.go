package acl

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// watchRetry is the pause before the next check after rights were missing or the check failed.
const watchRetry = 10 * time.Second

// watchAtOnce bounds the SDK keys whose rights are checked at the same time: thousands that
// start together would delay each other's first renewals.
const watchAtOnce = 4

// Watcher checks the rights of a leader's user again and again. It is safe for concurrent use.
type Watcher struct {
	client    redis.UniversalClient
	namespace string
	running   chan struct{} // a semaphore
}

// NewWatcher returns a Watcher for the SDK keys in the namespace; an empty one means none.
func NewWatcher(client redis.UniversalClient, namespace string) *Watcher {
	return &Watcher{client: client, namespace: namespace, running: make(chan struct{}, watchAtOnce)}
}

// Watch checks the leader's rights for the SDK key until ctx is done: at once, when recheck
// receives, and every 10 s while rights are missing or the check failed. A check takes at most
// timeout. Watch calls report with the result of each check that did not fail; nil: no right is
// missing.
func (w *Watcher) Watch(ctx context.Context, sdkKey string, timeout time.Duration, recheck <-chan struct{}, report func(*RightsError)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-recheck:
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return
		case w.running <- struct{}{}:
		}
		select { // this check answers all earlier requests
		case <-recheck:
		default:
		}
		if !w.check(ctx, sdkKey, timeout, report) {
			timer.Reset(watchRetry)
		}
		<-w.running
	}
}

// check reports whether the user has all rights.
func (w *Watcher) check(ctx context.Context, sdkKey string, timeout time.Duration, report func(*RightsError)) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := CheckLeader(ctx, w.client, sdkKey, w.namespace)
	lacking, ok := errors.AsType[*RightsError](err)
	if err != nil && !ok {
		return false // Redis does not answer, which the election reports
	}
	report(lacking)
	return lacking == nil
}

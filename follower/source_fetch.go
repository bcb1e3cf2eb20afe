package follower

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
)

// fetcher asks the CDN and parses its answers. Most clients never ask it, so the [cdn.Fetcher]
// is made on first use.
type fetcher struct {
	cfg        cdn.Config
	fetcher    *cdn.Fetcher     // nil: nothing was fetched yet
	held       *evaluate.Config // in force during the request
	parsed     *evaluate.Config // of the last answer
	pauseUntil time.Time        // by the CDN's Retry-After (S85)
	pauseErr   error

	fetches, failed, suspect atomic.Uint64
}

func (c Config) newFetcher() (*fetcher, error) {
	f := new(fetcher)
	f.cfg = cdn.Config{
		SDKKey: c.SDKKey, BaseURL: c.BaseURL, DataGovernance: cdn.DataGovernance(c.DataGovernance),
		Transport: c.Transport, ProxyURL: c.ProxyURL, ConnectTimeout: c.ConnectTimeout, HTTPTimeout: c.HTTPTimeout,
		AllowedHosts: slices.Clone(c.AllowedHosts), AllowPrivate: c.AllowPrivate,
		UserAgent: cdn.UserAgent(c.PollingMode.letter()),
		Logger:    c.Logger,
		Check: func(json []byte) (err error) {
			f.parsed, err = evaluate.Reparse(f.held, json)
			return err
		},
	}
	if c.RootCAs != nil {
		f.cfg.Roots = cdn.NewRoots(c.RootCAs)
	}
	_, err := cdn.New(f.cfg)
	return f, err
}

func (f *fetcher) fetch(ctx context.Context, etag string) (cdn.Response, error) {
	if f.fetcher == nil {
		var err error
		if f.fetcher, err = cdn.New(f.cfg); err != nil {
			return cdn.Response{}, err // newFetcher has checked that
		}
	}
	f.fetches.Add(1)
	resp, err := f.fetcher.Fetch(ctx, etag)
	return resp, asFetchError(err)
}

func (f *fetcher) close() {
	if f.fetcher != nil {
		f.fetcher.Close()
	}
}

// fetch asks the CDN. The caller has acquired u.busy.
func (u *updater) fetch(ctx context.Context) error {
	if time.Now().Before(u.fetcher.pauseUntil) {
		return u.fetcher.pauseErr
	}
	fetching, end, ok := u.goOnline(ctx)
	if !ok {
		u.log.Warn(eventid.Offline, offlineText)
		return ErrOffline
	}
	defer end()
	held := u.holder.Current()
	var etag string
	if held != nil && !control.IsETag(held.ETag, held.Hash) { // the CDN does not know that of a control's content
		etag = held.ETag
	}
	u.fetcher.held = held.Content()
	defer func() { u.fetcher.held, u.fetcher.parsed = nil, nil }()
	resp, err := u.ask(fetching, etag)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ErrClosed
	case fetching.Err() != nil:
		return ErrOffline // the client went offline during the fetch
	default:
		u.fetchFailed(err)
		return err
	}
	u.take(ctx, held, resp)
	return nil
}

func (u *updater) fetchFailed(err error) {
	u.fetcher.failed.Add(1)
	failure, ok := errors.AsType[*FetchError](err)
	if !ok {
		return
	}
	now := time.Now()
	if failure.Code == cdn.CodeInvalidSDKKey {
		u.notFoundAt.Store(&now)
	}
	if failure.RetryAfter > 0 {
		u.fetcher.pauseUntil, u.fetcher.pauseErr = now.Add(failure.RetryAfter), err
	}
	u.log.Error(failure.Code, failure.Error(), eventlog.Err(failure.Err))
}

// take puts an answer of the CDN in force, unless held, the content in force at the time of the
// request, was replaced since, or a control has begun. With a Redis, other content from it must
// then wait.
func (u *updater) take(ctx context.Context, held *snapshot.Snapshot, resp cdn.Response) {
	if u.isControlled() {
		return
	}
	now := time.Now()
	var next *snapshot.Snapshot
	if resp.NotModified {
		next = held.Clone()
	} else {
		next = &snapshot.Snapshot{
			Config: u.fetcher.parsed, JSON: resp.JSON, Hash: wire.ContentHash(resp.JSON), ETag: resp.ETag,
		}
		if next.ETag == "" {
			next.ETag = next.Hash
		}
		if held != nil {
			next.Rev = held.Rev
			if held.Hash == next.Hash {
				next.Config = held.Config
			}
		}
	}
	next.Source = snapshot.SourceCDN
	next.FetchTime = now.UnixMilli()
	if u.feed == nil { // Redis does not order content
		next.Rev = max(next.Rev+1, next.FetchTime)
	}
	if u.replace(held, next, resp.Sent) {
		u.notFoundAt.Store(nil)
		u.holder.Confirm(&snapshot.Answer{Hash: next.Hash, CDN: next.FetchTime, At: resp.Sent, Poll: u.interval})
	}
	u.writeCache(ctx, next)
}

func (u *updater) replace(held, next *snapshot.Snapshot, asked time.Time) bool {
	if u.feed != nil {
		return u.feed.Replace(held, next, asked)
	}
	return u.holder.Replace(held, next)
}

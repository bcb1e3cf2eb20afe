package follower

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/wire"
)

const (
	// recentFor is how long a lagging edge of the CDN may serve a config that was replaced.
	recentFor = 2 * time.Minute
	// askAgain is the pause before the CDN is asked again after such an answer.
	askAgain = time.Second
	// asksAtMost is how often one refresh asks the CDN.
	asksAtMost = 3
)

// errEdges is the error of a refresh during which the CDN's edges disagreed.
var errEdges = errors.New("follower: the CDN alternates between configs that were replaced within the last 2 minutes; the config in force stays; try again")

// past lists the contents that were replaced within the last 2 minutes.
type past []pastContent

type pastContent struct {
	hash  string
	until time.Time
}

// change records that next replaced held. Content in force again is removed.
func (p *past) change(held, next *snapshot, now time.Time) {
	*p = slices.DeleteFunc(*p, func(c pastContent) bool {
		return now.Sub(c.until) >= recentFor || c.hash == next.hash || held != nil && c.hash == held.hash
	})
	if held != nil {
		*p = append(*p, pastContent{held.hash, now})
	}
}

func (p past) has(hash string, now time.Time) bool {
	return slices.ContainsFunc(p, func(c pastContent) bool { return c.hash == hash && now.Sub(c.until) < recentFor })
}

func (h *holder) wasReplaced(hash string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.past.has(hash, now)
}

// ask asks the CDN. If the CDN serves a config that was replaced here within the last
// 2 minutes, an edge may lag, or the config was really rolled back. Then ask asks again after
// 1 s, and accepts a config that it receives twice. A 304 confirms the content in force, so it
// is never in doubt.
func (u *updater) ask(ctx context.Context, etag string) (cdn.Response, error) {
	suspect := ""
	for range asksAtMost {
		resp, err := u.fetcher.fetch(ctx, etag)
		if err != nil || resp.NotModified {
			return resp, err
		}
		hash := wire.ContentHash(resp.JSON)
		if hash == suspect || !u.holder.wasReplaced(hash, time.Now()) {
			return resp, nil
		}
		suspect = hash
		u.fetcher.suspect.Add(1)
		u.log.Info(eventSuspect, "The CDN served a config that was replaced less than 2 minutes ago; asking again.", slog.String("hash", hash))
		select {
		case <-ctx.Done():
			return cdn.Response{}, ctx.Err()
		case <-time.After(askAgain):
		}
	}
	return cdn.Response{}, errEdges
}

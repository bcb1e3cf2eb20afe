package follower

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/cdn"
)

const (
	// recentFor is for how long an edge of the CDN is expected to serve what was replaced.
	recentFor = 2 * time.Minute
	// askAgain is after how long the CDN is asked again about what it should not serve any more.
	askAgain = time.Second
	// asksAtMost is how often it is asked before the next time that it is due.
	asksAtMost = 3
)

// errEdges is the error of a refresh that found the CDN's edges to disagree.
var errEdges = errors.New("follower: the CDN serves configs by turns that were replaced within the last 2 minutes; what is held stays in force: try again")

// past is what a client held until a while ago.
type past []pastContent

type pastContent struct {
	hash  string
	until time.Time
}

// change notes that next replaced held. What is held again is not past.
func (p *past) change(held, next *snapshot, now time.Time) {
	*p = slices.DeleteFunc(*p, func(c pastContent) bool {
		return now.Sub(c.until) >= recentFor || c.hash == next.hash || held != nil && c.hash == held.hash
	})
	if held != nil {
		*p = append(*p, pastContent{held.hash, now})
	}
}

// has reports whether content was held within the last 2 minutes and is not any more.
func (p past) has(hash string, now time.Time) bool {
	return slices.ContainsFunc(p, func(c pastContent) bool { return c.hash == hash && now.Sub(c.until) < recentFor })
}

func (h *holder) wasHeld(hash string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.past.has(hash, now)
}

// ask asks the CDN, and asks again a second later where it serves what was replaced here within the
// last 2 minutes: an edge may lag, or the config was really rolled back. What comes twice is
// believed (F27). A 304 is about what is held, which is never past.
func (u *updater) ask(ctx context.Context, etag string) (cdn.Response, error) {
	suspect := ""
	for range asksAtMost {
		resp, err := u.fetcher.fetch(ctx, etag)
		if err != nil || resp.NotModified {
			return resp, err
		}
		hash := cachekeys.ContentHash(resp.JSON)
		if hash == suspect || !u.holder.wasHeld(hash, time.Now()) {
			return resp, nil
		}
		suspect = hash
		u.fetcher.suspect.Add(1)
		u.log.Info(eventSuspect, "The CDN served a config that was replaced a moment ago; asking again.", slog.String("hash", hash))
		select {
		case <-ctx.Done():
			return cdn.Response{}, ctx.Err()
		case <-time.After(askAgain):
		}
	}
	return cdn.Response{}, errEdges
}

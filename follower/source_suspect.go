package follower

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/wire"
)

const (
	// askAgain is the pause before the CDN is asked again after such an answer.
	askAgain = time.Second
	// asksAtMost is how often one refresh asks the CDN.
	asksAtMost = 3
)

// errEdges is the error of a refresh during which the CDN's edges disagreed.
var errEdges = errors.New("follower: the CDN alternates between configs that were replaced within the last 2 minutes; the config in force stays; try again")

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
		if hash == suspect || !u.holder.WasReplaced(hash, time.Now()) {
			return resp, nil
		}
		suspect = hash
		u.fetcher.suspect.Add(1)
		u.log.Info(eventid.Suspect, "The CDN served a config that was replaced less than 2 minutes ago; asking again.", slog.String("hash", hash))
		select {
		case <-ctx.Done():
			return cdn.Response{}, ctx.Err()
		case <-time.After(askAgain):
		}
	}
	return cdn.Response{}, errEdges
}

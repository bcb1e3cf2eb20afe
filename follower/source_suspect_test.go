package follower

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// F27 for fetches by the follower: a lagging edge is asked again, and believed if it answers the
// same twice.
func TestALaggingEdgeIsAskedAgain(t *testing.T) {
	for name, redis := range map[string]bool{"with Redis": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := cdnAt(2)
				old := cdn.Config()
				log, logging := recorded(slog.LevelInfo)
				c := n.start(t, online(cdn), polling(Manual, time.Hour), logging, func(c *Config) {
					if !redis {
						c.Redis = nil
					}
				})
				refresh := func(version int, requests uint64, took time.Duration) {
					t.Helper()
					before, start := c.Stats().Fetches, time.Now()
					if err := c.Refresh(t.Context()); err != nil {
						t.Error(err)
					}
					wantVersion(t, c, version)
					if n := c.Stats().Fetches - before; n != requests || time.Since(start) != took {
						t.Errorf("%d requests in %v, want %d in %v", n, time.Since(start), requests, took)
					}
				}
				refresh(2, 1, 0)
				cdn.Publish()
				refresh(3, 1, 0)
				cdn.Break(fakecdn.Times(1, fakecdn.Stale(old)))
				refresh(3, 2, time.Second)
				cdn.Break(fakecdn.Stale(old)) // a real rollback
				refresh(2, 2, time.Second)
				refresh(2, 1, 0) // the answer is believed
				cdn.Repair()
				refresh(3, 2, time.Second)
				time.Sleep(2 * time.Minute)
				cdn.Break(fakecdn.Stale(old))
				refresh(2, 1, 0) // the content was replaced long ago
				if s := c.Stats(); s.SuspectFetches != 3 {
					t.Errorf("%d suspect fetches", s.SuspectFetches)
				}
				wantEvents(t, log, eventid.Suspect, 3)
			})
		})
	}
}

// Edges alternate between two configs that were replaced; the config in force stays.
func TestEdgesThatDisagreeChangeNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := cdnAt(1)
		c := n.start(t, online(cdn), polling(Manual, time.Hour))
		var old []fakecdn.Config
		for range 3 {
			old = append(old, cdn.Config())
			if err := c.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			cdn.Publish()
		}
		asked := 0
		cdn.Break(func(w http.ResponseWriter, r *http.Request, serve func() fakecdn.Config) {
			asked++
			fakecdn.Stale(old[asked%2])(w, r, serve)
		})
		if err := c.Refresh(t.Context()); !errors.Is(err, errEdges) || asked != asksAtMost {
			t.Errorf("%v after %d requests", err, asked)
		}
		if got := version(c); got != 3 {
			t.Errorf("version %d", got)
		}
	})
}

// A fetch that waits before it asks again ends when the client goes offline or is closed.
func TestClosingCancelsASecondRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := cdnAt(2)
		old := cdn.Config()
		c := n.start(t, online(cdn), polling(Manual, time.Hour))
		for range 2 {
			if err := c.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			cdn.Publish()
		}
		cdn.Break(fakecdn.Stale(old))
		for _, end := range []func(){c.SetOffline, c.Close} {
			c.SetOnline()
			start := time.Now()
			time.AfterFunc(500*time.Millisecond, end)
			if err := c.Refresh(t.Context()); err == nil || time.Since(start) != 500*time.Millisecond {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		}
		if got := version(c); got != 3 {
			t.Errorf("version %d", got)
		}
	})
}

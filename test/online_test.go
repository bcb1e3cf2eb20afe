package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/fakecdn"
)

// unreachableForLeaders lets the CDN answer followers alone.
func unreachableForLeaders(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
	if strings.HasPrefix(r.Header.Get("X-ConfigCat-UserAgent"), "ConfigCat-Go-catbridge/s-") {
		fakecdn.Stale(current())(w, r, current)
		return
	}
	fakecdn.Status(http.StatusInternalServerError)(w, r, current)
}

// followOnline starts a follower that may ask the CDN itself.
func (w *world) followOnline() *reader {
	w.Helper()
	return w.followAs(asFollower, func(c *follower.Config) { c.Online, c.Transport = true, w.cdn })
}

// A follower that was cut off fetches v3 from the CDN, which answered the leader about v2 last.
// When Redis is back, its v2 has the higher rev, and is not taken.
func TestF44_CutOffFollowerDoesNotTakeOlderContentOfTheLeader(t *testing.T) {
	scenario(t, func(w *world) {
		w.processes()
		w.ready(2)
		cut := w.followOnline()
		w.reached(w.cdn.Version(), w.poll())
		for range w.rounds(2) {
			w.pass(w.leader.RenewInterval * 2) // Redis's clock was heard
			cut.link.Down()
			second := w.cdn.Publish()
			w.eventually(w.poll(), "the others have it", func() bool {
				return w.readers[0].version() == second && w.readers[1].version() == second
			})
			w.cdn.Break(unreachableForLeaders)
			third := w.cdn.Publish()
			if err := cut.client.Refresh(w.Context()); err != nil {
				w.Fatal(err)
			}
			if got := cut.version(); got != third {
				w.Errorf("version %d fetched, want %d", got, third)
			}
			waits := cut.client.Stats().Waits
			cut.link.Up()
			w.eventually(w.back(), "the leader's content waits", func() bool { return cut.client.Stats().Waits > waits })
			w.pass(2*w.follower.Dead + 4*w.leader.RenewInterval)
			if got := cut.version(); got != third {
				w.Errorf("version %d, want %d", got, third)
			}
			w.cdn.Mend()
			w.settle()
		}
	})
}

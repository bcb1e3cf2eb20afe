package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// unreachableForLeaders makes the CDN answer only followers.
func unreachableForLeaders(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
	if strings.HasPrefix(r.Header.Get("X-ConfigCat-UserAgent"), "ConfigCat-Go-catbridge/s-") {
		fakecdn.Stale(current())(w, r, current)
		return
	}
	fakecdn.Status(http.StatusInternalServerError)(w, r, current)
}

// followOnline starts a follower that may fetch from the CDN.
func (env *environment) followOnline() *reader {
	env.Helper()
	return env.followAs(asFollower, func(c *follower.Config) { c.Online, c.Transport = true, env.cdn })
}

// A follower that was cut off fetches v3 from the CDN, whose last answer to the leader had
// v2. When Redis is back, its v2 has the higher rev; the follower does not accept it.
func TestF44_CutOffFollowerRejectsOlderContentOfTheLeader(t *testing.T) {
	scenario(t, func(env *environment) {
		env.processes()
		env.ready(2)
		cut := env.followOnline()
		env.reached(env.cdn.Version(), env.poll())
		for range env.rounds(2) {
			env.pass(env.leader.RenewInterval * 2) // the follower has learnt Redis's clock
			cut.link.Down()
			second := env.cdn.Publish()
			env.eventually(env.poll(), "the others have it", func() bool {
				return env.readers[0].version() == second && env.readers[1].version() == second
			})
			env.cdn.Break(unreachableForLeaders)
			third := env.cdn.Publish()
			if err := cut.client.Refresh(env.Context()); err != nil {
				env.Fatal(err)
			}
			if got := cut.version(); got != third {
				env.Errorf("version %d fetched, want %d", got, third)
			}
			waits := cut.client.Stats().Waits
			cut.link.Up()
			env.eventually(env.reconnectBound(), "the leader's content waits", func() bool { return cut.client.Stats().Waits > waits })
			env.pass(2*env.follower.Dead + 4*env.leader.RenewInterval)
			if got := cut.version(); got != third {
				env.Errorf("version %d, want %d", got, third)
			}
			env.cdn.Repair()
			env.settle()
		}
	})
}

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/test/harness"
)

// unreachableForLeaders makes the CDN answer only followers and official SDKs.
func unreachableForLeaders(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
	if !strings.HasPrefix(r.Header.Get("X-ConfigCat-UserAgent"), "ConfigCat-Go-catbridge/l-") {
		fakecdn.Stale(current())(w, r, current)
		return
	}
	fakecdn.Status(http.StatusInternalServerError)(w, r, current)
}

// A follower that was cut off fetches v3 from the CDN, whose last answer to the leader had
// v2. When Redis is back, its v2 has the higher rev; the follower does not accept it.
func TestF44_CutOffFollowerRejectsOlderContentOfTheLeader(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.UseProcesses()
		env.StartAll(2)
		cut := env.FollowOnline()
		env.AwaitVersion(env.CDN.Version(), env.PollBound())
		for range env.Rounds(2) {
			env.Pass(env.Leader.RenewInterval * 2) // the follower has learnt Redis's clock
			cut.Link.Down()
			second := env.CDN.Publish()
			env.Eventually(env.PollBound(), "the others have it", func() bool {
				return env.Followers[0].Version() == second && env.Followers[1].Version() == second
			})
			env.CDN.Break(unreachableForLeaders)
			third := env.CDN.Publish()
			if err := cut.Client.Refresh(env.Context()); err != nil {
				env.Fatal(err)
			}
			if got := cut.Version(); got != third {
				env.Errorf("version %d fetched, want %d", got, third)
			}
			waits := cut.Client.Stats().Waits
			cut.Link.Up()
			env.Eventually(env.ReconnectBound(), "the leader's content waits", func() bool { return cut.Client.Stats().Waits > waits })
			env.Pass(2*env.Follower.Dead + 4*env.Leader.RenewInterval)
			if got := cut.Version(); got != third {
				env.Errorf("version %d, want %d", got, third)
			}
			env.CDN.Repair()
			env.Settle()
		}
	})
}

package e2e

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/test/harness"
)

var cdnFaults = map[string]fakecdn.Fault{
	"403":                   fakecdn.Status(http.StatusForbidden),
	"404":                   fakecdn.Status(http.StatusNotFound),
	"500":                   fakecdn.Status(http.StatusInternalServerError),
	"503":                   fakecdn.Status(http.StatusServiceUnavailable),
	"429":                   fakecdn.TooMany(time.Second),
	"HTML":                  fakecdn.HTML(),
	"empty":                 fakecdn.Body("application/json", ""),
	"null":                  fakecdn.Body("application/json", "null"),
	"no flags":              fakecdn.Body("application/json", `{"p":{"r":0}}`),
	"flags of a wrong kind": fakecdn.Body("application/json", `{"f":[]}`),
	"garbage":               fakecdn.Garbage(),
	"oversized":             fakecdn.Oversize(wire.MaxConfigBytes),
	"network":               fakecdn.Down,
}

// Whatever the CDN serves instead of a config, the content stays, does not count as fresh,
// and the next valid answer is published (I4, I14, S81, S83, S84).
func TestF26_FaultOfTheCDNChangesNothing(t *testing.T) {
	for name, fault := range cdnFaults {
		t.Run(name, func(t *testing.T) {
			harness.Scenario(t, func(env *harness.Environment) {
				first, _ := env.StartAll(2)
				before := first.Stats()
				env.CDN.Break(fault)
				version := env.CDN.Publish()
				env.Eventually(2*env.PollBound(), "the poll failed", func() bool { return first.Stats().PollErrors > before.PollErrors })
				// An earlier answer of the CDN may not have reached the followers yet.
				var stats follower.Stats
				env.Eventually(2*env.PollBound(), "followers know of its earlier answers", func() bool {
					stats = env.Followers[0].Client.Stats()
					s := first.Stats()
					return s.WriteError == "" && s.Rev == stats.Rev
				})
				age := env.Followers[0].Age()
				env.Pass(3 * env.Leader.RenewInterval)
				after := env.Followers[0].Client.Stats()
				if now := env.Followers[0].Age(); after.Rev != stats.Rev || now < age {
					env.Errorf("without an answer rev went from %d to %d, age from %v to %v", stats.Rev, after.Rev, age, now)
				}
				// On a busy machine its lease may have expired.
				if s := first.Stats(); s.Commits != before.Commits || s.Terms == before.Terms && s.Lapsed == before.Lapsed && !first.Leads() {
					env.Errorf("the leader did something: %+v", s)
				}
				env.RequireVersion(version - 1)
				env.CDN.Repair()
				env.AwaitVersion(version, env.PollBound())
				env.Settle()
			})
		})
	}
}

// A fault at the very start: the leader writes nothing that asserts that there is content.
func TestF26_FaultOfTheCDNAtTheStart(t *testing.T) {
	for _, name := range []string{"403", "500", "garbage", "oversized", "network"} {
		t.Run(name, func(t *testing.T) {
			harness.Scenario(t, func(env *harness.Environment) {
				env.CDN.Break(cdnFaults[name])
				first := env.Lead("leader A")
				env.FollowN(1)
				env.Eventually(env.PollBound(), "a poll failed", func() bool { return first.Stats().PollErrors > 0 })
				env.Pass(2 * env.Leader.RenewInterval)
				if n := env.Admin.Exists(env.Context(), env.Keys.Entry, env.Keys.Blob).Val(); n != 0 {
					env.Errorf("%d keys with content", n)
				}
				if v := env.Followers[0].Version(); v != -1 {
					env.Errorf("version %d from nowhere", v)
				}
				env.CDN.Repair()
				env.AwaitVersion(env.CDN.Version(), env.PollBound())
				env.Settle()
			})
		})
	}
}

// A CDN that does not answer delays neither the leader's heartbeats nor the release of its
// lock.
func TestF26_HangingCDNDoesNotBlockTheLeader(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(1)
		release := make(chan struct{})
		defer close(release)
		polls := first.Stats().Polls
		env.CDN.Break(fakecdn.Hang(release))
		env.Eventually(env.PollBound(), "a poll began", func() bool { return first.Stats().Polls > polls })
		renewals := first.Stats().Renewals
		env.Eventually(3*env.Leader.RenewInterval, "heartbeats go on", func() bool { return first.Stats().Renewals >= renewals+2 })
		first.Stop()
		env.Eventually(time.Second, "the other leads", second.Leads)
		env.CDN.Repair()
		second.Stop() // its first poll hangs
		third := env.Lead("leader C")
		env.Eventually(env.TakeoverBound(), "the third leads", third.Leads)
		env.Settle()
	})
}

// Wrong ETags suppress no change, and are not used. (An ETag of content that the CDN serves
// later would suppress it: a 304 depends on the ETag alone.)
func TestF26_WrongETagLosesNothing(t *testing.T) {
	for name, of := range map[string]func(c fakecdn.Config) string{
		"always the same":     func(fakecdn.Config) string { return `W/"v1-0"` },
		"another one at each": func(fakecdn.Config) string { return strconv.Quote(rand.Text()) },
		"a long one":          func(c fakecdn.Config) string { return strconv.Quote(strings.Repeat("x", 300) + c.ETag()[3:5]) },
		"none":                func(fakecdn.Config) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			harness.Scenario(t, func(env *harness.Environment) {
				env.StartAll(2)
				env.CDN.Break(fakecdn.WrongETag(of))
				for range 2 {
					env.AwaitVersion(env.CDN.Publish(), env.PollBound())
					env.Pass(2 * env.Leader.PollInterval)
					env.Audit.Check(env.T)
				}
				env.CDN.Repair()
				env.Settle()
			})
		})
	}
}

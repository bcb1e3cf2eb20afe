package test

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
			scenario(t, func(env *environment) {
				first, _ := env.ready(2)
				before := first.stats()
				env.cdn.Break(fault)
				version := env.cdn.Publish()
				env.eventually(2*env.poll(), "the poll failed", func() bool { return first.stats().PollErrors > before.PollErrors })
				// An earlier answer of the CDN may not have reached the followers yet.
				var stats follower.Stats
				env.eventually(2*env.poll(), "followers know of its earlier answers", func() bool {
					stats = env.readers[0].client.Stats()
					s := first.stats()
					return s.WriteError == "" && s.Rev == stats.Rev
				})
				env.pass(3 * env.leader.RenewInterval)
				after := env.readers[0].client.Stats()
				if after.Rev != stats.Rev || after.Age < stats.Age {
					env.Errorf("without an answer rev went from %d to %d, age from %v to %v", stats.Rev, after.Rev, stats.Age, after.Age)
				}
				// On a busy machine its lease may have expired.
				if s := first.stats(); s.Commits != before.Commits || s.Terms == before.Terms && s.Lapsed == before.Lapsed && !first.leads() {
					env.Errorf("the leader did something: %+v", s)
				}
				env.has(version - 1)
				env.cdn.Repair()
				env.reached(version, env.poll())
				env.settle()
			})
		})
	}
}

// A fault at the very start: the leader writes nothing that asserts that there is content.
func TestF26_FaultOfTheCDNAtTheStart(t *testing.T) {
	for _, name := range []string{"403", "500", "garbage", "oversized", "network"} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(env *environment) {
				env.cdn.Break(cdnFaults[name])
				first := env.lead("leader A")
				env.followers(1)
				env.eventually(env.poll(), "a poll failed", func() bool { return first.stats().PollErrors > 0 })
				env.pass(2 * env.leader.RenewInterval)
				if n := env.admin.Exists(env.Context(), env.keys.Entry, env.keys.Blob).Val(); n != 0 {
					env.Errorf("%d keys with content", n)
				}
				if v := env.readers[0].version(); v != -1 {
					env.Errorf("version %d from nowhere", v)
				}
				env.cdn.Repair()
				env.reached(env.cdn.Version(), env.poll())
				env.settle()
			})
		})
	}
}

// A CDN that does not answer delays neither the leader's heartbeats nor the release of its
// lock.
func TestF26_HangingCDNDoesNotBlockTheLeader(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(1)
		release := make(chan struct{})
		defer close(release)
		polls := first.stats().Polls
		env.cdn.Break(fakecdn.Hang(release))
		env.eventually(env.poll(), "a poll began", func() bool { return first.stats().Polls > polls })
		renewals := first.stats().Renewals
		env.eventually(3*env.leader.RenewInterval, "heartbeats go on", func() bool { return first.stats().Renewals >= renewals+2 })
		first.stop()
		env.eventually(time.Second, "the other leads", second.leads)
		env.cdn.Repair()
		second.stop() // its first poll hangs
		third := env.lead("leader C")
		env.eventually(env.takeover(), "the third leads", third.leads)
		env.settle()
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
			scenario(t, func(env *environment) {
				env.ready(2)
				env.cdn.Break(fakecdn.WrongETag(of))
				for range 2 {
					env.reached(env.cdn.Publish(), env.poll())
					env.pass(2 * env.leader.PollInterval)
					env.audit.check(env.T)
				}
				env.cdn.Repair()
				env.settle()
			})
		})
	}
}

// An edge of the CDN lags behind and serves the previous content. The leader asks again and
// does not publish it.
func TestF27_LaggingEdgeDoesNotBringOldContentBack(t *testing.T) {
	scenario(t, func(env *environment) {
		first, _ := env.ready(2)
		for range env.rounds(3) {
			old := env.cdn.Config()
			env.reached(env.cdn.Publish(), env.poll())
			suspect, asked, start := first.stats().Suspect, len(env.cdn.Requests()), time.Now()
			env.cdn.Break(fakecdn.Times(1, fakecdn.Stale(old)))
			env.eventually(env.poll(), "the old content is suspect", func() bool { return first.stats().Suspect > suspect })
			env.pass(2 * time.Second)
			n := len(env.cdn.Requests()) - asked
			due := int(time.Since(start)/env.leader.PollInterval) + 1 // one request may have been under way
			if env.virtual && n != 2 || n < 2 || n > due+1 {
				env.Errorf("%d requests, want that of the poll and one more", n)
			}
			env.audit.check(env.T)
			env.cdn.Repair()
		}
		env.settle()
	})
}

// Two edges that disagree for long answer in turn. Each change between them costs at most
// one more fetch, and no content goes back.
func TestF27_AlternatingEdgesCostOneFetchAFlip(t *testing.T) {
	scenario(t, func(env *environment) {
		env.leader.PollInterval = min(env.leader.PollInterval, 5*time.Second) // the answer stays suspect for two minutes
		first, second := env.ready(2)
		for range env.rounds(1) {
			old := env.cdn.Config()
			version := env.cdn.Publish()
			env.reached(version, env.poll())
			terms := func() uint64 { return first.stats().Terms + second.stats().Terms }
			suspect := func() uint64 { return first.stats().Suspect + second.stats().Suspect }
			began, before, asked, start := terms(), suspect(), len(env.cdn.Requests()), time.Now()
			env.cdn.Break(fakecdn.InTurn(fakecdn.Stale(old)))
			const flips = 8
			env.eventually(2*flips*env.poll(), "the edges have flipped some times", func() bool { return suspect() >= before+flips })
			flipped := int(suspect() - before)
			polls := int(time.Since(start)/env.leader.PollInterval) + 1 + int(terms()-began)
			if n := len(env.cdn.Requests()) - asked; n > polls+flipped+1 { // a poll may be under way
				env.Errorf("%d requests within %v with %d flips, want at most %d", n, time.Since(start), flipped, polls+flipped+1)
			}
			env.has(version)
			env.audit.check(env.T)
			env.cdn.Repair()
			env.settle()
		}
	})
}

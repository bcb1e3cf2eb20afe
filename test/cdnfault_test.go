package test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/fakecdn"
)

var down = fakecdn.Network(errors.New("connection refused"))

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
	"oversized":             fakecdn.Oversize(cachekeys.MaxConfigBytes),
	"network":               down,
}

// Whatever the CDN says in place of a config, content stays as it is, is not called
// fresh, and the next good answer is published (I4, I14, S81, S83, S84).
func TestF26_FaultOfTheCDNChangesNothing(t *testing.T) {
	for name, fault := range cdnFaults {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *world) {
				first, _ := w.ready(2)
				before := first.stats()
				w.cdn.Break(fault)
				version := w.cdn.Publish()
				w.eventually(2*w.poll(), "the poll failed", func() bool { return first.stats().PollErrors > before.PollErrors })
				// What the CDN answered before may still be on its way.
				var stats follower.Stats
				w.eventually(2*w.poll(), "its earlier answers are told", func() bool {
					stats = w.readers[0].client.Stats()
					s := first.stats()
					return s.WriteError == "" && s.Rev == stats.Rev
				})
				w.pass(3 * w.leader.RenewInterval)
				after := w.readers[0].client.Stats()
				if after.Rev != stats.Rev || after.Age < stats.Age {
					w.Errorf("without an answer rev went from %d to %d, age from %v to %v", stats.Rev, after.Rev, stats.Age, after.Age)
				}
				if s := first.stats(); s.Commits != before.Commits || !first.leads() {
					w.Errorf("the leader did something: %+v", s)
				}
				for _, r := range w.readers {
					if v := r.version(); v != version-1 {
						w.Errorf("%s has version %d", r.name, v)
					}
				}
				w.cdn.Mend()
				w.reached(version, w.poll())
				w.settle()
			})
		})
	}
}

// The same at the very start: nothing is written that would say that there is content.
func TestF26_FaultOfTheCDNAtTheStart(t *testing.T) {
	for _, name := range []string{"403", "500", "garbage", "oversized", "network"} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *world) {
				w.cdn.Break(cdnFaults[name])
				first := w.lead("leader A")
				w.followers(1)
				w.eventually(w.poll(), "a poll failed", func() bool { return first.stats().PollErrors > 0 })
				w.pass(2 * w.leader.RenewInterval)
				if n := w.admin.Exists(w.Context(), w.keys.Entry, w.keys.Blob).Val(); n != 0 {
					w.Errorf("%d keys with content", n)
				}
				if v := w.readers[0].version(); v != -1 {
					w.Errorf("version %d from nowhere", v)
				}
				w.cdn.Mend()
				w.reached(w.cdn.Version(), w.poll())
				w.settle()
			})
		})
	}
}

// A CDN that does not answer does not keep the leader from its heartbeats, nor from
// giving up its lock.
func TestF26_HangingCDNKeepsNothingFromGoingOn(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(1)
		release := make(chan struct{})
		defer close(release)
		polls := first.stats().Polls
		w.cdn.Break(fakecdn.Hang(release))
		w.eventually(w.poll(), "a poll began", func() bool { return first.stats().Polls > polls })
		touches := first.stats().Renewals
		w.eventually(3*w.leader.RenewInterval, "heartbeats go on", func() bool { return first.stats().Renewals >= touches+2 })
		first.stop()
		w.eventually(time.Second, "the other leads", second.leads)
		w.cdn.Mend()
		second.stop() // its first poll hangs in the fault
		third := w.lead("leader C")
		w.eventually(w.takeover(), "the third leads", third.leads)
		w.settle()
	})
}

// Wrong ETags keep no change back, and are none. (That of content which is served later
// would: an ETag is all that a 304 goes by.)
func TestF26_WrongETagLosesNothing(t *testing.T) {
	for name, of := range map[string]func(c fakecdn.Config) string{
		"always the same":     func(fakecdn.Config) string { return `W/"v1-0"` },
		"another one at each": func(fakecdn.Config) string { return strconv.Quote(rand.Text()) },
		"a long one":          func(c fakecdn.Config) string { return strconv.Quote(strings.Repeat("x", 300) + c.ETag()[3:5]) },
		"none":                func(fakecdn.Config) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *world) {
				w.ready(2)
				w.cdn.Break(fakecdn.WrongETag(of))
				for range 2 {
					w.reached(w.cdn.Publish(), w.poll())
					w.pass(2 * w.leader.PollInterval)
					w.audit.check(w.T)
				}
				w.cdn.Mend()
				w.settle()
			})
		})
	}
}

// An edge of the CDN that lags behind serves the content before: it is asked again
// and not believed.
func TestF27_LaggingEdgeDoesNotBringOldContentBack(t *testing.T) {
	scenario(t, func(w *world) {
		first, _ := w.ready(2)
		for range w.rounds(3) {
			old := w.cdn.Config()
			w.reached(w.cdn.Publish(), w.poll())
			doubted, asked, start := first.stats().Suspect, len(w.cdn.Requests()), time.Now()
			w.cdn.Break(fakecdn.Times(1, fakecdn.Stale(old)))
			w.eventually(w.poll(), "the old content is doubted", func() bool { return first.stats().Suspect > doubted })
			w.pass(2 * time.Second)
			n := len(w.cdn.Requests()) - asked
			due := int(time.Since(start)/w.leader.PollInterval) + 1 // one may have been on its way
			if w.virtual && n != 2 || n < 2 || n > due+1 {
				w.Errorf("%d requests, want that of the poll and one more", n)
			}
			w.audit.check(w.T)
			w.cdn.Mend()
		}
		w.settle()
	})
}

// Two edges that disagree for long answer in turn: each flip costs one more fetch at most,
// and takes nothing back.
func TestF27_EdgesThatAlternateCostOneFetchAFlip(t *testing.T) {
	scenario(t, func(w *world) {
		w.leader.PollInterval = min(w.leader.PollInterval, 5*time.Second) // it is doubted for two minutes
		first, second := w.ready(2)
		for range w.rounds(1) {
			old := w.cdn.Config()
			version := w.cdn.Publish()
			w.reached(version, w.poll())
			terms := func() uint64 { return first.stats().Terms + second.stats().Terms }
			doubted := func() uint64 { return first.stats().Suspect + second.stats().Suspect }
			began, before, asked, start := terms(), doubted(), len(w.cdn.Requests()), time.Now()
			w.cdn.Break(fakecdn.InTurn(fakecdn.Stale(old)))
			const flips = 8
			w.eventually(2*flips*w.poll(), "the edges have flipped some times", func() bool { return doubted() >= before+flips })
			flipped := int(doubted() - before)
			polls := int(time.Since(start)/w.leader.PollInterval) + 1 + int(terms()-began)
			if n := len(w.cdn.Requests()) - asked; n > polls+flipped+1 { // a poll may be under way
				w.Errorf("%d requests within %v with %d flips, want at most %d", n, time.Since(start), flipped, polls+flipped+1)
			}
			for _, r := range w.readers {
				if v := r.version(); v != version {
					w.Errorf("%s has version %d, want %d", r.name, v, version)
				}
			}
			w.audit.check(w.T)
			w.cdn.Mend()
			w.settle()
		}
	})
}

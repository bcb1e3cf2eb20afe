package test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// backup is the content of Redis at one moment.
type backup struct {
	entry, blob string
	meta        map[string]string
}

func (env *environment) backup() (b backup) {
	env.Helper()
	var entry, blob *redis.StringCmd
	var meta *redis.MapStringStringCmd
	_, err := env.admin.TxPipelined(env.Context(), func(p redis.Pipeliner) error {
		entry, blob = p.Get(env.Context(), env.keys.Entry), p.Get(env.Context(), env.keys.Blob)
		meta = p.HGetAll(env.Context(), env.keys.Meta)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) { // a key is missing
		env.Fatal(err)
	}
	return backup{entry.Val(), blob.Val(), meta.Val()}
}

// restore replaces the content of Redis by the backup, without the given keys, as when
// Redis restarts from an old copy.
func (env *environment) restore(b backup, lost ...string) {
	env.Helper()
	_, err := env.admin.TxPipelined(env.Context(), func(p redis.Pipeliner) error {
		ctx := env.Context()
		p.FlushAll(ctx)
		for key, value := range map[string]string{env.keys.Entry: b.entry, env.keys.Blob: b.blob} {
			if value != "" {
				p.Set(ctx, key, value, 0)
			}
		}
		if len(b.meta) > 0 {
			p.HSet(ctx, env.keys.Meta, b.meta)
		}
		for _, key := range lost {
			p.Del(ctx, key)
		}
		return nil
	})
	if err != nil {
		env.Fatal(err)
	}
}

// Redis restarts from a copy that is many changes old, without some of its keys, while the
// CDN is down and a leader dies. Followers keep their content, new ones get flags, and all
// get the current content once the CDN answers.
func TestF44_OldCopyOfRedisDoesNotRollContentBack(t *testing.T) {
	scenario(t, func(env *environment) {
		env.processes()
		first, second := env.ready(3)
		copied := env.backup()
		for range 12 {
			env.reached(env.cdn.Publish(), env.poll())
		}
		version := env.cdn.Version()
		lost := [][]string{nil, {env.keys.Entry}, {env.keys.Blob}, {env.keys.Meta}, {env.keys.Meta, env.keys.Blob}, {env.keys.Meta, env.keys.Entry}}
		for n := range env.rounds(2 * len(lost)) {
			env.cdn.Break(fakecdn.Down)
			env.audit.suspend()
			env.pass(env.upTo(env.leader.RenewInterval))
			env.restore(copied, lost[n%len(lost)]...)
			if n >= len(lost) { // the new leader may not have the latest content
				switch {
				case first.leads():
					first.kill()
					first = env.lead("leader of a later round")
				case second.leads():
					second.kill()
					second = env.lead("leader of a later round")
				}
			}
			env.pass(env.takeover() + env.poll() + 2*env.leader.RenewInterval)
			for _, r := range env.readers {
				if v := r.version(); v < version {
					env.Errorf("%s has version %d after %d", r.name, v, version)
				}
			}
			env.present(env.poll())
			newcomer := env.follow()
			env.eventually(env.poll(), "a new follower has flags", func() bool { return newcomer.version() > 0 })
			env.audit.forget()
			env.audit.resume()
			env.cdn.Repair()
			repaired, bound := time.Now(), rebaseAfter+2*env.leader.PollInterval
			env.reached(version, bound)
			env.recovered(repaired, bound)
			env.settle()
			version = env.cdn.Version()
			newcomer.client.Close()
			env.readers = env.readers[:len(env.readers)-1]
		}
	})
}

// Content is fetched while Redis refuses writes; newer content is fetched and committed;
// then one answer of a lagging edge has the former content.
func TestF44_UncommittedContentDoesNotComeBack(t *testing.T) {
	onServer(t, func(env *environment, _ *redistest.Process) {
		env.ready(3)
		for range env.rounds(2) {
			env.config("maxmemory", "1")
			env.cdn.Publish()
			never := env.cdn.Config()
			env.eventually(0, "the first is fetched and refused", func() bool {
				return strings.Contains(env.writeError(), "OOM") && !env.cdn.Answered(never.Version).IsZero()
			})
			version := env.cdn.Publish()
			env.eventually(env.poll(), "the second is fetched", func() bool { return !env.cdn.Answered(version).IsZero() })
			env.config("maxmemory", "0")
			env.awaitWritable(version)
			version = env.cdn.Version()
			asked := len(env.cdn.Requests())
			env.cdn.Break(fakecdn.Times(1, fakecdn.Stale(never)))
			env.eventually(env.poll(), "an edge that lags has answered", func() bool { return len(env.cdn.Requests()) > asked })
			env.pass(env.poll())
			if v := env.audit.stored(); v != version {
				env.Errorf("version %d is stored, want %d", v, version)
			}
			env.cdn.Repair()
			env.settle()
		}
	})
}

// There are more changes within seconds than meta remembers, and then one answer of an edge
// that is older than all of them. Another leader may have taken over meanwhile.
func TestF44_EdgeThatLagsBehindManyChangesIsNotTrusted(t *testing.T) {
	scenario(t, func(env *environment) {
		env.processes()
		env.leader.PollInterval = time.Second
		first, second := env.ready(3)
		for n := range env.rounds(2) {
			lagging := env.cdn.Config()
			var version int64
			for range 10 {
				version = env.cdn.Publish()
				env.reached(version, env.poll())
			}
			if n%2 == 1 && first.leads() {
				first.stop()
				env.eventually(env.takeover(), "another leads", second.leads)
				first, second = second, env.lead("leader of a later round")
			}
			asked := len(env.cdn.Requests())
			env.cdn.Break(fakecdn.Times(1, fakecdn.Stale(lagging)))
			env.eventually(env.poll(), "the edge has answered", func() bool { return len(env.cdn.Requests()) > asked })
			env.pass(env.poll() + time.Second)
			if v := env.audit.stored(); v != version {
				env.Errorf("version %d is stored, want %d", v, version)
			}
			env.cdn.Repair()
			env.settle()
		}
	})
}

// An operator reverts a change: the CDN serves the previous version again, and continues to.
// Followers soon get the earlier version, apply it once, and keep it.
func TestF44_RealRollbackIsAcceptedAndStays(t *testing.T) {
	scenario(t, func(env *environment) {
		env.processes()
		env.ready(3)
		for range env.rounds(2) {
			earlier := env.cdn.Config()
			env.reached(env.cdn.Publish(), env.poll())
			for _, r := range env.readers {
				r.mayGoBack(earlier.Version)
			}
			env.audit.suspend()
			env.audit.allowLoss() // the auditor takes a lower version for a loss
			env.cdn.Break(fakecdn.Stale(earlier))
			// The leader polls, treats the answer as suspect once, and asks again.
			back, bound := time.Now(), env.poll()+confirmation
			env.everyFollower(bound, "followers have the earlier version", func(r *reader) bool { return r.version() == earlier.Version })
			env.recovered(back, bound)
			env.pass(2 * env.poll())
			env.has(earlier.Version)
			env.audit.forget()
			env.audit.resume()
			version := env.cdn.Publish()
			env.cdn.Repair()
			env.reached(version, env.poll())
			env.settle()
		}
	})
}

// confirmation is the bound for the repeated request after a suspect answer.
const confirmation = 1500 * time.Millisecond

// Redis restarts from an old copy, without some of its keys, while an edge of the CDN lags for
// leaders, and a follower that may fetch from the CDN is cut off with newer content. Virtual
// time cannot move Redis's clock; see TestF44_ClocksOfRedisThatMove for real ones.
func TestF44_OldCopyWhileAnEdgeLagsAndAFollowerIsCutOff(t *testing.T) {
	scenario(t, func(env *environment) {
		env.processes()
		env.mixed(2, func(int) {})
	})
}

// lagsForLeaders answers the first request of a leader from a lagging edge, and later ones with
// errors. Followers get the current version.
func lagsForLeaders(lagging fakecdn.Config) fakecdn.Fault {
	var asked atomic.Bool
	return func(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
		switch {
		case strings.HasPrefix(r.Header.Get("X-ConfigCat-UserAgent"), "ConfigCat-Go-catbridge/s-"):
			fakecdn.Stale(current())(w, r, current)
		case asked.CompareAndSwap(false, true):
			fakecdn.Stale(lagging)(w, r, current)
		default:
			fakecdn.Status(http.StatusInternalServerError)(w, r, current)
		}
	}
}

// mixed runs rounds of several faults at once, and calls moveClock once in each.
func (env *environment) mixed(few int, moveClock func(round int)) {
	env.Helper()
	env.ready(2)
	others := env.readers
	cut := env.followOnline()
	env.reached(env.cdn.Version(), env.poll())
	lost := [][]string{nil, {env.keys.Meta}, {env.keys.Entry}, {env.keys.Blob, env.keys.Meta}}
	for n := range env.rounds(few) {
		env.pass(2 * env.leader.RenewInterval) // followers have learnt Redis's clock
		copied := env.backup()
		for range 1 + env.random.IntN(10) {
			env.reached(env.cdn.Publish(), env.poll())
		}
		moveClock(n)
		cut.link.Down()
		lagging := env.cdn.Config()
		second := env.cdn.Publish()
		env.eventually(env.takeover()+env.poll(), "the other followers have the change", func() bool {
			return others[0].version() == second && others[1].version() == second
		})
		// The candidate's next attempt reads which content was replaced. Content of which only
		// Redis knew, and has lost, cannot be suspect.
		env.pass(2 * env.leader.RetryPeriod)
		env.cdn.Break(lagsForLeaders(lagging))
		third := env.cdn.Publish()
		if err := cut.client.Refresh(env.Context()); err != nil {
			env.Fatal(err)
		}
		env.audit.suspend()
		env.restore(copied, lost[n%len(lost)]...)
		cut.link.Up()
		env.pass(env.takeover() + env.poll() + 2*env.follower.Dead)
		for _, r := range others {
			if v := r.version(); v != second {
				env.Errorf("%s has version %d, want %d", r.name, v, second)
			}
		}
		if v := cut.version(); v != third {
			env.Errorf("%s fetched version %d and has %d", cut.name, third, v)
		}
		env.audit.forget()
		env.audit.resume()
		env.cdn.Repair()
		repaired, bound := time.Now(), rebaseAfter+2*env.leader.PollInterval
		env.reached(third, bound)
		env.recovered(repaired, bound)
		// A follower whose rev is ahead needs the rebase rule for the next version. On a busy
		// machine leaders change, and the rule starts again.
		env.reached(env.cdn.Publish(), 3*bound)
		env.settle()
	}
}

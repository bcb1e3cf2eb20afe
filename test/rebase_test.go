package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// writeEntry writes the official entry as an SDK with its own clock does.
func (env *environment) writeEntry(fetched time.Time) int64 {
	env.Helper()
	config := env.cdn.Config()
	entry := cachekeys.Entry{FetchTime: fetched.UnixMilli(), ETag: config.ETag(), JSON: config.JSON()}
	if err := env.admin.Set(env.Context(), env.keys.Entry, entry.Append(nil), 0).Err(); err != nil {
		env.Fatal(err)
	}
	return entry.FetchTime
}

// rebaseAfter is the time that the rebase rule requires before a follower accepts a lower
// rev.
const rebaseAfter = 30 * time.Second

// The revs are an hour ahead when Redis loses them and the leaders die. Followers accept
// the lower revs that follow when the rebase rule permits it, and not sooner.
func TestF10_LowerRevsAreAcceptedByTheRebaseRuleOnly(t *testing.T) {
	scenario(t, func(env *environment) {
		env.leader.PollInterval = min(env.leader.PollInterval, 5*time.Second) // the rule includes an answer of the CDN
		env.processes()
		first, second := env.ready(3)
		env.audit.suspend()
		ahead := env.writeEntry(time.Now().Add(time.Hour))
		env.everyFollower(env.poll(), "all revs are an hour ahead", func(r *reader) bool { return r.client.Stats().Rev > ahead })
		first.kill()
		second.kill()
		env.flushAll()
		env.audit.forget()
		env.audit.resume()
		version := env.cdn.Publish()
		env.lead("leader C")
		env.present(env.poll())
		written, bound := time.Now(), rebaseAfter+2*env.leader.PollInterval+roundTrip
		for _, r := range env.readers {
			r.rebases = 1
			if v := r.version(); v != version-1 {
				env.Errorf("%s took version %d at once", r.name, v)
			}
		}
		env.reached(version, bound)
		env.recovered(written, bound)
		if took := time.Since(written); took < rebaseAfter-env.leader.RenewInterval {
			env.Errorf("lower revs were taken after %v", took)
		}
		for _, r := range env.readers {
			if s := r.client.Stats(); s.Rebases != 1 || s.Rev >= ahead {
				env.Errorf("%s: %+v", r.name, s)
			}
		}
		env.settle()
	})
}

package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/test/harness"
)

// An official SDK writes the entry: an old one, and one from tomorrow. The leader never
// replaces it by an older one, and reports the wrong clock (I9).
func TestF28_EntryWrittenByAnSDKIsCorrected(t *testing.T) {
	for name, away := range map[string]time.Duration{"an hour ago": -time.Hour, "tomorrow": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			harness.Scenario(t, func(env *harness.Environment) {
				errors := env.RecordLeaderErrors()
				first, second := env.StartAll(2)
				for range env.Rounds(1) {
					rev := max(first.Stats().Rev, second.Stats().Rev)
					env.Audit.Suspend()
					overwritten := env.WriteEntry(time.Now().Add(away))
					written, bound := time.Now(), env.Leader.RenewInterval+harness.RoundTrip+time.Second
					env.Eventually(bound, "the leader writes its entry again", func() bool {
						text, err := env.Admin.Get(env.Context(), env.Keys.Entry).Result()
						entry, parsed := cachekeys.ParseEntry([]byte(text))
						return err == nil && parsed == nil && entry.FetchTime > max(overwritten, rev)
					})
					env.Recovered(written, bound)
					env.Audit.Resume()
					if away > 0 { // the reply arrives after the write takes effect
						env.Eventually(env.Leader.RenewInterval, "the error in the log", func() bool { return errors.Contains("ahead of Redis's clock") })
					}
					if ahead := max(first.Stats().Ahead, second.Stats().Ahead); (ahead > 5*time.Minute) != (away > 0) {
						env.Errorf("the leader reports an entry that is %v ahead", ahead)
					}
					if errors.Contains("ahead of Redis's clock") != (away > 0) {
						env.Errorf("errors logged: %v", errors)
					}
					env.Settle()
				}
			})
		})
	}
}

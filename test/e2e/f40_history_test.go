package e2e

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/test/harness"
)

// recordedVersions reads the history as an operator does, and returns the versions that it has, the
// newest first. It checks each content byte for byte.
func recordedVersions(env *harness.Environment) (versions []int64) {
	env.Helper()
	h, err := history.Read(env.Context(), env.Connect(env.T, harness.AsStatus, nil), harness.SDKKey, "")
	if err != nil {
		env.Fatal(err)
	}
	config, newest := env.CDN.Config(), env.CDN.Version()
	for i, v := range h.Versions {
		config.Version = newest
		for config.Version > 0 && wire.ContentHash(config.JSON()) != v.Hash {
			config.Version--
		}
		if json, err := h.Content(i); err != nil || !bytes.Equal(json, config.JSON()) {
			env.Errorf("version %d of the history: %v", config.Version, err)
		}
		versions = append(versions, config.Version)
	}
	return versions
}

// requireRecorded checks that the history has the newest n versions, without a gap.
func requireRecorded(env *harness.Environment, n int64) {
	env.Helper()
	versions := recordedVersions(env)
	if int64(len(versions)) != n {
		env.Errorf("the history has versions %v, want the last %d of %d", versions, n, env.CDN.Version())
		return
	}
	for i, have := range versions {
		if want := env.CDN.Version() - int64(i); have != want {
			env.Errorf("the history has versions %v: want %d, then one less each", versions, env.CDN.Version())
			return
		}
	}
}

// F40: leaders die right after a commit, before they can trim the history; another takes over with
// a copy from Redis. No version is lost, and none is duplicate.
func TestF40_HistoryHasEachVersionUnderAnyLeader(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(1)
		for i := range env.Rounds(3) {
			env.AwaitCommit(env.CDN.Publish())
			first.Kill()
			env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			first, second = second, env.Lead("leader "+strconv.Itoa(i+3))
			requireRecorded(env, env.CDN.Version())
		}
		env.Settle()
	})
}

// F40: Redis loses keys, or holds other values. A repair adds nothing; a history that is lost begins
// again with what is in force.
func TestF40_HistoryBeginsAgainWhenRedisLosesIt(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(1)
		env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		for range env.Rounds(1) {
			held := int64(len(recordedVersions(env)))
			env.Delete(env.Keys.Meta, env.Keys.Entry)
			repaired(env, false)
			requireRecorded(env, held)

			env.FlushAll()
			repaired(env, true)
			requireRecorded(env, 1)
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			requireRecorded(env, 2)

			env.Delete(env.Keys.History)
			env.Admin.Set(env.Context(), env.Keys.History, "not a stream", 0)
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			requireRecorded(env, 1)
		}
		env.Settle()
	})
}

// F40: a full Redis refuses the whole commit, and with it the entry of the history. It takes both
// later.
func TestF40_FullRedisLosesNoVersionOfTheHistory(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
		env.StartAll(1)
		env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		env.SetConfig("maxmemory", "1")
		version := env.CDN.Publish()
		env.Eventually(0, "a write is refused", func() bool { return strings.Contains(env.WriteError(), "OOM") })
		env.SetConfig("maxmemory", "0")
		env.AwaitWritable(version)
		requireRecorded(env, env.CDN.Version())
	})
}

// F40: a leader whose user lacks the rights of the history publishes all the same.
func TestF40_LeaderWithoutRightsToTheHistoryPublishes(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
		env.SetUser(harness.AsLeader, "-xadd", "-xrevrange", "-xtrim")
		env.StartAll(1)
		version := env.CDN.Publish()
		env.AwaitVersion(version, env.PollBound())
		h, err := history.Read(env.Context(), env.Connect(env.T, harness.AsStatus, nil), harness.SDKKey, "")
		if err != nil || len(h.Versions) != 1 || h.Versions[0].Recorded() {
			env.Errorf("the history has %+v, %v", h, err)
		}
		if _, err := h.Find("-1"); !errors.Is(err, history.ErrNotFound) {
			env.Errorf("found %v", err)
		}
		env.SetUser(harness.AsLeader, "+xadd", "+xrevrange", "+xtrim")
		env.ClearRefusals()
		env.Settle()
	})
}

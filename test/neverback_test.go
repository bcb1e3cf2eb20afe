package test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/test/fakecdn"
	"github.com/catbridge/catbridge/test/redistest"
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
	if err != nil {
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
		p.Set(ctx, env.keys.Entry, b.entry, 0)
		p.Set(ctx, env.keys.Blob, b.blob, 0)
		p.HSet(ctx, env.keys.Meta, b.meta)
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
			env.cdn.Break(down)
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

package test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/test/fakecdn"
	"github.com/catbridge/catbridge/test/redistest"
)

// backup is what Redis held at a moment.
type backup struct {
	entry, blob string
	meta        map[string]string
}

func (w *world) backup() (b backup) {
	w.Helper()
	var entry, blob *redis.StringCmd
	var meta *redis.MapStringStringCmd
	_, err := w.admin.TxPipelined(w.Context(), func(p redis.Pipeliner) error {
		entry, blob = p.Get(w.Context(), w.keys.Entry), p.Get(w.Context(), w.keys.Blob)
		meta = p.HGetAll(w.Context(), w.keys.Meta)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return backup{entry.Val(), blob.Val(), meta.Val()}
}

// restore makes Redis hold the backup and nothing else, without the given keys, as after a
// restart from a copy.
func (w *world) restore(b backup, lost ...string) {
	w.Helper()
	_, err := w.admin.TxPipelined(w.Context(), func(p redis.Pipeliner) error {
		ctx := w.Context()
		p.FlushAll(ctx)
		p.Set(ctx, w.keys.Entry, b.entry, 0)
		p.Set(ctx, w.keys.Blob, b.blob, 0)
		p.HSet(ctx, w.keys.Meta, b.meta)
		for _, key := range lost {
			p.Del(ctx, key)
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

// Redis comes back from a copy that is many changes old, without some of its keys, while
// the CDN is away and a leader dies: followers keep what they have, new ones get flags, and
// all have what is current once the CDN answers.
func TestF44_OldCopyOfRedisIsNotRaised(t *testing.T) {
	scenario(t, func(w *world) {
		w.processes()
		first, second := w.ready(3)
		copied := w.backup()
		for range 12 {
			w.reached(w.cdn.Publish(), w.poll())
		}
		version := w.cdn.Version()
		lost := [][]string{nil, {w.keys.Entry}, {w.keys.Blob}, {w.keys.Meta}, {w.keys.Meta, w.keys.Blob}, {w.keys.Meta, w.keys.Entry}}
		for n := range w.rounds(2 * len(lost)) {
			w.cdn.Break(down)
			w.audit.suspend()
			w.pass(w.upTo(w.leader.RenewInterval))
			w.restore(copied, lost[n%len(lost)]...)
			if n >= len(lost) { // who takes over may not hold what was current
				switch {
				case first.leads():
					first.kill()
					first = w.lead("leader of a later round")
				case second.leads():
					second.kill()
					second = w.lead("leader of a later round")
				}
			}
			w.pass(w.takeover() + w.poll() + 2*w.leader.RenewInterval)
			for _, r := range w.readers {
				if v := r.version(); v < version {
					w.Errorf("%s has version %d after %d", r.name, v, version)
				}
			}
			w.present(w.poll())
			newcomer := w.follow()
			w.eventually(w.poll(), "a new follower has flags", func() bool { return newcomer.version() > 0 })
			w.audit.forget()
			w.audit.resume()
			w.cdn.Mend()
			mended, bound := time.Now(), ruleSix+2*w.leader.PollInterval
			w.reached(version, bound)
			w.recovered(mended, bound)
			w.settle()
			version = w.cdn.Version()
			newcomer.client.Close()
			w.readers = w.readers[:len(w.readers)-1]
		}
	})
}

// Content is fetched while Redis takes no writes, newer content is fetched and committed,
// and then one answer of a lagging edge brings the former.
func TestF44_ContentThatWasNeverCommittedDoesNotComeBack(t *testing.T) {
	onServer(t, func(w *world, _ *redistest.Process) {
		w.ready(3)
		for range w.rounds(2) {
			w.config("maxmemory", "1")
			w.cdn.Publish()
			never := w.cdn.Config()
			w.eventually(0, "the first is fetched and refused", func() bool {
				return strings.Contains(w.writeError(), "OOM") && !w.cdn.Answered(never.Version).IsZero()
			})
			version := w.cdn.Publish()
			w.eventually(w.poll(), "the second is fetched", func() bool { return !w.cdn.Answered(version).IsZero() })
			w.config("maxmemory", "0")
			w.writableAgain(version)
			version = w.cdn.Version()
			asked := len(w.cdn.Requests())
			w.cdn.Break(fakecdn.Times(1, fakecdn.Stale(never)))
			w.eventually(w.poll(), "an edge that lags has answered", func() bool { return len(w.cdn.Requests()) > asked })
			w.pass(w.poll())
			if v := w.audit.stored(); v != version {
				w.Errorf("version %d is stored, want %d", v, version)
			}
			w.cdn.Mend()
			w.settle()
		}
	})
}

// More changes than meta remembers within seconds, and one answer of an edge that lags
// behind all of them; another leader may have taken over meanwhile.
func TestF44_EdgeThatLagsBehindManyChangesIsNotBelieved(t *testing.T) {
	scenario(t, func(w *world) {
		w.processes()
		w.leader.PollInterval = time.Second
		first, second := w.ready(3)
		for n := range w.rounds(2) {
			lagging := w.cdn.Config()
			var version int64
			for range 10 {
				version = w.cdn.Publish()
				w.reached(version, w.poll())
			}
			if n%2 == 1 && first.leads() {
				first.stop()
				w.eventually(w.takeover(), "another leads", second.leads)
				first, second = second, w.lead("leader of a later round")
			}
			asked := len(w.cdn.Requests())
			w.cdn.Break(fakecdn.Times(1, fakecdn.Stale(lagging)))
			w.eventually(w.poll(), "the edge has answered", func() bool { return len(w.cdn.Requests()) > asked })
			w.pass(w.poll() + time.Second)
			if v := w.audit.stored(); v != version {
				w.Errorf("version %d is stored, want %d", v, version)
			}
			w.cdn.Mend()
			w.settle()
		}
	})
}

package test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/redistest"
)

// With its memory full Redis refuses every write, and writes no part of any.
func TestF19_FullRedisIsWrittenWhole(t *testing.T) {
	onServer(t, func(w *world, _ *redistest.Process) {
		w.ready(2)
		w.audit.check(w.T)
		for range w.rounds(1) {
			w.config("maxmemory", "1")
			version := w.cdn.Publish()
			w.eventually(0, "a write is refused", func() bool { return strings.Contains(w.writeError(), "OOM") })
			w.pass(w.leader.LeaseDuration)
			w.audit.check(w.T)
			if v := w.audit.stored(); v != version-1 {
				w.Errorf("version %d is stored", v)
			}
			w.config("maxmemory", "0")
			w.writableAgain(version)
		}
	})
}

// A Redis that may evict what expires evicts the lock.
func TestF19_EvictedLockIsTakenAnew(t *testing.T) {
	onServer(t, func(w *world, server *redistest.Process) {
		w.ready(2)
		w.config("maxmemory-policy", "volatile-lru")
		for range w.rounds(2) {
			w.config("maxmemory", "1")
			version := w.cdn.Publish()
			w.eventually(w.poll(), "the lock is evicted", func() bool {
				n, err := w.admin.Exists(w.Context(), w.keys.Lock).Result()
				return err == nil && n == 0
			})
			w.taps[server].unseen()
			w.pass(w.leader.RenewInterval)
			w.audit.check(w.T)
			w.config("maxmemory", "0")
			w.writableAgain(version)
		}
	})
}

// writableAgain waits until followers have what Redis would not take before.
func (w *world) writableAgain(version int64) {
	w.Helper()
	writable, bound := time.Now(), w.leader.RetryPeriod*6/5+w.poll()
	w.reached(version, bound)
	w.recovered(writable, bound)
	w.settle()
}

// The disk is full, where Redis writes down all that it does.
func TestF21_FullDiskIsRecoveredFrom(t *testing.T) {
	onServer(t, func(w *world, server *redistest.Process) {
		w.processes()
		w.ready(2)
		for range w.rounds(1) {
			w.eventually(0, "what was written is on the disk", func() bool {
				return strings.Contains(w.do(server, "INFO", "persistence").(string), "aof_last_write_status:ok")
			})
			server.FillDisk(w.T)
			w.eventually(0, "the disk is full", func() bool {
				return strings.Contains(w.do(server, "INFO", "persistence").(string), "aof_last_write_status:err")
			})
			w.eventually(w.leader.RenewDeadline, "a write is refused", func() bool { return strings.Contains(w.writeError(), "MISCONF") })
			refused := time.Now()
			version := w.cdn.Publish()
			w.pass(w.leader.LeaseDuration)
			if v, n := w.audit.stored(), w.publishedSince(refused); v >= version || n != 0 {
				w.Errorf("version %d is stored, %d messages", v, n)
			}
			server.EmptyDisk(w.T)
			emptied := time.Now()
			// Redis itself tries again once a second.
			bound := time.Second + w.leader.RetryPeriod*6/5 + w.poll()
			w.reached(version, bound)
			w.recovered(emptied, bound)
			w.settle()
		}
	}, "--appendonly", "yes", "--appendfsync", "everysec")
}

// Scripts are forgotten again and again.
func TestF23_FlushedScriptsLoseNoCommit(t *testing.T) {
	onServer(t, func(w *world, server *redistest.Process) {
		w.ready(3)
		flush := func() { w.do(server, "SCRIPT", "FLUSH") }
		for range w.rounds(3) {
			flush()
			version := w.cdn.Publish()
			asked := time.Now()
			for flushed := time.Now(); w.audit.stored() < version; w.pass(w.pause()) {
				if time.Since(flushed) > w.leader.RenewInterval/2 {
					flushed = time.Now()
					flush()
				}
				if time.Since(asked) > w.poll()+w.slack {
					w.Fatalf("version %d is not stored", version)
				}
			}
			w.reached(version, w.poll())
			w.recovered(asked, w.poll())
		}
		w.settle()
	})
}

// A follower is stopped until Redis drops it, since it takes nothing any more.
func TestF18_FollowerThatRedisDroppedCatchesUp(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		f.launchAll(2, 3)
		f.config("client-output-buffer-limit", "pubsub 4mb 4mb 1")
		for range f.rounds(1) {
			stopped := f.watchers[0]
			var before []follower.Stats
			for _, r := range f.readers {
				before = append(before, r.client.Stats())
			}
			f.signal(stopped.process, syscall.SIGSTOP)
			flood := strings.Repeat("x", 256<<10)
			flooded := int64(0)
			f.eventually(0, "Redis drops the follower", func() bool {
				f.do(f.server, "PUBLISH", f.keys.Events, flood)
				flooded++
				for i, r := range f.readers { // no faster than the others hear
					f.eventually(0, r.name+" hears", func() bool { return r.client.Stats().Messages >= before[i].Messages+flooded })
				}
				return f.subscribers() == 4
			})
			version := f.cdn.Publish()
			f.world.reached(version, f.poll())
			for i, r := range f.readers {
				r.noise = true
				if s := r.client.Stats(); s.Disconnects != before[i].Disconnects {
					f.Errorf("%s was dropped, too: %+v", r.name, s)
				}
			}
			f.signal(stopped.process, syscall.SIGCONT)
			resumed, bound := time.Now(), f.follower.Dead+f.back()
			f.reached(version, bound)
			f.recovered(resumed, bound)
			f.subscribed(5)
			f.settle()
		}
	})
}

// subscribers is how many processes hear messages.
func (f *fleet) subscribers() int64 {
	f.Helper()
	counts, err := f.admin.PubSubNumSub(f.Context(), f.keys.Events).Result()
	if err != nil {
		f.Fatal(err)
	}
	return counts[f.keys.Events]
}

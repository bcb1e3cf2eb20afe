package test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// A full Redis refuses every write as a whole.
func TestF19_FullRedisIsNeverPartlyWritten(t *testing.T) {
	onServer(t, func(env *environment, _ *redistest.Process) {
		env.ready(2)
		env.audit.check(env.T)
		for range env.rounds(1) {
			env.config("maxmemory", "1")
			version := env.cdn.Publish()
			env.eventually(0, "a write is refused", func() bool { return strings.Contains(env.writeError(), "OOM") })
			env.pass(env.leader.LeaseDuration)
			env.audit.check(env.T)
			if v := env.audit.stored(); v != version-1 {
				env.Errorf("version %d is stored", v)
			}
			env.config("maxmemory", "0")
			env.awaitWritable(version)
		}
	})
}

// A Redis that may evict expiring keys evicts the lock.
func TestF19_EvictedLockIsAcquiredAgain(t *testing.T) {
	onServer(t, func(env *environment, server *redistest.Process) {
		env.ready(2)
		env.config("maxmemory-policy", "volatile-lru")
		for range env.rounds(2) {
			env.config("maxmemory", "1")
			version := env.cdn.Publish()
			env.eventually(env.poll(), "the lock is evicted", func() bool {
				n, err := env.admin.Exists(env.Context(), env.keys.Lock).Result()
				return err == nil && n == 0
			})
			env.lockMayVanish(server)
			env.pass(env.leader.RenewInterval)
			env.audit.check(env.T)
			env.config("maxmemory", "0")
			env.awaitWritable(version)
		}
	})
}

// awaitWritable waits until followers have the version that Redis refused before.
func (env *environment) awaitWritable(version int64) {
	env.Helper()
	writable, bound := time.Now(), env.leader.RetryPeriod*6/5+env.poll()
	env.reached(version, bound)
	env.recovered(writable, bound)
	env.settle()
}

// Redis cannot append to its log, since the disk is full.
func TestF21_LeaderRecoversFromAFullDisk(t *testing.T) {
	onServer(t, func(env *environment, server *redistest.Process) {
		env.processes()
		env.ready(2)
		for range env.rounds(1) {
			env.eventually(0, "what was written is on the disk", func() bool {
				return strings.Contains(env.do(server, "INFO", "persistence").(string), "aof_last_write_status:ok")
			})
			server.FillDisk(env.T)
			env.eventually(0, "the disk is full", func() bool {
				return strings.Contains(env.do(server, "INFO", "persistence").(string), "aof_last_write_status:err")
			})
			env.eventually(env.leader.RenewDeadline, "a write is refused", func() bool { return strings.Contains(env.writeError(), "MISCONF") })
			refused := time.Now()
			version := env.cdn.Publish()
			env.pass(env.leader.LeaseDuration)
			if v, n := env.audit.stored(), env.publishedSince(refused); v >= version || n != 0 {
				env.Errorf("version %d is stored, %d messages", v, n)
			}
			server.EmptyDisk(env.T)
			emptied := time.Now()
			// Redis itself retries once a second.
			bound := time.Second + env.leader.RetryPeriod*6/5 + env.poll()
			env.reached(version, bound)
			env.recovered(emptied, bound)
			env.settle()
		}
	}, "--appendonly", "yes", "--appendfsync", "everysec")
}

// Redis forgets its scripts again and again.
func TestF23_FlushedScriptsLoseNoCommit(t *testing.T) {
	onServer(t, func(env *environment, server *redistest.Process) {
		env.ready(3)
		flush := func() { env.do(server, "SCRIPT", "FLUSH") }
		for range env.rounds(3) {
			flush()
			version := env.cdn.Publish()
			asked := time.Now()
			for flushed := time.Now(); env.audit.stored() < version; env.pass(env.pause()) {
				if time.Since(flushed) > env.leader.RenewInterval/2 {
					flushed = time.Now()
					flush()
				}
				if time.Since(asked) > env.poll()+env.slack {
					env.Fatalf("version %d is not stored", version)
				}
			}
			env.reached(version, env.poll())
			env.recovered(asked, env.poll())
		}
		env.settle()
	})
}

// A follower process is stopped until Redis drops it, because it reads nothing any more.
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
				for i, r := range f.readers { // no faster than the other followers read
					f.eventually(0, r.name+" receives the messages", func() bool { return r.client.Stats().Messages >= before[i].Messages+flooded })
				}
				n, _, err := f.subscriptions()
				return err == nil && n == 4
			})
			version := f.cdn.Publish()
			f.environment.reached(version, f.poll())
			for i, r := range f.readers {
				r.noise = true
				if s := r.client.Stats(); s.Disconnects != before[i].Disconnects {
					f.Errorf("%s was dropped, too: %+v", r.name, s)
				}
			}
			f.signal(stopped.process, syscall.SIGCONT)
			resumed, bound := time.Now(), f.follower.Dead+f.reconnectBound()
			f.reached(version, bound)
			f.recovered(resumed, bound)
			f.subscribed(5)
			f.settle()
		}
	})
}

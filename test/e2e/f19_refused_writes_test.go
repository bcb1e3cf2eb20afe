package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// A full Redis refuses every write as a whole.
func TestF19_FullRedisIsNeverPartlyWritten(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
		env.StartAll(2)
		env.Audit.Check(env.T)
		for range env.Rounds(1) {
			env.SetConfig("maxmemory", "1")
			version := env.CDN.Publish()
			env.Eventually(0, "a write is refused", func() bool { return strings.Contains(env.WriteError(), "OOM") })
			env.Pass(env.Leader.LeaseDuration)
			env.Audit.Check(env.T)
			env.RequireStored(version - 1)
			env.SetConfig("maxmemory", "0")
			env.AwaitWritable(version)
		}
	})
}

// A Redis that may evict expiring keys evicts the lock.
func TestF19_EvictedLockIsAcquiredAgain(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, server *redistest.Process) {
		env.StartAll(2)
		env.SetConfig("maxmemory-policy", "volatile-lru")
		for range env.Rounds(2) {
			env.SetConfig("maxmemory", "1")
			version := env.CDN.Publish()
			env.Eventually(env.PollBound(), "the lock is evicted", func() bool {
				n, err := env.Admin.Exists(env.Context(), env.Keys.Lock).Result()
				return err == nil && n == 0
			})
			env.LockMayVanish(server)
			env.Pass(env.Leader.RenewInterval)
			env.Audit.Check(env.T)
			env.SetConfig("maxmemory", "0")
			env.AwaitWritable(version)
		}
	})
}

// Redis cannot append to its log, since the disk is full.
func TestF21_LeaderRecoversFromAFullDisk(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, server *redistest.Process) {
		env.UseProcesses()
		env.StartAll(2)
		for range env.Rounds(1) {
			env.Eventually(0, "what was written is on the disk", func() bool {
				return strings.Contains(env.Do(server, "INFO", "persistence").(string), "aof_last_write_status:ok")
			})
			server.FillDisk(env.T)
			env.Eventually(0, "the disk is full", func() bool {
				return strings.Contains(env.Do(server, "INFO", "persistence").(string), "aof_last_write_status:err")
			})
			env.Eventually(env.Leader.RenewDeadline, "a write is refused", func() bool { return strings.Contains(env.WriteError(), "MISCONF") })
			refused := time.Now()
			version := env.CDN.Publish()
			env.Pass(env.Leader.LeaseDuration)
			if v, n := env.Audit.Stored(), env.PublishedSince(refused); v >= version || n != 0 {
				env.Errorf("version %d is stored, %d messages", v, n)
			}
			server.EmptyDisk(env.T)
			emptied := time.Now()
			// Redis itself retries once a second.
			bound := time.Second + env.Leader.RetryPeriod*6/5 + env.PollBound()
			env.AwaitVersion(version, bound)
			env.Recovered(emptied, bound)
			env.Settle()
		}
	}, "--appendonly", "yes", "--appendfsync", "everysec")
}

// A primary that lost its replica, or that became a replica itself, refuses writes.
func TestF20_ReadOnlyRedisPublishesNothing(t *testing.T) {
	for name, command := range map[string][2][]any{
		// One replica exists: the tap.
		"NOREPLICAS": {{"CONFIG", "SET", "min-replicas-to-write", "2"}, {"CONFIG", "SET", "min-replicas-to-write", "0"}},
		"READONLY":   {{"REPLICAOF", "127.0.0.1", "1"}, {"REPLICAOF", "NO", "ONE"}},
	} {
		t.Run(name, func(t *testing.T) {
			harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
				env.StartAll(2)
				for range env.Rounds(1) {
					do := func(command []any) {
						if err := env.Admin.Do(env.Context(), command...).Err(); err != nil {
							env.Fatal(err)
						}
					}
					do(command[0])
					env.Eventually(0, "writes are refused", func() bool { return strings.Contains(env.WriteError(), name) })
					refused := time.Now()
					env.Pass(env.Leader.RenewInterval) // writes under way have arrived
					messages := env.Followers[0].Client.Stats().Messages
					version := env.CDN.Publish()
					env.Pass(env.Leader.LeaseDuration)
					if n := env.Followers[0].Client.Stats().Messages; n != messages || env.PublishedSince(refused) != 0 {
						env.Errorf("%d messages without a write, %d published", n-messages, env.PublishedSince(refused))
					}
					do(command[1])
					writable, bound := time.Now(), env.Leader.RetryPeriod*6/5+env.PollBound()
					env.AwaitVersion(version, bound)
					env.Recovered(writable, bound)
					env.Settle()
				}
			})
		})
	}
}

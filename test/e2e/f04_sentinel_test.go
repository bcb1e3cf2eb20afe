package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// holdReplicas stops the replication to all replicas: writes to the primary are lost when
// one of them replaces it. The returned function resumes it.
func holdReplicas(env *harness.Environment) (catchUp func()) {
	env.Helper()
	env.Audit.AllowLoss()
	primary := env.Sentinel.Primary(env.T)
	env.Do(primary, "ACL", "SETUSER", "replica", "-psync")
	env.Do(primary, "CLIENT", "KILL", "TYPE", "replica")
	return func() {
		env.Do(primary, "ACL", "SETUSER", "replica", "+psync")
		for _, node := range env.Sentinel.Nodes {
			env.Do(node, "ACL", "LOG", "RESET") // the test meant it to be refused
		}
	}
}

// holds returns the version that a node has; 0: none.
func holds(env *harness.Environment, node *redistest.Process) int64 {
	env.Helper()
	text, err := node.Do(env.T, "GET", env.Keys.Entry)
	if err != nil {
		return 0
	}
	entry, err := cachekeys.ParseEntry([]byte(text.(string)))
	if err != nil {
		env.Fatal(err)
	}
	version, err := harness.VersionIn(entry.JSON)
	if err != nil {
		env.Fatal(err)
	}
	return version
}

// replaced waits until another node is the primary, and returns it.
func replaced(env *harness.Environment, old *redistest.Process) (primary *redistest.Process) {
	env.Helper()
	env.Eventually(0, "another is the primary", func() bool {
		primary = env.Sentinel.Primary(env.T)
		return primary != old && strings.Contains(env.Do(primary, "INFO", "replication").(string), "role:master")
	})
	return primary
}

// unreplicated is a version that only the primary has.
type unreplicated struct {
	version int64
	primary *redistest.Process
	offset  int64 // of the primary's replication
}

// publishUnreplicated publishes a version that followers get, and no replica.
func publishUnreplicated(env *harness.Environment) unreplicated {
	env.Helper()
	primary := env.Sentinel.Primary(env.T)
	version := env.CDN.Publish()
	env.AwaitVersion(version, env.PollBound())
	for _, node := range env.Sentinel.Nodes {
		if v := holds(env, node); node != primary && v >= version {
			env.Fatalf("the replica on port %d has version %d already", node.Port, v)
		}
	}
	return unreplicated{version, primary, env.Info(primary, "replication", "master_repl_offset")}
}

// onlineReplica matches a replica in INFO that has an address, which a tap does not.
var onlineReplica = regexp.MustCompile(`port=[1-9]\d*,state=online`)

// wasLost checks that the new primary took over without the data that the replicas did not
// have. The auditor may have missed that, if a leader repaired it quickly.
func wasLost(env *harness.Environment, d unreplicated, round int) {
	env.Helper()
	primary := env.Sentinel.Primary(env.T)
	if kept := env.Info(primary, "replication", "second_repl_offset") - 1; primary == d.primary || kept >= d.offset {
		env.Errorf("no write was lost: %d bytes of %d are kept", kept, d.offset)
		return
	}
	env.Audit.LostAtLeast(round + 1)
}

// The replicas are behind when the primary dies.
func TestF04_SentinelsReplaceTheKilledPrimary(t *testing.T) {
	harness.OnSentinel(t, func(env *harness.Environment, sentinel *redistest.Sentinel) {
		env.StartAll(3)
		holdReplicas(env)
		lost := publishUnreplicated(env)
		sentinel.ReplaceSilent(env.T)
		lost.primary.Kill()
		killed, bound := time.Now(), redistest.DownAfter+3*time.Second
		env.Eventually(bound, "the version that was lost is there again", func() bool {
			primary := sentinel.Primary(env.T)
			return primary != lost.primary && holds(env, primary) >= lost.version
		})
		env.Recovered(killed, bound)
		wasLost(env, lost, 0)
		env.Settle()
	})
}

func TestF05_SentinelsReplaceTheKilledPrimaryWhileTheLeaderDies(t *testing.T) {
	harness.OnSentinel(t, func(env *harness.Environment, sentinel *redistest.Sentinel) {
		first, second := env.StartAll(3)
		holdReplicas(env)
		lost := publishUnreplicated(env)
		sentinel.ReplaceSilent(env.T)
		lost.primary.Kill()
		first.Kill()
		killed, bound := time.Now(), max(env.Leader.LeaseDuration, redistest.DownAfter)+3*time.Second
		version := env.CDN.Publish()
		env.Eventually(bound, "the other leads", second.Leads)
		env.AwaitVersion(version, bound)
		env.Recovered(killed, bound)
		wasLost(env, lost, 0)
		env.Settle()
	})
}

// A write is lost each time, which proves that the fault occurred.
func TestF06_ManyFailoversNeverRollContentBack(t *testing.T) {
	harness.OnSentinel(t, func(env *harness.Environment, sentinel *redistest.Sentinel) {
		env.StartAll(3)
		for round := range env.Rounds(2) {
			catchUp := holdReplicas(env)
			lost := publishUnreplicated(env)
			env.Eventually(0, "the Sentinels agree to a failover", func() bool { return sentinel.Failover(env.T) == nil })
			agreed, bound := time.Now(), redistest.DownAfter+3*time.Second
			primary := replaced(env, lost.primary)
			env.Eventually(bound, "the version that was lost is there again", func() bool { return holds(env, primary) >= lost.version })
			env.Recovered(agreed, bound)
			wasLost(env, lost, round)
			catchUp()
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			env.Eventually(0, "the replicas are in sync", func() bool {
				return len(onlineReplica.FindAllString(env.Do(primary, "INFO", "replication").(string), -1)) == 2
			})
		}
		env.Settle()
	})
}

// The primary is stopped, replaced, and continued, without knowing that it was replaced.
func TestF08_ThawedPrimaryIsNotTrusted(t *testing.T) {
	harness.OnSentinel(t, func(env *harness.Environment, sentinel *redistest.Sentinel) {
		first, second := env.StartAll(3)
		env.Audit.AllowLoss()
		old := sentinel.Primary(env.T)
		sentinel.ReplaceSilent(env.T)
		old.Pause(env.T)
		// As long as with a primary that dies. But it still accepts connections, and a
		// connection that is being made when it is replaced is given up later.
		stopped, bound := time.Now(), max(env.Leader.LeaseDuration, redistest.DownAfter)+3*time.Second+env.Follower.Ack
		replaced(env, old)
		version := env.CDN.Publish()
		env.AwaitVersion(version, env.PollBound())
		env.Recovered(stopped, bound)
		env.Eventually(env.TakeoverBound(), "both take part where the new primary is", func() bool {
			a, b := first.Stats(), second.Stats()
			return first.Leads() && b.LockHolder == first.ID() && b.Epoch == a.Epoch || second.Leads() && a.LockHolder == second.ID() && a.Epoch == b.Epoch
		})
		// It may have run a renewal before the signal took effect.
		env.Pass(time.Until(stopped.Add(env.Leader.LeaseDuration + env.Leader.RenewInterval)))
		resumed := time.Now()
		old.Resume(env.T)
		env.Pass(env.Leader.LeaseDuration)
		if n := env.PublishedBy(old, resumed); n != 0 {
			env.Errorf("the old primary published %d messages of leaders", n)
		}
		env.Settle()
	})
}

package test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// onSentinel runs on a guarded primary with two replicas and guarded Sentinels.
func onSentinel(t *testing.T, run func(env *environment, sentinel *redistest.Sentinel)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts six processes")
	}
	t.Parallel()
	start := func(t *testing.T) *environment {
		sentinel := guarded(t, "replicated.acl").StartSentinel(t, 2)
		env := onGuarded(t, sentinel.ClientAs, sentinel.Nodes...)
		env.harmless(sentinel.Sentinels...)
		env.sentinel = sentinel
		env.processes()
		return env
	}
	inLanes(t, start, func(env *environment) { run(env, env.sentinel) })
}

// holdReplicas stops the replication to all replicas: writes to the primary are lost when
// one of them replaces it. The returned function resumes it.
func (env *environment) holdReplicas() (catchUp func()) {
	env.Helper()
	env.audit.allowLoss()
	primary := env.sentinel.Primary(env.T)
	env.do(primary, "ACL", "SETUSER", "replica", "-psync")
	env.do(primary, "CLIENT", "KILL", "TYPE", "replica")
	return func() {
		env.do(primary, "ACL", "SETUSER", "replica", "+psync")
		for _, node := range env.sentinel.Nodes {
			env.do(node, "ACL", "LOG", "RESET") // the test meant it to be refused
		}
	}
}

// do sends a command to one node.
func (env *environment) do(node *redistest.Process, args ...any) any {
	env.Helper()
	reply, err := node.Do(env.T, args...)
	if err != nil {
		env.Fatal(err)
	}
	return reply
}

// holds returns the version that a node has; 0: none.
func (env *environment) holds(node *redistest.Process) int64 {
	env.Helper()
	text, err := node.Do(env.T, "GET", env.keys.Entry)
	if err != nil {
		return 0
	}
	entry, err := cachekeys.ParseEntry([]byte(text.(string)))
	if err != nil {
		env.Fatal(err)
	}
	version, err := versionIn(entry.JSON)
	if err != nil {
		env.Fatal(err)
	}
	return version
}

// info returns a number that INFO of one node reports in a section.
func (env *environment) info(node *redistest.Process, section, field string) int64 {
	env.Helper()
	for line := range strings.Lines(env.do(node, "INFO", section).(string)) {
		if number, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				env.Fatal(err)
			}
			return n
		}
	}
	env.Fatalf("INFO %s has no %s", section, field)
	return 0
}

// replaced waits until another node is the primary, and returns it.
func (env *environment) replaced(old *redistest.Process) (primary *redistest.Process) {
	env.Helper()
	env.eventually(0, "another is the primary", func() bool {
		primary = env.sentinel.Primary(env.T)
		return primary != old && strings.Contains(env.do(primary, "INFO", "replication").(string), "role:master")
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
func (env *environment) publishUnreplicated() unreplicated {
	env.Helper()
	primary := env.sentinel.Primary(env.T)
	version := env.cdn.Publish()
	env.reached(version, env.poll())
	for _, node := range env.sentinel.Nodes {
		if v := env.holds(node); node != primary && v >= version {
			env.Fatalf("the replica on port %d has version %d already", node.Port, v)
		}
	}
	return unreplicated{version, primary, env.info(primary, "replication", "master_repl_offset")}
}

// onlineReplica matches a replica in INFO that has an address, which a tap does not.
var onlineReplica = regexp.MustCompile(`port=[1-9]\d*,state=online`)

// wasLost checks that the new primary took over without the data that the replicas did not
// have. The auditor may have missed that, if a leader repaired it quickly.
func (env *environment) wasLost(d unreplicated, round int) {
	env.Helper()
	primary := env.sentinel.Primary(env.T)
	if kept := env.info(primary, "replication", "second_repl_offset") - 1; primary == d.primary || kept >= d.offset {
		env.Errorf("no write was lost: %d bytes of %d are kept", kept, d.offset)
		return
	}
	env.audit.lostAtLeast(round + 1)
}

// The replicas are behind when the primary dies.
func TestF04_SentinelsReplaceTheKilledPrimary(t *testing.T) {
	onSentinel(t, func(env *environment, sentinel *redistest.Sentinel) {
		env.ready(3)
		env.holdReplicas()
		lost := env.publishUnreplicated()
		lost.primary.Kill()
		killed, bound := time.Now(), redistest.DownAfter+3*time.Second
		env.eventually(bound, "the version that was lost is there again", func() bool {
			primary := sentinel.Primary(env.T)
			return primary != lost.primary && env.holds(primary) >= lost.version
		})
		env.recovered(killed, bound)
		env.wasLost(lost, 0)
		env.settle()
	})
}

func TestF05_SentinelsReplaceTheKilledPrimaryWhileTheLeaderDies(t *testing.T) {
	onSentinel(t, func(env *environment, sentinel *redistest.Sentinel) {
		first, second := env.ready(3)
		env.holdReplicas()
		lost := env.publishUnreplicated()
		lost.primary.Kill()
		first.kill()
		killed, bound := time.Now(), max(env.leader.LeaseDuration, redistest.DownAfter)+3*time.Second
		version := env.cdn.Publish()
		env.eventually(bound, "the other leads", second.leads)
		env.reached(version, bound)
		env.recovered(killed, bound)
		env.wasLost(lost, 0)
		env.settle()
	})
}

// A write is lost each time, which proves that the fault occurred.
func TestF06_ManyFailoversNeverRollContentBack(t *testing.T) {
	onSentinel(t, func(env *environment, sentinel *redistest.Sentinel) {
		env.ready(3)
		for round := range env.rounds(2) {
			catchUp := env.holdReplicas()
			lost := env.publishUnreplicated()
			env.eventually(0, "the Sentinels agree to a failover", func() bool { return sentinel.Failover(env.T) == nil })
			agreed, bound := time.Now(), redistest.DownAfter+3*time.Second
			primary := env.replaced(lost.primary)
			env.eventually(bound, "the version that was lost is there again", func() bool { return env.holds(primary) >= lost.version })
			env.recovered(agreed, bound)
			env.wasLost(lost, round)
			catchUp()
			env.reached(env.cdn.Publish(), env.poll())
			env.eventually(0, "the replicas are in sync", func() bool {
				return len(onlineReplica.FindAllString(env.do(primary, "INFO", "replication").(string), -1)) == 2
			})
		}
		env.settle()
	})
}

// The primary is stopped, replaced, and continued, without knowing that it was replaced.
func TestF08_ThawedPrimaryIsNotTrusted(t *testing.T) {
	onSentinel(t, func(env *environment, sentinel *redistest.Sentinel) {
		first, second := env.ready(3)
		env.audit.allowLoss()
		old := sentinel.Primary(env.T)
		old.Pause(env.T)
		// As long as with a primary that dies. But it still accepts connections, and a
		// connection that is being made when it is replaced is given up later.
		stopped, bound := time.Now(), max(env.leader.LeaseDuration, redistest.DownAfter)+3*time.Second+env.follower.Ack
		env.replaced(old)
		version := env.cdn.Publish()
		env.reached(version, env.poll())
		env.recovered(stopped, bound)
		env.eventually(env.takeover(), "both take part where the new primary is", func() bool {
			a, b := first.stats(), second.stats()
			return first.leads() && b.LockHolder == first.ID() && b.Epoch == a.Epoch || second.leads() && a.LockHolder == second.ID() && a.Epoch == b.Epoch
		})
		// It may have run a renewal before the signal took effect.
		env.pass(time.Until(stopped.Add(env.leader.LeaseDuration + env.leader.RenewInterval)))
		resumed := time.Now()
		old.Resume(env.T)
		env.pass(env.leader.LeaseDuration)
		if n := env.publishedBy(old, resumed); n != 0 {
			env.Errorf("the old primary published %d messages of leaders", n)
		}
		env.settle()
	})
}

package test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/test/redistest"
)

// onSentinel plays on a guarded primary with two replicas that guarded Sentinels watch over.
func onSentinel(t *testing.T, play func(w *world, sentinel *redistest.Sentinel)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts six processes")
	}
	t.Parallel()
	start := func(t *testing.T) *world {
		sentinel := guarded(t, "replicated.acl").StartSentinel(t, 2)
		w := onGuarded(t, sentinel.ClientAs, sentinel.Nodes...)
		w.harmless(sentinel.Sentinels...)
		w.sentinel = sentinel
		w.processes()
		return w
	}
	inLanes(t, start, func(w *world) { play(w, w.sentinel) })
}

// behind leaves all replicas behind from now on: what is written to the primary is lost
// when one of them replaces it. The function lets them catch up.
func (w *world) behind() (catchUp func()) {
	w.Helper()
	w.audit.allowLoss()
	primary := w.sentinel.Primary(w.T)
	w.do(primary, "ACL", "SETUSER", "replica", "-psync")
	w.do(primary, "CLIENT", "KILL", "TYPE", "replica")
	return func() {
		w.do(primary, "ACL", "SETUSER", "replica", "+psync")
		for _, node := range w.sentinel.Nodes {
			w.do(node, "ACL", "LOG", "RESET") // what was refused was meant to be
		}
	}
}

// do sends a command to one node.
func (w *world) do(node *redistest.Process, args ...any) any {
	w.Helper()
	reply, err := node.Do(w.T, args...)
	if err != nil {
		w.Fatal(err)
	}
	return reply
}

// holds is the version that a node has; 0: none.
func (w *world) holds(node *redistest.Process) int64 {
	w.Helper()
	text, err := node.Do(w.T, "GET", w.keys.Entry)
	if err != nil {
		return 0
	}
	entry, err := cachekeys.ParseEntry([]byte(text.(string)))
	if err != nil {
		w.Fatal(err)
	}
	version, err := versionIn(entry.JSON)
	if err != nil {
		w.Fatal(err)
	}
	return version
}

// offset is how far a node's replication is: what it has, or had when it took over.
func (w *world) offset(node *redistest.Process, field string) int64 {
	w.Helper()
	for line := range strings.Lines(w.do(node, "INFO", "replication").(string)) {
		if number, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				w.Fatal(err)
			}
			return n
		}
	}
	w.Fatal("INFO has no " + field)
	return 0
}

// replaced waits until another node is the primary.
func (w *world) replaced(old *redistest.Process) (primary *redistest.Process) {
	w.Helper()
	w.eventually(0, "another is the primary", func() bool {
		primary = w.sentinel.Primary(w.T)
		return primary != old && strings.Contains(w.do(primary, "INFO", "replication").(string), "role:master")
	})
	return primary
}

// doomed is a version that only the primary has.
type doomed struct {
	version int64
	primary *redistest.Process
	offset  int64 // of the primary's replication
}

// publishBehind publishes a version that followers get, and no replica.
func (w *world) publishBehind() doomed {
	w.Helper()
	primary := w.sentinel.Primary(w.T)
	version := w.cdn.Publish()
	w.reached(version, w.poll())
	for _, node := range w.sentinel.Nodes {
		if v := w.holds(node); node != primary && v >= version {
			w.Fatalf("the replica on port %d has version %d already", node.Port, v)
		}
	}
	return doomed{version, primary, w.offset(primary, "master_repl_offset")}
}

// onlineReplica is one in INFO that has an address, which a tap has not.
var onlineReplica = regexp.MustCompile(`port=[1-9]\d*,state=online`)

// wasLost sees to it that who took over did so without what the replicas did not have.
// The auditor need not have seen that: it may be mended too soon.
func (w *world) wasLost(d doomed, round int) {
	w.Helper()
	primary := w.sentinel.Primary(w.T)
	if kept := w.offset(primary, "second_repl_offset") - 1; primary == d.primary || kept >= d.offset {
		w.Errorf("no write was lost: %d bytes of %d are kept", kept, d.offset)
		return
	}
	w.audit.lostAtLeast(round + 1)
}

// The replicas are behind when the primary dies.
func TestF04_SentinelsReplaceTheKilledPrimary(t *testing.T) {
	onSentinel(t, func(w *world, sentinel *redistest.Sentinel) {
		w.ready(3)
		w.behind()
		lost := w.publishBehind()
		lost.primary.Kill()
		killed, bound := time.Now(), redistest.DownAfter+3*time.Second
		w.eventually(bound, "the version that was lost is there again", func() bool {
			primary := sentinel.Primary(w.T)
			return primary != lost.primary && w.holds(primary) >= lost.version
		})
		w.recovered(killed, bound)
		w.wasLost(lost, 0)
		w.settle()
	})
}

func TestF05_SentinelsReplaceTheKilledPrimaryWhileTheLeaderDies(t *testing.T) {
	onSentinel(t, func(w *world, sentinel *redistest.Sentinel) {
		first, second := w.ready(3)
		w.behind()
		lost := w.publishBehind()
		lost.primary.Kill()
		first.kill()
		killed, bound := time.Now(), max(w.leader.LeaseDuration, redistest.DownAfter)+3*time.Second
		version := w.cdn.Publish()
		w.eventually(bound, "the other leads", second.leads)
		w.reached(version, bound)
		w.recovered(killed, bound)
		w.wasLost(lost, 0)
		w.settle()
	})
}

// Each time a write is lost, which proves that the fault was one.
func TestF06_ManyFailoversNeverTakeContentBack(t *testing.T) {
	onSentinel(t, func(w *world, sentinel *redistest.Sentinel) {
		w.ready(3)
		for round := range w.rounds(2) {
			catchUp := w.behind()
			lost := w.publishBehind()
			w.eventually(0, "the Sentinels agree to a failover", func() bool { return sentinel.Failover(w.T) == nil })
			agreed, bound := time.Now(), redistest.DownAfter+3*time.Second
			primary := w.replaced(lost.primary)
			w.eventually(bound, "the version that was lost is there again", func() bool { return w.holds(primary) >= lost.version })
			w.recovered(agreed, bound)
			w.wasLost(lost, round)
			catchUp()
			w.reached(w.cdn.Publish(), w.poll())
			w.eventually(0, "the replicas are in sync", func() bool {
				return len(onlineReplica.FindAllString(w.do(primary, "INFO", "replication").(string), -1)) == 2
			})
		}
		w.settle()
	})
}

// The primary is stopped, replaced, and goes on, not knowing of it.
func TestF08_ThawedPrimaryMisleadsNobody(t *testing.T) {
	onSentinel(t, func(w *world, sentinel *redistest.Sentinel) {
		first, second := w.ready(3)
		w.audit.allowLoss()
		old := sentinel.Primary(w.T)
		old.Pause(w.T)
		// As long as with a primary that dies; but it still takes connections, and one that is
		// being made when it is replaced is given up later.
		stopped, bound := time.Now(), max(w.leader.LeaseDuration, redistest.DownAfter)+3*time.Second+w.follower.Ack
		w.replaced(old)
		version := w.cdn.Publish()
		w.reached(version, w.poll())
		w.recovered(stopped, bound)
		w.eventually(w.takeover(), "both take part where the new primary is", func() bool {
			a, b := first.stats(), second.stats()
			return first.leads() && b.LockHolder == first.ID() && b.Epoch == a.Epoch || second.leads() && a.LockHolder == second.ID() && a.Epoch == b.Epoch
		})
		// It may have run a renewal before the signal took effect.
		w.pass(time.Until(stopped.Add(w.leader.LeaseDuration + w.leader.RenewInterval)))
		resumed := time.Now()
		old.Resume(w.T)
		w.pass(w.leader.LeaseDuration)
		if n := w.taps[old].messagesSince(resumed); n != 0 {
			w.Errorf("the old primary published %d messages of leaders", n)
		}
		w.settle()
	})
}

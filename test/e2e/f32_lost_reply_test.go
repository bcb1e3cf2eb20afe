package e2e

import (
	"bytes"
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/harness"
)

// The reply to a commit is lost after it ran: the leader retries, and no second change is
// published.
func TestF32_LostReplyDoesNotPublishTwice(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, _ := env.StartAll(3)
		for range env.Rounds(3) {
			if !first.Leads() { // on a busy machine
				first, _ = env.AwaitElected(env.Leaders...)
			}
			var before []uint64
			for _, r := range env.Followers {
				before = append(before, r.Client.Stats().Applied)
			}
			// Replies to scripts that wrote: an array whose first element is OK.
			first.Link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*7\r\n$2\r\nOK\r\n")) })
			dropped := first.Link.Dropped()
			version := env.CDN.Publish()
			env.AwaitCommit(version)
			first.Link.Drop(nil)
			lost, bound := time.Now(), env.TakeoverBound()
			if first.Link.Dropped() == dropped {
				env.Error("no reply was lost")
			}
			env.AwaitVersion(version, env.PollBound())
			env.Eventually(bound, "the leader goes on", func() bool { s := first.Stats(); return !first.Leads() || s.WriteError == "" })
			env.Recovered(lost, bound)
			for i, r := range env.Followers {
				if n := r.Client.Stats().Applied - before[i]; n != 1 {
					env.Errorf("%s took %d contents for one change", r.Name, n)
				}
			}
			env.Settle()
		}
	})
}

// The leader's own commit arrives late, when newer content is already current.
func TestF32_LateCommitDoesNotReplaceNewerContent(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, _ := env.StartAll(3)
		for range env.Rounds(3) {
			if !first.Leads() { // on a busy machine
				first, _ = env.AwaitElected(env.Leaders...)
			}
			next := env.CDN.Config()
			next.Version++
			late := first.Link.Late(next.ETag())
			version := env.CDN.Publish()
			env.AwaitVersion(version, env.PollBound()+env.Leader.RenewDeadline) // by another attempt
			if !late.Held() {
				env.Error("no commit is late")
			}
			arrived, bound := time.Now(), env.PollBound()
			newer := env.CDN.Publish()
			env.AwaitVersion(newer, bound)
			env.Recovered(arrived, bound)
			commits := env.CommitsOf(version)
			late.Arrive()
			if !env.Virtual {
				env.Eventually(env.Leader.RenewInterval, "the late commit is run", func() bool { return env.CommitsOf(version) > commits })
			}
			env.Pass(2 * env.Leader.RenewInterval)
			env.Audit.Check(env.T)
			env.Settle()
		}
	})
}

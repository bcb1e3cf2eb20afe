package test

import (
	"bytes"
	"testing"
	"time"
)

// The reply to a commit is lost after it ran: the leader retries, and no second change is
// published.
func TestF32_LostReplyDoesNotPublishTwice(t *testing.T) {
	scenario(t, func(env *environment) {
		first, _ := env.ready(3)
		for range env.rounds(3) {
			if !first.leads() { // on a busy machine
				first, _ = env.elected(env.runners...)
			}
			var before []int64
			for _, r := range env.readers {
				before = append(before, r.client.Stats().Applied)
			}
			// Replies to scripts that wrote: an array whose first element is OK.
			first.link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*6\r\n$2\r\nOK\r\n")) })
			dropped := first.link.Dropped()
			version := env.cdn.Publish()
			env.committed(version)
			first.link.Drop(nil)
			lost, bound := time.Now(), env.takeover()
			if first.link.Dropped() == dropped {
				env.Error("no reply was lost")
			}
			env.reached(version, env.poll())
			env.eventually(bound, "the leader goes on", func() bool { s := first.stats(); return !first.leads() || s.WriteError == "" })
			env.recovered(lost, bound)
			for i, r := range env.readers {
				if n := r.client.Stats().Applied - before[i]; n != 1 {
					env.Errorf("%s took %d contents for one change", r.name, n)
				}
			}
			env.settle()
		}
	})
}

// The leader's own commit arrives late, when newer content is already current.
func TestF32_LateCommitDoesNotReplaceNewerContent(t *testing.T) {
	scenario(t, func(env *environment) {
		first, _ := env.ready(3)
		for range env.rounds(3) {
			if !first.leads() { // on a busy machine
				first, _ = env.elected(env.runners...)
			}
			next := env.cdn.Config()
			next.Version++
			late := first.link.Late(next.ETag())
			version := env.cdn.Publish()
			env.reached(version, env.poll()+env.leader.RenewDeadline) // by another attempt
			if !late.Held() {
				env.Error("no commit is late")
			}
			arrived, bound := time.Now(), env.poll()
			newer := env.cdn.Publish()
			env.reached(newer, bound)
			env.recovered(arrived, bound)
			commits := env.commitsOf(version)
			late.Arrive()
			if !env.virtual {
				env.eventually(env.leader.RenewInterval, "the late commit is run", func() bool { return env.commitsOf(version) > commits })
			}
			env.pass(2 * env.leader.RenewInterval)
			env.audit.check(env.T)
			env.settle()
		}
	})
}

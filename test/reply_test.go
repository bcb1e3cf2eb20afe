package test

import (
	"bytes"
	"testing"
	"time"
)

// The reply to a commit is lost after it ran: the leader tries again, and that is no
// second change.
func TestF32_LostReplyIsNoSecondChange(t *testing.T) {
	scenario(t, func(w *world) {
		first, _ := w.ready(3)
		for range w.rounds(3) {
			if !first.leads() { // on a busy machine
				first, _ = w.elected(w.runners...)
			}
			var before []int64
			for _, r := range w.readers {
				before = append(before, r.client.Stats().Applied)
			}
			// Replies to scripts that wrote something: an array that begins with OK.
			first.link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*6\r\n$2\r\nOK\r\n")) })
			dropped := first.link.Dropped()
			version := w.cdn.Publish()
			w.committed(version)
			first.link.Drop(nil)
			lost, bound := time.Now(), w.takeover()
			if first.link.Dropped() == dropped {
				w.Error("no reply was lost")
			}
			w.reached(version, w.poll())
			w.eventually(bound, "the leader goes on", func() bool { s := first.stats(); return !first.leads() || s.WriteError == "" })
			w.recovered(lost, bound)
			for i, r := range w.readers {
				if n := r.client.Stats().Applied - before[i]; n != 1 {
					w.Errorf("%s took %d contents for one change", r.name, n)
				}
			}
			w.settle()
		}
	})
}

// A commit of the leader's own arrives late, when newer content is current already.
func TestF32_LateCommitUndoesNothing(t *testing.T) {
	scenario(t, func(w *world) {
		first, _ := w.ready(3)
		for range w.rounds(3) {
			if !first.leads() { // on a busy machine
				first, _ = w.elected(w.runners...)
			}
			next := w.cdn.Config()
			next.Version++
			late := first.link.Late(next.ETag())
			version := w.cdn.Publish()
			w.reached(version, w.poll()+w.leader.RenewDeadline) // by another try
			if !late.Held() {
				w.Error("no commit is late")
			}
			arrived, bound := time.Now(), w.poll()
			newer := w.cdn.Publish()
			w.reached(newer, bound)
			w.recovered(arrived, bound)
			commits := w.commitsOf(version)
			late.Arrive()
			if !w.virtual {
				w.eventually(w.leader.RenewInterval, "the late commit is run", func() bool { return w.commitsOf(version) > commits })
			}
			w.pass(2 * w.leader.RenewInterval)
			w.audit.check(w.T)
			w.settle()
		}
	})
}

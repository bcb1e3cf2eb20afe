package test

import (
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// fencedReason is in the log of a leader whose write was refused.
const (
	eventResigned = 6101
	fencedReason  = "the lock was lost"
)

func TestF02_KilledProcessIsReplaced(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		all := f.launchAll(2, 3)
		for range f.rounds(1) {
			f.pass(f.upTo(f.leader.RenewInterval))
			f.signal(all[0], syscall.SIGKILL)
			killed := time.Now()
			f.awaitHolder(all[1])
			f.recovered(killed, f.takeover())
			f.reached(f.cdn.Publish(), f.poll())
			all = []*process{all[1], f.launch()}
		}
		f.settle()
	})
}

func TestF03_TerminatedProcessHandsOver(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		all := f.launchAll(3, 3)
		for range f.rounds(3) {
			f.signal(all[0], syscall.SIGTERM)
			terminated := time.Now()
			f.eventually(f.takeover(), "another leads", func() bool { return f.holder() != all[0].id && f.holder() != "" })
			f.recovered(terminated, time.Second)
			<-all[0].exited
			if code := all[0].cmd.ProcessState.ExitCode(); code != 0 {
				f.Errorf("exit code %d", code)
			}
			f.reached(f.cdn.Publish(), f.poll())
			all = append(all[1:], f.launch())
			if f.holder() != all[0].id {
				all[0], all[1] = all[1], all[0]
			}
			f.awaitHolder(all[0])
			f.subscribed(6)
		}
		f.settle()
	})
}

// The process is stopped at a random moment, for longer than its lock lives.
func TestF01_StoppedProcessIsFenced(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		all := f.launchAll(2, 3)
		for range f.rounds(1) {
			f.pass(f.upTo(f.leader.PollInterval))
			fenced := all[0].events(eventResigned, fencedReason)
			stopped := time.Now()
			f.signal(all[0], syscall.SIGSTOP)
			f.awaitHolder(all[1])
			f.recovered(stopped, f.takeover())
			f.reached(f.cdn.Publish(), f.poll())
			f.pass(time.Until(stopped.Add(f.leader.LeaseDuration * 7 / 4)))
			f.signal(all[0], syscall.SIGCONT)
			f.eventually(f.leader.RenewInterval, "it is fenced", func() bool { return all[0].events(eventResigned, fencedReason) > fenced })
			if id := f.holder(); id != all[1].id {
				f.Errorf("%s leads after the other went on", id)
			}
			f.settle()
			all[0], all[1] = all[1], all[0]
		}
	})
}

// The process is stopped between fetch and commit: the commit is under way, and arrives
// after another leader has published newer content.
func TestF01_CommitOfAStoppedProcessIsRefused(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		links := []*redistest.Link{{}, {}}
		all := []*process{f.launchBehind(links[0])}
		f.awaitHolder(all[0])
		all = append(all, f.launchBehind(links[1]))
		f.join(2, 3)
		for range f.rounds(1) {
			f.commitUnderWay(links[0])
			stopped := time.Now()
			f.signal(all[0], syscall.SIGSTOP)
			fenced, refused := all[0].events(eventResigned, fencedReason), f.refused()
			f.awaitHolder(all[1])
			f.recovered(stopped, f.takeover())
			f.reached(f.cdn.Publish(), f.poll())
			f.pass(time.Until(stopped.Add(f.leader.LeaseDuration * 7 / 4)))
			links[0].Thaw() // the commit arrives now
			f.eventually(f.leader.RenewInterval, "it is refused", func() bool { return f.refused() > refused })
			f.signal(all[0], syscall.SIGCONT)
			f.eventually(f.leader.RenewInterval, "it is fenced", func() bool { return all[0].events(eventResigned, fencedReason) > fenced })
			if id := f.holder(); id != all[1].id {
				f.Errorf("%s leads after the other went on", id)
			}
			f.settle()
			all[0], all[1] = all[1], all[0]
			links[0], links[1] = links[1], links[0]
		}
	})
}

// commitUnderWay changes the content and freezes the leader's network while its commit is
// on its way to Redis.
func (f *fleet) commitUnderWay(link *redistest.Link) {
	f.Helper()
	f.eventually(time.Minute, "a commit is under way", func() bool {
		release, asked := make(chan struct{}), make(chan struct{}, 100)
		f.cdn.Break(fakecdn.Announce(asked, fakecdn.Hang(release)))
		<-asked
		version := f.cdn.Publish()
		link.Freeze()
		close(release)
		f.cdn.Repair()
		etag := f.cdn.Config().ETag()
		for deadline := time.Now().Add(f.leader.RenewDeadline / 4); time.Now().Before(deadline); f.pass(f.pause()) {
			if link.Holds(etag) {
				return true
			}
		}
		link.Thaw() // a renewal delayed it
		f.reached(version, f.poll()+f.leader.RenewInterval)
		return false
	})
}

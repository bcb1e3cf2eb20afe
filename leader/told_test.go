package leader

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// The numbers of arguments of EVALSHA: the script and the number of keys, the keys, the
// script's arguments.
const (
	commitArgs = 2 + 4 + 21
	renewArgs  = 2 + 4 + 14
)

// refuse makes scripts with that many arguments fail before they run, while the flag is set.
func (s *testEnv) refuse(args int, refuse *atomic.Bool) {
	s.server.Mini().Server().SetPreHook(func(peer *server.Peer, cmd string, have ...string) bool {
		if !refuse.Load() || cmd != "EVALSHA" && cmd != "EVAL" || len(have) != args {
			return false
		}
		peer.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
		return true
	})
}

// I3: whatever happens to the leader after it has sent the commit.
func TestTheScriptThatWritesAChangePublishesIt(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		published := s.messages()
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(5 * time.Second)
		version := s.cdn.Publish()
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*6\r\n$2\r\nOK")) })
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(time.Second)
		s.hasVersion(version)
		want := wire.Message{Type: wire.Change}.Head() + " rev=" + strconv.FormatInt(s.entry().FetchTime, 10)
		if all := published(); !strings.Contains(all, want) {
			s.Errorf("the change is not announced:\n%s", all)
		}
	})
}

// messages subscribes and returns a function that returns the messages published since.
func (s *testEnv) messages() func() string {
	s.Helper()
	sub := s.client.Subscribe(s.Context(), s.keys.Events)
	if _, err := sub.Receive(s.Context()); err != nil {
		s.Fatal(err)
	}
	var all syncBuffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, err := sub.ReceiveMessage(s.Context())
			if err != nil {
				return
			}
			_, _ = all.Write([]byte(m.Payload + "\n"))
		}
	}()
	s.Cleanup(func() {
		_ = sub.Close()
		<-done
	})
	return all.String
}

// Followers compare the times of CDN answers by Redis's clock (I1). So every message about the
// current content has that clock as its last field.
func TestMessagesEndWithRedisClock(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		const ahead = time.Hour // how far Redis's clock is ahead
		s.server.Mini().SetTime(time.Now().Add(ahead))
		published := s.messages()
		l, stop := s.start(nil)
		s.wait(10 * time.Second)
		s.server.Mini().SetTime(time.Now().Add(ahead))
		s.change(l)
		stop()
		s.wait(time.Second)
		now := time.Now().Add(ahead)
		counts := map[wire.MessageType]int{}
		for line := range strings.Lines(published()) {
			m, err := wire.ParseMessage([]byte(strings.TrimSuffix(line, "\n")))
			if err != nil || m.Type == wire.Refresh {
				continue // inline content
			}
			counts[m.Type]++
			if age := now.Sub(time.UnixMilli(m.Now)); age < 0 || age > time.Minute || !strings.HasSuffix(line, fmt.Sprintf(" now=%d\n", m.Now)) {
				s.Errorf("%q is %v old by Redis's clock", line, age)
			}
		}
		for _, kind := range []wire.MessageType{wire.Change, wire.Heartbeat, wire.Resign} {
			if counts[kind] == 0 {
				s.Errorf("no %s", kind)
			}
		}
	})
}

// I14: renewals continue while commits fail.
func TestAnAnswerAboutPendingContentConfirmsNoOtherContent(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		var refuse atomic.Bool
		refuse.Store(true)
		s.refuse(commitArgs, &refuse)
		before := s.stats(l)
		version := s.cdn.Publish()
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(2 * l.cfg.Timing.RenewInterval)
		now := s.stats(l)
		if now.WriteError == "" || now.Renewals == before.Renewals {
			s.Fatalf("commits were to fail and renewals to succeed: %+v", now)
		}
		if now.LastAnswer != before.LastAnswer || now.Rev != before.Rev {
			s.Errorf("from %+v to %+v", before, now)
		}
		refuse.Store(false)
		s.wait(l.cfg.Timing.RenewInterval)
		s.hasVersion(version)
	})
}

// A slow reply does not prolong the time for which a leader acts.
func TestTheLeaseCountsFromBeforeTheRenewalWasSent(t *testing.T) {
	for _, keys := range []int{1, 3} { // sent alone, and in a batch
		t.Run(strconv.Itoa(keys), func(t *testing.T) { trustFromBefore(t, keys) })
	}
}

func trustFromBefore(t *testing.T, keys int) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.startMany(link, keys)
		s.wait(10 * time.Second)
		timing := l.cfg.Timing
		for renewals := s.stats(l).Renewals; s.stats(l).Renewals == renewals; {
			s.wait(time.Millisecond)
		}
		renewed := time.Now()
		s.wait(timing.RenewInterval - 100*time.Millisecond)
		link.Freeze() // the next renewal is sent in 100 ms
		s.wait(2500 * time.Millisecond)
		link.Thaw()
		s.wait(10 * time.Millisecond)
		link.Freeze()
		// It stops acting at its deadline and then tries to release the lock.
		s.wait(time.Until(renewed.Add(timing.RenewInterval + timing.RenewDeadline + 2*releaseTimeout + 100*time.Millisecond)))
		for _, now := range l.Stats().Keys {
			if now.State != Candidate || now.Lapsed != 1 {
				s.Errorf("%+v", now)
			}
		}
		link.Thaw()
	})
}

// I14: a write that arrives late does not make the CDN's answer look more recent.
func TestALateWriteDoesNotMakeAnAnswerMoreRecent(t *testing.T) {
	for name, changed := range map[string]bool{"commit": true, "renew": false} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				link := new(redistest.Link)
				l, _ := s.start(link)
				s.wait(10 * time.Second)
				release, asked := make(chan struct{}), make(chan struct{}, 1)
				s.cdn.Break(fakecdn.Announce(asked, fakecdn.Hang(release)))
				<-asked
				sent := time.Now()
				if changed {
					s.cdn.Publish()
				}
				for renewals := s.stats(l).Renewals; s.stats(l).Renewals == renewals; {
					s.wait(time.Millisecond)
				}
				link.Freeze()
				close(release)
				s.wait(2 * time.Second)
				link.Thaw()
				s.wait(100 * time.Millisecond)
				if answer := s.stats(l).LastAnswer; answer.After(sent) || answer.Before(sent.Add(-10*time.Millisecond)) {
					s.Errorf("the CDN was asked at %v, and is said to have answered at %v", sent, answer)
				}
			})
		})
	}
}

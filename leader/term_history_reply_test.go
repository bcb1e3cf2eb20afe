package leader

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// loseReply requests a poll, and loses the reply to the commit that follows. n is the number of the
// reply's elements. Then it calls meanwhile, and breaks the connection.
func (s *testEnv) loseReply(l *Leader, link *redistest.Link, n int, meanwhile func()) {
	s.Helper()
	link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, fmt.Appendf(nil, "*%d\r\n$2\r\nOK", n)) })
	s.poll(l)
	s.hasVersion(s.cdn.Version())
	meanwhile()
	if link.Dropped() == 0 {
		s.Error("no reply was lost")
	}
	link.Drop(nil)
	link.Down()
	s.wait(500 * time.Millisecond)
	link.Up()
	s.wait(12 * time.Second)
}

func (s *testEnv) poll(l *Leader) {
	s.Helper()
	if err := l.RequestRefresh(s.Context(), "main"); err != nil {
		s.Fatal(err)
	}
	s.wait(2 * time.Second)
}

// The reply to a commit is lost, and the next version is fetched before the commit is tried again. That
// version then leads back to the one that was committed, and continues the patches.
func TestAChangeAfterALostReplyLeavesNoHole(t *testing.T) {
	for name, size := range map[string]int{"small": 0, "large": largeBytes} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				s.cdn.SetMinBytes(size)
				link := new(redistest.Link)
				l, _ := s.start(link)
				s.wait(5 * time.Second)
				s.cdn.Publish()
				s.loseReply(l, link, 7, func() {
					s.poll(l)
					s.cdn.Publish()
				})
				v := s.cdn.Version()
				s.hasVersion(v)
				s.wantHistory(v, v-1, v-2)
				if size == 0 {
					return
				}
				data, err := s.client.Get(s.Context(), s.keys.Patches).Bytes()
				if err != nil {
					s.Fatal(err)
				}
				if patches, err := wire.ParsePatches(data); err != nil || len(patches) != 2 || patches.To() != s.meta().Hash {
					s.Errorf("%d patches, %v", len(patches), err)
				}
			})
		})
	}
}

// Redis refused the entry, and the reply that says so was lost.
func TestARefusedEntryIsReportedEvenIfTheReplyIsLost(t *testing.T) {
	for name, meanwhile := range map[string]func(*testEnv, *Leader){
		"the renewal finds the change": func(*testEnv, *Leader) {},
		"the commit is tried again":    func(s *testEnv, l *Leader) { s.poll(l) },
	} {
		for _, earlier := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", refused before: ", earlier), func(t *testing.T) {
				runEnv(t, func(s *testEnv) {
					link := new(redistest.Link)
					l, _ := s.start(link)
					s.wait(5 * time.Second)
					s.client.XAdd(s.Context(), &redis.XAddArgs{
						Stream: s.keys.History, Values: []string{"hash", "zz"}, ID: "18446744073709551615-18446744073709551615", // the last possible ID
					})
					if earlier {
						s.change(l)
					}
					before := s.stats(l).HistoryErrors
					s.cdn.Publish()
					s.loseReply(l, link, 8, func() { meanwhile(s, l) })
					if now := s.stats(l); now.HistoryError == "" || now.HistoryErrors <= before || strings.Contains(s.log.String(), fmt.Sprint("event_id=", eventHistoryBack)) {
						s.Errorf("stats %+v\n%s", now, s.log)
					}
				})
			})
		}
	}
}

// A lost reply to a commit that added its entry is no reason for a report.
func TestALostReplyAloneIsNotReported(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(5 * time.Second)
		s.cdn.Publish()
		s.loseReply(l, link, 7, func() {})
		if now := s.stats(l); now.HistoryError != "" || now.HistoryErrors != 0 || now.HistoryEntries != 2 {
			s.Errorf("stats %+v\n%s", now, s.log)
		}
		s.wantHistory(2, 1)
	})
}

// What a replica that was behind lost is written again, by the process that fetched it or by another.
func TestARepairHasItsOwnCause(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprint("restarted: ", restart), func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, stop := s.start(nil)
				s.wait(5 * time.Second)
				fallBack := s.snapshot()
				s.change(l)
				if restart {
					stop()
					_, _ = s.start(nil)
				}
				s.wait(10 * time.Second)
				s.cdn.Break(fakecdn.Status(http.StatusServiceUnavailable))
				fallBack()
				s.wait(20 * time.Second)
				s.hasVersion(2)
				s.wantHistory(2, 1)
				s.wantCauses(history.Repair, history.First)
			})
		})
	}
}

// Without meta and blob, nothing shows that an SDK wrote the entry.
func TestTheBridgesOwnEntryIsNotAnSDKs(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		stop()
		s.cdn.Break(fakecdn.Status(http.StatusServiceUnavailable))
		s.client.Del(s.Context(), s.keys.Meta, s.keys.Blob, s.keys.History)
		s.start(nil)
		s.wait(10 * time.Second)
		s.wantHistory(1)
		s.wantCauses(history.Repair)
	})
}

// snapshot returns a function that makes Redis hold again what it holds now, except for the lock and the
// epoch.
func (s *testEnv) snapshot() (fallBack func()) {
	ctx := context.WithoutCancel(s.Context())
	meta := s.client.HGetAll(ctx, s.keys.Meta).Val()
	entries := s.client.XRange(ctx, s.keys.History, "-", "+").Val()
	texts := map[string]string{}
	for _, key := range []string{s.keys.Entry, s.keys.Blob} {
		texts[key] = s.client.Get(ctx, key).Val()
	}
	return func() {
		for key, text := range texts {
			s.client.Set(ctx, key, text, 0)
		}
		meta["epoch"] = s.client.HGet(ctx, s.keys.Meta, "epoch").Val()
		s.client.Del(ctx, s.keys.Meta, s.keys.Patches, s.keys.History)
		s.client.HSet(ctx, s.keys.Meta, meta)
		for _, e := range entries {
			s.client.XAdd(ctx, &redis.XAddArgs{Stream: s.keys.History, ID: e.ID, Values: e.Values})
		}
	}
}

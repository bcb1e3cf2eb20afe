package leader

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
)

func (s *testEnv) history() *history.History {
	s.Helper()
	h, err := history.Read(s.Context(), s.client, testKey, "")
	if err != nil {
		s.Fatal(err)
	}
	return h
}

// wantHistory checks the versions of the history, the newest first, with their contents. A negative
// version is one whose content is not available.
func (s *testEnv) wantHistory(versions ...int64) *history.History {
	s.Helper()
	h := s.history()
	var have []int64
	for i := range h.Versions {
		for v := int64(1); v <= s.cdn.Version(); v++ {
			config := s.cdn.Config()
			config.Version = v
			if wire.ContentHash(config.JSON()) != h.Versions[i].Hash {
				continue
			}
			switch json, err := h.Content(i); {
			case errors.Is(err, history.ErrUnavailable):
				v = -v
			case err != nil || !bytes.Equal(json, config.JSON()):
				s.Errorf("the content of version %d is %q, %v", v, json, err)
			}
			have = append(have, v)
			break
		}
	}
	if !slices.Equal(have, versions) {
		s.Errorf("the history has versions %v, want %v\n%+v", have, versions, h.Versions)
	}
	return h
}

func (s *testEnv) wantCauses(want ...history.Cause) {
	s.Helper()
	var have []history.Cause
	for _, v := range s.history().Versions {
		have = append(have, v.Cause)
	}
	if !slices.Equal(have, want) {
		s.Errorf("causes %v, want %v", have, want)
	}
}

func TestAChangeIsAddedToTheHistory(t *testing.T) {
	for name, size := range map[string]int{"small": 0, "large": largeBytes} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				s.cdn.SetMinBytes(size)
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				for range 3 {
					s.change(l)
					s.wait(time.Minute) // polls without a change
				}
				v := s.cdn.Version()
				h := s.wantHistory(v, v-1, v-2, v-3)
				newest, meta := h.Versions[0], s.meta()
				if newest.Leader != l.ID() || newest.ETag != meta.ETag || newest.Size != meta.Len || newest.Rev >= meta.Rev || h.Rev != meta.Rev || !newest.Recorded() {
					t.Errorf("got %+v", newest)
				}
				now := s.stats(l)
				if now.HistoryEntries != 4 || now.HistoryBytes < 1000 || now.HistoryBytes > 4000 || now.HistoryError != "" || now.HistoryErrors != 0 {
					t.Errorf("stats %+v", now)
				}
			})
		})
	}
}

func TestTheHistoryNamesTheCause(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l := s.withHook(nil)
		s.wait(5 * time.Second)
		other := s.withHook(nil) // a candidate
		s.cdn.Publish()
		s.wait(time.Minute)
		s.wantCauses(history.Poll, history.First)
		s.change(l)
		s.wantCauses(history.Refresh, history.Poll, history.First)
		s.wait(time.Minute)
		for i, process := range []*Leader{l, other} {
			s.cdn.Publish()
			id := strings.Replace(hookID, "b", fmt.Sprint(i), 1)
			if status, text := serveHook(process, hookRequest(id, time.Now())); status != http.StatusOK {
				s.Fatal(status, text)
			}
			s.wait(1500 * time.Millisecond)
			s.wantCauses(slices.Concat(slices.Repeat([]history.Cause{history.Webhook}, i+1), []history.Cause{history.Refresh, history.Poll, history.First})...)
			s.wait(time.Minute)
		}
		// A lagging edge: a further poll after the request finds the change.
		if err := l.RequestRefresh(s.Context(), "main"); err != nil {
			s.Fatal(err)
		}
		s.wait(1100 * time.Millisecond)
		s.cdn.Publish()
		s.wait(10 * time.Second)
		s.wantCauses(history.Refresh, history.Webhook, history.Webhook, history.Refresh, history.Poll, history.First)
		// After the further polls, the next change is a poll's.
		s.wait(2 * time.Minute)
		s.cdn.Publish()
		s.wait(time.Minute)
		if c := s.history().Versions[0].Cause; c != history.Poll {
			s.Errorf("cause %s", c)
		}
	})
}

func TestContentOfAnSDKIsInTheHistory(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, _ = s.start(nil)
		s.wait(5 * time.Second)
		s.cdn.Break(fakecdn.Status(http.StatusServiceUnavailable))
		s.cdn.Publish()
		s.writeAsSDK(s.meta().Rev+60_000, s.cdn.Config())
		s.wait(2 * time.Minute)
		s.wantHistory(2, 1)
		s.wantCauses(history.SDK, history.First)
	})
}

// A repair of the same content adds nothing.
func TestARepairAddsNothingToTheHistory(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.change(l)
		for _, key := range []string{s.keys.Entry, s.keys.Blob, s.keys.Meta, s.keys.Patches} {
			s.client.Del(s.Context(), key)
			s.wait(10 * time.Second)
			s.wantHistory(2, 1)
		}
		s.client.Del(s.Context(), s.keys.Lock)
		s.wait(time.Minute)
		s.wantHistory(2, 1)
		if n := s.stats(l).Repairs; n < 3 {
			s.Errorf("%d repairs", n)
		}
	})
}

func TestTheHistoryBeginsAgainAfterItIsLost(t *testing.T) {
	for name, lose := range map[string]func(*testEnv){
		"all":         func(s *testEnv) { s.client.FlushAll(s.Context()) },
		"the history": func(s *testEnv) { s.client.Del(s.Context(), s.keys.History) },
		"its type":    func(s *testEnv) { s.client.Set(s.Context(), s.keys.History, "not a stream", 0) },
		"its entries": func(s *testEnv) { s.client.XTrimMaxLen(s.Context(), s.keys.History, 0) },
		"its meaning": func(s *testEnv) {
			s.client.Del(s.Context(), s.keys.History)
			s.client.XAdd(s.Context(), &redis.XAddArgs{Stream: s.keys.History, Values: []string{"hash", "zz"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				s.change(l)
				lose(s)
				s.wait(10 * time.Second)
				h := s.history()
				if len(h.Versions) != 1 {
					t.Errorf("before a change: %+v", h.Versions)
				}
				s.change(l)
				want := []int64{3}
				if name == "all" {
					want = []int64{3, 2}
				}
				s.wantHistory(want...)
				if now := s.stats(l); now.HistoryErrors != 0 {
					t.Errorf("stats %+v", now)
				}
			})
		})
	}
}

// A leader that does not hold the content before leaves a hole. What is older is known, but
// without its content.
func TestAHoleIsShownAsSuch(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, stop := s.start(nil)
		s.wait(5 * time.Second)
		s.change(l)
		stop()
		s.client.Set(s.Context(), s.keys.Blob, "damaged", 0)
		s.client.Set(s.Context(), s.keys.Entry, "damaged", 0)
		s.cdn.Publish()
		l, _ = s.start(nil)
		s.wait(5 * time.Second)
		s.change(l)
		h := s.wantHistory(4, 3, -2, -1)
		if g := h.Versions[1].Gap; g != history.Unknown {
			s.Errorf("gap %q", g)
		}
	})
}

// An entry that Redis refused leaves a gap: what was in force in between is not known.
func TestAChangeThatIsNotRecordedLeavesAGap(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		one := s.meta().Rev
		s.client.XAdd(s.Context(), &redis.XAddArgs{
			Stream: s.keys.History, Values: []string{"hash", "zz"}, ID: "18446744073709551615-18446744073709551615", // the last possible ID
		})
		s.change(l)
		between := s.meta().Rev
		s.hasVersion(2)
		now := s.stats(l)
		if now.HistoryErrors != 1 || now.HistoryError == "" || strings.Count(s.log.String(), fmt.Sprint("event_id=", eventHistory)) != 1 {
			s.Errorf("stats %+v\n%s", now, s.log)
		}
		h := s.history()
		if len(h.Versions) != 2 || h.Versions[0].Recorded() || h.Versions[0].Gap != history.Unrecorded || h.Malformed != 1 {
			s.Errorf("got %+v", h)
		}
		s.client.XTrimMaxLen(s.Context(), s.keys.History, 0)
		s.client.Del(s.Context(), s.keys.History)
		s.change(l)
		s.change(l)
		h = s.wantHistory(4, 3)
		if _, err := h.Find(fmt.Sprint(one)); !errors.Is(err, history.ErrNotFound) {
			s.Errorf("found %v", err)
		}
		if _, err := h.Find(fmt.Sprint(between)); !errors.Is(err, history.ErrNotFound) {
			s.Errorf("found %v", err)
		}
		if now := s.stats(l); now.HistoryError != "" || strings.Count(s.log.String(), fmt.Sprint("event_id=", eventHistoryBack)) != 1 {
			s.Errorf("stats %+v\n%s", now, s.log)
		}
	})
}

func TestTheHistoryIsBounded(t *testing.T) {
	for _, test := range []struct {
		entries, bytes, want int
	}{{3, 0, 3}, {0, 2000, 2}, {0, 1, 1}, {-1, 0, 0}, {0, -1, 0}} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, err := New(Config{
					Redis: s.server.Client(s.T, nil), SDKKeys: []SDKKey{mainKey()}, Transport: s.cdn,
					HistoryEntries: test.entries, HistoryBytes: test.bytes,
				})
				if err != nil {
					t.Fatal(err)
				}
				s.run(l)
				s.wait(5 * time.Second)
				for range 6 {
					s.change(l)
				}
				n := int(s.client.XLen(s.Context(), s.keys.History).Val())
				if test.bytes > 1 && (n < 2 || n > 5) || test.bytes <= 1 && n != test.want {
					t.Errorf("%d entries", n)
				}
				if now := s.stats(l); int(now.HistoryEntries) != n || test.bytes > 1 && now.HistoryBytes > int64(test.bytes) || now.HistoryErrors != 0 {
					t.Errorf("stats %+v", now)
				}
			})
		})
	}
}

func TestContentThatDoesNotFitIsLeftOut(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, err := New(Config{
			Redis: s.server.Client(s.T, nil), SDKKeys: []SDKKey{mainKey()}, Transport: s.cdn, HistoryBytes: 8 << 10,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.run(l)
		s.cdn.SetVaryingBytes(200 << 10)
		s.wait(time.Minute)
		s.change(l)
		h := s.history()
		if len(h.Versions) != 3 || h.Versions[0].Gap != history.TooLarge {
			t.Errorf("got %+v", h.Versions)
		}
		if _, err := h.Content(1); !errors.Is(err, history.ErrUnavailable) || !strings.Contains(err.Error(), "did not fit") {
			t.Errorf("got %v", err)
		}
	})
}

// The leader dies between the commit and the trim: the next change trims.
func TestAHistoryThatWasNotTrimmedIsTrimmedWithTheNextChange(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, err := New(Config{Redis: s.server.Client(s.T, nil), SDKKeys: []SDKKey{mainKey()}, Transport: s.cdn, HistoryBytes: 2000,
			Logger: slog.New(slog.NewTextHandler(s.log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		s.run(l)
		s.wait(5 * time.Second)
		allow := s.refuse(trimArgs)
		for range 6 {
			s.change(l)
		}
		if n := s.client.XLen(s.Context(), s.keys.History).Val(); n != 7 {
			t.Errorf("%d entries", n)
		}
		if now := s.stats(l); now.HistoryErrors != 6 || !strings.Contains(now.HistoryError, "trim") || now.State != StateSteady || now.Lapsed != 0 {
			t.Errorf("stats %+v", now)
		}
		allow()
		s.change(l)
		if now := s.stats(l); now.HistoryBytes > 2000 || now.HistoryEntries < 2 || now.HistoryEntries != s.client.XLen(s.Context(), s.keys.History).Val() {
			t.Errorf("stats %+v", now)
		}
	})
}

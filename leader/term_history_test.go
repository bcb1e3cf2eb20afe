package leader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/syncbuffer"
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

// jsonCDN serves a config JSON that a test sets.
type jsonCDN struct {
	mu   sync.Mutex
	json []byte
}

func (c *jsonCDN) set(json []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.json = json
}

func (c *jsonCDN) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	etag := `"` + wire.ContentHash(c.json)[:16] + `"`
	status, body := http.StatusOK, c.json
	if r.Header.Get("If-None-Match") == etag {
		status, body = http.StatusNotModified, nil
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Etag": {etag}, "Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// Walking back through the history gives each version byte for byte, whatever was edited and
// whichever process led.
func TestTheHistoryLeadsBackToEveryVersion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		flags := rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,3}`), 1, 40)
		edits := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			var b strings.Builder
			b.WriteString(`{"p":{"s":"salt"},"f":{`)
			names := flags.Draw(t, "flags")
			slices.Sort(names)
			for i, name := range slices.Compact(names) {
				if i > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, `%q:{"t":1,"v":{"s":%q}}`, name, strings.Repeat(rapid.SampledFrom([]string{"on", "off", "blue"}).Draw(t, "value"), rapid.SampledFrom([]int{1, 1, 500}).Draw(t, "times")))
			}
			b.WriteString(`}}`)
			return b.String()
		}), 1, 8).Draw(rt, "edits")
		failovers := rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "stop", "lost lock", "lost meta"}), len(edits), len(edits)).Draw(rt, "failovers")
		runEnv(t, func(s *testEnv) {
			cdn := new(jsonCDN)
			start := func() (*Leader, func()) {
				l, err := New(Config{Redis: s.server.Client(s.T, nil), SDKKeys: []SDKKey{mainKey()}, Transport: cdn})
				if err != nil {
					s.Fatal(err)
				}
				return l, s.run(l)
			}
			cdn.set([]byte(edits[0]))
			l, stop := start()
			s.wait(5 * time.Second)
			want := []string{edits[0]}
			for i, edit := range edits {
				if edit != want[len(want)-1] {
					want = append(want, edit)
				}
				cdn.set([]byte(edit))
				if err := l.RequestRefresh(s.Context(), "main"); err != nil {
					s.Fatal(err)
				}
				s.wait(5 * time.Second)
				switch failovers[i] {
				case "stop":
					stop()
					l, stop = start()
				case "lost lock":
					s.client.Del(s.Context(), s.keys.Lock)
				case "lost meta":
					s.client.Del(s.Context(), s.keys.Meta)
				}
				s.wait(20 * time.Second)
			}
			h := s.history()
			var have []string
			for i := range h.Versions {
				json, err := h.Content(i)
				if err != nil {
					s.Fatal(i, err, h.Versions)
				}
				have = append(have, string(json))
			}
			slices.Reverse(have)
			if !slices.Equal(have, want) {
				s.Errorf("the history has %d versions, want %d, with failovers %q", len(have), len(want), failovers)
			}
			for i, v := range h.Versions { // in any order
				again, err := h.Content(len(h.Versions) - 1 - i)
				at, found := h.Find(fmt.Sprint(v.Rev))
				if err != nil || string(again) != want[i] || found != nil || at != i {
					s.Errorf("version %d: %v; its rev is of version %d, %v", i, err, at, found)
				}
			}
			stop()
		})
	})
}

// F24 for the history: without its rights the leader leads all the same, and says so.
func TestALeaderWithoutRightsToTheHistoryLeads(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	user := redistest.User{Name: "leader", Password: "secret"}
	grant := func(change string) {
		t.Helper()
		args := []any{"ACL", "SETUSER", user.Name, "reset", "on", ">" + user.Password, "~*", "&*", "+@all"}
		for rule := range strings.FieldsSeq(change) {
			args = append(args, rule)
		}
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	grant("-xadd -xrange -xtrim")
	log, cdn := new(syncbuffer.Buffer), fakecdn.New()
	l, err := New(Config{
		Redis: server.ClientAs(t, user, nil), SDKKeys: []SDKKey{mainKey()}, Transport: cdn,
		Logger: slog.New(slog.NewTextHandler(log, nil)), Timings: FastTimings(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	await := func(what string, holds func(KeyStats) bool) {
		t.Helper()
		deadline := time.Now().Add(60 * time.Second)
		for !holds(l.Stats().Keys[0]) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: never; %+v\n%s", what, l.Stats().Keys[0], log)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	await("leads without a history", func(s KeyStats) bool {
		return s.State == StateSteady && s.Commits == 1 && strings.Contains(s.HistoryError, "+xadd +xrange +xtrim") && s.MissingRights == nil
	})
	if strings.Contains(log.String(), fmt.Sprint("event_id=", eventNoRights)) || !strings.Contains(log.String(), fmt.Sprint("event_id=", eventHistory)) {
		t.Errorf("the log says\n%s", log)
	}
	grant("")
	await("granted", func(s KeyStats) bool { return s.HistoryError == "" })
	cdn.Publish()
	if err := l.RequestRefresh(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	await("extended", func(s KeyStats) bool { return s.HistoryEntries == 1 })
}

package history_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

const testKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

var keys = cachekeys.For(testKey, "", 0)

// stream is a history that a test writes to a Redis.
type stream struct {
	testing.TB
	server *redistest.Process
	client *redis.Client
	began  int64 // rev and time of the first version
}

func newStream(t testing.TB) *stream {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	return &stream{t, server, client, client.Time(t.Context()).Val().Add(-time.Hour).UnixMilli()}
}

// config returns a config of some KB that differs from others in a few bytes.
func config(n int) []byte {
	return []byte(`{"f":{"a":"` + strings.Repeat("x", 3000) + `","n":` + strconv.Itoa(n) + `}}`)
}

// rev returns the rev of the n-th change, a minute after the one before.
func (s *stream) rev(n int) int64 { return s.began + int64(n)*60_000 }

// fields returns the fields of the n-th change, which leads from one config to another. from 0 is none.
func (s *stream) fields(n, from, to int) map[string]any {
	json := config(to)
	fields := map[string]any{
		"rev": s.rev(n), "time": s.rev(n), "hash": wire.ContentHash(json), "etag": fmt.Sprintf(`"%d"`, to), "cause": "poll", "leader": "host/ONE",
		"size": len(json), "from": "", "fromsize": "", "back": "",
	}
	if from != 0 {
		before := config(from)
		p := patch.Make(context.Background(), json, before, wire.MaxConfigBytes)
		fields["from"], fields["fromsize"], fields["back"] = wire.ContentHash(before), len(before), wire.Back{Codec: wire.Patch, Payload: p}.Append(nil)
	}
	return fields
}

func (s *stream) add(fields map[string]any) {
	s.Helper()
	if err := s.client.XAdd(s.Context(), &redis.XAddArgs{Stream: keys.History, Values: fields}).Err(); err != nil {
		s.Fatal(err)
	}
}

// current writes config n as the current one.
func (s *stream) current(n int, rev int64) {
	s.Helper()
	json := config(n)
	blob := wire.Blob{Rev: rev, Hash: wire.ContentHash(json)}
	blob.Codec, blob.Payload = wire.Encode(json)
	s.client.Set(s.Context(), keys.Blob, blob.Append(nil), 0)
	s.client.HSet(s.Context(), keys.Meta, "epoch", rev, "rev", rev, "hash", blob.Hash, "len", len(json), "etag", fmt.Sprintf(`"%d"`, n), "cdn", rev, "poll", 55000)
}

// changes writes changes through the configs in order, the last of which is current.
func (s *stream) changes(configs ...int) {
	s.Helper()
	from := 0
	for n, to := range configs {
		s.add(s.fields(n, from, to))
		from = to
	}
	s.current(from, s.rev(len(configs)))
}

func (s *stream) read() *history.History {
	s.Helper()
	h, err := history.Read(s.Context(), s.client, testKey, "")
	if err != nil {
		s.Fatal(err)
	}
	return h
}

// contents returns the numbers of the versions' configs, the newest first; 0: not available.
func (s *stream) contents(h *history.History) []int {
	s.Helper()
	var all []int
	for i := range h.Versions {
		json, err := h.Content(i)
		n := 0
		for c := 1; c < 10 && err == nil; c++ {
			if string(json) == string(config(c)) {
				n = c
			}
		}
		if n == 0 && !errors.Is(err, history.ErrUnavailable) {
			s.Errorf("version %d: %q, %v", i, json, err)
		}
		all = append(all, n)
	}
	return all
}

func (s *stream) want(contents ...int) {
	s.Helper()
	if have := s.contents(s.read()); fmt.Sprint(have) != fmt.Sprint(contents) {
		s.Errorf("contents %v, want %v", have, contents)
	}
}

func TestContentsAreMadeOfTheCurrentOne(t *testing.T) {
	s := newStream(t)
	if h := s.read(); len(h.Versions) != 0 || h.Rev != 0 {
		t.Errorf("an empty Redis: %+v", h)
	}
	s.changes(1, 2, 3, 2, 4)
	s.want(4, 2, 3, 2, 1)
	h := s.read()
	for _, i := range []int{3, 0, 4, 2, 2, 1} { // in any order
		if json, err := h.Content(i); err != nil || string(json) != string(config([]int{4, 2, 3, 2, 1}[i])) {
			t.Errorf("version %d: %v", i, err)
		}
	}
	if v := h.Versions[1]; v.Rev != s.rev(3) || v.Time.UnixMilli() != s.rev(3) || v.ETag != `"2"` || v.Cause != history.Poll || v.Leader != "host/ONE" || v.Size != len(config(2)) {
		t.Errorf("got %+v", v)
	}
}

// No content is returned unless it has the hash that its entry names.
func TestEachStepBackIsVerified(t *testing.T) {
	for name, damage := range map[string]func(s *stream, fields map[string]any){
		"other content": func(_ *stream, fields map[string]any) {
			p := patch.Make(t.Context(), config(3), config(9), 1<<20)
			fields["back"] = wire.Back{Codec: wire.Patch, Payload: p}.Append(nil)
		},
		"other content, whole": func(_ *stream, fields map[string]any) {
			fields["back"] = wire.Back{Codec: wire.Raw, Payload: config(9)}.Append(nil)
		},
		"garbage":       func(_ *stream, fields map[string]any) { fields["back"] = "patch\ngarbage" },
		"later codec":   func(_ *stream, fields map[string]any) { fields["back"] = "later\nx" },
		"another size":  func(_ *stream, fields map[string]any) { fields["fromsize"] = 8 << 20 },
		"no size":       func(_ *stream, fields map[string]any) { fields["fromsize"] = "" },
		"nothing":       func(_ *stream, fields map[string]any) { fields["back"] = "" },
		"too large":     func(_ *stream, fields map[string]any) { fields["back"] = "too large" },
		"another entry": func(_ *stream, fields map[string]any) { fields["from"] = wire.ContentHash(config(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStream(t)
			s.add(s.fields(0, 0, 1))
			s.add(s.fields(1, 1, 2))
			fields := s.fields(2, 2, 3)
			damage(s, fields)
			s.add(fields)
			s.add(s.fields(3, 3, 4))
			s.current(4, s.rev(4))
			s.want(4, 3, 0, 0)
		})
	}
}

// Content that is stored whole needs no content after it.
func TestAContentStoredWholeEndsAHole(t *testing.T) {
	s := newStream(t)
	s.add(s.fields(0, 0, 1))
	fields := s.fields(1, 1, 2)
	codec, payload := wire.Encode(config(1))
	fields["back"] = wire.Back{Codec: codec, Payload: payload}.Append(nil)
	s.add(fields)
	fields = s.fields(2, 2, 3)
	fields["back"] = ""
	s.add(fields)
	s.current(3, s.rev(3))
	s.want(3, 0, 1)
	if g := s.read().Versions[0].Gap; g != history.Unknown {
		t.Errorf("gap %q", g)
	}
}

func TestTheCurrentConfigIsShownEvenIfItIsNotRecorded(t *testing.T) {
	s := newStream(t)
	s.changes(1, 2)
	s.current(5, s.rev(9))
	s.want(5, 0, 0)
	h := s.read()
	if v := h.Versions[0]; v.Recorded() || v.Gap != history.Unrecorded || v.Rev != s.rev(9) {
		t.Errorf("got %+v", v)
	}
	for _, lost := range []string{keys.Blob, keys.Meta} {
		s.changes(1, 2)
		s.client.Del(t.Context(), lost)
		s.read()
	}
}

func TestMalformedEntriesAreSkipped(t *testing.T) {
	s := newStream(t)
	s.add(s.fields(0, 0, 1))
	s.add(map[string]any{"hash": "zz"})
	s.add(s.fields(1, 1, 2))
	s.current(2, s.rev(2))
	if h := s.read(); h.Malformed != 1 || len(h.Versions) != 2 {
		t.Errorf("got %+v", h)
	}
	s.want(2, 1)
	s.client.Del(t.Context(), keys.History)
	s.client.Set(t.Context(), keys.History, "not a stream", 0)
	s.want(2)
}

// The stream may be another client's: reading it takes bounded memory.
func TestAHugeHistoryIsRefused(t *testing.T) {
	s := newStream(t)
	s.current(1, s.rev(2))
	huge := strings.Repeat("x", 24<<20)
	for range 24 {
		s.add(map[string]any{"back": huge})
	}
	s.wantRefused(120 << 20)
}

func (s *stream) wantRefused(most uint64) {
	s.Helper()
	var err error
	took := memory.Allocated(func() { _, err = history.Read(s.Context(), s.client, testKey, "") })
	if took > most || err == nil || !strings.Contains(err.Error(), "delete "+keys.History) {
		s.Errorf("%v, %d MB", err, took>>20)
	}
}

// One page, even one entry, may have any number of fields.
func TestAHugePageOfTheHistoryIsRefused(t *testing.T) {
	s := newStream(t)
	s.current(1, s.rev(2))
	huge := strings.Repeat("x", 8<<20)
	for range 6 {
		s.add(map[string]any{"a": huge, "b": huge, "c": huge, "d": huge, "e": huge})
	}
	s.wantRefused(120 << 20)
}

func TestMoreEntriesThanAPage(t *testing.T) {
	s := newStream(t)
	var configs []int
	for n := range 150 {
		configs = append(configs, 1+n%7)
	}
	s.changes(configs...)
	h := s.read()
	if len(h.Versions) != 150 || h.Malformed != 0 {
		t.Fatalf("%d versions", len(h.Versions))
	}
	for i, n := range s.contents(h) {
		if n != configs[149-i] {
			t.Fatalf("version %d is %d", i, n)
		}
	}
}

// What is read of a history can be bounded: the newest versions are as Read returns them.
func TestTheNewestVersionsAreReadAlone(t *testing.T) {
	s := newStream(t)
	var configs []int
	for n := range 30 {
		configs = append(configs, 1+n%7)
	}
	s.changes(configs...)
	whole := s.read()
	newest := func(entries, bytes int) *history.History {
		t.Helper()
		h, err := history.ReadNewest(t.Context(), s.client, testKey, "", entries, bytes)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	const plenty = 1 << 20
	for _, entries := range []int{1, 7, 8, 9, 16, 29} {
		h := newest(entries, plenty)
		if len(h.Versions) != entries || !h.Cut {
			t.Fatalf("of %d entries, %d are read; cut: %v", entries, len(h.Versions), h.Cut)
		}
		for i := range h.Versions {
			json, err := h.Content(i)
			if err != nil || h.Versions[i] != whole.Versions[i] && i+1 < entries || string(json) != string(config(configs[29-i])) {
				t.Errorf("of %d entries, version %d is %+v, %v", entries, i, h.Versions[i], err)
			}
		}
	}
	for _, entries := range []int{30, 31, 1_000_000} {
		if h := newest(entries, plenty); len(h.Versions) != 30 || h.Cut {
			t.Errorf("of %d entries, %d are read; cut: %v", entries, len(h.Versions), h.Cut)
		}
	}
	if h := newest(100, 8<<10); len(h.Versions) < 2 || len(h.Versions) > 20 || !h.Cut || !h.Versions[0].Recorded() {
		t.Errorf("of 8 KB, %d versions are read; cut: %v", len(h.Versions), h.Cut)
	}
	for _, none := range []*history.History{newest(0, plenty), newest(-1, plenty), newest(100, 0), newest(100, -1)} {
		if len(none.Versions) != 1 || !none.Cut || none.Versions[0].Recorded() {
			t.Errorf("without entries: %+v", none.Versions)
		}
		if json, err := none.Content(0); err != nil || string(json) != string(config(configs[29])) {
			t.Errorf("the current config: %v", err)
		}
	}
	// Huge entries end it without an error.
	huge := strings.Repeat("x", 24<<20)
	for range 8 {
		s.add(map[string]any{"back": huge})
	}
	if took := memory.Allocated(func() { newest(100, plenty) }); took > 40<<20 {
		t.Errorf("%d MB", took>>20)
	}
}

func TestFind(t *testing.T) {
	s := newStream(t)
	s.changes(1, 2, 3, 2, 4) // in force since 60, 59, 58, 57 and 56 minutes
	h := s.read()
	hash := func(n int) string { return wire.ContentHash(config(n)) }
	at := func(n int, d time.Duration) string { return time.UnixMilli(s.rev(n)).Add(d).UTC().Format(time.RFC3339) }
	for reference, want := range map[string]int{
		"current": 0, "-0": 0, "-1": 1, "-4": 4, hash(4)[:8]: 0, hash(2): 1, strings.ToUpper(hash(3)[:12]): 2, hash(1): 4,
		fmt.Sprint(s.rev(0)): 4, fmt.Sprint(s.rev(1) - 1): 4, fmt.Sprint(s.rev(1)): 3, fmt.Sprint(s.rev(2) + 5): 2, fmt.Sprint(h.Rev): 0,
		"1m": 0, "58m30s": 3, "57m30s": 2, at(2, 30*time.Second): 2, at(0, time.Second): 4, at(10, 0): 0,
	} {
		if have, err := h.Find(reference); err != nil || have != want {
			t.Errorf("%s: %d, %v, want %d", reference, have, err, want)
		}
	}
	for reference, want := range map[string]error{
		"-5": history.ErrNotFound, "00000000": history.ErrNotFound, fmt.Sprint(s.rev(0) - 1): history.ErrNotFound, fmt.Sprint(h.Rev + 1): history.ErrNotFound,
		"2h": history.ErrNotFound, "-1h": history.ErrReference, at(0, -time.Second): history.ErrNotFound, "2999-01-01T00:00:00Z": history.ErrNotFound,
		"": history.ErrReference, "-": history.ErrReference, "--1": history.ErrReference, hash(4)[:7]: history.ErrReference, "yesterday": history.ErrReference,
		hash(4) + "0": history.ErrReference, "12": history.ErrReference,
	} {
		if have, err := h.Find(reference); !errors.Is(err, want) {
			t.Errorf("%s: %d, %v, want %v", reference, have, err, want)
		}
	}
	if _, err := new(history.History).Find("current"); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("an empty history: %v", err)
	}
}

// What was in force in a gap is not known.
func TestFindDoesNotGuessInAGap(t *testing.T) {
	s := newStream(t)
	s.add(s.fields(0, 0, 1))
	s.add(s.fields(5, 4, 5)) // 4 is not recorded
	s.current(5, s.rev(6))
	h := s.read()
	if i, err := h.Find(fmt.Sprint(s.rev(0))); err != nil || i != 1 {
		t.Errorf("%d, %v", i, err)
	}
	for _, reference := range []string{fmt.Sprint(s.rev(0) + 1), fmt.Sprint(s.rev(5) - 1), "58m"} {
		if i, err := h.Find(reference); !errors.Is(err, history.ErrNotFound) || !strings.Contains(err.Error(), "lacks") {
			t.Errorf("%s: %d, %v", reference, i, err)
		}
	}
}

// Meta was lost, so the leader did not know what was in force before.
func TestFindDoesNotGuessBeforeAnEntryWithoutTheConfigBefore(t *testing.T) {
	s := newStream(t)
	s.add(s.fields(0, 0, 1))
	s.add(s.fields(5, 0, 5))
	s.current(5, s.rev(6))
	h := s.read()
	if h.Versions[0].Gap != history.Unrecorded || h.Versions[1].Gap != history.NoGap {
		t.Errorf("gaps %q, %q", h.Versions[0].Gap, h.Versions[1].Gap)
	}
	if i, err := h.Find(fmt.Sprint(s.rev(3))); !errors.Is(err, history.ErrNotFound) || !strings.Contains(err.Error(), "lacks") {
		t.Errorf("found %d, %v", i, err)
	}
	if i, err := h.Find(fmt.Sprint(s.rev(0))); err != nil || i != 1 {
		t.Errorf("%d, %v", i, err)
	}
}

func TestReadNeedsOnlyTheRightsOfAStatusUser(t *testing.T) {
	s := newStream(t)
	s.changes(1, 2)
	user := redistest.User{Name: "status", Password: "secret"}
	for change, good := range map[string]bool{"": true, "-xrevrange": false, "-time": true, "-getrange": true} {
		args := []any{"ACL", "SETUSER", user.Name, "reset", "on", ">" + user.Password}
		for rule := range strings.FieldsSeq("%R~???????????????????????????????????????? %R~catbridge:{*}:* +get +getrange +hmget +xrevrange +time +ping " + change) {
			args = append(args, rule)
		}
		if err := s.client.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
		h, err := history.Read(t.Context(), s.server.ClientAs(t, user, nil), testKey, "")
		if good != (err == nil) || err != nil && !strings.Contains(err.Error(), "NOPERM") {
			t.Errorf("%s: %v", change, err)
		}
		if good && fmt.Sprint(s.contents(h)) != "[2 1]" {
			t.Errorf("%s: %v", change, s.contents(h))
		}
	}
	if _, err := history.Read(t.Context(), nil, testKey, ""); err == nil {
		t.Error("no client is accepted")
	}
	if _, err := history.Read(t.Context(), s.client, testKey, "no good"); err == nil {
		t.Error("a bad namespace is accepted")
	}
}

package script

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// recording commits c and adds it to the history. from is the content before, or nil.
func (a *author) recording(c, from *Content, entries int) WriteReply {
	a.t.Helper()
	as := a.assertionFor(c, wire.Change, 0)
	as.History = Record{Entries: entries, Cause: wire.CausePoll}
	if from != nil {
		as.History.BackTo, as.History.BackSize, as.History.Back = from.Hash, len(from.JSON), wire.Back{Codec: from.Codec, Payload: from.Payload}.Append(nil)
	}
	w, err := a.Commit(a.t.Context(), as, c)
	if err != nil {
		a.t.Fatal(err)
	}
	if w.Outcome == OK {
		a.rev = w.Rev
	}
	return w
}

func (a *author) history() []wire.HistoryEntry {
	a.t.Helper()
	messages, err := a.client.XRange(a.t.Context(), a.keys.History, "-", "+").Result()
	if err != nil {
		a.t.Fatal(err)
	}
	var entries []wire.HistoryEntry
	for _, m := range messages {
		fields := map[string]string{}
		for name, value := range m.Values {
			fields[name] = value.(string)
		}
		e, err := wire.ParseHistoryEntry(m.ID, fields)
		if err != nil {
			a.t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// versions returns the hashes of the history as the numbers of testContent.
func (a *author) versions() []int {
	a.t.Helper()
	var all []int
	for _, e := range a.history() {
		for n := range 10 {
			if testContent(n).Hash == e.Hash {
				all = append(all, n)
			}
		}
	}
	return all
}

func TestACommitAddsNewContentToTheHistory(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "host/ONE")
		a.mustAcquire()
		one, two := testContent(1), testContent(2)
		a.recording(one, nil, 10)
		a.recording(two, one, 10)
		w := a.recording(two, nil, 10) // a repair
		entries := a.history()
		if len(entries) != 2 || w.Outcome != OK || w.History != "" {
			t.Fatalf("%d entries, %+v", len(entries), w)
		}
		first, e := entries[0], entries[1]
		if first.From != "" || first.FromSize != 0 || first.Back.Codec != "" || first.Hash != one.Hash {
			t.Errorf("the first entry is %+v", first)
		}
		if e.Hash != two.Hash || e.ETag != two.ETag || e.Cause != wire.CausePoll || e.Leader != "host/ONE" || e.Size != len(two.JSON) ||
			e.From != one.Hash || e.FromSize != len(one.JSON) || e.Rev >= w.Rev || e.Rev <= first.Rev || e.Time < first.Time {
			t.Errorf("got %+v", e)
		}
		if back, err := e.Back.Whole(e.From); err != nil || !bytes.Equal(back, one.JSON) {
			t.Errorf("back to %q, %v", back, err)
		}
	})
}

// What leads back from content that was not current leads nowhere: there is a hole.
func TestAnEntryLeadsBackOnlyToTheContentThatItReplaced(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		a.recording(testContent(1), nil, 10)
		a.recording(testContent(3), testContent(2), 10)
		if e := a.history()[1]; e.From != testContent(1).Hash || e.Back.Codec != "" {
			t.Errorf("got %+v", e)
		}
	})
}

// The size of the content before is the leader's, whatever meta says. Readers reject entries with bad sizes.
func TestAnEntryDoesNotTakeItsSizesFromMeta(t *testing.T) {
	for _, length := range []string{"zz", "0", "-1", "99999999999999", ""} {
		t.Run(length, func(t *testing.T) {
			onBoth(t, func(t *testing.T, client *redis.Client) {
				a := newAuthor(t, client, "ONE")
				a.mustAcquire()
				a.recording(testContent(1), nil, 10)
				client.HSet(t.Context(), a.keys.Meta, "len", length)
				a.recording(testContent(2), testContent(1), 10)
				client.HSet(t.Context(), a.keys.Meta, "len", length)
				a.recording(testContent(3), nil, 10)
				entries := a.history()
				if len(entries) != 3 || entries[1].FromSize != len(testContent(1).JSON) || entries[2].From != testContent(2).Hash || entries[2].FromSize != 0 {
					t.Errorf("got %+v", entries)
				}
			})
		})
	}
}

// A repair after meta was lost adds nothing; other content does.
func TestARepairOfALostMetaAddsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		a.recording(testContent(1), nil, 10)
		a.recording(testContent(2), testContent(1), 10)
		for _, meta := range []string{"lost", "corrupt"} {
			if client.Del(t.Context(), a.keys.Meta); meta == "corrupt" {
				client.HSet(t.Context(), a.keys.Meta, "hash", "zz")
			}
			a.rev = 0
			a.recording(testContent(2), nil, 10)
			if have := a.versions(); !slices.Equal(have, []int{1, 2}) {
				t.Errorf("meta is %s: versions %v", meta, have)
			}
		}
		client.Del(t.Context(), a.keys.Meta)
		a.rev = 0
		a.recording(testContent(1), nil, 10)
		if have := a.versions(); !slices.Equal(have, []int{1, 2, 1}) {
			t.Errorf("versions %v", have)
		}
	})
}

func TestTheHistoryHasAGreatestNumberOfEntries(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		for n := range 8 {
			a.recording(testContent(n), nil, 3)
		}
		if have := a.versions(); !slices.Equal(have, []int{5, 6, 7}) {
			t.Errorf("versions %v", have)
		}
		a.recording(testContent(9), nil, 0)
		if have := a.versions(); !slices.Equal(have, []int{5, 6, 7}) {
			t.Errorf("turned off: versions %v", have)
		}
	})
}

// I3: whatever the history's key holds, the commit takes effect.
func TestAHistoryOfAnotherTypeBeginsAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		a.recording(testContent(1), nil, 10)
		client.Del(t.Context(), a.keys.History)
		client.Set(t.Context(), a.keys.History, "not a stream", 0)
		if w := a.recording(testContent(2), testContent(1), 10); w.Outcome != OK || w.History != "" {
			t.Errorf("got %+v", w)
		}
		a.stored()
		if have := a.versions(); !slices.Equal(have, []int{2}) {
			t.Errorf("versions %v", have)
		}
		client.Del(t.Context(), a.keys.Meta, a.keys.History)
		client.Set(t.Context(), a.keys.History, "not a stream", 0)
		a.rev = 0
		if w := a.recording(testContent(2), nil, 10); w.Outcome != OK || w.History != "" {
			t.Errorf("without meta: %+v", w)
		}
	})
}

// I3: the commit takes effect even if Redis refuses the entry.
func TestAnEntryThatIsRefusedDoesNotFailTheCommit(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	for _, command := range []string{"xadd", "xrevrange"} {
		t.Run(command, func(t *testing.T) {
			admin.FlushAll(t.Context())
			admin.Do(t.Context(), "ACL", "SETUSER", "limited", "reset", "on", ">secret", "~*", "&*", "+@all", "-"+command)
			a := newAuthor(t, server.ClientAs(t, redistest.User{Name: "limited", Password: "secret"}, nil), "ONE")
			a.mustAcquire()
			w := a.recording(testContent(1), nil, 10)
			if w.Outcome != OK || w.History == "" || len(w.History) > 201 {
				t.Errorf("got %+v", w)
			}
			if _, meta := a.stored(); meta.Hash != testContent(1).Hash || meta.Rev != w.Rev {
				t.Errorf("meta is %+v", meta)
			}
		})
	}
}

// Redis refuses a script whose first write finds no memory. Then nothing is written at all.
func TestAFullRedisRefusesTheWholeCommit(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	a := newAuthor(t, client, "ONE")
	a.mustAcquire()
	a.recording(testContent(1), nil, 10)
	client.ConfigSet(t.Context(), "maxmemory", "1")
	c := testContent(2)
	as := a.assertionFor(c, wire.Change, 0)
	as.History = Record{Entries: 10, Cause: wire.CausePoll}
	if _, err := a.Commit(t.Context(), as, c); !redis.IsOOMError(err) {
		t.Errorf("got %v", err)
	}
	client.ConfigSet(t.Context(), "maxmemory", "0")
	a.stored()
	if have := a.versions(); !slices.Equal(have, []int{1}) {
		t.Errorf("versions %v", have)
	}
	a.recording(c, testContent(1), 10)
	if have := a.versions(); !slices.Equal(have, []int{1, 2}) {
		t.Errorf("versions %v", have)
	}
}

func TestTheOldestEntriesAreTrimmed(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		for n := range 6 {
			a.recording(testContent(n), testContent(max(0, n-1)), 10)
		}
		outcome, all, err := a.Trim(t.Context(), a.lock, 1<<20)
		if err != nil || outcome != OK || all.Entries != 6 || all.Bytes < 6*100 {
			t.Fatal(outcome, all, err)
		}
		for _, most := range []int64{all.Bytes, all.Bytes - 1, all.Bytes / 2, 1, 0} {
			before := a.history()
			outcome, size, err := a.Trim(t.Context(), a.lock, int(most))
			if err != nil || outcome != OK || size.Bytes > most && size.Entries != 1 {
				t.Errorf("%d bytes: %v, %+v, %v", most, outcome, size, err)
			}
			after := a.history()
			if len(after) != int(size.Entries) || len(after) == 0 || fmt.Sprint(after) != fmt.Sprint(before[len(before)-len(after):]) {
				t.Errorf("%d bytes: %d entries of %d", most, len(after), len(before))
			}
			if most == all.Bytes && len(after) != 6 || most == all.Bytes-1 && len(after) != 5 {
				t.Errorf("%d bytes: %d entries", most, len(after))
			}
		}
		client.Del(t.Context(), a.keys.History)
		if outcome, size, err := a.Trim(t.Context(), a.lock, 0); err != nil || outcome != OK || size != (HistoryState{}) {
			t.Errorf("no history: %v, %+v, %v", outcome, size, err)
		}
		client.Set(t.Context(), a.keys.History, "not a stream", 0)
		if outcome, size, err := a.Trim(t.Context(), a.lock, 0); err != nil || outcome != OK || size != (HistoryState{}) {
			t.Errorf("a string: %v, %+v, %v", outcome, size, err)
		}
	})
}

func TestATrimReturnsTheNewestHash(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		a.recording(testContent(1), nil, 10)
		a.recording(testContent(2), testContent(1), 10)
		if _, state, err := a.Trim(t.Context(), a.lock, 1<<20); err != nil || state.Newest != testContent(2).Hash {
			t.Errorf("got %+v, %v", state, err)
		}
		for _, planted := range []string{"no hash", strings.Repeat("h", 10_000)} {
			name := "hash"
			if planted == "no hash" {
				name = "other"
			}
			client.XAdd(t.Context(), &redis.XAddArgs{Stream: a.keys.History, Values: []string{name, planted}})
			if _, state, err := a.Trim(t.Context(), a.lock, 1<<20); err != nil || state.Newest == testContent(2).Hash || len(state.Newest) > 65 {
				t.Errorf("%.10s: got %+v, %v", planted, state, err)
			}
		}
	})
}

// Another client's stream of any size neither blocks Redis nor fills its memory: of a history only what stays is read.
func TestAHugeHistoryIsNotRead(t *testing.T) {
	client := redistest.Start(t).Client(t, nil)
	a := newAuthor(t, client, "ONE")
	a.mustAcquire()
	const one = 1 << 20
	huge := strings.Repeat("x", one)
	fill := func() {
		for range 64 {
			client.XAdd(t.Context(), &redis.XAddArgs{Stream: a.keys.History, Values: []string{"huge", huge}})
		}
	}
	peak := func() int {
		t.Helper()
		n, err := strconv.Atoi(client.InfoMap(t.Context(), "memory").Val()["Memory"]["used_memory_peak"])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	filled := 0
	bounded := func(what string) {
		t.Helper()
		if took := peak() - filled; took > 16*one {
			t.Errorf("%s: Redis used %d bytes more", what, took)
		}
	}
	fill()
	filled = peak()
	a.recording(testContent(1), nil, 100) // there is no meta
	bounded("commit")
	outcome, state, err := a.Trim(t.Context(), a.lock, 256<<10)
	if err != nil || outcome != OK || state.Entries != 1 || state.Newest != testContent(1).Hash {
		t.Errorf("%v, %+v, %v", outcome, state, err)
	}
	bounded("trim")
	if n := client.XLen(t.Context(), a.keys.History).Val(); n != 1 {
		t.Errorf("%d entries", n)
	}
	fill()
	filled = peak()
	if _, state, err = a.Trim(t.Context(), a.lock, 3*one); err != nil || state.Entries != 2 {
		t.Errorf("%+v, %v", state, err)
	}
	bounded("a second trim")
}

// Fields count even if they are empty.
func TestAnEntryOfManyEmptyFieldsIsTrimmed(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		client.XAdd(t.Context(), &redis.XAddArgs{Stream: a.keys.History, Values: make([]string, 10_000)})
		a.recording(testContent(1), nil, 100)
		if _, state, err := a.Trim(t.Context(), a.lock, 5000); err != nil || state.Entries != 1 {
			t.Errorf("%+v, %v", state, err)
		}
	})
}

// I2: a leader that lost its lock trims nothing.
func TestTrimIsFenced(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		one, two := newAuthor(t, client, "ONE"), newAuthor(t, client, "TWO")
		one.mustAcquire()
		one.recording(testContent(1), nil, 10)
		one.recording(testContent(2), nil, 10)
		client.Del(t.Context(), one.keys.Lock) // like its expiry
		two.mustAcquire()
		if outcome, _, err := one.Trim(t.Context(), one.lock, 0); err != nil || outcome != Fenced {
			t.Errorf("got %v, %v", outcome, err)
		}
		if have := two.versions(); !slices.Equal(have, []int{1, 2}) {
			t.Errorf("versions %v", have)
		}
	})
}

// An earlier version writes only the epoch, so the field tells which protocol the leader speaks.
func TestMetaNamesTheProtocolOfTheLeader(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		check := func(what string, epoch int64) {
			t.Helper()
			meta, err := wire.ParseMeta(client.HMGet(t.Context(), a.keys.Meta, wire.MetaFields()...).Val())
			if err != nil || meta.Proto != (wire.Proto{Version: 1, Epoch: epoch}) || !meta.HasProto() {
				t.Errorf("%s: %+v, %v, want epoch %d", what, meta, err, epoch)
			}
		}
		g := a.mustAcquire()
		check("acquired", g.Meta.Epoch)
		a.mustCommit(testContent(1))
		check("committed", g.Meta.Epoch)
		client.Del(t.Context(), a.keys.Meta)
		a.rev = 0
		a.mustCommit(testContent(1))
		check("repaired", g.Meta.Epoch)
	})
}

// An older leader leaves the field control as it was. The stamp of the next leader must not make it count again.
func TestAnAcquisitionKeepsOnlyAControlOfALeaderThatKnowsOfIt(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		a.mustCommit(testContent(1))
		const seq = wire.MinRev + 7
		check := func(what string, replied wire.Meta, want int64) {
			t.Helper()
			if _, stored := a.stored(); stored.Control != want || replied.Control != want {
				t.Errorf("%s: the control %d is in meta, %d in the reply; want %d", what, stored.Control, replied.Control, want)
			}
		}
		client.HSet(t.Context(), a.keys.Meta, "control", seq)
		check("acquired again", a.mustAcquire().Meta, seq)

		older, _ := strconv.ParseInt(client.HGet(t.Context(), a.keys.Meta, "epoch").Val(), 10, 64)
		client.HSet(t.Context(), a.keys.Meta, "epoch", older+1) // as an older leader acquires
		client.Set(t.Context(), a.keys.Lock, "OLD:"+strconv.FormatInt(older+1, 10), time.Minute)
		g, err := a.Acquire(t.Context(), 0)
		if err != nil || g.Outcome != Held || g.Meta.HasProto() {
			t.Fatalf("%+v, %v", g, err)
		}
		check("an older leader leads", g.Meta, 0)
		client.Del(t.Context(), a.keys.Lock)
		check("after an older leader", a.mustAcquire().Meta, 0)
	})
}

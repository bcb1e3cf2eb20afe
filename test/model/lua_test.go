package model

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/wire"
)

var keys = cachekeys.For("configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012", "", 0)

// For the same state and request, scripts and model return the same reply and state. The model has no controls:
// nothing is in force.
func TestScriptsMatchTheModel(t *testing.T) {
	mini := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: mini.Addr(), DisableIdentity: true})
	t.Cleanup(func() { _ = client.Close() })
	l := &lua{t: t, mini: mini, client: client, scripts: map[operation]*redis.Script{}}
	prelude := l.source("prelude")
	for op, name := range map[operation]string{opAcquire: "acquire", opCommit: "commit", opRenew: "renew", opRelease: "release"} {
		l.scripts[op] = redis.NewScript(prelude + l.source(name))
	}
	_ = flag.Set("rapid.checks", "3000")
	rapid.Check(t, func(t *rapid.T) {
		s, r := drawStore(t), drawRequest(t)
		l.write(s)
		current := s.meta.hash
		want := s.run(begin, &r, 0)
		have := l.run(&r, current)
		if got := l.describe(want, r.op); have != got {
			t.Fatalf("the script says\n%s\nthe model\n%s", have, got)
		}
		if have, want := l.read(), storeText(s); have != want {
			t.Fatalf("after %+v the script leaves\n%s\nthe model\n%s", r, have, want)
		}
	})
}

func drawStore(t *rapid.T) store {
	rev := rapid.SampledFrom([]int64{begin - 2000, begin - 1, begin, begin + 5000})
	some := rapid.SampledFrom([]content{1, 2, 3})
	var s store
	if s.meta.epoch = rapid.SampledFrom([]int64{0, begin - 9000, begin - 8000}).Draw(t, "epoch"); s.meta.epoch != 0 {
		s.lock = lock{
			owner: int32(rapid.IntRange(0, 2).Draw(t, "owner")), epoch: s.meta.epoch,
			until: begin + rapid.SampledFrom([]int64{1000, 15_000, 70_000, 3_600_000}).Draw(t, "left"),
		}
		if s.lock.owner == 0 {
			s.lock = lock{}
		}
	}
	if rapid.Bool().Draw(t, "meta") {
		s.meta.rev, s.meta.hash, s.meta.cdn = rev.Draw(t, "rev"), some.Draw(t, "hash"), begin-3000
		for range rapid.IntRange(0, 8).Draw(t, "replaced") {
			s.meta.recent = append(s.meta.recent, replaced{begin - 4000, some.Draw(t, "etag")})
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "patches") {
		from := some.Draw(t, "from")
		to := some.Draw(t, "to")
		s.patches = append(s.patches, step{from, to, to})
	}
	for range rapid.IntRange(0, maxHistory).Draw(t, "history") {
		from := rapid.SampledFrom([]content{none, 1, 2, 3}).Draw(t, "from")
		s.history = append(s.history, recorded{hash: some.Draw(t, "recorded"), from: from, back: from != none && rapid.Bool().Draw(t, "back")})
	}
	same := rapid.Bool()
	if rapid.Bool().Draw(t, "entry") {
		s.entry = entry{rev: rev.Draw(t, "fetch time"), etag: some.Draw(t, "entry's")}
		if same.Draw(t, "is meta's") && s.meta.rev != 0 {
			s.entry.rev, s.entry.etag = s.meta.rev, s.meta.hash
		}
		s.entry.body = s.entry.etag
	}
	if rapid.Bool().Draw(t, "blob") {
		s.blob = blob{rev: rev.Draw(t, "blob's rev"), hash: some.Draw(t, "blob's")}
		if same.Draw(t, "is meta's too") && s.meta.rev != 0 {
			s.blob.rev, s.blob.hash = s.meta.rev, s.meta.hash
		}
		s.blob.body = s.blob.hash
	}
	return s
}

func drawRequest(t *rapid.T) request {
	r := request{
		op:      rapid.SampledFrom([]operation{opAcquire, opCommit, opRenew, opRelease}).Draw(t, "script"),
		lock:    lock{owner: int32(rapid.IntRange(1, 2).Draw(t, "mine")), epoch: rapid.SampledFrom([]int64{begin - 9000, begin - 8000}).Draw(t, "my epoch")},
		base:    rapid.SampledFrom([]int64{0, begin - 2000, begin - 1, begin, begin + 5000}).Draw(t, "base"),
		highest: rapid.SampledFrom([]int64{0, begin - 2000, begin + 5000, begin + 7000}).Draw(t, "highest"),
		above:   rapid.SampledFrom([]int64{0, begin - 2000, begin + 5000, begin + 7000}).Draw(t, "above"),
		waits:   rapid.SampledFrom([]int64{0, begin + 6000}).Draw(t, "waits"),
		age:     rapid.SampledFrom([]int64{-1, 0, 1500, 60_000}).Draw(t, "age"),
		latest:  rapid.SampledFrom([]int64{begin - 70_000, begin - 1000, begin + 5000}).Draw(t, "latest"),
		cdn:     begin - 5000, hash: rapid.SampledFrom([]content{1, 2, 3}).Draw(t, "content"),
		lease: leaseDuration, overwriteUpTo: rapid.SampledFrom([]int64{0, begin - 2000, begin + 5000, begin + 8000}).Draw(t, "over"),
	}
	for range rapid.IntRange(0, 8).Draw(t, "replaced") {
		r.replaced = append(r.replaced, replaced{rapid.SampledFrom([]int64{0, 500, 4000, 100_000}).Draw(t, "age"), rapid.SampledFrom([]content{1, 2, 3, 4, 5}).Draw(t, "etag")})
	}
	if r.op == opCommit && rapid.Bool().Draw(t, "patch") {
		r.patchFrom = rapid.SampledFrom([]content{1, 2, 3}).Draw(t, "patch from")
		if rapid.Bool().Draw(t, "older") {
			r.patches = []step{{4, r.patchFrom, r.patchFrom}}
		}
		r.patches = append(r.patches, step{r.patchFrom, r.hash, r.hash})
	}
	if r.op == opCommit {
		r.backTo = rapid.SampledFrom([]content{none, 1, 2, 3}).Draw(t, "back to")
	}
	if r.op == opRenew && r.base == 0 {
		r.hash = none
	}
	return r
}

// lua is a Redis that runs the scripts.
type lua struct {
	t       *testing.T
	mini    *miniredis.Miniredis
	client  *redis.Client
	scripts map[operation]*redis.Script
}

func (l *lua) source(name string) string {
	data, err := os.ReadFile("../../leader/internal/script/" + name + ".lua")
	if err != nil {
		l.t.Fatal(err)
	}
	return string(data)
}

func hashOf(c content) string {
	if c == none {
		return ""
	}
	return fmt.Sprintf("%016x%048x", int(c), int(c)) // so that the start differs, too
}

func etagOf(c content) string {
	if c == none {
		return ""
	}
	return fmt.Sprintf(`W/"%d"`, c)
}

func jsonOf(c content) string { return fmt.Sprintf(`{"f":{},"i":%d}`, c) }

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func lockText(l lock) string { return fmt.Sprintf("p%d:%d", l.owner, l.epoch) }

// write sets the server's state to s.
func (l *lua) write(s store) {
	l.mini.FlushAll()
	l.mini.SetTime(time.UnixMilli(begin))
	set := func(key, value string) {
		if err := l.mini.Set(key, value); err != nil {
			l.t.Fatal(err)
		}
	}
	if s.lock.owner != 0 {
		set(keys.Lock, lockText(s.lock))
		l.mini.SetTTL(keys.Lock, time.Duration(s.lock.until-begin)*time.Millisecond)
	}
	if s.entry.rev != 0 {
		set(keys.Entry, entryText(s.entry))
	}
	if s.blob.rev != 0 {
		set(keys.Blob, blobText(s.blob))
	}
	if len(s.patches) > 0 {
		set(keys.Patches, string(stepsOf(s.patches).Append(nil)))
	}
	for i, e := range s.history {
		if _, err := l.mini.XAdd(keys.History, fmt.Sprintf("%d-0", i+1), []string{"hash", hashOf(e.hash), "from", hashOf(e.from), "back", backText(e)}); err != nil {
			l.t.Fatal(err)
		}
	}
	if s.meta.epoch != 0 {
		l.mini.HSet(keys.Meta, "epoch", number(s.meta.epoch), "proto", "1 "+number(s.meta.epoch), "control", "")
	}
	if s.meta.rev != 0 {
		l.mini.HSet(keys.Meta, "rev", number(s.meta.rev), "hash", hashOf(s.meta.hash), "len", strconv.Itoa(len(jsonOf(s.meta.hash))),
			"etag", etagOf(s.meta.hash), "cdn", number(s.meta.cdn), "poll", "55000", "etags", recentText(s.meta.recent))
	}
}

func entryText(e entry) string {
	return fmt.Sprintf("%d\n%s\n%s", e.rev, etagOf(e.etag), jsonOf(e.body))
}

func blobText(b blob) string {
	return fmt.Sprintf("%d\n%s\nraw\n%s", b.rev, hashOf(b.hash), jsonOf(b.body))
}

// stepsOf returns patches of one byte each.
func stepsOf(steps []step) (all wire.Patches) {
	for _, s := range steps {
		all = append(all, wire.PatchStep{From: wire.ShortHash(hashOf(s.from)), To: hashOf(s.to), Rev: begin, Len: 1, Patch: []byte("x")})
	}
	return all
}

// patchesText returns the hashes of patches; the model does not know their revs.
func patchesText(patches wire.Patches) string {
	var b strings.Builder
	for _, step := range patches {
		fmt.Fprintf(&b, "%s>%s ", step.From, step.To)
	}
	return b.String()
}

func backText(e recorded) string {
	if e.back {
		return "back"
	}
	return ""
}

// history returns the server's history in historyText's format.
func (l *lua) history() string {
	entries, _ := l.mini.Stream(keys.History)
	var b strings.Builder
	for _, e := range entries {
		fields := map[string]string{}
		for i := 0; i+1 < len(e.Values); i += 2 {
			fields[e.Values[i]] = e.Values[i+1]
		}
		fmt.Fprintf(&b, "%s<%s %s;", fields["hash"], fields["from"], fields["back"])
	}
	return b.String()
}

func historyText(history []recorded) string {
	var b strings.Builder
	for _, e := range history {
		fmt.Fprintf(&b, "%s<%s %s;", hashOf(e.hash), hashOf(e.from), backText(e))
	}
	return b.String()
}

func replacedText(all []replaced) string {
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "%d %s\n", r.until, etagOf(r.etag))
	}
	return b.String()
}

func recentText(recent []replaced) string {
	var lines []string
	for _, r := range recent {
		lines = append(lines, fmt.Sprintf("%d %s", r.until, etagOf(r.etag)))
	}
	return strings.Join(lines, "\n")
}

// run runs the script and returns its reply in describe's format. current is the content that meta names.
func (l *lua) run(r *request, current content) string {
	names, args := []string{keys.Entry, keys.Lock, keys.Meta, keys.Blob}, []any{lockText(r.lock), r.lease, r.base}
	var older, last []byte
	if n := len(r.patches); n > 0 {
		older, last = stepsOf(r.patches[:n-1]).Append(nil), stepsOf(r.patches)[n-1].Tail()
	}
	head := "cb1 x"
	switch r.op {
	case opAcquire:
		names, args = []string{keys.Lock, keys.Meta, keys.Control}, []any{fmt.Sprintf("p%d", r.lock.owner), r.lease, r.highest}
	case opCommit:
		names = append(names, keys.Patches, keys.History, keys.Control, keys.Source)
		args = append(args, r.above, r.age, r.cdn, keys.Events, head, "", "", etagOf(r.hash), hashOf(r.hash), len(jsonOf(r.hash)), 55000,
			jsonOf(r.hash), hashOf(r.hash)+"\nraw\n", jsonOf(r.hash), r.overwriteUpTo, r.latest, replacedText(r.replaced), number(r.waits),
			hashOf(r.patchFrom), older, last, maxHistory, "poll", hashOf(r.backTo), 7, "back",
			0, "", "", "", etagOf(r.hash), etagOf(current))
	case opRenew:
		names = append(names, keys.Control, keys.Pinned, keys.Source)
		args = append(args, hashOf(r.hash), etagOf(r.hash), r.above, r.age, keys.Events, head, "", 55000, len(jsonOf(r.hash)), r.latest, number(r.waits), "", "", "")
	case opRelease:
		names, args = []string{keys.Lock}, []any{lockText(r.lock), keys.Events, head}
	}
	reply, err := l.scripts[r.op].Run(l.t.Context(), l.client, names, args...).Slice()
	if err != nil {
		return err.Error()
	}
	switch reply[0] { // without what is about controls
	case outcomes[outcomeOK]:
		reply = slices.Delete(reply, 6, 7)
	case outcomes[outcomeAcquired], outcomes[outcomeHeld]:
		reply = slices.Delete(reply[:len(reply)-2], 4, 6)
	case outcomes[outcomeStale], outcomes[outcomeRegressed], outcomes[outcomeOverwritten]:
		reply = reply[:len(reply)-2]
	}
	for i, value := range reply {
		if value == nil {
			reply[i] = ""
		}
	}
	return fmt.Sprint(reply...)
}

var outcomes = map[outcome]string{
	outcomeOK: "OK", outcomeAcquired: "ACQUIRED", outcomeHeld: "HELD", outcomeFenced: "FENCED",
	outcomeStale: "STALE", outcomeRegressed: "REGRESSED", outcomeOverwritten: "OVERWRITTEN", outcomeReleased: "RELEASED",
}

// describe formats a reply of the model like a reply of the script.
func (l *lua) describe(r reply, op operation) string {
	fields := []any{outcomes[r.outcome]}
	switch r.outcome {
	case outcomeOK:
		fields = append(fields, orZero(r.rev), orZero(r.cdn), orZero(r.now), int64(0), "0")
	case outcomeAcquired, outcomeHeld:
		fields = append(fields, lockText(r.lock), r.left, orZero(r.now))
		fields = append(fields, metaFields(r.meta)...)
	case outcomeStale, outcomeRegressed, outcomeOverwritten:
		found := orZero(r.found)
		if op == opCommit && r.outcome == outcomeStale {
			found = "0"
		}
		fields = append(append(fields, found, orZero(r.now)), metaFields(r.meta)...)
	}
	return fmt.Sprint(fields...)
}

func orZero(n int64) string { return strconv.FormatInt(n, 10) }

func metaFields(m meta) []any {
	if m.rev == 0 {
		return []any{number(m.epoch), "", "", "", "", "", "", "", "", number(m.waits)}
	}
	refresh := ""
	return []any{
		number(m.epoch), number(m.rev), hashOf(m.hash), strconv.Itoa(len(jsonOf(m.hash))), etagOf(m.hash), number(m.cdn), "55000", refresh, recentText(m.recent), number(m.waits),
	}
}

// read returns the server's state in storeText's format.
func (l *lua) read() string {
	get := func(key string) string {
		value, _ := l.mini.Get(key)
		return value
	}
	field := func(name string) string { return l.mini.HGet(keys.Meta, name) }
	patches, err := wire.ParsePatches([]byte(get(keys.Patches)))
	if err != nil {
		l.t.Fatal(err)
	}
	left := time.Duration(0)
	if get(keys.Lock) != "" {
		left = l.mini.TTL(keys.Lock)
	}
	return fmt.Sprintln(get(keys.Lock), left.Milliseconds(), get(keys.Entry), get(keys.Blob), patchesText(patches), l.history(),
		field("epoch"), field("rev"), field("hash"), field("etag"), field("cdn"), field("etags"), field("waits"))
}

func storeText(s store) string {
	holder, left, e, b, recent := "", int64(0), "", "", ""
	if s.lock.owner != 0 {
		holder, left = lockText(s.lock), s.lock.until-begin
	}
	if s.entry.rev != 0 {
		e = entryText(s.entry)
	}
	if s.blob.rev != 0 {
		b = blobText(s.blob)
	}
	if s.meta.rev != 0 {
		recent = recentText(s.meta.recent)
	}
	return fmt.Sprintln(holder, left, e, b, patchesText(stepsOf(s.patches)), historyText(s.history), number(s.meta.epoch), number(s.meta.rev), hashOf(s.meta.hash), etagOf(s.meta.hash), number(s.meta.cdn), recent, number(s.meta.waits))
}

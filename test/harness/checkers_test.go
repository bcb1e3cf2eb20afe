package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
)

// Tests of the checkers of all other tests: each violation must be detected, and nothing
// else.

const (
	ofA = "a:1700000000001"
	ofB = "b:1700000000002"
)

// scripted is a script as MONITOR shows it: the client's command, then those of the script.
type scripted [][]string

// quotes are the ways in which MONITOR quotes an argument.
var quotes = map[string]func(arg string) string{
	"Redis":  strconv.Quote,
	"Valkey": func(arg string) string { return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(strconv.Quote(arg)) },
}

func (s scripted) lines(at time.Duration, quote func(arg string) string) (lines []string) {
	for i, command := range s {
		from := "127.0.0.1:1"
		if i > 0 {
			from = "lua"
		}
		var line strings.Builder
		fmt.Fprintf(&line, "%d.%06d [0 %s]", at/time.Second, at%time.Second/time.Microsecond, from)
		for _, arg := range command {
			line.WriteString(" " + quote(arg))
		}
		lines = append(lines, line.String())
	}
	return lines
}

// written returns the commands of the script as a replica receives them.
func (s scripted) written() (commands [][]string) {
	for _, command := range s[1:] {
		commands = append(commands, append([]string{strings.ToUpper(command[0])}, command[1:]...))
	}
	return commands
}

func taking(lock string) scripted {
	k, id := cachekeys.For(SDKKey, "", 0), ownerOf(lock)
	return scripted{{"evalsha", "x", "2", k.Lock, k.Meta, id, "3000"}, {"set", k.Lock, lock, "PX", "3000"}, {"hset", k.Meta, "epoch", "1700000000001", "proto", "1 1700000000001", "control", "", "later", ""}}
}

// committing writes a version at a rev, but without the command of the given name.
func committing(lock string, rev, version int64, without string) scripted {
	k := cachekeys.For(SDKKey, "", 0)
	entry := cachekeys.Entry{FetchTime: rev, ETag: `W/"x"`, JSON: fakecdn.Config{Version: version}.JSON()}
	blob := wire.Blob{Rev: rev, Hash: wire.ContentHash(entry.JSON)}
	blob.Codec, blob.Payload = wire.Encode(entry.JSON)
	text := strconv.FormatInt(rev, 10)
	all := scripted{
		{"evalsha", "x", "4", k.Entry, k.Lock, k.Meta, k.Blob, lock, "3000"},
		{"set", k.Entry, string(entry.Append(nil))}, {"set", k.Blob, string(blob.Append(nil))},
		{"hset", k.Meta, "epoch", "1", "rev", text, "hash", blob.Hash, "len", strconv.Itoa(len(entry.JSON)), "etag", entry.ETag},
		{"pexpire", k.Lock, "3000"}, {"publish", k.Events, `cb1 change etag=W/"x"`},
	}
	var left scripted
	for i, command := range all {
		if i == 0 || without == "" || !strings.HasPrefix(strings.Join(command, " "), without) {
			left = append(left, command)
		}
	}
	return left
}

func TestTapDetectsEveryViolation(t *testing.T) {
	const rev = 1700000000100
	k := cachekeys.For(SDKKey, "", 0)
	well := []scripted{taking(ofA), committing(ofA, rev, 2, ""), committing(ofA, rev+1, 3, "")}
	releasing := scripted{{"evalsha", "x", "1", k.Lock, ofA, k.Events}, {"del", k.Lock}, {"publish", k.Events, "cb1 resign"}}
	text := strconv.FormatInt(rev+2, 10)
	// renewing writes meta without a lock: on its own or in addition to a rev.
	renewing := func(lock string, hset ...string) scripted {
		return scripted{{"evalsha", "x", "4", k.Entry, k.Lock, k.Meta, k.Blob, lock, "3000"}, {"pexpire", k.Lock, "3000"},
			{"setrange", k.Entry, "0", text}, {"setrange", k.Blob, "0", text}, {"hset", k.Meta, "rev", text, "cdn", text},
			append([]string{"hset", k.Meta}, hset...), {"publish", k.Events, "cb1 heartbeat"}}
	}
	// with replaces values in one command.
	with := func(s scripted, command int, values ...string) scripted {
		s[command] = append(s[command][:2:2], values...)
		return s
	}
	// pinning commits a pinned version while the CDN serves another.
	pinning := func(version, served, sourceRev int64, inForce string) scripted {
		s := committing(ofA, rev+2, version, "")
		json, source := fakecdn.Config{Version: version}.JSON(), fakecdn.Config{Version: served}.JSON()
		etag := control.ETag(wire.ContentHash(json))
		s[1] = []string{"set", k.Entry, string(cachekeys.Entry{FetchTime: rev + 2, ETag: etag, JSON: json}.Append(nil))}
		s[3][len(s[3])-1] = etag
		s[3] = append(s[3], "control", inForce)
		stored := wire.Source{Rev: sourceRev, Hash: wire.ContentHash(source), ETag: "x"}
		stored.Codec, stored.Payload = wire.Encode(source)
		return slices.Insert(s, 3, []string{"set", k.Source, string(stored.Append(nil))})
	}
	// mixed takes one command from a commit of another version at the same rev.
	mixed := func(command int, other int64) scripted {
		s := committing(ofA, rev+2, 4, "")
		s[command] = committing(ofA, rev+2, other, "")[command]
		return s
	}
	for name, c := range map[string]struct {
		then []scripted
		wait time.Duration // before the script
		want string        // empty: no fault
	}{
		"nothing":                       {},
		"a release, and another leader": {then: []scripted{releasing, taking(ofB), committing(ofB, rev+2, 4, "")}},
		"an expired lock":               {then: []scripted{taking(ofB), committing(ofB, rev+2, 4, "")}, wait: 4 * time.Second},
		"a script that is refused":      {then: []scripted{committing(ofB, rev+2, 4, "")[:1]}},
		"a meta written in two steps":   {then: []scripted{renewing(ofA, "waits", "")}},
		"other fields without the lock": {then: []scripted{{{"evalsha", "x", "1", k.Lock, ofB}, {"hset", k.Meta, "control", ""}}}, want: "(I2)"},
		"a write without the lock":      {then: []scripted{committing(ofB, rev+2, 4, "")}, want: "(I2)"},
		"a write after the lock":        {then: []scripted{committing(ofA, rev+2, 4, "")}, wait: 4 * time.Second, want: "(I2)"},
		"a message without the lock":    {then: []scripted{{releasing[0], {"publish", k.Events, "x"}}, {{"evalsha", "x", "1", k.Lock, ofB}, {"publish", k.Events, "x"}}}, want: "(I2)"},
		"a lock that two have":          {then: []scripted{taking(ofB)}, want: "(I10)"},
		"no entry":                      {then: []scripted{committing(ofA, rev+2, 4, "set "+k.Entry)}, want: "(I3)"},
		"no blob":                       {then: []scripted{committing(ofA, rev+2, 4, "set "+k.Blob)}, want: "(I3)"},
		"no meta":                       {then: []scripted{committing(ofA, rev+2, 4, "hset")}, want: "(I3)"},
		"no message":                    {then: []scripted{committing(ofA, rev+2, 4, "publish")}, want: "(I3)"},
		"an older version":              {then: []scripted{committing(ofA, rev+2, 2, "")}, want: "was written after"},
		"a lower fetch time":            {then: []scripted{committing(ofA, rev, 4, "")}, want: "was written after"},
		"the SDK key":                   {then: []scripted{{{"get", SDKKey}}}, want: "the SDK key"},
		"an entry that is none":         {then: []scripted{{committing(ofA, rev, 4, "")[0], {"set", k.Entry, "x"}, {"pexpire", k.Lock, "3000"}}}, want: "an entry was written"},
		"a blob of other content":       {then: []scripted{mixed(2, 5)}, want: "(I3)"},
		"a meta of other content":       {then: []scripted{mixed(3, 5)}, want: "(I3)"},
		"a blob that is none":           {then: []scripted{with(committing(ofA, rev+2, 4, ""), 2, text+"\nhash")}, want: "(I3)"},
		"an older version is pinned":    {then: []scripted{pinning(2, 3, rev+2, "1700000000000")}},
		"a pin while the CDN goes back": {then: []scripted{pinning(3, 2, rev+2, "1700000000000")}, want: "was written after"},
		"a pin that is not in force":    {then: []scripted{pinning(2, 3, rev+2, "")}, want: "nothing is in force"},
		"a source of another rev":       {then: []scripted{pinning(2, 3, rev+1, "1700000000000")}, want: "(I3)"},
		"a hash with the SDK key":       {then: []scripted{with(committing(ofA, rev+2, 4, ""), 3, "rev", text, "hash", SDKKey)}, want: "the SDK key is written"},
	} {
		for server, quote := range quotes {
			t.Run(name+" on "+server, func(t *testing.T) {
				p := newTap(&Auditor{}, k)
				at := 1700000000 * time.Second
				feed := func(all []scripted) {
					for _, s := range all {
						at += time.Millisecond
						for _, line := range s.lines(at, quote) {
							p.saw(line)
						}
						p.written.saw(s.written(), 1)
					}
				}
				feed(well)
				if len(p.audit.faults) != 0 {
					t.Fatalf("where all is well: %q", p.audit.faults)
				}
				at += c.wait
				feed(append(c.then, scripted{{"ping"}}))
				found := strings.Join(p.audit.faults, "; ")
				if c.want == "" && found != "" || !strings.Contains(found, c.want) {
					t.Errorf("found %q, want %q", found, c.want)
				}
			})
		}
	}
}

func TestAuditorDetectsEveryViolation(t *testing.T) {
	const rev = 1700000000100
	type kept struct {
		entry cachekeys.Entry
		blob  wire.Blob
		meta  wire.Meta
		ordered
	}
	cdn := fakecdn.New()
	version := cdn.Publish()
	holding := func(rev, version int64) kept {
		json := fakecdn.Config{Version: version}.JSON()
		k := kept{entry: cachekeys.Entry{FetchTime: rev, ETag: "x", JSON: json}}
		k.blob = wire.Blob{Rev: rev, Hash: wire.ContentHash(json)}
		k.blob.Codec, k.blob.Payload = wire.Encode(json)
		k.meta = wire.Meta{Epoch: rev, Rev: rev, Hash: k.blob.Hash, Len: len(json), ETag: "x"}
		return k
	}
	// pinning holds one version while the CDN serves another.
	pinning := func(rev, version, served int64) kept {
		k, source := holding(rev, version), holding(rev, served)
		k.entry.ETag = control.ETag(k.blob.Hash)
		k.meta.ETag, k.meta.Control = k.entry.ETag, rev
		order := control.Order{By: "ann@shop", Reason: "a test", Since: rev, Until: rev + 1}
		k.control = string((&control.Control{Seq: rev, Pin: &control.Pin{Hash: k.blob.Hash, Order: order}}).Append(nil))
		k.pinned = string(k.blob.Append(nil))
		k.source = string(wire.Source{Rev: rev, Hash: source.blob.Hash, ETag: "x", Codec: source.blob.Codec, Payload: source.blob.Payload}.Append(nil))
		return k
	}
	for name, c := range map[string]struct {
		change func(k *kept)
		want   string
	}{
		"nothing":                                  {func(*kept) {}, ""},
		"a later rev":                              {func(k *kept) { *k = holding(rev+1, version) }, ""},
		"another rev of meta":                      {func(k *kept) { k.meta.Rev++ }, "(I3)"},
		"another hash of meta":                     {func(k *kept) { k.meta.Hash = strings.Repeat("0", 64) }, "(I3)"},
		"another rev of blob":                      {func(k *kept) { k.blob.Rev++ }, "(I3)"},
		"another entry":                            {func(k *kept) { k.entry.JSON = holding(rev, version+1).entry.JSON }, "(I3)"},
		"another fetch time":                       {func(k *kept) { k.entry.FetchTime++ }, "(I3)"},
		"an older version":                         {func(k *kept) { *k = holding(rev+1, version-1) }, "version"},
		"a lower fetch time":                       {func(k *kept) { *k = holding(rev-1, version) }, "fetch time"},
		"a blob of other bytes":                    {func(k *kept) { k.blob.Codec, k.blob.Payload = wire.Encode([]byte(`{"f":{}}`)) }, "hash"},
		"an entry that is empty":                   {func(k *kept) { k.entry.JSON = []byte("") }, "entry"},
		"an answer never given":                    {func(k *kept) { k.meta.CDN = time.Now().UnixMilli() }, "(I14)"},
		"an older one is pinned":                   {func(k *kept) { *k = pinning(rev+1, version-1, version) }, ""},
		"it is, and the CDN goes back":             {func(k *kept) { *k = pinning(rev+1, version-1, version-1) }, "version"},
		"it is, and the source is lost":            {func(k *kept) { *k = pinning(rev+1, version-1, version); k.source = "" }, ""},
		"it is no longer, and its content remains": {func(k *kept) { *k = pinning(rev+1, version-1, version); k.meta.Control = 0 }, "nothing is in force"},
		"another one than what is pinned": {func(k *kept) {
			orders := pinning(rev+1, version-1, version).ordered
			*k = pinning(rev+1, version+1, version)
			k.control, k.pinned = orders.control, orders.pinned
		}, "operators"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &Auditor{cdn: cdn, known: map[string]int64{}}
			look := func(k kept) {
				meta := map[string]any{
					"epoch": strconv.FormatInt(k.meta.Epoch, 10), "rev": strconv.FormatInt(k.meta.Rev, 10), "hash": k.meta.Hash,
					"len": strconv.Itoa(k.meta.Len), "etag": k.meta.ETag, "proto": "1 " + strconv.FormatInt(k.meta.Epoch, 10),
				}
				if k.meta.Control != 0 {
					meta["control"] = strconv.FormatInt(k.meta.Control, 10)
				}
				if k.meta.CDN != 0 {
					meta["cdn"] = strconv.FormatInt(k.meta.CDN, 10)
				}
				var values []any
				for _, name := range wire.MetaFields() {
					values = append(values, meta[name])
				}
				// The state after the blob's hash was checked.
				a.sound = ""
				a.compare(string(k.entry.Append(nil)), string(k.blob.Append(nil)), values, k.ordered)
			}
			look(holding(rev, version))
			if len(a.faults) != 0 {
				t.Fatalf("where all is well: %q", a.faults)
			}
			k := holding(rev, version)
			c.change(&k)
			look(k)
			found := strings.Join(a.faults, "; ")
			if c.want == "" && found != "" || !strings.Contains(found, c.want) || c.want != "" && found == "" {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}

func TestFollowerDetectsEveryViolation(t *testing.T) {
	configOf := func(c fakecdn.Config) *evaluate.Config {
		config, err := evaluate.Parse(c.JSON())
		if err != nil {
			t.Fatal(err)
		}
		return config
	}
	r := &Follower{moved: make(chan struct{}), inForce: new(inForce)}
	r.changed(configOf(fakecdn.Config{Version: 2}))
	r.changed(configOf(fakecdn.Config{Version: 3}))
	if faults := r.Faults(); len(faults) != 0 {
		t.Errorf("where all is well: %q", faults)
	}
	r.changed(configOf(fakecdn.Config{Version: 2}))
	if faults := r.Faults(); len(faults) != 1 {
		t.Errorf("an older version after a newer one: %q", faults)
	}
	overseen := &Follower{moved: make(chan struct{}), inForce: new(inForce), place: -1}
	for _, version := range []int64{2, 1, 2} { // 1 is pinned, and the pin is withdrawn
		overseen.inForce.add(Shown{version, version%2 == 1})
		overseen.changed(configOf(fakecdn.Config{Version: version}))
	}
	if faults := overseen.Faults(); len(faults) != 0 {
		t.Errorf("where an older version is pinned for a time: %q", faults)
	}
	overseen.changed(configOf(fakecdn.Config{Version: 1}))
	if faults := overseen.Faults(); len(faults) != 1 {
		t.Errorf("the pinned version after it was withdrawn: %q", faults)
	}

	at := time.Now()
	before := sighting{version: 3, rev: 10, answered: at}
	for name, c := range map[string]struct {
		now   sighting
		wrong int
	}{
		"nothing":                    {before, 0},
		"newer":                      {sighting{version: 4, rev: 11}, 0},
		"rebase rule":                {sighting{version: 4, rev: 5, rebases: 1}, 0},
		"an older version":           {sighting{version: 2, rev: 11}, 1},
		"no config":                  {sighting{}, 2},
		"a lower rev":                {sighting{version: 4, rev: 9}, 1},
		"both under the rebase rule": {sighting{version: 2, rev: 9, rebases: 1}, 1},
	} {
		if wrong := c.now.after(before); len(wrong) != c.wrong {
			t.Errorf("%s: %q", name, wrong)
		}
	}
	counted := sighting{version: 3, rev: 10, rebases: 1} // between the count and the fall
	if wrong := (sighting{version: 4, rev: 5, rebases: 1}).after(counted); len(wrong) != 0 {
		t.Errorf("a fall that was counted before: %q", wrong)
	}
	counted.falls = 1
	if wrong := (sighting{version: 4, rev: 5, rebases: 1}).after(counted); len(wrong) != 1 {
		t.Errorf("a second fall under one rebase: %q", wrong)
	}
	if wrong := before.asserted(at.Add(-time.Second), time.Second); len(wrong) != 0 {
		t.Errorf("an answer a second ago, in a message that is as late: %q", wrong)
	}
	if wrong := before.asserted(at.Add(-2*time.Second), time.Second); len(wrong) != 1 {
		t.Errorf("an answer that was never given: %q", wrong)
	}
}

package evaluate

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// draftDocument is a document that a test edits.
type draftDocument struct {
	salt, segment string
	after         string // a member after "f"
	comma, colon  string
	members       []draftMember
}

type draftMember struct{ key, value string }

func (d *draftDocument) json() string {
	var b strings.Builder
	b.WriteString(`{"p":{` + d.salt + `},"s":[` + d.segment + `],"f":{`)
	for i, m := range d.members {
		if i > 0 {
			b.WriteString(d.comma)
		}
		b.WriteString(`"` + m.key + `"` + d.colon + m.value)
	}
	b.WriteString(`}` + d.after + `}`)
	return b.String()
}

var (
	testHash  = strings.Repeat("ab", 32)
	testSalts = []string{`"s":"salt"`, `"s":"other"`, `"s":null`, `"s":1`, `"u":"https://example.com","s":"salt"`}

	testSegments = []string{
		``, `{"n":"beta","r":[{"a":"Email","c":2,"l":["@a.com"]}]}`, `{"n":"beta","r":[{"a":"Email","c":16,"l":["` + testHash + `"]}]}`,
		`{"n":"","r":[]}`, `null`, `{"n":"one","r":[]},{"n":"two","r":[{"a":"Identifier","c":28,"s":"1"}]}`,
	}
	testAfter = []string{``, `,"x":[{"f":1}]`, `,"s":[{"n":"last","r":[]}]`, `,"p":{"s":"last"}`, `,"f":{"a":{"t":0,"v":{"b":true}}}`, ` `}
	testKeys  = []string{"a", "b", "c", "d", `\u0061`, `\ud83d\ude00`, "", "long key of many bytes"}
)

func testValue(t *rapid.T) string {
	kind := rapid.IntRange(0, 1).Draw(t, "kind")
	value := []string{`{"b":true}`, `{"s":"x"}`}[kind]
	if rapid.Bool().Draw(t, "other value") {
		value = []string{`{"b":false}`, `{"s":"\u00e9"}`}[kind]
	}
	served := `"s":{"v":` + value + `,"i":"id"}`
	prerequisite := rapid.SampledFrom(testKeys).Draw(t, "prerequisite")
	conditions := []string{
		`{"u":{"a":"Email","c":16,"l":["` + testHash + `"]}}`, `{"u":{"a":"Email","c":2,"l":["@a.com"]}}`,
		`{"u":{"a":"Email","c":22,"l":["3_` + testHash + `"]}}`, `{"u":{"a":"Email","c":99,"s":1}}`, `{"u":{"a":"Email","c":2,"l":[]}}`,
		`{"s":{"s":0,"c":0}}`, `{"s":{"s":1,"c":1}}`, `{}`,
		`{"p":{"f":"` + prerequisite + `","c":0,"v":{"b":true}}}`, `{"p":{"f":"` + prerequisite + `","c":1,"v":{"s":"x"}}}`,
	}
	var rules []string
	for range rapid.IntRange(0, 2).Draw(t, "rules") {
		rules = append(rules, `{"c":[`+strings.Join(rapid.SliceOfN(rapid.SampledFrom(conditions), 1, 2).Draw(t, "conditions"), ",")+`],`+served+`}`)
	}
	options := []string{``, `"p":[{"p":50,"v":` + value + `},{"p":50,"v":` + value + `}],`, `"p":[{"p":5,"v":` + value + `}],`}
	whole := fmt.Sprintf(`{"t":%d,"r":[%s],%s"v":%s}`, kind, strings.Join(rules, ","), rapid.SampledFrom(options).Draw(t, "options"), value)
	return rapid.SampledFrom([]string{whole, whole, whole, whole, whole, whole, "null", "1", "12", `"text"`, `{"t":9}`}).Draw(t, "form")
}

func (d *draftDocument) edit(t *rapid.T) {
	n := len(d.members)
	at := rapid.IntRange(0, max(0, n-1)).Draw(t, "at")
	member := func() draftMember {
		return draftMember{rapid.SampledFrom(testKeys).Draw(t, "key"), testValue(t)}
	}
	switch edit := rapid.IntRange(0, 11).Draw(t, "edit"); {
	case edit == 0:
		d.salt = rapid.SampledFrom(testSalts).Draw(t, "salt")
	case edit == 1:
		d.segment = rapid.SampledFrom(testSegments).Draw(t, "segments")
	case edit == 2:
		d.after = rapid.SampledFrom(testAfter).Draw(t, "after")
	case edit == 3:
		d.comma = rapid.SampledFrom([]string{",", ", ", " ,\n\t"}).Draw(t, "comma")
	case edit == 4:
		d.colon = rapid.SampledFrom([]string{":", " : "}).Draw(t, "colon")
	case edit == 5 || n == 0:
		d.members = slices.Insert(d.members, at, member())
	case edit == 6:
		d.members = slices.Delete(d.members, at, at+1)
	case edit == 7:
		d.members[at].key = rapid.SampledFrom(testKeys).Draw(t, "key")
	case edit == 8:
		d.members = rapid.Permutation(d.members).Draw(t, "order")
	default:
		d.members[at].value = testValue(t)
	}
}

// damage returns other bytes, most of them not a valid config.
func damage(t *rapid.T, json string) string {
	at := rapid.IntRange(0, len(json)).Draw(t, "damaged at")
	switch rapid.IntRange(0, 4).Draw(t, "damage") {
	case 0:
		return json[:at]
	case 1:
		return json[:at] + rapid.SampledFrom([]string{",", "}", "1", " ", `"`, "\xff", `,"f":{`, "[", "\\"}).Draw(t, "inserted") + json[at:]
	case 2:
		return json[:at] + json[min(len(json), at+1):]
	case 3:
		return strings.Replace(json, `"Email"`, "\"E\xffmail\"", 1)
	default:
		return strings.Replace(json, "},", "}", 1)
	}
}

// All that a config consists of is that of a config that is compiled from scratch.
func TestReparsedConfigsAreThoseCompiledFromScratch(t *testing.T) {
	shared := 0
	rapid.Check(t, func(t *rapid.T) {
		d := &draftDocument{salt: testSalts[0], segment: testSegments[1], comma: ",", colon: ":"}
		for range rapid.IntRange(0, 8).Draw(t, "edits before") {
			d.edit(t)
		}
		var current *Config
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			for range rapid.IntRange(0, 2).Draw(t, "edits") {
				d.edit(t)
			}
			json := d.json()
			if rapid.IntRange(0, 3).Draw(t, "damaged") == 0 {
				json = damage(t, json)
			}
			next := checkReparse(t, current, json)
			if next == nil {
				continue
			}
			if current != nil && len(next.ChangedKeys(current)) < len(next.keys) {
				shared++
			}
			current = next
		}
	})
	if shared == 0 {
		t.Error("no setting was shared")
	}
}

// checkReparse returns nil if the document is invalid.
func checkReparse(t interface {
	Helper()
	Fatalf(string, ...any)
}, earlier *Config, json string) *Config {
	t.Helper()
	want, wantErr := Parse([]byte(json))
	var before any
	if earlier != nil {
		before, _ = Parse(earlier.JSON())
	}
	data := []byte(json)
	got, err := Reparse(earlier, data)
	clear(data) // it must not be retained
	if earlier != nil && !reflect.DeepEqual(any(earlier), before) {
		t.Fatalf("the earlier config changed with %q", json)
	}
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("%q: error %v, want %v", json, err, wantErr)
	}
	if err != nil {
		if got != nil {
			t.Fatalf("%q: a config and error %v", json, err)
		}
		return nil
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: the config differs from one compiled from scratch, after %q", json, earlier.JSON())
	}
	if !got.Equal(want) || string(got.JSON()) != string(want.JSON()) || len(got.ChangedKeys(want)) > 0 || got.Equal(earlier) != want.Equal(earlier) {
		t.Fatalf("%q is not equal to itself compiled from scratch", json)
	}
	if a, b := got.ChangedKeys(earlier), want.ChangedKeys(earlier); !slices.Equal(a, b) {
		t.Fatalf("%q: changed keys %q, want %q", json, a, b)
	}
	for _, key := range want.Keys() {
		for _, user := range []any{nil, &UserData{Identifier: "1", Email: "x@a.com"}} {
			a, b := Trace{Log: true}, Trace{Log: true}
			result, expected := got.Evaluate(key, user, Value{}, &a), want.Evaluate(key, user, Value{}, &b)
			result.served, expected.served = nil, nil
			if !reflect.DeepEqual(result, expected) || !slices.Equal(a.Events(), b.Events()) {
				t.Fatalf("%q: %q is %+v, want %+v; events %v, want %v", json, key, result, expected, a.Events(), b.Events())
			}
		}
	}
	return got
}

// Shared settings meet other prerequisites.
func TestPrerequisitesOfSharedSettingsAreResolvedAgain(t *testing.T) {
	asks := func(flag string) string {
		return `{"t":0,"r":[{"c":[{"p":{"f":"` + flag + `","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":false}}`
	}
	document := func(settings string) string {
		return `{"f":{` + settings + `"asks":` + asks("base") + `,"above":` + asks("asks") + `}}`
	}
	documents := map[string]string{
		"on":      document(`"base":{"t":0,"v":{"b":true}},`),
		"off":     document(`"base":{"t":0,"v":{"b":false}},`),
		"text":    document(`"base":{"t":1,"v":{"s":"x"}},`),
		"invalid": document(`"base":{"t":7},`),
		"missing": document(``),
		"later":   document(`"other":null,"base":{"t":0,"v":{"b":true}},`),
		"cycle":   document(`"base":` + asks("above") + `,`),
	}
	for before, was := range documents {
		for after, is := range documents {
			t.Run(before+" "+after, func(t *testing.T) { checkReparse(t, checkReparse(t, nil, was), is) })
		}
	}
}

// What a setting was read after leaves no trace in it.
func TestAnEmptyListIsTheSameAfterOtherLists(t *testing.T) {
	document := func(list, space string) string {
		return `{"f":{"first":{"t":0,"r":[{"c":[{"u":{"a":"A","c":0,"l":[` + list + `]}}],"s":{"v":{"b":true}}}],"v":{"b":false}},` +
			`"second":{"t":0,"r":[{"c":[{"u":{"a":"A","c":0,"l":[` + space + `]}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`
	}
	alone := checkReparse(t, nil, document("", ""))
	after := checkReparse(t, alone, document(`"x"`, " "))
	if changed := after.ChangedKeys(alone); !slices.Equal(changed, []string{"first"}) {
		t.Errorf("changed keys %q", changed)
	}
}

func TestReparseReadsWhatFollowsAnUnchangedSetting(t *testing.T) {
	earlier := checkReparse(t, nil, `{"f":{"a":1,"b":2}}`)
	for _, json := range []string{
		`{"f":{"a":12,"b":2}}`, `{"f":{"a":12"b":2}}`, `{"f":{"a":1 "b":2}}`, `{"f":{"a":1;"b":2}}`, `{"f":{"a":1,,"b":2}}`, `{"f":{"a":1,"b":2,}}`,
		`{"f":{,"a":1,"b":2}}`, `{"f":{"a":1,"b":2 }}`, `{"f":{"a":1,"b":2}}}`, `{"f":{"a":1},"g":{"b":2}}`, `{"f":{"a":1,"c","b":2}}`,
		`{"f":{"a":1,"c":` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + `,"b":2}}`,
	} {
		checkReparse(t, earlier, json)
	}
}

func TestReparseReturnsTheEarlierConfigForTheSameDocument(t *testing.T) {
	for _, json := range []string{`{"f":{}}`, ` {"f" : { "a":{"t":0,"v":{"b":true}} , "a":null}} `, `{"f":{"a":1},"f":{"b":2}}`} {
		config, err := Parse([]byte(json))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Reparse(config, []byte(json)); again != config {
			t.Errorf("%s: another config, error %v", json, err)
		}
	}
}

func TestUnchangedSettingsAreNotCompiledAgain(t *testing.T) {
	rule := func(condition string) string {
		return `{"t":0,"r":[{"c":[` + condition + `],"s":{"v":{"b":true}}}],"v":{"b":false}}`
	}
	document := func(salt, segment, a, more string) string {
		return `{"p":{"s":"` + salt + `"},"s":[{"n":"` + segment + `"}],"f":{"a":` + a + `,"hashed":` + rule(`{"u":{"a":"A","c":20,"s":"`+testHash+`"}}`) +
			`,"segmented":` + rule(`{"s":{"s":0,"c":0}}`) + `,"plain":` + rule(`{"u":{"a":"A","c":28,"s":"x"}}`) +
			`,"asks":` + rule(`{"p":{"f":"a","c":0,"v":{"b":true}}}`) + more + `}}`
	}
	const on, off = `{"t":0,"v":{"b":true}}`, `{"t":0,"v":{"b":false}}`
	was := document("salt", "beta", on, "")
	for name, test := range map[string]struct{ json, compiled string }{
		"a value":          {document("salt", "beta", off, ""), "a"},
		"a type":           {document("salt", "beta", `{"t":1,"v":{"s":"x"}}`, ""), "a"},
		"a salt":           {document("other", "beta", on, ""), "hashed segmented"},
		"a segment":        {document("salt", "gamma", on, ""), "segmented"},
		"one more":         {document("salt", "beta", on, `,"new":`+on), "new"},
		"one less":         {strings.Replace(was, `"a":`+on+`,`, "", 1), ""},
		"white space":      {strings.ReplaceAll(was, `,"`, `, "`), "a hashed segmented plain asks"},
		"between settings": {strings.ReplaceAll(was, `,"asks`, "\n , \"asks"), ""},
	} {
		earlier := checkReparse(t, nil, was)
		next := checkReparse(t, earlier, test.json)
		var compiled []string
		for _, s := range next.ordered {
			if before := earlier.lookup(s.key); before == nil || unsafe.StringData(before.text) != unsafe.StringData(s.text) || !sharesRules(s, before) {
				compiled = append(compiled, s.key)
			}
		}
		if got := strings.Join(compiled, " "); got != test.compiled {
			t.Errorf("%s changed: compiled %q, want %q", name, got, test.compiled)
		}
	}
}

func sharesRules(a, b *setting) bool {
	return len(a.rules) == len(b.rules) && (len(a.rules) == 0 || &a.rules[0] == &b.rules[0])
}

// editedDocument returns a document in which each generation edits one flag.
func editedDocument(generation, flags int) []byte {
	var b strings.Builder
	b.WriteString(`{"p":{"s":"salt"},"s":[{"n":"beta","r":[{"a":"Email","c":28,"s":"x"}]}],"f":{`)
	for i := range flags {
		if i > 0 {
			b.WriteByte(',')
		}
		// The last generation in which flag i was edited.
		edited := (generation - i + flags*1000) / flags
		fmt.Fprintf(&b, `"flag%04d":{"t":1,"r":[{"c":[{"s":{"s":0,"c":0}},{"u":{"a":"Email","c":20,"s":"%s"}}],"s":{"v":{"s":"rule of %d"}}},`+
			`{"c":[{"p":{"f":"flag%04d","c":0,"v":{"s":"of %d"}}}],"s":{"v":{"s":"text"}}}],"v":{"s":"of %d"},"i":"variation"}`,
			i, testHash, edited, (i+1)%flags, i, edited)
	}
	b.WriteString(`}}`)
	return []byte(b.String())
}

// The earlier config is in use while another one is compiled: the race detector watches.
func TestReparseDoesNotWriteToTheEarlierConfig(t *testing.T) {
	config, err := Parse(editedDocument(0, 20))
	if err != nil {
		t.Fatal(err)
	}
	for generation := 1; generation < 40; generation++ {
		var group sync.WaitGroup
		var next *Config
		earlier := config
		group.Go(func() {
			earlier.AllValues(&UserData{Email: "x"}, nil)
			_ = earlier.Equal(nil)
		})
		group.Go(func() { Merge(earlier, FromValues(map[string]any{"flag0000": "x"})) })
		group.Go(func() { next, _ = Reparse(earlier, editedDocument(generation, 20)) })
		group.Wait()
		config = next
	}
}

// Any document after any other one.
func FuzzReparse(f *testing.F) {
	f.Add(`{"f":{"a":1}}`, `{"f":{"a":12}}`)
	f.Add(`{"p":{"s":"x"},"f":{"a":{"t":0,"v":{"b":true}},"b":null}}`, `{"p":{"s":"x"},"f":{"b":null,"a":{"t":0,"v":{"b":true}}}}`)
	f.Add(`{"f":{"a":{"t":1,"v":{"s":"`+"\xff"+`"}},"\u0061":1},"s":[]}`, `{"f":{"a":{"t":1,"v":{"s":"`+"\xff"+`"}}},"s":[]}`)
	f.Fuzz(func(t *testing.T, was, is string) {
		earlier := checkReparse(t, nil, was)
		checkReparse(t, earlier, is)
	})
}

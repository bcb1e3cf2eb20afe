package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
)

func parseUser(t testing.TB, text string, defaults *user) *user {
	t.Helper()
	var attributes map[string]any
	if err := json.Unmarshal([]byte(text), &attributes); err != nil {
		t.Fatal(err)
	}
	u, err := newUser(attributes, defaults)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAttributesOfUsers(t *testing.T) {
	u := parseUser(t, `{"Identifier":"1","n":1.5,"b":true,"none":null,"list":["a","b"],"empty":[]}`, nil)
	want := map[string]any{"Identifier": "1", "n": 1.5, "b": "true", "list": []string{"a", "b"}, "empty": []string{}}
	if fmt.Sprint(u.attributes) != fmt.Sprint(want) || len(u.attributes) != len(want) {
		t.Errorf("attributes %#v", u.attributes)
	}
	for text, part := range map[string]string{
		`{"a":{"b":1}}`:   `attribute "a" has an invalid type`,
		`{"a":["x",1]}`:   `attribute "a" is a list whose item 1 is not text`,
		`{"a":[["x"]]}`:   `attribute "a" is a list whose item 0 is not text`,
		`{"b":{},"a":{}}`: `attribute "a" `,
	} {
		var attributes map[string]any
		if err := json.Unmarshal([]byte(text), &attributes); err != nil {
			t.Fatal(err)
		}
		if _, err := newUser(attributes, nil); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", text, err)
		}
	}
	many := map[string]any{}
	for i := range maxAttributes + 1 {
		many[fmt.Sprint(i)] = ""
	}
	if _, err := newUser(many, nil); err == nil {
		t.Error("there is no limit for attributes")
	}
}

func TestTheDefaultUserIsOverridden(t *testing.T) {
	defaults := parseUser(t, `{"Country":"HU","plan":"free"}`, nil)
	if u := parseUser(t, `null`, defaults); u != defaults {
		t.Errorf("no user became %v", u.attributes)
	}
	u := parseUser(t, `{"plan":"pro","Country":null,"Email":"a@b.c"}`, defaults)
	if want := (map[string]any{"Country": "HU", "plan": "pro", "Email": "a@b.c"}); !maps.Equal(u.attributes, want) {
		t.Errorf("attributes %v", u.attributes)
	}
	if defaults.attributes["plan"] != "free" {
		t.Error("the default user changed")
	}
	if u, err := newUser(nil, nil); u != nil || err != nil {
		t.Errorf("no user is %v, %v", u, err)
	}
}

// Equal users share what is evaluated for them. Users that only look alike must not.
func TestDifferentUsersDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{
		`{}`, `{"a":"1"}`, `{"a":1}`, `{"a":["1"]}`, `{"a":"true"}`, `{"a":[]}`, `{"a":[""]}`, `{"a":["",""]}`, `{"a":"","b":""}`, `{"a":""}`,
		`{"a":["x","y"]}`, `{"a":["xy"]}`, `{"a":["ab","c"]}`, `{"a":["a","bc"]}`, `{"a":["y","x"]}`, `{"a":"1:at1:"}`, `{"a":"t","b":"t"}`, `{"at1:tb":"t"}`, `{"b":"1"}`, `{"a":-1}`, `{"a":1.0000000000000002}`,
		`{"a":["1:x"]}`, `{"a":["1","x"]}`, `{"a":"2026-01-02T03:04:05Z"}`, `{"a":1767323045}`,
	} {
		u := parseUser(t, text, nil)
		if other, taken := seen[u.canonical()]; taken {
			t.Errorf("%s and %s are one user", text, other)
		}
		seen[u.canonical()] = text
	}
	same := parseUser(t, `{"b":"2","a":[ "1" ],"none":null}`, nil)
	if other := parseUser(t, `{"a":["1"],"b":"2"}`, nil); same.canonical() != other.canonical() {
		t.Errorf("equal users differ: %q, %q", same.canonical(), other.canonical())
	}
}

const datesConfig = `{"p":{"s":"salt"},"s":[{"n":"new","r":[{"a":"joined","c":19,"d":1767225600}]}],"f":{
	"date":{"t":0,"v":{"b":false},"r":[{"c":[{"u":{"a":"when","c":19,"d":1767225600}}],"s":{"v":{"b":true}}}]},
	"segment":{"t":0,"v":{"b":false},"r":[{"c":[{"s":{"s":0,"c":0}}],"s":{"v":{"b":true}}}]},
	"text":{"t":0,"v":{"b":false},"r":[{"c":[{"u":{"a":"text","c":30,"l":["2026-"]}}],"s":{"v":{"b":true}}}]},
	"mixed":{"t":0,"v":{"b":false},"r":[{"c":[{"u":{"a":"mixed","c":30,"l":["2026-"]}}],"s":{"v":{"b":true}}},{"c":[{"u":{"a":"mixed","c":19,"d":1}}],"s":{"v":{"b":true}}}]}}}`

func contentOf(t testing.TB, config string) *content {
	t.Helper()
	parsed, err := evaluate.Parse([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return newContent(&follower.Content{JSON: []byte(config), Hash: strings.Repeat("0", 64), Config: parsed})
}

// JSON writes a date as text. It is a date for conditions on dates, and text for all others.
func TestTextIsADateWhereTheConfigUsesDates(t *testing.T) {
	c := contentOf(t, datesConfig)
	u := parseUser(t, `{"when":"2026-06-01T00:00:00.000Z","joined":"2026-06-01T02:00:00+02:00","text":"2026-06-01T00:00:00Z","mixed":"2026-06-01T00:00:00Z"}`, nil)
	for _, key := range []string{"date", "segment", "text", "mixed"} {
		if r := c.config.Evaluate(key, u.in(c), evaluate.Value{}, nil); r.Err != nil || !r.Value.Bool() {
			t.Errorf("%s: %v, %v", key, r.Value, r.Err)
		}
	}
	if _, ok := u.attributes["when"].(string); !ok {
		t.Error("the user changed")
	}
	if dates := dateAttributes([]byte(`{"f":{"a":{"a":"plan","r":[{"c":[{"u":{"a":"plan","c":18}},{"u":{"a":"Identifier","c":18}},{"u":{"a":"when","c":18}}]}]}}}`)); dates["plan"] || dates["Identifier"] || !dates["when"] {
		t.Errorf("dates %v: percentage options use the first two", dates)
	}
	for _, text := range []string{"2026-06-01", "2026-06-01 00:00:00", "1780272000", "2026-13-01T00:00:00Z", "2026-06-01T00:00:00", strings.Repeat("2026-", 20)} {
		if at, ok := dateOf(text); ok {
			t.Errorf("%q is %v", text, at)
		}
	}
	if at, ok := dateOf("2026-06-01T02:00:00.25+02:00"); !ok || !at.Equal(time.Date(2026, 6, 1, 0, 0, 0, 25e7, time.UTC)) {
		t.Errorf("%v, %v", at, ok)
	}
}

package cdn

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/catbridge/catbridge/internal/testenv/memory"
)

func TestAnswerIsParsed_S77_S86(t *testing.T) {
	for _, c := range []struct {
		body string
		want answer
	}{
		{`{"f":{}}`, answer{hasFlags: true}},
		{` {"p":{"u":"https://a","r":1,"s":"x"},"f":{"k":{}},"s":[]} `, answer{"https://a", 1, true}},
		{`{"p":{"u":"https://a","r":2},"f":null}`, answer{"https://a", 2, false}},
		{`{"p":{"u":"https://a","r":2.0}}`, answer{"https://a", 2, false}},
		{`{"p":null,"s":null,"f":{}}`, answer{redirect: -1, hasFlags: true}},
		{`{}`, answer{}},
		{`{"p":{}}`, answer{redirect: -1}},
		// Members of p of the wrong kind are not an error.
		{`{"p":{"u":7,"r":"1"},"f":{}}`, answer{redirect: -1, hasFlags: true}},
		{`{"p":{"u":null,"r":null},"f":{}}`, answer{redirect: -1, hasFlags: true}},
		{`{"p":{"u":"https://a","r":1e999},"f":{}}`, answer{"https://a", -1, true}},
		{`{"p":{"u":"https://a","r":1.5},"f":{}}`, answer{"https://a", -1, true}},
		// Names are case-sensitive.
		{`{"F":{},"P":{"u":"https://a","r":1},"S":7,"ſ":7}`, answer{}},
		{`{"f":{},"F":null,"p":{"u":"https://a","r":1},"P":7}`, answer{"https://a", 1, true}},
		{`{"p":{"u":"https://a","r":1,"U":"https://b","R":2},"f":{}}`, answer{"https://a", 1, true}},
		// The last of several members with the same name replaces the others.
		{`{"p":{"u":"https://a","r":1},"p":{"r":2},"f":null,"f":{}}`, answer{"", 2, true}},
	} {
		got, err := parseAnswer([]byte(c.body))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.body, got, err, c.want)
		}
	}
}

func TestInvalidAnswersAreRejected_S77(t *testing.T) {
	for name, c := range map[string]struct{ body, says string }{
		"empty":        {"", "empty"},
		"white space":  {" \n", "not JSON"},
		"HTML":         {"<!DOCTYPE html><html></html>", "at byte 1"},
		"cut off":      {`{"f":{"a":`, "not JSON"},
		"two values":   {`{"f":{}}{}`, "not JSON"},
		"null":         {`null`, "is null, not an object"},
		"text":         {`"{}"`, "is a string"},
		"number":       {`12`, "is a number"},
		"truth":        {`true`, "is a bool"},
		"array":        {`[{"f":{}}]`, "is an array"},
		"f an array":   {`{"f":[]}`, "f is an array, not an object"},
		"f a text":     {`{"f":"{}"}`, "f is a string"},
		"f false":      {`{"f":false}`, "f is a bool"},
		"p a text":     {`{"p":"https://a","f":{}}`, "p is a string"},
		"p an array":   {`{"p":[],"f":{}}`, "p is an array"},
		"s an object":  {`{"s":{},"f":{}}`, "s is an object, not an array"},
		"no UTF-8":     {"{\"f\":{\"\xff\":1}}", "UTF-8"},
		"UTF-16":       {"{\x00}\x00", "not JSON"},
		"brackets":     {strings.Repeat("[", 1_000_000), "not JSON"},
		"braces":       {strings.Repeat(`{"f":`, 1_000_000), "not JSON"},
		"deep, closed": {`{"f":{"a":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + `}}`, "not JSON"},
		"deep in p":    {`{"f":{},"p":{"u":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + `}}`, "not JSON"},
	} {
		if got, err := parseAnswer([]byte(c.body)); err == nil || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 200 {
			t.Errorf("%s: %+v, %v; want an error that says %q", name, got, err, c.says)
		}
	}
}

// F26: the parser allocates little, whatever the body.
func TestParsingAnAnswerAllocatesLittle_F26(t *testing.T) {
	const size = 1 << 20
	for name, body := range map[string][]byte{
		"nested brackets":   bytes.Repeat([]byte("["), size),
		"nested objects":    bytes.Repeat([]byte(`{"f":`), size/5),
		"many members":      []byte(`{` + strings.Repeat(`"x":1,`, size/6) + `"f":{}}`),
		"many members in p": []byte(`{"p":{` + strings.Repeat(`"x":1,`, size/6) + `"r":1},"f":{}}`),
		"many p":            []byte(`{` + strings.Repeat(`"p":0,`, size/6) + `"f":{}}`),
		"a large f":         []byte(`{"f":{"a":"` + strings.Repeat("x", size) + `"}}`),
	} {
		if got := memory.Allocated(func() { _, _ = parseAnswer(body) }); got > size {
			t.Errorf("%s: %d bytes taken for a body of %d", name, got, size)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"p":{"u":"https://cdn-eu.configcat.com","r":1,"s":"salt"},"s":[{"n":"x"}],"f":{"a":{"t":0}}}`,
		`{"p":{"u":"http://[::1]:80/a/","r":2},"f":null}`,
		`{"P":{},"F":{},"p":{"U":"x","R":1}}`,
		"{ \"\\u0070\" : {\"\\u0075\":\"https://a\",\"r\" :1 } ,\"f\" :{\"}\\\\\":[1,{\"a\":\"\\\"\"}],\"b\":-1.5e3\t}\n}",
		`{"x":1 ,"y":true,"z":"]","f":{}}`, `{"x":[],"f":{"a":[[{}],{}]},"p":{},"n":null}`,
		`[[[[`, `null`, `{"p":{"u":7,"r":"x"}}`, "{\"f\":{\"\xff\":0}}", `{"p":{"r":1e309}}`,
	} {
		f.Add([]byte(seed))
	}
	policy, err := newHostPolicy(mustParse("https://cdn-global.configcat.com"), []string{"cdn.example.com"}, false)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseAnswer(body)
		if err != nil {
			if got != (answer{}) {
				t.Fatalf("an error, and %+v", got)
			}
			return
		}
		if !json.Valid(body) || !utf8.Valid(body) {
			t.Fatal("accepted what is not JSON")
		}
		// Check against another parser: a map keeps names case-sensitive.
		var top map[string]json.RawMessage
		if err := json.Unmarshal(body, &top); err != nil {
			t.Fatalf("accepted a value that is not an object: %v", err)
		}
		if flags := top["f"]; got.hasFlags != (len(flags) > 0 && flags[0] == '{') {
			t.Fatalf("hasFlags %v for f %s", got.hasFlags, flags)
		}
		var p map[string]any
		raw, ok := top["p"]
		if ok && json.Unmarshal(raw, &p) == nil {
			if u, _ := p["u"].(string); u != got.url {
				t.Fatalf("u %q, want %q", got.url, u)
			}
		} else if got.url != "" {
			t.Fatalf("u %q of nothing", got.url)
		}
		want := -1
		if r, isNumber := p["r"].(float64); !ok {
			want = 0
		} else if isNumber && r == math.Trunc(r) && math.Abs(r) < math.MaxInt32 {
			want = int(r)
		}
		if got.redirect != want {
			t.Fatalf("r %d, want %d", got.redirect, want)
		}
		if got.url == "" {
			return
		}
		u, err := policy.redirectBase(got.url)
		if err != nil {
			return
		}
		if again, err := policy.redirectBase(u.String()); err != nil || again.String() != u.String() {
			t.Fatalf("%q is accepted as %v, which is read as %v, %v", got.url, u, again, err)
		}
		if host := u.Hostname(); u.Scheme != "https" || u.User != nil ||
			host != "cdn.example.com" && !strings.HasSuffix(host, ".configcat.com") {
			t.Fatalf("%q leads to %v", got.url, u)
		}
	})
}

package ofrep

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t testing.TB, body string) *Context {
	t.Helper()
	c, failure := Parse([]byte(body))
	if failure != nil {
		t.Fatalf("%s: %s: %s", body, failure.Code, failure.Details)
	}
	return c
}

func TestContextBecomesTheUser(t *testing.T) {
	for body, want := range map[string]map[string]any{
		``:                            {},
		` `:                           {},
		`{}`:                          {},
		`{"context":null}`:            {},
		`{"context":{}}`:              {},
		`{"Context":{"a":"b"}}`:       {},
		`{"context":{"a":"b"},"x":1}`: {"a": "b"},
		`{"context":{"targetingKey":"42","targetingkey":"x"}}`:                                 {"Identifier": "42", "targetingkey": "x"},
		`{"context":{"targetingKey":"42","Identifier":"43"}}`:                                  {"Identifier": "42"},
		`{"context":{"targetingKey":"","Identifier":"43"}}`:                                    {"Identifier": "43"},
		`{"context":{"targetingKey":null}}`:                                                    {},
		`{"context":{"email":"jane@example.com"}}`:                                             {"email": "jane@example.com", "Email": "jane@example.com"},
		`{"context":{"email":"a","Email":"b","country":"HU"}}`:                                 {"email": "a", "Email": "b", "country": "HU", "Country": "HU"},
		`{"context":{"email":"a","Email":""}}`:                                                 {"email": "a", "Email": "a"},
		`{"context":{"email":"a","Email":null}}`:                                               {"email": "a", "Email": "a"},
		`{"context":{"email":""}}`:                                                             {"email": ""},
		`{"context":{"n":1.0,"z":-0,"e":1e3,"b":true,"f":false,"s":"","x":null}}`:              {"n": 1.0, "z": 0.0, "e": 1000.0, "b": "true", "f": "false", "s": ""},
		`{"context":{"l":["a","b"],"none":[],"mixed":["a",1,null],"deep":[["a"]],"o":[{}]}}`:   {"l": []string{"a", "b"}, "none": []string{}, "mixed": `["a",1,null]`, "deep": `[["a"]]`, "o": `[{}]`},
		`{"context":{"o":{ "b" : 1.50, "a":"<\u00e9\u2028\u0001>", "b":[1E2, true ],"c":{}}}}`: {"o": "{\"b\":[100,true],\"a\":\"<é\u2028\\u0001>\",\"c\":{}}"},
		`{"context":{"d":"2026-05-01T10:00:00.000Z"}}`:                                         {"d": "2026-05-01T10:00:00.000Z"},
		`{"context":{"targetingKey":"2026-05-01T10:00:00.000Z"}}`:                              {"Identifier": "2026-05-01T10:00:00.000Z"},
		`{"context":{"a":1,"a":2}}`:                                                            {"a": 2.0},
		`{"context":{"a":"\ud800"}}`:                                                           {"a": "\uFFFD"},
	} {
		if diff := cmp.Diff(want, parse(t, body).Attributes); diff != "" {
			t.Errorf("%s (-want +have):\n%s", body, diff)
		}
	}
}

func TestInvalidBodiesAreRefused(t *testing.T) {
	for body, want := range map[string]Failure{
		`{`:                                  {Code: ParseError, Details: "unexpected end of JSON input"},
		`{"context":{}} x`:                   {Code: ParseError, Details: "invalid character 'x' after top-level value"},
		`null`:                               {Code: ParseError, Details: "the body is not a JSON object"},
		`[]`:                                 {Code: ParseError, Details: "the body is not a JSON object"},
		`"x"`:                                {Code: ParseError, Details: "the body is not a JSON object"},
		"{\"context\":{\"a\":\"\x01\"}}":     {Code: ParseError, Details: "invalid character"},
		`{"context":[]}`:                     {Code: InvalidContext, Details: "context: it is not an object"},
		`{"context":"x"}`:                    {Code: InvalidContext, Details: "context: it is not an object"},
		`{"context":{"targetingKey":1}}`:     {Code: InvalidContext, Details: "targetingKey: it is not a string"},
		`{"context":{"targetingKey":["a"]}}`: {Code: InvalidContext, Details: "targetingKey: it is not a string"},
		`{"context":{"a":1e999}}`:            {Code: InvalidContext, Details: `"a": a number is too large`},
		`{"context":{"a":{"b":[1e999]}}}`:    {Code: InvalidContext, Details: `"a": a number is too large`},
	} {
		_, failure := Parse([]byte(body))
		if failure == nil {
			t.Errorf("%.60s: accepted", body)
			continue
		}
		if failure.Status != http.StatusBadRequest || failure.Code != want.Code || !strings.Contains(failure.Details, want.Details) {
			t.Errorf("%.60s: %+v, want %+v", body, failure, want)
		}
	}
}

func TestFailuresAreJSON(t *testing.T) {
	f := Failure{Status: 400, Code: General, Details: strings.Repeat("é", maxDetails) + "\"\n\x00"}
	for key, want := range map[string]int{"": 2, "a \"flag\"": 3} {
		var members map[string]string
		if err := json.Unmarshal(f.For(key).JSON(), &members); err != nil || len(members) != want || members["key"] != key || members["errorCode"] != "GENERAL" {
			t.Errorf("%v, %v", members, err)
		}
		if n := len(members["errorDetails"]); n > maxDetails+3 {
			t.Errorf("%d bytes of details", n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `{"context":{"targetingKey":"42","email":"a@b.c","flags":["a","b"]}}`, `{"context":{"d":"2026-05-01T10:00:00Z","n":[1,"a",{"b":null}]}}`,
		`{"context":{"a":1,"a":"b","\u0061":[]}}`, `{"context":{"a":"\ud800\udc00","b":-0.0,"c":1e-400,"d":1e400}}`, `{"context":{"":{}}}`, "{\"context\":{\"\xff\":\"\xff\"}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, failure := Parse(body)
		if failure != nil {
			if !json.Valid(failure.JSON()) || failure.Status != 400 {
				t.Errorf("%s", failure.JSON())
			}
			return
		}
		for name, value := range c.Attributes {
			switch value.(type) {
			case string, float64, []string:
			default:
				t.Errorf("the attribute %q is %T", name, value)
			}
		}
		if again, _ := Parse(body); !cmp.Equal(c, again, cmp.AllowUnexported(Context{})) {
			t.Error("the same body has different contexts")
		}
	})
}

// FuzzQuote requires that strings are encoded as they are.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "a\"b\\c\b\f\n\r\t\x00\x1f\x7f", "é\u2028<>&\U0001F600", "\xff\xc3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var back string
		if err := json.Unmarshal(appendQuote(nil, text), &back); err != nil || back != string([]rune(text)) {
			t.Errorf("%q became %q, %v", text, back, err)
		}
	})
}

package gateway

import (
	"strings"
	"testing"
)

func TestBodiesAreBounded(t *testing.T) {
	e := start(t)
	big := `{"key":"version","user":{"a":"` + strings.Repeat("x", maxBody) + `"}}`
	fits := `{"key":"version","user":{"a":"` + strings.Repeat("x", maxBody-40) + `"}}`
	many := `{"key":"version","user":{` + strings.Repeat(`"a":1,`, 2000) + `"b":1}}`
	for name, c := range map[string]struct {
		body, kind string
		status     int
		text       string
	}{
		"fits":           {fits, "application/json", 200, `"value":1`},
		"too large":      {big, "application/json", 413, "larger than 65536 bytes"},
		"too deep":       {`{"user":` + strings.Repeat("[", 1000), "application/json", 400, "more than 32 objects and lists within each other at byte 39"},
		"empty":          {"", "application/json", 400, "failed to parse JSON body: unexpected end of JSON input"},
		"cut":            {`{"key":"ver`, "application/json", 400, "unexpected end of JSON input at byte 11"},
		"no JSON":        {`{key:1}`, "application/json", 400, "invalid character 'k'"},
		"two":            {`{}{}`, "application/json", 400, "after top-level value at byte 3"},
		"a list":         {`[]`, "application/json", 400, "the body is a JSON array, not an object"},
		"wrong key":      {`{"key":1}`, "application/json", 400, "'key' is a JSON number, not a string, at byte 8"},
		"wrong user":     {`{"key":"version","user":"x"}`, "application/json", 400, "'user' is a JSON string, not an object"},
		"huge number":    {`{"key":"version","user":{"a":-1e999}}`, "application/json", 400, "the number -1e999 is beyond the range of numbers, at byte "},
		"wrong item":     {`{"key":"version","user":{"a":[true]}}`, "application/json", 400, `attribute "a" is a list whose item 0 is not text`},
		"same name":      {many, "application/json", 200, `"value":1`}, // the last one counts
		"charset":        {`{"key":"version"}`, "application/json; charset=utf-8", 200, `"value":1`},
		"suffix":         {`{"key":"version"}`, "application/vnd.api+json", 200, `"value":1`},
		"no type":        {`{"key":"version"}`, "", 200, `"value":1`},
		"text":           {`{"key":"version"}`, "text/plain", 415, "application/json"},
		"form":           {`{"key":"version"}`, "application/x-www-form-urlencoded", 415, "application/json"},
		"malformed type": {`{"key":"version"}`, "a/b/c;;", 415, "application/json"},
	} {
		r := local(post("/api/shop/eval", c.body))
		if r.Header.Del("Content-Type"); c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		res := e.do(r)
		if text := body(t, res); res.StatusCode != c.status || !strings.Contains(text, c.text) {
			t.Errorf("%s: %d %s", name, res.StatusCode, text)
		}
	}
}

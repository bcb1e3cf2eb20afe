package gateway

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/gateway/internal/ofrep"
)

// FuzzData finds data that decodes in two ways, or that only some base64 accepts.
func FuzzData(f *testing.F) {
	for _, seed := range []string{"", "eyJrZXkiOiJmbGFnIn0=", "eyJrZXkiOiJmbGFnIn0", "____", "++//", "=", "a", "a\nb=", "====", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, failed := decodeData(text)
		if failed != nil {
			if failed.status != 400 && failed.status != 413 {
				t.Fatalf("status %d", failed.status)
			}
			return
		}
		again, failed := decodeData(base64.RawURLEncoding.EncodeToString(data))
		if failed != nil || string(again) != string(data) {
			t.Fatalf("%q is %q, then %q, %v", text, data, again, failed)
		}
	})
}

// FuzzBodies finds bodies that cause a panic, or an error without a text, and users who are equal and
// look different or the reverse.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		`{"key":"flag","user":{"Identifier":"1","n":1.5,"b":true,"none":null,"list":["a","b"]}}`, `{"user":[]}`, `[]`, `null`, `{"user":{"a":[1]}}`, `{"user":{"a":{}}}`,
		`{"KEY":"\ud800","user":{"":""}}`, strings.Repeat("[", 40), `"[[[["`, `{"a":"\"`, `{"user":{"a":1e999}}`, `{"user":{"when":"2026-01-02T03:04:05Z"}}`, "\xff", `{"user":{"a":-0}}`,
	} {
		f.Add(seed, seed)
	}
	c := contentOf(f, datesConfig)
	f.Fuzz(func(t *testing.T, one, two string) {
		a, b := fuzzedUser(t, one), fuzzedUser(t, two)
		if a == nil || b == nil {
			return
		}
		encodedA, _ := json.Marshal(a.attributes)
		encodedB, _ := json.Marshal(b.attributes)
		if same := string(encodedA) == string(encodedB); same != (a.canonical() == b.canonical()) && utf8.ValidString(a.canonical()+b.canonical()) && !strings.Contains(one+two, "0") {
			t.Fatalf("%s, %s: equal %v", encodedA, encodedB, same)
		}
		for _, r := range c.config.AllResults(a.in(c), nil) {
			appendPayload(nil, &r, &form{details: true})
		}
	})
}

func fuzzedUser(t *testing.T, text string) *user {
	request, failed := parseEval([]byte(text), "failed")
	if failed != nil {
		if failed.status != 400 || len(failed.text) < len("failed: ") {
			t.Fatalf("%q: %+v", text, failed)
		}
		return nil
	}
	u, err := newUser(request.User, nil)
	if err != nil && err.Error() == "" {
		t.Fatal("an error without a text")
	}
	return u
}

// FuzzRequests finds requests that cause a panic, a route outside the list, or an answer that shows a key.
func FuzzRequests(f *testing.F) {
	e := start(f, func(cfg *Config) {
		cfg.SDKs[0].Tokens = []Token{{Secret: evaluator, Rights: RightEvaluate, Origins: []string{"https://app.example"}}}
		cfg.Origins = []string{"https://*.example.com"}
	})
	for _, path := range []string{byKey, byName, "/api/shop/eval", "/api/eval", "/api/shop." + evaluator + "/keys", "//api/x/refresh", "/sse/shop/eval/e30", "/sse/eval/k/e30", "/sse", "/sse/", "/api/", "/", "", "/configuration-files/"} {
		f.Add("POST", path, "Bearer "+evaluator, "shop", sdkKey, "https://app.example", `{"key":"version"}`)
		f.Add("OPTIONS", path, "Basic x", "", "", "null", "")
	}
	f.Fuzz(func(t *testing.T, method, path, authorization, id, key, origin, text string) {
		in := routeOf(path)
		if !slices.Contains(routes, in.at) || in.at != otherRoute && in.at.serve == nil {
			t.Fatalf("%q has the route %+v", path, in.at)
		}
		if strings.HasPrefix(in.at.pattern, "/sse/") && method != http.MethodOptions {
			return // would stay open
		}
		r := post("/", text)
		r.Method, r.URL.Path = method, path
		r.Header = http.Header{"Authorization": {authorization}, "X-Configcat-Sdkid": {id}, "X-Configcat-Sdkkey": {key}, "Origin": {origin}}
		res := e.do(r)
		if !slices.Contains(statuses[:], res.StatusCode) {
			t.Fatalf("status %d is not counted", res.StatusCode)
		}
		if answer := body(t, res); strings.Contains(answer, sdkKey) || strings.Contains(answer, evaluator) {
			t.Fatalf("the answer %q shows a key", answer)
		}
		if allowed := res.Header.Get("Access-Control-Allow-Origin"); allowed != "" && (allowed != origin || !strings.HasSuffix(origin, ".example.com") && origin != "https://app.example") {
			t.Fatalf("%q is allowed for %q", allowed, origin)
		}
	})
}

// FuzzPayload finds values that are encoded otherwise than by package json.
func FuzzPayload(f *testing.F) {
	for _, seed := range []string{"", "text", "<a & b>", "\u2028\x00\"\\", "\xff", "é", "\x7f"} {
		f.Add(seed, seed, 1.5, int64(1))
	}
	f.Fuzz(func(t *testing.T, text, id string, number float64, whole int64) {
		for _, v := range []evaluate.Value{evaluate.StringValue(text), evaluate.FloatValue(number), evaluate.IntValue(whole), evaluate.BoolValue(whole > 0), {}} {
			want, err := json.Marshal(struct {
				Value       any    `json:"value"`
				VariationID string `json:"variationId"`
			}{v.Any(), id})
			if err != nil {
				continue // an infinite number
			}
			if have := appendPayload(nil, &evaluate.Result{Value: v, VariationID: id}, &form{}); string(have) != string(want) {
				t.Fatalf("%s, want %s", have, want)
			}
		}
	})
}

// FuzzDates finds text that is a date here and not in RFC 3339.
func FuzzDates(f *testing.F) {
	for _, seed := range []string{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789+02:00", "2026-01-02", "2026-02-30T00:00:00Z", "0000-00-00T00:00:00Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := dateOf(text)
		if want, err := time.Parse(time.RFC3339, text); ok && (err != nil || !want.Equal(at)) {
			t.Fatalf("%q is %v, %v", text, at, err)
		}
	})
}

// FuzzOFREP finds bodies, queries and headers that cause a panic, or an answer that clients do not understand.
func FuzzOFREP(f *testing.F) {
	for _, seed := range [][4]string{
		{`{"context":{"targetingKey":"42","flags":["flag","none"]}}`, "flagConfigEtag=1-0123456789abcdef", `"x", W/"y"`, "https://app.example"},
		{`{}`, "flagConfigEtag=0-", "*", "null"}, {``, "", "", ""}, {`{"context":1}`, "flagConfigEtag=%zz&flagConfigEtag", "x", strings.Repeat("o", 400)},
		{`{"context":{"a":` + strings.Repeat("[", 40), ";", `"`, "https://\xff"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	e := start(f)
	f.Fuzz(func(t *testing.T, body, query, tags, origin string) {
		for _, path := range []string{flagsPath, flagsPath + "/version"} {
			r := post(path, body, byHeader)
			r.URL.RawQuery = query
			r.Header["If-None-Match"], r.Header["Origin"] = []string{tags}, []string{origin}
			if wanted, err := ofrep.ParseVersion(queryOf(r, "flagConfigEtag")); err == nil && wanted.Rev > 0 {
				continue // waits
			}
			res := e.do(r)
			data, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			var answer struct {
				Key, ErrorCode string
				Flags          []any
			}
			switch {
			case res.StatusCode == http.StatusRequestURITooLong:
			case res.StatusCode == http.StatusNotModified:
				if len(data) > 0 || path != flagsPath {
					t.Errorf("%s: 304 with %q", path, data)
				}
			case json.Unmarshal(data, &answer) != nil:
				t.Errorf("%d %q", res.StatusCode, data)
			case (res.StatusCode == http.StatusOK) == (answer.ErrorCode != ""), path != flagsPath && answer.Key != "version":
				t.Errorf("%d %q", res.StatusCode, data)
			}
		}
	})
}

// FuzzEventTokens finds queries that open a stream although nobody signed their token.
func FuzzEventTokens(f *testing.F) {
	e := start(f)
	other := startWith(f, e.flags.Client)
	res := other.do(post(flagsPath, "{}", byHeader))
	var answer ofrepAnswer
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		f.Fatal(err)
	}
	_, query, _ := strings.Cut(answer.EventStreams[0].Endpoint.RequestURI, "?")
	for _, seed := range []string{query, "", "token=", "token=AQAA&after=x", "token=%ff;token"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := request("GET", eventsPath)
		r.URL.RawQuery = query
		if status := e.do(r).StatusCode; status != http.StatusUnauthorized && status != http.StatusRequestURITooLong {
			t.Errorf("%q: status %d", query, status)
		}
	})
}

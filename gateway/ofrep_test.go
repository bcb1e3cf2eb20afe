package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/follower/followertest"
)

const (
	flagsPath = "/ofrep/v1/evaluate/flags"
	byHeader  = "X-ConfigCat-SdkKey: " + sdkKey
)

// answer is an answer of OFREP.
type ofrepAnswer struct {
	Key, ErrorCode, ErrorDetails string
	Value                        any
	Flags                        []map[string]any
	EventStreams                 []struct{ Endpoint struct{ RequestURI string } }
}

func (a *ofrepAnswer) stream(t *testing.T) string {
	t.Helper()
	if len(a.EventStreams) != 1 {
		t.Fatalf("%d event streams", len(a.EventStreams))
	}
	return a.EventStreams[0].Endpoint.RequestURI
}

func ofrepOf(t *testing.T, res *http.Response) *ofrepAnswer {
	t.Helper()
	a := new(ofrepAnswer)
	if text := body(t, res); json.Unmarshal([]byte(text), a) != nil {
		t.Fatalf("the answer is not JSON: %s", text)
	}
	return a
}

func (g *Gateway) flags(t *testing.T, headers ...string) *ofrepAnswer {
	t.Helper()
	res := g.do(post(flagsPath, "{}", append(headers, byHeader)...))
	want(t, res, 200, "Content-Type: application/json", "Cache-Control: no-store", "X-Catbridge-Age: 0")
	return ofrepOf(t, res)
}

func TestOFREPAnswers(t *testing.T) {
	e := start(t)
	e.flags.SetConfigJSON([]byte(`{"f":{
		"who":{"t":1,"v":{"s":"nobody"},"r":[{"c":[{"u":{"a":"Identifier","c":28,"s":"42"}}],"s":{"v":{"s":"somebody"}}}]},
		"since":{"t":0,"v":{"b":false},"r":[{"c":[{"u":{"a":"since","c":19,"d":1777629600}}],"s":{"v":{"b":true}}}]},
		"broken":{"t":0,"v":{"s":"a secret of a rule"}}}}`))
	for _, c := range []struct {
		target, body string
		headers      []string
		status       int
		code         string // or the value
	}{
		{flagsPath + "/who", `{"context":{"targetingKey":"42"}}`, []string{byHeader}, 200, "somebody"},
		{flagsPath + "/who", `{"context":{"targetingKey":"43"}}`, []string{byHeader}, 200, "nobody"},
		{"/" + flagsPath + "/who?x=1", `{"context":{"targetingKey":"42"}}`, []string{byHeader}, 200, "somebody"},
		{flagsPath + "/%77ho", `{"context":{"targetingKey":"42"}}`, []string{byHeader}, 200, "somebody"},
		{flagsPath + "/since", `{"context":{"since":"2026-05-01T10:00:00.001Z"}}`, []string{byHeader}, 200, "true"},
		{flagsPath + "/since", `{"context":{"since":"2026-05-01T10:00:00.000Z"}}`, []string{byHeader}, 200, "false"},
		{flagsPath + "/who", `{}`, []string{byHeader}, 400, "TARGETING_KEY_MISSING"},
		{flagsPath + "/who", ``, []string{byHeader}, 400, "TARGETING_KEY_MISSING"},
		{flagsPath + "/broken", `{}`, []string{byHeader}, 400, "PARSE_ERROR"},
		{flagsPath + "/none", `{}`, []string{byHeader}, 404, "FLAG_NOT_FOUND"},
		{flagsPath + "/who", `{`, []string{byHeader}, 400, "PARSE_ERROR"},
		{flagsPath + "/who", `{"context":[]}`, []string{byHeader}, 400, "INVALID_CONTEXT"},
		{flagsPath + "/who", `{"context":{"targetingKey":42}}`, []string{byHeader}, 400, "INVALID_CONTEXT"},
		{flagsPath + "/who", `{"context":{"a":` + strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting) + `}}`, []string{byHeader}, 400, "INVALID_CONTEXT"},
		{flagsPath + "/who", `{"context":{` + strings.Repeat(" ", maxBody) + `}}`, []string{byHeader}, 413, "GENERAL"},
		{flagsPath + "/who", `{}`, nil, 401, "GENERAL"},
		{flagsPath + "/who", `{}`, []string{"X-API-Key: wrong-token-of-nobody"}, 401, "GENERAL"},
		{flagsPath + "/who", `{}`, []string{"Authorization: Bearer " + token}, 403, "GENERAL"}, // it reads configs alone
		{flagsPath + "/who", `{}`, []string{"X-ConfigCat-SdkKey: unknown"}, 404, "GENERAL"},
		{flagsPath, `{`, []string{byHeader}, 400, "PARSE_ERROR"},
		{flagsPath, `{}`, nil, 401, "GENERAL"},
		{flagsPath + "?flagConfigEtag=x", `{}`, []string{byHeader}, 400, "GENERAL"},
	} {
		res := e.do(post(c.target, c.body, c.headers...))
		text := body(t, res)
		var a ofrepAnswer
		if err := json.Unmarshal([]byte(text), &a); err != nil || res.Header.Get("Content-Type") != "application/json" || strings.Contains(text, "secret") {
			t.Errorf("%s %.50s: %d, %v in %s", c.target, c.body, res.StatusCode, err, text)
		}
		value, isText := a.Value.(string)
		if b, isBool := a.Value.(bool); isBool {
			value, isText = strconv.FormatBool(b), true
		}
		if have := a.ErrorCode + value; res.StatusCode != c.status || have != c.code || isText != (c.status == 200) {
			t.Errorf("%s %.50s: %d %s, want %d %s", c.target, c.body, res.StatusCode, text, c.status, c.code)
		}
		if one := strings.Contains(c.target, flagsPath+"/"); one != (a.Key != "") {
			t.Errorf("%s %.50s: the key is %q: clients recognize a failure by it", c.target, c.body, a.Key)
		}
	}
	want(t, e.do(request("GET", flagsPath, byHeader)), 405, "Allow: POST, OPTIONS")
	want(t, e.do(request("GET", flagsPath+"/who", byHeader)), 405, "Allow: POST, OPTIONS")
	want(t, e.do(post(flagsPath+"/", "{}", byHeader)), 404)
	want(t, e.do(post("/ofrep/v1/evaluate", "{}", byHeader)), 404)
	other := post(flagsPath, "{}", byHeader)
	other.Header.Set("Content-Type", "text/plain")
	want(t, e.do(other), 415)
	res := startWith(t, empty(t)).do(post(flagsPath+"/a", "{}", byHeader))
	want(t, res, 503, "Retry-After: 1")
	if a := ofrepOf(t, res); a.Key != "a" || a.ErrorCode != "PROVIDER_NOT_READY" {
		t.Errorf("%+v", a)
	}
}

func TestDefaultsOfTheUserCountForOFREP(t *testing.T) {
	e := start(t, func(cfg *Config) { cfg.SDKs[0].DefaultUser = map[string]any{"Identifier": "42"} })
	e.flags.SetConfigJSON([]byte(`{"f":{"who":{"t":0,"v":{"b":false},"r":[{"c":[{"u":{"a":"Identifier","c":28,"s":"42"}}],"s":{"v":{"b":true}}}]}}}`))
	for context, value := range map[string]bool{`{}`: true, `{"targetingKey":""}`: true, `{"targetingKey":"43"}`: false} {
		if a := ofrepOf(t, e.do(post(flagsPath+"/who", `{"context":`+context+`}`, byHeader))); a.Value != value {
			t.Errorf("%s: %+v", context, a)
		}
	}
}

// The provider for pages drops its ETag only if the targeting key changes.
func TestTheETagOfFlagsIsOfContentAndContext(t *testing.T) {
	key := func(cfg *Config) { cfg.EventKeys = [][]byte{[]byte(strings.Repeat("k", 32))} }
	one, two := start(t, key), start(t, key)
	tag := func(g *environment, context string, headers ...string) string {
		t.Helper()
		res := g.do(post(flagsPath, `{"context":`+context+`}`, append(headers, byHeader)...))
		want(t, res, 200)
		return res.Header.Get("ETag")
	}
	first := tag(one, `{"plan":"free"}`)
	if first == "" || first != tag(two, `{"plan":"free"}`) {
		t.Errorf("two processes have the ETags %s and %s", first, tag(two, `{"plan":"free"}`))
	}
	for _, other := range []string{
		tag(one, `{"plan":"gold"}`), tag(one, `{"plan":["free"]}`), tag(one, `{}`), tag(one, `{"plan":"free","targetingKey":"1"}`), tag(one, `{"plan":"free","flags":["version"]}`),
		tag(start(t), `{"plan":"free"}`), tag(one, `{"plan":"free"}`, "Origin: https://app.example"),
	} {
		if other == first {
			t.Error("another context or stream has the same ETag")
		}
	}
	conditional := func(context, tag string) *http.Response {
		return one.do(post(flagsPath, `{"context":`+context+`}`, byHeader, "If-None-Match: "+tag))
	}
	res := conditional(`{"plan":"free"}`, first)
	if want(t, res, 304, "ETag: "+first); body(t, res) != "" {
		t.Error("304 has a body")
	}
	want(t, conditional(`{"plan":"free"}`, "W/"+first), 304)
	want(t, conditional(`{"plan":"gold"}`, first), 200)
	one.flags.Set("version", 2)
	want(t, conditional(`{"plan":"free"}`, first), 200)
	one.flags.Set("version", 1)
	want(t, conditional(`{"plan":"free"}`, first), 304)
}

func TestEventStreamsNeedTheRight(t *testing.T) {
	flags := followertest.New(t, map[string]any{"version": 1})
	g := startWith(t, flags.Client, func(cfg *Config) {
		cfg.SDKs[0].Tokens = []Token{{Secret: evaluator, Rights: RightEvaluate}, {Secret: streamer, Rights: RightEvaluate | RightStream}}
	})
	for secret, streams := range map[string]int{evaluator: 0, streamer: 1} {
		if have := len(ofrepOf(t, g.do(post(flagsPath, "{}", "X-API-Key: "+secret))).EventStreams); have != streams {
			t.Errorf("%s: %d event streams", secret, have)
		}
	}
}

func TestPreflightOfOFREPNeedsNoCredential(t *testing.T) {
	e := start(t, func(cfg *Config) { cfg.Origins = []string{"https://app.example"} })
	for _, path := range []string{flagsPath, flagsPath + "/a", eventsPath} {
		method := map[bool]string{true: "GET", false: "POST"}[path == eventsPath]
		res := e.do(request("OPTIONS", path, "Origin: https://app.example", "Access-Control-Request-Method: "+method))
		want(t, res, 204, "Access-Control-Allow-Origin: https://app.example", "Access-Control-Allow-Methods: "+method)
		for _, name := range []string{"Content-Type", "If-None-Match", "Authorization", "X-API-Key", "X-ConfigCat-SdkId", "X-ConfigCat-SdkKey", "Last-Event-ID"} {
			if !strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), name) {
				t.Errorf("%s: pages may not send %s", path, name)
			}
		}
		want(t, e.do(request("OPTIONS", path, "Origin: https://evil.example", "Access-Control-Request-Method: "+method)), 204, "Access-Control-Allow-Origin: ", "Access-Control-Allow-Methods: ")
	}
	res := e.do(post(flagsPath, "{}", byHeader, "Origin: https://app.example"))
	want(t, res, 200, "Access-Control-Allow-Origin: https://app.example", "Vary: Origin")
	for _, name := range []string{"ETag", "Retry-After", "X-Catbridge-Age"} {
		if !strings.Contains(res.Header.Get("Access-Control-Expose-Headers"), name) {
			t.Errorf("pages may not read %s", name)
		}
	}
}

func TestARequestAfterAnEventReceivesNothingOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t)
		ask := func(wanted string) answered {
			return <-e.held(post(flagsPath+"?flagConfigEtag="+wanted, "{}", byHeader))
		}
		held, _ := e.flags.Content()
		version := func(rev int64, hash string) string { return strconv.FormatInt(rev, 10) + "-" + hash[:16] }
		other := strings.Repeat("0", 64)
		for wanted, status := range map[string]int{
			version(held.Rev, held.Hash):      200,
			version(held.Rev+1000, held.Hash): 200, // the content is the same
			version(held.Rev, other):          503, // another host fetched it itself: it may be newer
			version(held.Rev-1, other):        200, // older
			version(held.Rev+1, other):        503,
		} {
			a := ask(wanted)
			want(t, a.Response, status)
			if after := map[int]time.Duration{200: 0, 503: maxAwait}[status]; a.after != after {
				t.Errorf("%s: answered after %v, want %v", wanted, a.after, after)
			}
			if status == 503 {
				want(t, a.Response, 503, "Retry-After: 1")
				if answer := ofrepOf(t, a.Response); answer.ErrorCode != "PROVIDER_NOT_READY" {
					t.Errorf("%+v", answer)
				}
			}
		}
		waiting := e.held(post(flagsPath+"?flagConfigEtag="+version(held.Rev, other), "{}", byHeader))
		time.Sleep(300 * time.Millisecond)
		if n := e.Stats().Holding; n != 1 {
			t.Errorf("%d requests are held", n)
		}
		e.flags.Set("version", 2)
		a := <-waiting
		want(t, a.Response, 200)
		if answer := ofrepOf(t, a.Response); a.after > 300*time.Millisecond+awaitEvery || answer.Flags[0]["value"] != 2.0 {
			t.Errorf("after %v: %v", a.after, answer.Flags)
		}
	})
}

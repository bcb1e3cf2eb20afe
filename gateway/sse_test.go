package gateway

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const sseConfig = `{"p":{"s":"salt"},"f":{
	"flag":{"t":0,"v":{"b":true},"i":"v_flag","r":[{"c":[{"u":{"a":"Identifier","c":0,"l":["test"]}}],"s":{"v":{"b":false},"i":"v0_flag"}}]},
	"n":{"t":2,"v":{"i":1}}}}`

// changed returns the config after an edit.
func changed(old, with string) string { return strings.Replace(sseConfig, old, with, 1) }

// TestConfigCatProxysStreamsAreServed opens the streams of ConfigCat Proxy's clients. The data of frames is that of
// ConfigCat Proxy 3.0.1, byte by byte.
func TestConfigCatProxysStreamsAreServed(t *testing.T) {
	const (
		one, oneTest = `{"value":true,"variationId":"v_flag"}`, `{"value":false,"variationId":"v0_flag"}`
		all          = `{"flag":{"value":true,"variationId":"v_flag"},"n":{"value":1,"variationId":""}}`
		allTest      = `{"flag":{"value":false,"variationId":"v0_flag"},"n":{"value":1,"variationId":""}}`
		user         = `"user":{"Identifier":"test","Rating":4.5,"Roles":["Role1","Role2"]}`
		key          = `"sdkKey":"` + sdkKey + `"`
	)
	inStreamBubble(t, sseConfig, func(t *testing.T, e *streaming) {
		for name, c := range map[string]struct {
			method, target, body string
			first, second        string
			headers              []string
		}{
			"one":             {"GET", "/sse/shop/eval/" + encoded(`{"key":"flag"}`), "", one, oneTest, nil},
			"one, user":       {"GET", "/sse/shop/eval/" + encoded(`{"key":"flag",`+user+`}`), "", oneTest, `{"value":false,"variationId":"v1_flag"}`, nil},
			"one, no padding": {"GET", "/sse/shop/eval/" + base64.RawURLEncoding.EncodeToString([]byte(`{"key":"flag"}`)), "", one, oneTest, nil},
			"one, by btoa":    {"GET", "/sse/shop/eval/" + base64.StdEncoding.EncodeToString([]byte(`{"key":"flag","user":{"Identifier":"?~?~?>"}}`)), "", one, oneTest, nil},
			"one, escaped":    {"GET", "/sse/shop/eval/" + strings.ReplaceAll(encoded(`{"key":"flag"}`), "=", "%3D"), "", one, oneTest, nil},
			"one, by key":     {"GET", "/sse/eval/k/" + encoded(`{"key":"flag",`+key+`}`), "", one, oneTest, nil},
			"all":             {"GET", "/sse/shop/eval-all", "", all, strings.Replace(all, `true,"variationId":"v_flag"`, `false,"variationId":"v0_flag"`, 1), nil},
			"all, slash":      {"GET", "/sse/shop/eval-all/", "", all, strings.Replace(all, `true,"variationId":"v_flag"`, `false,"variationId":"v0_flag"`, 1), nil},
			"all, user":       {"GET", "/sse/shop/eval-all/" + encoded(`{`+user+`}`), "", allTest, strings.Replace(allTest, "v0", "v1", 1), nil},
			"all, by key":     {"GET", "/sse/eval-all/k/" + encoded(`{`+user+","+key+`}`), "", allTest, strings.Replace(allTest, "v0", "v1", 1), nil},
			// ConfigCat Proxy does not have these.
			"one, POST":        {"POST", "/sse/shop/eval", `{"key":"flag",` + user + `}`, oneTest, `{"value":false,"variationId":"v1_flag"}`, nil},
			"all, POST":        {"POST", "/sse/shop/eval-all", `{` + user + `}`, allTest, strings.Replace(allTest, "v0", "v1", 1), nil},
			"all, POST by key": {"POST", "/sse/eval-all", `{` + user + `}`, allTest, strings.Replace(allTest, "v0", "v1", 1), []string{"X-ConfigCat-SdkKey: " + sdkKey}},
			"one, details": {"GET", "/sse/shop/eval/" + encoded(`{"key":"flag"}`) + "?details=1", "", `{"value":true,"variationId":"v_flag","reason":"TARGETING_MATCH"}`,
				`{"value":false,"variationId":"v0_flag","reason":"TARGETING_MATCH"}`, nil},
		} {
			func() {
				t.Log(name)
				e.flags.SetConfigJSON([]byte(sseConfig))
				s := e.open(t, c.method, c.target, c.body, c.headers...)
				defer s.close()
				want(t, s.Response, 200, "Content-Type: text/event-stream", "X-Accel-Buffering: no", "Content-Encoding: ")
				s.want(c.first)
				synctest.Wait()
				if n := e.Stats(); n.Streams != 1 || n.Holding != 0 {
					t.Errorf("stats %+v", n)
				}
				e.flags.SetConfigJSON([]byte(strings.NewReplacer(`true},"i":"v_flag"`, `false},"i":"v0_flag"`, `false},"i":"v0_flag"`, `false},"i":"v1_flag"`).Replace(sseConfig)))
				s.want(c.second)
			}()
			synctest.Wait()
		}
	})
}

func TestWhyAStreamIsRefused(t *testing.T) {
	token := Token{Secret: streamer, Rights: RightStream}
	e := start(t, func(cfg *Config) {
		cfg.SDKs[0].Tokens = []Token{token, {Secret: evaluator, Rights: RightEvaluate}}
	})
	e.flags.SetConfigJSON([]byte(sseConfig))
	flag := encoded(`{"key":"flag"}`)
	get := func(target string, headers ...string) *http.Request { return local(request("GET", target, headers...)) }
	for name, c := range map[string]struct {
		r      *http.Request
		status int
		text   string
	}{
		"unknown flag":       {get("/sse/shop/eval/" + encoded(`{"key":"none"}`)), 400, "feature flag or setting with key 'none' not found"},
		"no key":             {get("/sse/shop/eval/" + encoded(`{}`)), 400, "'key' must be set"},
		"not base64":         {get("/sse/shop/eval/!!!!"), 400, "failed to decode incoming 'data'"},
		"not JSON":           {get("/sse/shop/eval/" + encoded(`{`)), 400, "failed to deserialize incoming 'data': unexpected end of JSON input"},
		"object":             {get("/sse/shop/eval-all/" + encoded(`{"user":{"a":{}}}`)), 400, `attribute "a"`},
		"too large":          {get("/sse/shop/eval-all/" + strings.Repeat("A", maxBody*4/3+100)), 413, "use POST"},
		"longer than a path": {get("/sse/shop/eval-all/" + strings.Repeat("A", maxDataPath)), 414, "too long"},
		"large user":         {local(post("/sse/shop/eval-all", `{"user":{"a":"`+strings.Repeat("x", maxStreamUser)+`"}}`)), 413, "attributes"},
		"unknown SDK":        {get("/sse/none/eval/" + flag), 404, "no SDK"},
		"unknown SDK key":    {request("GET", "/sse/eval/k/"+encoded(`{"key":"flag","sdkKey":"none"}`)), 404, "no SDK"},
		"no credential":      {request("GET", "/sse/shop/eval/"+flag), 401, "token"},
		"right to evaluate":  {request("GET", "/sse/shop."+evaluator+"/eval/"+flag), 403, "right"},
		"no data":            {get("/sse/shop/eval"), 405, "use POST"},
		"other method":       {local(post("/sse/shop/eval/"+flag, "{}")), 405, "use GET"},
		"other path":         {get("/sse/shop/none/" + flag), 404, "not found"},
		"no name":            {get("/sse//eval-all"), 404, "not found"},
	} {
		res := e.do(c.r)
		if text := body(t, res); res.StatusCode != c.status || !strings.Contains(text, c.text) {
			t.Errorf("%s: %d %.200s", name, res.StatusCode, text)
		}
	}
	want(t, startWith(t, empty(t)).do(local(request("GET", "/sse/shop/eval-all"))), 503, "Retry-After: 1")
}

func TestAFrameIsSentOnlyIfAValueOfItsUserChanged(t *testing.T) {
	inStreamBubble(t, sseConfig, func(t *testing.T, e *streaming) {
		one := e.open(t, "GET", "/sse/shop/eval/"+encoded(`{"key":"flag"}`), "")
		test := e.open(t, "GET", "/sse/shop/eval-all/"+encoded(`{"user":{"Identifier":"test"}}`), "")
		other := e.open(t, "GET", "/sse/shop/eval-all/"+encoded(`{"user":{"Identifier":"other"}}`), "")
		all := []*events{one, test, other}
		for _, s := range all {
			defer s.close()
			s.next()
		}
		// Only the rule for test changes.
		e.flags.SetConfigJSON([]byte(changed(`"v0_flag"`, `"v1_flag"`)))
		test.want(`{"flag":{"value":false,"variationId":"v1_flag"},"n":{"value":1,"variationId":""}}`)
		// The flag that one does not see changes.
		e.flags.SetConfigJSON([]byte(strings.Replace(changed(`"v0_flag"`, `"v1_flag"`), `{"i":1}`, `{"i":2}`, 1)))
		test.want(`{"flag":{"value":false,"variationId":"v1_flag"},"n":{"value":2,"variationId":""}}`)
		other.want(`{"flag":{"value":true,"variationId":"v_flag"},"n":{"value":2,"variationId":""}}`)
		// A change that is undone before it is sent is none.
		one.want(": ")
		for _, s := range all[1:] {
			s.want(": ")
		}
	})
}

func TestOnlyChangesAreSentOnRequest(t *testing.T) {
	inStreamBubble(t, sseConfig, func(t *testing.T, e *streaming) {
		s := e.open(t, "GET", "/sse/shop/eval-all?changes=1", "")
		defer s.close()
		one := e.open(t, "GET", "/sse/shop/eval/"+encoded(`{"key":"n"}`)+"?changes=1", "")
		defer one.close()
		whole := e.open(t, "GET", "/sse/shop/eval/"+encoded(`{"key":"n"}`), "")
		defer whole.close()
		s.want(`{"flag":{"value":true,"variationId":"v_flag"},"n":{"value":1,"variationId":""}}`)
		one.want(`{"value":1,"variationId":""}`)
		whole.want(`{"value":1,"variationId":""}`)
		e.flags.SetConfigJSON([]byte(changed(`"n":{"t":2,"v":{"i":1}}`, `"m":{"t":2,"v":{"i":5}},"z":{"t":0,"v":{"b":true}}`)))
		s.want(`{"m":{"value":5,"variationId":""},"n":null,"z":{"value":true,"variationId":""}}`)
		one.want(`null`)
		e.flags.SetConfigJSON([]byte(changed(`"v":{"b":true},"i":"v_flag"`, `"v":{"b":false},"i":"x"`)))
		s.want(`{"flag":{"value":false,"variationId":"x"},"m":null,"n":{"value":1,"variationId":""},"z":null}`)
		one.want(`{"value":1,"variationId":""}`)
		whole.want(": ") // ConfigCat Proxy sends nothing when a flag is gone, and the value is the same again
		s.want(": ")
		// What a slow client missed is part of the next difference.
		e.flags.SetConfigJSON([]byte(changed(`{"i":1}`, `{"i":2}`)))
		synctest.Wait() // the write waits for the client
		e.flags.SetConfigJSON([]byte(changed(`{"i":1}`, `{"i":3}`)))
		e.flags.SetConfigJSON([]byte(strings.Replace(changed(`{"i":1}`, `{"i":4}`), `"v_flag"`, `"y"`, 1)))
		s.want(`{"flag":{"value":true,"variationId":"v_flag"},"n":{"value":2,"variationId":""}}`, `{"flag":{"value":true,"variationId":"y"},"n":{"value":4,"variationId":""}}`)
	})
}

// In ConfigCat Proxy 3.0.1 users who differ only in a list share each other's values.
func TestUsersWhoDifferOnlyInAListHaveTheirOwnValues(t *testing.T) {
	config := changed(`"u":{"a":"Identifier","c":0,"l":["test"]}`, `"u":{"a":"roles","c":34,"l":["admin"]}`)
	inStreamBubble(t, config, func(t *testing.T, e *streaming) {
		for roles, value := range map[string]string{
			`["admin"]`: "false", `["ad","min"]`: "true", `["adm","in"]`: "true", `"[\"admin\"]"`: "false", `[]`: "true", `["x","admin"]`: "false",
		} {
			s := e.open(t, "GET", "/sse/shop/eval/"+encoded(`{"key":"flag","user":{"roles":`+roles+`}}`), "")
			defer s.close()
			if have := s.next(); !strings.HasPrefix(have, `{"value":`+value) {
				t.Errorf("%s: %s", roles, have)
			}
		}
	})
}

func TestEqualUsersAreEvaluatedOnce(t *testing.T) {
	e := start(t)
	e.flags.SetConfigJSON([]byte(sseConfig))
	s := e.table.Load().sites[0]
	a, b := parseUser(t, `{"Identifier":"1","roles":["a","b"]}`, nil), parseUser(t, `{"roles":["a","b"],"Identifier":"1"}`, nil)
	one, two := s.join("", a, false), s.join("", b, false)
	if one != two {
		t.Fatal("equal users have two groups")
	}
	first, _ := one.current()
	for range 3 {
		if again, _ := two.current(); again != first {
			t.Error("they are evaluated again")
		}
	}
	for name, other := range map[string]*group{
		"one flag": s.join("n", a, false), "details": s.join("", a, true), "another user": s.join("", parseUser(t, `{"Identifier":"1"}`, nil), false), "no user": s.join("", nil, false),
	} {
		if other == one {
			t.Errorf("%s: the same group", name)
		}
		other.leave()
	}
	e.flags.SetConfigJSON([]byte(changed(`{"i":1}`, `{"i":2}`)))
	next, _ := one.current()
	if next == first {
		t.Fatal("the change is missing")
	}
	if d := next.since(first); string(d) != string(next.since(first)) || &d[0] != &next.since(first)[0] {
		t.Error("the difference is encoded again")
	}
	one.leave()
	if two.leave(); len(s.groups.all) != 0 {
		t.Errorf("%d groups are left", len(s.groups.all))
	}
}

// One stalled client of ConfigCat Proxy 3.0.1 stops all streams of its SDK, and then the hook of changes.
func TestAStalledStreamStopsNobody(t *testing.T) {
	inStreamBubble(t, sseConfig, func(t *testing.T, e *streaming) {
		stalled := e.open(t, "GET", "/sse/shop/eval-all", "") // reads the header alone
		defer stalled.close()
		reading := e.open(t, "GET", "/sse/shop/eval-all", "")
		defer reading.close()
		reading.next()
		began := time.Now()
		for i := range 20 {
			e.flags.SetConfigJSON([]byte(changed(`{"i":1}`, fmt.Sprintf(`{"i":%d}`, i+2))))
			reading.want(fmt.Sprintf(`{"flag":{"value":true,"variationId":"v_flag"},"n":{"value":%d,"variationId":""}}`, i+2))
		}
		if took := time.Since(began); took > 10*time.Second { // the write deadline of the stalled one
			t.Errorf("the changes took %v", took)
		}
		time.Sleep(writeTimeout)
		synctest.Wait()
		if s := e.Stats(); s.Streams != 1 || s.SlowStreams != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestStreamsAreLimitedInAllAndPerClient(t *testing.T) {
	inStreamBubble(t, sseConfig, func(t *testing.T, e *streaming) {
		var all []*events
		for _, c := range []struct {
			client string
			status int
		}{{"127.0.0.1", 200}, {"127.0.0.1", 200}, {"127.0.0.1", 503}, {"192.0.2.1", 200}, {"192.0.2.2", 503}} {
			s := e.openFrom(t, c.client, "GET", "/sse/shop."+streamer+"/eval-all", "")
			defer s.close()
			if want(t, s.Response, c.status, "Retry-After: "+map[int]string{503: "1"}[c.status]); c.status == 200 {
				all = append(all, s)
			}
		}
		if s := e.Stats(); s.Streams != 3 || s.RejectedStreams != 2 || s.Refused != 0 || s.OtherAnswers[Answer{"/sse/{sdkId}/eval-all", 503}] != 2 {
			t.Errorf("stats %+v", s)
		}
		all[0].close()
		synctest.Wait()
		s := e.openFrom(t, "192.0.2.2", "GET", "/sse/shop."+streamer+"/eval-all", "")
		defer s.close()
		want(t, s.Response, 200)
	}, func(cfg *Config) {
		cfg.MaxStreams, cfg.MaxStreamsPerClient = 3, 2
		cfg.SDKs[0].Tokens = []Token{{Secret: streamer, Rights: RightStream}}
	})
}

// A stream ends when its token loses the right to it, whatever else it may do.
func TestStreamsEndWithTheRightOfTheirToken(t *testing.T) {
	inStreamBubble(t, sseConfig, func(t *testing.T, e *streaming) {
		s := e.openFrom(t, "192.0.2.1", "GET", "/sse/shop."+streamer+"/eval-all", "")
		defer s.close()
		s.next()
		tokens := []Token{{Secret: streamer, Rights: RightEvaluate}}
		if err := e.SetSDKs([]SDK{{Name: "shop", Key: sdkKey, Client: e.flags.Client, Tokens: tokens}}); err != nil {
			t.Fatal(err)
		}
		s.want("end: EOF")
		again := e.openFrom(t, "192.0.2.1", "GET", "/sse/shop."+streamer+"/eval-all", "")
		defer again.close()
		want(t, again.Response, 403)
	}, func(cfg *Config) {
		cfg.SDKs[0].Tokens = []Token{{Secret: streamer, Rights: RightEvaluate | RightStream}}
	})
}

// A stream ends when its token is revoked or its default user changes. The others go on.
func TestStreamsEndWhenTheyAreNoLongerAllowed(t *testing.T) {
	inStreamBubble(t, sseConfig, func(t *testing.T, e *streaming) {
		revoked := e.openFrom(t, "192.0.2.1", "GET", "/sse/shop."+streamer+"/eval-all", "")
		defer revoked.close()
		named := e.open(t, "GET", "/sse/shop/eval-all", "")
		defer named.close()
		revoked.next()
		named.next()
		sdks := []SDK{{Name: "shop", Key: sdkKey, Client: e.flags.Client}}
		if err := e.SetSDKs(sdks); err != nil {
			t.Fatal(err)
		}
		revoked.want("end: EOF")
		named.want(": ")
		sdks[0].DefaultUser = map[string]any{"Identifier": "test"}
		if err := e.SetSDKs(sdks); err != nil {
			t.Fatal(err)
		}
		named.want("end: EOF")
		again := e.open(t, "GET", "/sse/shop/eval-all", "")
		defer again.close()
		again.want(`{"flag":{"value":false,"variationId":"v0_flag"},"n":{"value":1,"variationId":""}}`)
		if err := e.SetSDKs(nil); err != nil {
			t.Fatal(err)
		}
		again.want("end: EOF")
	}, func(cfg *Config) { cfg.SDKs[0].Tokens = []Token{{Secret: streamer, Rights: RightStream}} })
}

// A stream ends when its config becomes older than allowed, not before, and not while the config is confirmed. The client
// learns why when it connects again.
func TestStreamsOfOldConfigsEnd(t *testing.T) {
	inStreamBubble(t, sseConfig, func(t *testing.T, e *streaming) {
		began := time.Now()
		s := e.open(t, "GET", "/sse/shop/eval-all?changes=1", "")
		defer s.close()
		s.next()
		ends := make(chan time.Duration)
		go func() {
			for !strings.HasPrefix(s.next(), "end: ") {
			}
			ends <- time.Since(began)
		}()
		time.Sleep(40 * time.Second)
		e.flags.SetConfigJSON([]byte(strings.Replace(sseConfig, `"i":1`, `"i":2`, 1))) // the CDN answered
		if after := <-ends; after != 100*time.Second+1 {
			t.Errorf("ended after %v", after)
		}
		time.Sleep(time.Second)
		again := e.open(t, "GET", "/sse/shop/eval-all", "")
		defer again.close()
		want(t, again.Response, 503, "Retry-After: 1")
		e.flags.SetConfigJSON([]byte(sseConfig))
		fresh := e.open(t, "GET", "/sse/shop/eval-all", "")
		defer fresh.close()
		if have := fresh.next(); !strings.HasPrefix(have, "{") {
			t.Errorf("received %s", have)
		}
	}, func(cfg *Config) { cfg.MaxStale = time.Minute })
}

func TestStreamsEndOneByOneWhenTheProcessStops(t *testing.T) {
	inStreamBubble(t, sseConfig, func(t *testing.T, e *streaming) {
		began := time.Now()
		ends := make(chan time.Duration)
		for range 4 {
			s := e.open(t, "GET", "/sse/shop/eval-all", "")
			go func() {
				for !strings.HasPrefix(s.next(), "end: ") {
				}
				s.close()
				ends <- time.Since(began)
			}()
		}
		go e.Drain(t.Context(), 4*time.Second)
		for i := range 4 {
			if after := <-ends; after != time.Duration(i)*time.Second {
				t.Errorf("a stream ended after %v", after)
			}
		}
		s := e.open(t, "GET", "/sse/shop/eval-all", "")
		defer s.close()
		want(t, s.Response, 503, "Retry-After: 1")
		if !s.Close {
			t.Error("the connection stays at a process that ends")
		}
	})
}

func TestDataIsDecoded(t *testing.T) {
	text := []byte(`{"key":"?>~ÿ"}`)
	for _, data := range []string{
		base64.URLEncoding.EncodeToString(text), base64.RawURLEncoding.EncodeToString(text),
		base64.StdEncoding.EncodeToString(text), base64.RawStdEncoding.EncodeToString(text),
	} {
		if have, f := decodeData(data); f != nil || string(have) != string(text) {
			t.Errorf("%s: %q, %v", data, have, f)
		}
	}
	for _, data := range []string{"a", "aaa*", "=a==", "aaaa=aaaa"} {
		if have, f := decodeData(data); f == nil {
			t.Errorf("%s: %q", data, have)
		}
	}
}

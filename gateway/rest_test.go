package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const restConfig = `{"p":{"s":"salt"},"f":{
	"flag":{"t":0,"v":{"b":true},"i":"v_flag","r":[{"c":[{"u":{"a":"Identifier","c":0,"l":["test"]}}],"s":{"v":{"b":false},"i":"v0_flag"}}]},
	"text":{"t":1,"v":{"s":"<a & b>"}},
	"int":{"t":2,"v":{"i":1000000},"i":"v_int"},
	"half":{"t":0,"v":{"b":false},"i":"off","p":[{"p":50,"v":{"b":true},"i":"on"},{"p":50,"v":{"b":false},"i":"off"}]},
	"float":{"t":3,"v":{"d":1e21}},
	"broken":{"t":0,"v":{"s":"no bool"}}}}`

// TestConfigCatProxysClientsReceiveWhatTheyExpect sends what clients of ConfigCat Proxy send. The answers are
// those of ConfigCat Proxy 3.0.1, byte by byte, unless a comment says why not.
func TestConfigCatProxysClientsReceiveWhatTheyExpect(t *testing.T) {
	const whole = `{"broken":{"value":null,"variationId":""},"flag":{"value":false,"variationId":"v0_flag"},"float":{"value":1e+21,"variationId":""},` +
		`"half":{"value":HALF,"int":{"value":1000000,"variationId":"v_int"},"text":{"value":"\u003ca \u0026 b\u003e","variationId":""}}`
	e := start(t)
	e.flags.SetConfigJSON([]byte(restConfig))
	key := "X-ConfigCat-SdkKey: " + sdkKey
	half := map[bool]string{true: `true,"variationId":"on"}`, false: `false,"variationId":"off"}`}[e.flags.GetBoolValue("half", false, map[string]any{"Identifier": "test"})]
	for name, c := range map[string]struct {
		r      *http.Request
		status int
		body   string
	}{
		"eval":                {local(post("/api/shop/eval", `{"key":"flag"}`)), 200, `{"value":true,"variationId":"v_flag"}`},
		"eval, user":          {local(post("/api/shop/eval", `{"key":"flag","user":{"Identifier":"test","Rating":4.5,"Roles":["Role1","Role2"]}}`)), 200, `{"value":false,"variationId":"v0_flag"}`},
		"eval, by key":        {post("/api/eval", `{"key":"flag"}`, key), 200, `{"value":true,"variationId":"v_flag"}`},
		"eval, case of names": {post("/api/eval", `{"Key":"int","User":null}`, key), 200, `{"value":1000000,"variationId":"v_int"}`},
		"eval, slash":         {local(post("/api/shop/eval/", `{"key":"int"}`)), 200, `{"value":1000000,"variationId":"v_int"}`},
		"eval, text":          {local(post("/api/shop/eval", `{"key":"text"}`)), 200, `{"value":"\u003ca \u0026 b\u003e","variationId":""}`},
		"eval-all":            {local(post("/api/shop/eval-all", `{"user":{"Identifier":"test"}}`)), 200, strings.Replace(whole, "HALF", half, 1)},
		"eval-all, by key":    {post("/api/eval-all", `{"user":{"Identifier":"test"}}`, key), 200, strings.Replace(whole, "HALF", half, 1)},
		"keys":                {local(request("GET", "/api/shop/keys")), 200, `{"keys":["broken","flag","float","half","int","text"]}`},
		"keys, by key":        {request("GET", "/api/keys", key), 200, `{"keys":["broken","flag","float","half","int","text"]}`},
		"unknown flag":        {local(post("/api/shop/eval", `{"key":"none"}`)), 400, "feature flag or setting with key 'none' not found\n"},
		"bad JSON":            {local(post("/api/shop/eval", `{"key":`)), 400, "failed to parse JSON body: unexpected end of JSON input at byte 7\n"}, // we say where
		"object":              {local(post("/api/shop/eval", `{"key":"flag","user":{"a":{}}}`)), 400, "attribute \"a\" has an invalid type: it must be text, a number, a bool, null or a list of texts\n"},
		"bool":                {local(post("/api/shop/eval", `{"key":"flag","user":{"a":true}}`)), 200, `{"value":true,"variationId":"v_flag"}`}, // there: 400
		"null":                {local(post("/api/shop/eval", `{"key":"flag","user":{"a":null}}`)), 200, `{"value":true,"variationId":"v_flag"}`}, // there: 400
		"no key":              {local(post("/api/shop/eval", `{}`)), 400, "'key' must be set\n"},
		"unknown SDK":         {local(post("/api/none/eval", `{"key":"flag"}`)), 404, "there is no SDK with this name or key\n"}, // does not repeat it
		"unknown SDK key":     {post("/api/eval", `{"key":"flag"}`, "X-ConfigCat-SdkKey: none"), 404, "there is no SDK with this name or key\n"},
		"broken flag":         {local(post("/api/shop/eval", `{"key":"broken"}`)), 500, "the flag cannot be evaluated: it is broken in the config\n"},
		"method":              {local(request("GET", "/api/shop/eval")), 405, "use POST\n"},
		"method of keys":      {local(post("/api/shop/keys", "")), 405, "use GET\n"},
		"other path":          {local(post("/api/shop/none", "")), 404, "not found\n"},
		"no name in path":     {local(post("/api//eval", "")), 404, "not found\n"},
		"options":             {request("OPTIONS", "/api/shop/eval"), 204, ""},
	} {
		res := e.do(c.r)
		if text := body(t, res); res.StatusCode != c.status || text != c.body {
			t.Errorf("%s: %d %s\nwant %d %s", name, res.StatusCode, text, c.status, c.body)
		}
		if c.status == 200 {
			want(t, res, 200, "Content-Type: application/json", "Cache-Control: no-store")
		}
	}
}

func TestDetailsSayWhyAValueIsServed(t *testing.T) {
	e := start(t)
	e.flags.SetConfigJSON([]byte(restConfig))
	type details struct {
		Value       any
		VariationID string
		Reason      string
		Rule        int
		Option      int
		Error       string
		FetchTime   string
		Rev         int64
	}
	var all map[string]details
	res := e.do(local(post("/api/shop/eval-all?details=1", `{"user":{"Identifier":"test"}}`)))
	if err := json.Unmarshal([]byte(body(t, res)), &all); err != nil {
		t.Fatal(err)
	}
	held, _ := e.flags.Content()
	for key, want := range map[string]details{
		"flag":   {Value: false, VariationID: "v0_flag", Reason: "TARGETING_MATCH", Rule: 1},
		"int":    {Value: 1e6, VariationID: "v_int", Reason: "STATIC"},
		"broken": {Reason: "ERROR", Error: "the flag is broken in the config"},
		"half":   {Reason: "SPLIT"},
	} {
		have := all[key]
		if have.FetchTime == "" || have.Rev != held.Rev || held.Rev == 0 {
			t.Errorf("%s: %+v", key, have)
		}
		have.FetchTime, have.Rev = "", 0
		if key == "half" && have.Option >= 1 && have.Option <= 2 {
			want.Option, want.Value, want.VariationID = have.Option, have.Value, have.VariationID
		}
		if have != want {
			t.Errorf("%s: %+v, want %+v", key, have, want)
		}
	}
	one := body(t, e.do(local(post("/api/shop/eval?details=1", `{"key":"flag"}`))))
	if !strings.HasPrefix(one, `{"value":true,"variationId":"v_flag","reason":"TARGETING_MATCH","fetchTime":"`) {
		t.Error(one)
	}
}

func TestWithoutAConfigNothingIsEvaluated(t *testing.T) {
	g := startWith(t, empty(t))
	want(t, g.do(local(post("/api/shop/eval", `{"key":"a"}`))), 503, "Retry-After: 1")
	want(t, g.do(local(request("GET", "/api/shop/keys"))), 503)
	old := start(t, func(cfg *Config) { cfg.MaxStale = 1 })
	want(t, old.do(local(post("/api/shop/eval", `{"key":"version"}`))), 503, "Retry-After: 1")
}

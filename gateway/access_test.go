package gateway

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower/followertest"
)

const (
	evaluator = "token-that-evaluates"
	streamer  = "token-that-streams-0"
	forShop   = "token-for-the-shop-0"
)

// post returns a request from another machine with a JSON body.
func post(target, body string, headers ...string) *http.Request {
	r := request("POST", target, append([]string{"Content-Type: application/json"}, headers...)...)
	r.Body = http.NoBody
	if body != "" {
		r.Body = readCloser{strings.NewReader(body)}
	}
	return r
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// local returns the request as one that arrived on this machine's own address.
func local(r *http.Request) *http.Request {
	r.Host = "localhost:8093"
	return from(r, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8093})
}

// two returns a gateway with the SDKs shop and api.
func two(t *testing.T, change ...func(*Config)) *Gateway {
	t.Helper()
	shop := followertest.New(t, map[string]any{"version": 1})
	api := followertest.New(t, map[string]any{"version": 2})
	all := func(secret string, rights Rights) Token { return Token{Secret: secret, Rights: rights} }
	return startWith(t, shop.Client, append([]func(*Config){func(cfg *Config) {
		cfg.SDKs = []SDK{
			{Name: "shop", Key: sdkKey, Client: shop.Client, Tokens: []Token{
				all(token, RightConfig), all(evaluator, RightEvaluate), all(streamer, RightStream), all(forShop, RightEvaluate|RightRefresh),
			}},
			{Name: "api", Key: "other-key", Client: api.Client, Tokens: []Token{all(token, RightConfig), all(evaluator, RightEvaluate), all(streamer, RightStream)}},
		}
	}}, change...)...)
}

func TestWhoMayEvaluate(t *testing.T) {
	g := two(t)
	const ask = `{"key":"version"}`
	bearer := func(secret string) string { return "Authorization: Bearer " + secret }
	for name, c := range map[string]struct {
		r      *http.Request
		status int
		value  string // in the answer
	}{
		"no credential":                  {post("/api/shop/eval", ask), 401, "token"},
		"no credential, unknown name":    {post("/api/none/eval", ask), 401, "token"},
		"no credential, no name":         {post("/api/eval", ask), 401, "token"},
		"wrong token":                    {post("/api/shop/eval", ask, bearer("wrong-token-01234567")), 401, "token"},
		"bearer":                         {post("/api/shop/eval", ask, bearer(evaluator)), 200, `"value":1`},
		"the other name":                 {post("/api/api/eval", ask, bearer(evaluator)), 200, `"value":2`},
		"api key":                        {post("/api/shop/eval", ask, "X-API-Key: "+evaluator), 200, `"value":1`},
		"token in the path":              {post("/api/shop."+evaluator+"/eval", ask), 200, `"value":1`},
		"unknown name":                   {post("/api/none/eval", ask, bearer(evaluator)), 404, "no SDK"},
		"name of another token":          {post("/api/api/eval", ask, bearer(forShop)), 404, "no SDK"},
		"several names, none selected":   {post("/api/eval", ask, bearer(evaluator)), 400, "more than one SDK"},
		"the token's only name":          {post("/api/eval", ask, bearer(forShop)), 200, `"value":1`},
		"name by header":                 {post("/api/eval", ask, bearer(evaluator), "X-ConfigCat-SdkId: api"), 200, `"value":2`},
		"key by header":                  {post("/api/eval", ask, "X-ConfigCat-SdkKey: other-key"), 200, `"value":2`},
		"unknown key":                    {post("/api/eval", ask, "X-ConfigCat-SdkKey: none"), 404, "no SDK"},
		"a key proves the name":          {post("/api/shop/eval", ask, "X-ConfigCat-SdkKey: "+sdkKey), 200, `"value":1`},
		"the key of another name":        {post("/api/api/eval", ask, "X-ConfigCat-SdkKey: "+sdkKey), 401, "token"},
		"the right to configs":           {post("/api/shop/eval", ask, bearer(token)), 403, "right"},
		"the right to stream":            {post("/api/shop/eval", ask, bearer(streamer)), 403, "right"},
		"name, this machine":             {local(post("/api/api/eval", ask)), 200, `"value":2`},
		"unknown name, this machine":     {local(post("/api/none/eval", ask)), 404, "no SDK"},
		"no name, this machine":          {local(post("/api/eval", ask)), 400, "more than one SDK"},
		"page of another site":           {local(post("/api/shop/eval", ask, "Origin: https://evil.example")), 403, "origin"},
		"page of another site by header": {local(post("/api/shop/eval", ask, "Sec-Fetch-Site: cross-site")), 403, "origin"},
		"page with a token":              {local(post("/api/shop/eval", ask, "Origin: https://app.example", bearer(evaluator))), 200, `"value":1`},
		"token without the right":        {local(post("/api/shop/eval", ask, bearer(streamer))), 200, `"value":1`}, // the name is enough
		"page of the same site":          {local(post("/api/shop/eval", ask, "Origin: http://localhost:8093")), 200, `"value":1`},
	} {
		res := g.do(c.r)
		if text := body(t, res); res.StatusCode != c.status || !strings.Contains(text, c.value) || strings.Contains(text, sdkKey) || strings.Contains(text, evaluator) {
			t.Errorf("%s: %d %s", name, res.StatusCode, text)
		}
	}
}

func TestATokenWithoutTheRightReadsNoRules(t *testing.T) {
	g := two(t)
	for secret, status := range map[string]int{token: 200, evaluator: 404, streamer: 404, forShop: 404} {
		want(t, g.do(request("GET", "/configuration-files/configcat-proxy/shop."+secret+"/config_v6.json")), status)
	}
}

func TestNamesAloneEvaluateEverywhereIfThatIsOpen(t *testing.T) {
	g := two(t, func(cfg *Config) { cfg.OpenEvaluation = true })
	want(t, g.do(post("/api/shop/eval", `{"key":"version"}`)), 200)
	want(t, g.do(request("GET", byName)), 404)
	want(t, g.do(post("/api/none/eval", `{}`)), 404)
}

func TestTheOnlySDKNeedsNoName(t *testing.T) {
	e := start(t)
	want(t, e.do(local(post("/api/eval", `{"key":"version"}`))), 200)
}

// The origins of a token let its pages evaluate, and never pages of others.
func TestTheOriginsOfATokenAreForItAlone(t *testing.T) {
	flags := followertest.New(t, map[string]any{"version": 1})
	g := startWith(t, flags.Client, func(cfg *Config) {
		cfg.SDKs[0].Tokens = []Token{
			{Secret: evaluator, Rights: RightEvaluate, Origins: []string{"https://app.example"}},
			{Secret: forShop, Rights: RightEvaluate},
		}
		cfg.Origins = []string{"https://admin.example"}
	})
	preflight := request("OPTIONS", "/api/shop/eval", "Origin: https://app.example", "Access-Control-Request-Method: POST")
	want(t, g.do(preflight), 204, "Access-Control-Allow-Origin: https://app.example", "Access-Control-Allow-Methods: POST", "Vary: Origin")
	const ask = `{"key":"version"}`
	for name, c := range map[string]struct {
		r       *http.Request
		status  int
		readers string
	}{
		"its page":                 {post("/api/shop/eval", ask, "Origin: https://app.example", "X-API-Key: "+evaluator), 200, "https://app.example"},
		"no page":                  {post("/api/shop/eval", ask, "X-API-Key: "+evaluator), 200, ""},
		"another page":             {post("/api/shop/eval", ask, "Origin: https://evil.example", "X-API-Key: "+evaluator), 403, ""},
		"a page for all":           {post("/api/shop/eval", ask, "Origin: https://admin.example", "X-API-Key: "+evaluator), 200, "https://admin.example"},
		"its page, another token":  {post("/api/shop/eval", ask, "Origin: https://app.example", "X-API-Key: "+forShop), 200, ""},
		"its page, the name alone": {local(request("GET", "/api/shop/keys", "Origin: https://app.example")), 200, ""},
		"its page, a key":          {request("GET", byKey, "Origin: https://app.example"), 200, ""},
		"a page for all, a key":    {request("GET", byKey, "Origin: https://admin.example"), 200, "https://admin.example"},
	} {
		res := g.do(c.r)
		if readers := res.Header.Get("Access-Control-Allow-Origin"); res.StatusCode != c.status || readers != c.readers {
			t.Errorf("%s: %d, readable by %q", name, res.StatusCode, readers)
		}
	}
}

func TestATokenIsTheSameEverywhere(t *testing.T) {
	client := followertest.New(t, nil).Client
	g, err := New(Config{SDKs: []SDK{
		{Name: "a", Client: client, Tokens: []Token{{Secret: evaluator, Rights: RightEvaluate}}},
		{Name: "b", Client: client, Tokens: []Token{{Secret: evaluator, Rights: RightConfig}}},
	}})
	if err == nil {
		g.Close()
		t.Fatal("a token has different rights")
	}
	if !strings.Contains(err.Error(), "other Rights") || strings.Contains(err.Error(), evaluator) {
		t.Error(err)
	}
}

package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower/followertest"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func want(t *testing.T, res *http.Response, status int, headers ...string) {
	t.Helper()
	if res.StatusCode != status {
		t.Errorf("status %d, want %d", res.StatusCode, status)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if have := strings.Join(res.Header.Values(name), ", "); have != value {
			t.Errorf("%s: %q, want %q", name, have, value)
		}
	}
}

const bigConfig = `{ "p": {"u":"https://cdn-eu.configcat.com", "r" : 2 ,"s":"a salt"},` + "\n" +
	`"f":{"version":{"t":2,"v":{"i":1}},"text":{"t":1,"v":{"s":"` + "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" + `"}}}}`

func TestTheBytesOfTheConfigAreServed(t *testing.T) {
	e := start(t)
	e.flags.SetConfigJSON([]byte(bigConfig))
	res := e.get(byKey)
	want(t, res, 200, "Content-Type: application/json", "Cache-Control: no-cache", "Vary: Accept-Encoding",
		"Content-Encoding: ", "X-Content-Type-Options: nosniff", "Server: ", "Age: 0", "X-Catbridge-Age: 0")
	expected := strings.Replace(bigConfig, `"r" : 2 `, `"r" : 0 `, 1)
	if have := body(t, res); have != expected {
		t.Errorf("served %q\nwant   %q", have, expected)
	}
	if have := body(t, e.get(byKey, "Accept-Encoding: gzip, zstd;q=0")); have == expected {
		t.Error("gzip was asked for, and not used")
	} else if r, err := gzip.NewReader(strings.NewReader(have)); err != nil {
		t.Error(err)
	} else if data, err := io.ReadAll(r); err != nil || string(data) != expected {
		t.Errorf("gzip contains %q, %v", data, err)
	}
	zd, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer zd.Close()
	if data, err := zd.DecodeAll([]byte(body(t, e.get(byKey, "Accept-Encoding: gzip, zstd"))), nil); err != nil || string(data) != expected {
		t.Errorf("zstd contains %q, %v", data, err)
	}
}

func TestTheETagIsOfTheServedContentAlone(t *testing.T) {
	one, two := start(t), start(t)
	for _, e := range []*environment{one, two} {
		e.flags.SetConfigJSON([]byte(bigConfig))
	}
	first, second := one.get(byKey).Header.Get("ETag"), two.get(byKey).Header.Get("ETag")
	if first != second || !strings.HasPrefix(first, `"`) || len(first) != tagBytes+2 {
		t.Errorf("ETags %s and %s", first, second)
	}
	tag := strings.TrimSuffix(first, `"`)
	want(t, one.get(byKey, "Accept-Encoding: gzip"), 200, "Content-Encoding: gzip", `ETag: `+tag+`-gzip"`)
	want(t, one.get(byKey, "Accept-Encoding: zstd"), 200, "Content-Encoding: zstd", `ETag: `+tag+`-zstd"`)
	one.flags.Set("version", 2)
	if next := one.get(byKey).Header.Get("ETag"); next == first {
		t.Errorf("the ETag %s stays although the content changed", next)
	}
}

func TestEncodingsAreNegotiated(t *testing.T) {
	e := start(t)
	e.flags.SetConfigJSON([]byte(bigConfig))
	for accept, encoding := range map[string]string{
		"":                                  "",
		"gzip":                              "gzip",
		"GZIP":                              "gzip",
		"x-gzip":                            "gzip",
		"gzip, deflate, br":                 "gzip",
		"gzip, deflate, br, zstd":           "zstd",
		"gzip;q=1.0, zstd;q=0.5":            "gzip",
		"gzip;q=0":                          "",
		"gzip;q=0.000, *;q=0":               "",
		"*":                                 "zstd",
		"*;q=0.1, zstd;q=0":                 "gzip",
		"identity":                          "",
		"identity;q=1, gzip;q=0.5":          "",
		"identity;q=0.5, gzip;q=1":          "gzip",
		"br":                                "",
		"gzip;q=2":                          "",
		"gzip;q=x":                          "",
		"gzip ; Q = 0.5":                    "gzip",
		"gzip;level=1":                      "gzip",
		"identity;q=0, br":                  "",
		strings.Repeat("a,", 1000) + "gzip": "gzip",
	} {
		res := e.get(byKey, "Accept-Encoding: "+accept)
		want(t, res, 200, "Content-Encoding: "+encoding)
	}
}

func TestSmallContentIsNotEncoded(t *testing.T) {
	e := start(t)
	e.flags.SetConfigJSON([]byte(`{"f":{}}`))
	want(t, e.get(byKey, "Accept-Encoding: gzip"), 200, "Content-Encoding: ")
}

func TestPaths(t *testing.T) {
	e := start(t)
	for path, status := range map[string]int{
		byKey:       200,
		"/" + byKey: 200,
		byName[:len(byName)-len(pathSuffix)] + "." + token + pathSuffix:     200,
		strings.ReplaceAll(byKey, "configcat-sdk-1/", "configcat-sdk-1%2F"): 200,
		byKey + "?sdk=x":                                      200,
		strings.Replace(byKey, "v6", "v5", 1):                 404,
		"/prefix" + byKey:                                     404,
		"/configuration-files//config_v6.json":                404,
		"/configuration-files/config_v6.json":                 404,
		"/configuration-files/configcat-proxy/config_v6.json": 404,
		"/":                  404,
		byKey + "/":          404,
		byKey[:len(byKey)-1]: 404,
		strings.Replace(byKey, "followertest", "Followertest", 1):                  404,
		"/configuration-files/" + strings.Repeat("a", maxPath) + "/config_v6.json": 414,
		byKey + "?" + strings.Repeat("a", maxQuery+1):                              414,
	} {
		if res := e.get(path); res.StatusCode != status {
			t.Errorf("%.80s: status %d, want %d", path, res.StatusCode, status)
		}
	}
}

func TestANameAloneIsForTheSameMachine(t *testing.T) {
	e := start(t)
	loopback := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8093}
	host := func(name string) *http.Request {
		r := from(request("GET", byName), loopback)
		r.Host = name
		return r
	}
	for _, name := range []string{"localhost", "localhost:8093", "127.0.0.1:8093", "[::1]:8093", "LOCALHOST."} {
		want(t, e.do(host(name)), 200)
	}
	for _, name := range []string{"evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:80"} {
		want(t, e.do(host(name)), 404)
	}
	want(t, e.get(byName), 404)
	want(t, e.do(from(request("GET", byName), &net.UnixAddr{Name: "/run/serve.sock", Net: "unix"})), 200)

	withTLS := request("GET", byName)
	withTLS.TLS = &tls.ConnectionState{}
	want(t, e.do(withTLS), 404)
	withTLS.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}}}
	want(t, e.do(withTLS), 200)

	open := startWith(t, e.flags.Client, func(cfg *Config) { cfg.OpenNames = true })
	want(t, open.do(request("GET", byName)), 200)
	known := startWith(t, e.flags.Client, func(cfg *Config) { cfg.Hosts = []string{"Serve.Internal"} })
	want(t, known.do(host("serve.internal:80")), 200)
	want(t, known.do(host("evil.example")), 404)
}

func TestThereIsNo404BeforeTheFirstConfig(t *testing.T) {
	g := startWith(t, empty(t))
	res := g.do(request("GET", byKey))
	want(t, res, 503, "Retry-After: 1", "Cache-Control: no-store")
}

func TestOldConfigsAreNotServed(t *testing.T) {
	e := start(t, func(cfg *Config) { cfg.MaxStale = 1 })
	res := e.get(byKey)
	want(t, res, 503, "Retry-After: 1")
	want(t, startWith(t, e.flags.Client, func(cfg *Config) { cfg.MaxStale = 1e15 }).do(request("GET", byKey)), 200)
}

// The SDKs for C++ and Elixir look for the ETag with case.
func TestTheETagIsWrittenAsTheCDNDoes(t *testing.T) {
	e := start(t, func(cfg *Config) { cfg.OpenNames = true })
	server := httptest.NewServer(e.Gateway)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET "+byKey+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), "\r\nETag: \"") {
		t.Errorf("%v, no ETag in %.400s", err, answer)
	}
}

func TestMethods(t *testing.T) {
	e := start(t)
	get := e.get(byKey)
	head := e.do(request("HEAD", byKey))
	want(t, head, 200, "ETag: "+get.Header.Get("ETag"), "Content-Length: "+get.Header.Get("Content-Length"))
	if have := body(t, head); have != "" {
		t.Errorf("HEAD has the body %q", have)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "TRACE"} {
		want(t, e.do(request(method, byKey)), 405, "Allow: GET, HEAD, OPTIONS")
	}
	want(t, e.do(request("OPTIONS", byKey)), 204, "Allow: GET, HEAD, OPTIONS", "Access-Control-Allow-Origin: ")
}

func TestOnlyAllowedOriginsMayRead(t *testing.T) {
	e := start(t, func(cfg *Config) { cfg.Origins = []string{"https://app.example.com", "https://*.shop.example"} })
	for origin, allowed := range map[string]bool{
		"https://app.example.com":              true,
		"https://a.shop.example":               true,
		"https://a.b.shop.example":             true,
		"https://shop.example":                 false,
		"https://.shop.example":                false,
		"https://evil.example/.shop.example":   false,
		"https://evil.example#.shop.example":   false,
		"https://evilshop.example":             false,
		"http://app.example.com":               false,
		"https://app.example.com.evil.example": false,
		"https://app.example.com:8443":         false,
		"null":                                 false,
	} {
		have := map[bool]string{true: origin}[allowed]
		want(t, e.get(byKey, "Origin: "+origin), 200, "Access-Control-Allow-Origin: "+have, "Vary: Origin, Accept-Encoding")
		// No credential is needed, and an unknown key looks like a known one.
		res := e.do(request("OPTIONS", "/configuration-files/unknown/config_v6.json", "Origin: "+origin, "Access-Control-Request-Method: GET"))
		want(t, res, 204, "Access-Control-Allow-Origin: "+have, "Vary: Origin")
		if allowed {
			want(t, res, 204, "Access-Control-Allow-Methods: GET, HEAD", "Access-Control-Allow-Headers: "+strings.Join(requestHeaders, ", "))
			want(t, e.get("/nothing", "Origin: "+origin), 404, "Access-Control-Allow-Origin: "+origin)
		}
	}
	any := start(t, func(cfg *Config) { cfg.Origins = []string{"*"} })
	want(t, any.get(byKey, "Origin: https://page.example"), 200, "Access-Control-Allow-Origin: https://page.example")
}

func TestInvalidConfigurationsAreRefused(t *testing.T) {
	client := followertest.New(t, nil).Client
	ok := SDK{Name: "a", Key: sdkKey, Client: client}
	for text, cfg := range map[string]Config{
		"Hold: 6s":     {Hold: 6e9},
		"Hold: -1ns":   {Hold: -1},
		"MaxStale":     {MaxStale: -1},
		"MaxStreams":   {MaxStreams: -1},
		"omit the po":  {Origins: []string{"https://*.example.com:443"}},
		"origin":       {Origins: []string{"app.example.com"}},
		"Hosts":        {Hosts: []string{"https://app.example.com"}},
		"Client":       {SDKs: []SDK{{Name: "a"}}},
		"one of Name":  {SDKs: []SDK{{Client: client}}},
		`Name: "a/b"`:  {SDKs: []SDK{{Name: "a/b", Client: client}}},
		"Tokens[0]":    {SDKs: []SDK{{Name: "a", Tokens: []Token{{Secret: "short-secret", Rights: RightConfig}}, Client: client}}},
		"need a Name":  {SDKs: []SDK{{Key: sdkKey, Tokens: []Token{{Secret: token, Rights: RightConfig}}, Client: client}}},
		"SDKs[1]: dup": {SDKs: []SDK{ok, {Name: "b", Key: sdkKey, Client: client}}},
	} {
		g, err := New(cfg)
		if err == nil {
			g.Close()
			t.Errorf("%s: accepted", text)
			continue
		}
		if !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "short-secret") || strings.Contains(err.Error(), sdkKey) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}

func TestTheErrorOfAConfigurationJoinsAllFaults(t *testing.T) {
	_, err := New(Config{
		Hold: -1, MaxStale: -1, Hosts: []string{"a:1", "b/"}, Origins: []string{"one.example", "two.example"},
		SDKs: []SDK{{Name: "a/b"}, {}},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{"gateway: Hold", "gateway: MaxStale", `"a:1"`, `"b/"`, `"one.example"`, `"two.example"`, "SDKs[0]: Client", "Name: ", "SDKs[1]: "} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in %v", part, err)
		}
	}
}

func TestStatsHaveBoundedLabels(t *testing.T) {
	e := start(t)
	for i := range 3 * maxAgents {
		e.get(byKey, "X-ConfigCat-UserAgent: ConfigCat-Node/a-1.0."+string(rune('0'+i%10))+strings.Repeat("1", i/10))
		e.get(byKey, "X-ConfigCat-UserAgent: <script>"+strings.Repeat("x", i))
	}
	e.get(byKey, "If-None-Match: *")
	for i := range 100 {
		e.get("/secret-path-" + strings.Repeat("x", i))
		e.do(post("/api/secret-name-"+strings.Repeat("x", i)+"/eval", ""))
	}
	stats := e.Stats()
	if len(stats.Agents) > maxAgents+1 || stats.Agents[otherAgents] == 0 || stats.Agents["ConfigCat-Node/a-1.0.0"] == 0 {
		t.Errorf("%d SDK versions: %v", len(stats.Agents), stats.Agents)
	}
	if stats.Answers[200] != 6*maxAgents || stats.Answers[304] != 1 {
		t.Errorf("answers %v", stats.Answers)
	}
	if others := stats.OtherAnswers; len(others) != 2 || others[Answer{"other", 404}] != 100 || others[Answer{"/api/{sdkId}/eval", 401}] != 100 {
		t.Errorf("other answers %v", others)
	}
}

var _ http.Handler = (*Gateway)(nil)

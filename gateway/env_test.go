package gateway

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
)

const (
	sdkKey = followertest.SDKKey
	byKey  = "/configuration-files/" + sdkKey + "/config_v6.json"
	byName = "/configuration-files/configcat-proxy/shop/config_v6.json"
	token  = "token-of-this-test-0"
)

// environment is a gateway with one config.
type environment struct {
	*Gateway
	flags *followertest.Client
}

func start(t testing.TB, change ...func(*Config)) *environment {
	t.Helper()
	flags := followertest.New(t, map[string]any{"version": 1})
	return &environment{startWith(t, flags.Client, change...), flags}
}

func startWith(t testing.TB, client *follower.Client, change ...func(*Config)) *Gateway {
	t.Helper()
	cfg := Config{SDKs: []SDK{{Name: "shop", Key: sdkKey, Tokens: []Token{{Secret: token, Rights: RightConfig}}, Client: client}}}
	for _, f := range change {
		f(&cfg)
	}
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// empty returns a client that has no config.
func empty(t testing.TB) *follower.Client {
	t.Helper()
	c, err := follower.New(follower.Config{FlagOverrides: &follower.FlagOverrides{Values: map[string]any{"a": true}, Behavior: follower.LocalOnly}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// request returns a request from another machine. The headers are name: value.
func request(method, target string, headers ...string) *http.Request {
	// The target is taken as a server takes it: NewRequest would read //x/ as a host.
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: gateway.example\r\n\r\n")))
	if err != nil {
		panic(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return from(r, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 80})
}

// from returns the request as one that arrived at a local address.
func from(r *http.Request, local net.Addr) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
}

func (e *environment) get(target string, headers ...string) *http.Response {
	return e.do(request("GET", target, headers...))
}

func (g *Gateway) do(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	res := w.Result()
	for name, values := range res.Header { // a client puts all names into Go's form
		delete(res.Header, name)
		res.Header[http.CanonicalHeaderKey(name)] = values
	}
	return res
}

func polling(etag string) []string {
	return []string{"If-None-Match: " + etag, "X-ConfigCat-UserAgent: ConfigCat-Node/a-11.3.1"}
}

func holding(cfg *Config) { cfg.Hold = MaxHold }

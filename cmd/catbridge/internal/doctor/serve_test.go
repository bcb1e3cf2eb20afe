package doctor

import (
	"compress/gzip"
	"crypto/x509"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/gateway"
)

const (
	serveToken  = "token-of-configs-secretsecret"
	configToken = "token-without-streams-secretsecret"
)

// gatewayOf returns the handler of catbridge serve for the SDK key, with a config that is worth
// compressing.
func gatewayOf(t *testing.T) http.Handler {
	t.Helper()
	web := configServer(t, `{"p":{"r":0},"f":{"text":{"t":1,"v":{"s":"`+strings.Repeat("one ", 500)+`"}}}}`)
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	lead(t, client, web.URL)
	f, err := follower.New(follower.Config{SDKKey: sdkKey, Redis: client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if f.WaitForReady(t.Context()); f.Stats().Hash == "" {
		t.Fatal("the follower has no config")
	}
	g, err := gateway.New(gateway.Config{SDKs: []gateway.SDK{{Name: "shop", Key: sdkKey, Client: f, Tokens: []gateway.Token{{Secret: serveToken, Rights: gateway.RightConfig | gateway.RightStream}, {Secret: configToken, Rights: gateway.RightConfig}}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	mux := http.NewServeMux()
	mux.Handle("/configuration-files/", g)
	mux.Handle("/sse/", g)
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ready\nshop: ready, live\n") })
	return mux
}

func examineServe(t *testing.T, base, key string, change ...func(*Doctor)) findings {
	t.Helper()
	s, err := settings.Load(settings.Options{
		Part: settings.Leader, Variables: settings.Leader, OptionalRedis: true, AnySDKKey: true, Environ: []string{"CATBRIDGE_SDK_KEY=main=" + key},
	})
	if err != nil {
		t.Fatal(err)
	}
	return examine(t, "", s, append(change, func(d *Doctor) { d.Serve = base })...)
}

func start(t *testing.T, h http.Handler) string {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	return web.URL
}

func TestAHealthyServeHasNoFaults(t *testing.T) {
	t.Parallel()
	h := gatewayOf(t)
	secured := httptest.NewTLSServer(h)
	defer secured.Close()
	plain := start(t, h)
	for _, base := range []string{plain, plain + "/", secured.URL} {
		for _, key := range []string{sdkKey, "configcat-proxy/shop." + serveToken, "configcat-proxy/shop"} {
			list := examineServe(t, base, key, func(d *Doctor) {
				d.roots = x509.NewCertPool()
				d.roots.AddCert(secured.Certificate())
			})
			list.only(t)
			list.want(t, "serve URL", Good, "has the form of a base URL")
			if base == secured.URL {
				list.want(t, "serve network", Good, "answers with TLS 1.3", "its certificate is valid until")
			} else {
				list.want(t, "serve network", Good, "answers without TLS")
			}
			list.want(t, "serve ready", Good, "ready; shop: ready, live")
			list.want(t, "serve config", Good, " receives a config of 20", "with 1 flag(s), confirmed by the CDN ")
			list.want(t, "serve ETag", Good, "is 304")
			list.want(t, "serve gzip", Good, "bytes instead of 20")
			list.want(t, "serve gzip", Good, "is 304")
			list.want(t, "serve stream", Good, "receives events")
			if len(list) != 8 {
				t.Errorf("%d findings:\n%v", len(list), list)
			}
		}
	}
}

// edited is an answer that a proxy changes before it sends it.
type edited struct{ *httptest.ResponseRecorder }

// proxy changes requests and answers of h. Either function may be nil.
func proxy(h http.Handler, before func(*http.Request), after func(edited)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/sse/") {
			h.ServeHTTP(w, r)
			return
		}
		if before != nil {
			before(r)
		}
		e := edited{httptest.NewRecorder()}
		h.ServeHTTP(e, r)
		if after != nil && strings.HasPrefix(r.URL.Path, "/configuration-files/") {
			after(e)
		}
		maps.Copy(w.Header(), e.Header())
		w.WriteHeader(e.Code)
		_, _ = w.Write(e.Body.Bytes())
	})
}

func (e edited) replace(body string) {
	e.Header().Del("Content-Length")
	e.Body.Reset()
	e.Body.WriteString(body)
}

func TestFaultsOfProxiesBeforeServe(t *testing.T) {
	t.Parallel()
	h := gatewayOf(t)
	for name, test := range map[string]struct {
		handler http.Handler
		check   string
		result  Result
		want    []string
	}{
		"compresses unasked": {proxy(h, nil, func(e edited) {
			body := e.Body.String()
			e.compress(body)
			e.Header().Set("Content-Encoding", "gzip")
		}), "serve config", Bad, []string{"has the encoding gzip", "some SDKs never decompress"}},
		"no ETag": {proxy(h, nil, func(e edited) {
			maps.DeleteFunc(e.Header(), func(name string, _ []string) bool { return strings.EqualFold(name, "ETag") })
		}), "serve config", Bad, []string{"has no ETag", "pass ETag on"}},
		"no conditions":   {proxy(h, func(r *http.Request) { r.Header.Del("If-None-Match") }, nil), "serve ETag", Bad, []string{"receives it again", "pass If-None-Match"}},
		"no gzip":         {proxy(h, func(r *http.Request) { r.Header.Del("Accept-Encoding") }, nil), "serve gzip", Unknown, []string{"without gzip"}},
		"damaged gzip":    {proxy(h, nil, func(e edited) { e.damage() }), "serve gzip", Bad, []string{"is damaged"}},
		"edited gzip":     {proxy(h, nil, func(e edited) { e.editCompressed() }), "serve gzip", Bad, []string{"is damaged"}},
		"another page":    {proxy(h, nil, func(e edited) { e.replace("<html>") }), "serve config", Bad, []string{"the answer is not a config", "no proxy answers"}},
		"the CDN":         {proxy(h, nil, func(e edited) { e.replace(`{"p":{"r":2,"u":"https://cdn"},"f":{}}`) }), "serve config", Bad, []string{"p.r is 2"}},
		"a redirect":      {http.RedirectHandler("https://flags.example/"+sdkKey, http.StatusFound), "serve config", Bad, []string{"302 Found", "not all SDKs follow"}},
		"another server":  {http.NotFoundHandler(), "serve ready", Unknown, []string{"/readyz answers 404 Not Found"}},
		"pages for all":   {http.HandlerFunc(page), "serve ready", Unknown, []string{"/readyz answers with another page"}},
		"a long page":     {http.HandlerFunc(endless), "serve ready", Unknown, []string{"/readyz answers with another page"}},
		"long errors":     {longErrors(), "serve ready", Unknown, []string{"/readyz answers 404 Not Found"}},
		"a long 404":      {longErrors(), "serve config", Bad, []string{"it answers 404 Not Found", "compare the SDK key"}},
		"no config":       {unready("no config yet"), "serve config", Bad, []string{"503 Service Unavailable: no config yet", "check that leaders run"}},
		"not ready":       {unready("not ready\nshop: no config yet, live"), "serve ready", Bad, []string{"not ready; shop: no config yet, live", "--as follower"}},
		"certificates":    {failing(http.StatusUnauthorized), "serve config", Bad, []string{"client certificate"}},
		"an endless page": {http.HandlerFunc(endless), "serve config", Bad, []string{"longer than"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			examineServe(t, start(t, test.handler), sdkKey).want(t, test.check, test.result, test.want...)
		})
	}
}

// damage cuts off the end of a compressed answer.
func (e edited) damage() {
	if e.Header().Get("Content-Encoding") == "gzip" {
		body := e.Body.String()
		e.replace(body[:len(body)/2])
	}
}

// editCompressed replaces a compressed answer by another one.
func (e edited) editCompressed() {
	if e.Header().Get("Content-Encoding") == "gzip" {
		e.compress("<html>")
	}
}

func (e edited) compress(body string) {
	e.replace("")
	w := gzip.NewWriter(e.Body)
	_, _ = io.WriteString(w, body)
	w.Close()
}

func page(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>\nready\n") }

// longErrors answers with a long page that something is not found.
func longErrors() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("not found ", 10_000), http.StatusNotFound)
	})
}

func failing(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

func unready(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, http.StatusServiceUnavailable) })
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for page := make([]byte, 1<<20); ; {
		if _, err := w.Write(page); err != nil {
			return
		}
	}
}

func TestServeRefusesAnUnknownKey(t *testing.T) {
	t.Parallel()
	base := start(t, gatewayOf(t))
	for _, key := range []string{"configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/secretsecretsecret2222", "configcat-proxy/shop.other-token-secretsecret", "configcat-proxy/api"} {
		list := examineServe(t, base, key)
		list.only(t, "serve config")
		list.want(t, "serve config", Bad, "it answers 404 Not Found", "compare the SDK key, or the name and the token")
		list.want(t, "serve ETag", Unknown, "no config was received")
	}
}

func TestFaultsOfTheBaseURL(t *testing.T) {
	t.Parallel()
	plain := start(t, http.NotFoundHandler())
	secured := httptest.NewUnstartedServer(http.NotFoundHandler())
	secured.Config.ErrorLog = log.New(io.Discard, "", 0)
	secured.StartTLS()
	defer secured.Close()
	host := func(base string) string {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		return u.Host
	}
	for base, want := range map[string][]string{
		"127.0.0.1:8093":               {"serve URL", "write it like http://127.0.0.1:8093"},
		"ftp://127.0.0.1":              {"serve URL", "it is not a URL with http://"},
		"http://":                      {"serve URL", "it is not a URL"},
		"http://127.0.0.1/%zz":         {"serve URL", "it is not a URL"},
		"http://shop:55word@127.0.0.1": {"serve URL", "it contains a user"},
		"https://flags.example/serve/": {"serve URL", "it has a path", "map a host name to serve"},
		"http://127.0.0.1/?sdk=1":      {"serve URL", "it has a query"},
		"http://127.0.0.1?":            {"serve URL", "it has a query"},
		"http://127.0.0.1/#":           {"serve URL", "it has a query or a fragment"},
		"http://127.0.0.1//":           {"serve URL", "it has a path"},
		"http://127.0.0.1/%2F":         {"serve URL", "it has a path"},
		"http://127.0.0.1:65536":       {"serve URL", "its port is not between 1 and 65535"},
		"http://127.0.0.1:0":           {"serve URL", "its port is not"},
		"http://127.0.0.1:1":           {"serve network", "connection refused", "check that catbridge serve runs there"},
		"http://no-such-host.invalid":  {"serve network", "no such host", "check the name in the URL"},
		"https://" + host(plain):       {"serve network", "if it serves no TLS, write http://"},
		"http://" + host(secured.URL):  {"serve network", "400 Bad Request", "if it serves TLS, write https://"},
		secured.URL:                    {"serve network", "unknown authority", "SDKs reject it too"},
	} {
		list := examineServe(t, base, sdkKey)
		list.want(t, want[0], Bad, want[1:]...)
		list.only(t, want[0])
	}
}

func TestServeThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	base := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	list := examineServe(t, base, sdkKey, func(d *Doctor) { d.Timeout = 50 * time.Millisecond })
	list.want(t, "serve network", Bad, strings.TrimPrefix(base, "http://")+" does not answer within 50ms", "check that catbridge serve runs there")
	list.only(t, "serve network")
}

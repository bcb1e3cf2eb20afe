package doctor

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

func TestFaultsOfTheCDN(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	stopped := httptest.NewServer(http.NotFoundHandler())
	stopped.Close()
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	const config = `{"f":{"text":{"t":1,"v":{"s":"one"}}}}`
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		url     string
		want    []string
	}{
		"stopped":          {nil, stopped.URL, []string{"Unexpected error occurred", "connection refused", "DNS, firewall and proxy between this host and the CDN, and base_url"}},
		"unknown name":     {nil, "http://no-such-host.invalid", []string{"no such host"}},
		"unknown SDK key":  {http.NotFound, "", []string{"Your SDK Key seems to be wrong: '…et1111", "compare the SDK key with the dashboard"}},
		"another server":   {says("<html>"), "", []string{"the HTTP response content was invalid", "whether a proxy answers instead of the CDN"}},
		"a server's fault": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusBadGateway) }, "", []string{"502 Bad Gateway"}},
		"a hanging server": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, "", []string{"no answer within ", "DNS, firewall and proxy"}},
		"a forbidden redirect": {says(`{"p":{"u":"http://elsewhere.example.com","r":2}}`), "", []string{"elsewhere.example.com", "check base_url, allowed_hosts"}},
		"a wrong clock": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(-90*time.Minute).UTC().Format(http.TimeFormat))
			_, _ = io.WriteString(w, config)
		}, "", []string{"the CDN's clock is 1h", "behind this host's", "NTP"}},
		"broken flags": {says(`{"f":{"text":{"t":1,"v":{"s":"one"}},"bad":{"t":1,"v":{"b":true}}}}`), "", []string{"1 flags of the config have errors"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := test.url
			if url == "" {
				web := httptest.NewServer(test.handler)
				t.Cleanup(web.Close)
				url = web.URL
			}
			wait := func(*Doctor) {}
			if name == "a hanging server" {
				wait = soon
			}
			list := examine(t, Leader, load(t, "REDIS_URL="+server.URL(), "BASE_URL="+url), wait)
			list.want(t, "CDN", Bad, test.want...)
			list.only(t, "CDN", "state") // no leader
		})
	}
}

// S86: the CDN of the data governance redirects to another one.
func TestADataGovernanceOutOfSyncIsAFault(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	cdn := roundTrip(func(r *http.Request) *http.Response {
		body := `{"p":{"u":"https://cdn-eu.configcat.com","r":1},"f":{}}`
		w := httptest.NewRecorder()
		_, _ = io.WriteString(w, body)
		if !strings.HasPrefix(r.URL.Host, "cdn-") {
			t.Errorf("asked %s", r.URL.Host)
		}
		return w.Result()
	})
	list := examine(t, Leader, load(t, "REDIS_URL="+server.URL()), func(d *Doctor) { d.transport = cdn })
	list.want(t, "CDN", Bad, "data_governance differs from the dashboard", "set data_governance as on the ConfigCat dashboard")
	list.want(t, "CDN", Good, ": a config of")
}

func TestProxies(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	web := healthyCDN(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := listener.Addr().String()
	_ = listener.Close()
	list := examine(t, Leader, load(t, "REDIS_URL="+server.URL(), "BASE_URL="+web.URL, "PROXY_URL=http://user:pa55word@"+gone))
	list.want(t, "proxy", Bad, "connection refused", "check proxy_url or $HTTPS_PROXY")
	list.want(t, "CDN", Bad, "connection refused")

	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"f":{}}`)
	}))
	defer proxy.Close()
	list = examine(t, Leader, load(t, "REDIS_URL="+server.URL(), "BASE_URL=http://cdn.invalid", "PROXY_URL="+strings.Replace(proxy.URL, "//", "//user:pa55word@", 1)))
	list.want(t, "proxy", Good, "http://user:xxxxx@127.0.0.1:", " accepts connections")
	list.want(t, "CDN", Good, ": a config of 8 bytes")
}

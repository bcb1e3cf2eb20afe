package cdn

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// throughEnvironment makes a fetcher use an environment with a proxy for some hosts.
func throughEnvironment(f *Fetcher, proxy string, hosts ...string) {
	f.proxies.environment = func(r *http.Request) (*url.URL, error) {
		for _, host := range hosts {
			if r.URL.Hostname() == host {
				return url.Parse(proxy)
			}
		}
		return nil, nil
	}
}

func forwarding(t *testing.T, answer func(host string) string) (proxy string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.Host)
		_, _ = io.WriteString(w, answer(r.URL.Host))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, asked
}

func TestEnvironmentProxyIsUsedForItsHosts_S7(t *testing.T) {
	proxy, asked := forwarding(t, func(string) string { return wireConfig })
	f := wireFetcher(t, Config{BaseURL: "http://cdn.example.test"})
	throughEnvironment(f, proxy, "cdn.example.test")
	if _, err := f.Fetch(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if len(*asked) != 1 || (*asked)[0] != "cdn.example.test" {
		t.Errorf("the proxy was asked for %q", *asked)
	}
	direct := wireFetcher(t, Config{BaseURL: serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, wireConfig) }).URL})
	throughEnvironment(direct, proxy, "cdn.example.test")
	if _, err := direct.Fetch(t.Context(), ""); err != nil || len(*asked) != 1 {
		t.Errorf("%v; the proxy was asked for %q", err, *asked)
	}
}

func TestInvalidEnvironmentProxyIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		"http://http://user:55word@h:port": "$HTTPS_PROXY or $HTTP_PROXY: the port is missing", // what net/http makes of h:port
		"ftp://h":                          "$HTTPS_PROXY or $HTTP_PROXY: the scheme must be",
		"http://h/path":                    "$HTTPS_PROXY or $HTTP_PROXY: want nothing after",
	} {
		f := wireFetcher(t, Config{BaseURL: "http://cdn.example.test"})
		throughEnvironment(f, text, "cdn.example.test")
		if e := wantCode(t, f, CodeNetwork); e.Err == nil || !strings.Contains(e.Err.Error(), want) || strings.Contains(e.Err.Error(), "55word") {
			t.Errorf("%s: %v", text, e.Err)
		}
	}
}

func TestProxyURLOverridesTheEnvironment_S7(t *testing.T) {
	proxy, asked := forwarding(t, func(string) string { return wireConfig })
	f := wireFetcher(t, Config{BaseURL: "http://cdn.example.test", ProxyURL: proxy})
	throughEnvironment(f, "http://127.0.0.1:1", "cdn.example.test")
	if _, err := f.Fetch(t.Context(), ""); err != nil || len(*asked) != 1 {
		t.Errorf("%v; the proxy was asked for %q", err, *asked)
	}
}

// The proxy may have any address. The target of a redirect that bypasses the proxy may not.
func TestBypassingAProxyReachesNoPrivateAddress_F26(t *testing.T) {
	target := mustParse(untouched(t).URL)
	to := "http://rebind.example:" + target.Port()
	proxy, asked := forwarding(t, func(string) string { return `{"p":{"u":"` + to + `","r":2},"f":{}}` })
	f := wireFetcher(t, Config{BaseURL: "http://cdn.example.test", AllowedHosts: []string{"rebind.example"}})
	throughEnvironment(f, proxy, "cdn.example.test") // and NO_PROXY=rebind.example
	f.own.DialContext = newDialer(f.cfg, f.configured, names(t, "127.0.0.1"))
	if e := wantCode(t, f, CodeNetwork); !errors.Is(e, errRedirectRefused) || len(*asked) != 1 {
		t.Errorf("%v; the proxy was asked for %q", e.Err, *asked)
	}
}

// Literal addresses are rejected before the proxy receives a request.
func TestProxyReceivesNoPrivateAddress_F26(t *testing.T) {
	for _, to := range []string{"http://169.254.169.254", "http://127.0.0.1", "http://[::1]", "http://localhost"} {
		proxy, asked := forwarding(t, func(string) string { return `{"p":{"u":"` + to + `","r":2},"f":{}}` })
		f := wireFetcher(t, Config{BaseURL: "http://cdn.example.test", AllowedHosts: []string{"169.254.169.254", "127.0.0.1", "::1", "localhost"}})
		f.proxies.environment = func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
		if e := wantCode(t, f, CodeInvalidBody); !errors.Is(e, errRedirectRefused) || len(*asked) != 1 {
			t.Errorf("%s: %v; the proxy was asked for %q", to, e.Err, *asked)
		}
	}
}

// Most users see only the text.
func TestRefusedRedirectNamesTheSettingThatAllowsIt(t *testing.T) {
	for to, want := range map[string]string{
		"http://other.example":   `host "other.example" is not among AllowedHosts (allowed_hosts)`,
		"http://169.254.169.254": "169.254.169.254 is not a public address, and AllowPrivate (allow_private) is not set",
		"http://localhost:1":     "AllowPrivate (allow_private)",
	} {
		for name, answer := range map[string]http.HandlerFunc{
			"preferences": forced(to),
			"location":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) },
		} {
			f := wireFetcher(t, Config{BaseURL: serve(t, answer).URL, AllowedHosts: []string{"169.254.169.254", "localhost"}})
			_, err := f.Fetch(t.Context(), "")
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "content was invalid") {
				t.Errorf("%s to %s: %v", name, to, err)
			}
		}
	}
}

func TestErrorsHideTheEnvironmentProxysPassword_S103(t *testing.T) {
	const password = "secret-of-the-proxy"
	p := &proxies{environment: func(*http.Request) (*url.URL, error) {
		return url.Parse("http://user:" + password + "@127.0.0.1:1")
	}}
	redact := newRedactor(wireKey, p.users(mustParse("http://cdn.example.test"))...)
	if text := redact.text("proxyconnect " + password); strings.Contains(text, password) {
		t.Error(text)
	}
}

package cdn_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/cdn"
)

const config = `{"f":{"test":{"t":0,"v":{"b":true}}}}`

var errReset = errors.New("connection reset by peer")

func newFetcher(t *testing.T, cfg cdn.Config, serve roundTrip) *cdn.Fetcher {
	t.Helper()
	if cfg.SDKKey == "" {
		cfg.SDKKey = sdkKey
	}
	cfg.Transport = serve
	f, err := cdn.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// failure fetches and expects an *Error.
func failure(t *testing.T, f *cdn.Fetcher, etag string) *cdn.Error {
	t.Helper()
	resp, err := f.Fetch(t.Context(), etag)
	e, ok := errors.AsType[*cdn.Error](err)
	if !ok {
		t.Fatalf("got %+v, %v; want an *Error", resp, err)
	}
	if resp.JSON != nil || resp.NotModified {
		t.Errorf("beside an error: %+v", resp)
	}
	return e
}

func TestRequestCarriesItsHeaders_S4_S80(t *testing.T) {
	for _, c := range []struct {
		cfg        cdn.Config
		etag       string
		url, agent string
		auth       bool
	}{
		{cdn.Config{}, "", "https://cdn-global.configcat.com/configuration-files/" + sdkKey + "/config_v6.json", cdn.UserAgent(cdn.LeaderMode), false},
		{cdn.Config{DataGovernance: cdn.EUOnly, UserAgent: "ConfigCat-Go-catbridge/a-9"}, `W/"x y"`, "https://cdn-eu.configcat.com/configuration-files/" + sdkKey + "/config_v6.json", "ConfigCat-Go-catbridge/a-9", false},
		{cdn.Config{BaseURL: "http://u:p%40@my-cdn:81/x%2Fy/"}, `"e"`, "http://my-cdn:81/x%2Fy/configuration-files/" + sdkKey + "/config_v6.json", cdn.UserAgent(cdn.LeaderMode), true},
		{cdn.Config{BaseURL: "https://proxy.example", SDKKey: "configcat-proxy/a b?c#d%/é"}, "", "https://proxy.example/configuration-files/configcat-proxy/a%20b%3Fc%23d%25/%C3%A9/config_v6.json", cdn.UserAgent(cdn.LeaderMode), false},
		// An ETag that is not a valid header value is not sent.
		{cdn.Config{}, "a\r\nHost: evil.example", "https://cdn-global.configcat.com/configuration-files/" + sdkKey + "/config_v6.json", cdn.UserAgent(cdn.LeaderMode), false},
	} {
		f := newFetcher(t, c.cfg, func(req *http.Request) (*http.Response, error) {
			want := http.Header{"User-Agent": {c.agent}, "X-Configcat-Useragent": {c.agent}, "Accept-Encoding": {"gzip"}}
			if c.etag != "" && !strings.Contains(c.etag, "\n") {
				want.Set("If-None-Match", c.etag)
			}
			if user, password, ok := req.BasicAuth(); ok != c.auth || ok && (user != "u" || password != "p@") {
				t.Errorf("basic authentication %v %q %q", ok, user, password)
			}
			for name := range req.Header {
				if got := req.Header.Values(name); name != "Authorization" && strings.Join(got, ",") != strings.Join(want.Values(name), ",") {
					t.Errorf("%s: %q, want %q", name, got, want.Values(name))
				}
				want.Del(name)
			}
			if len(want) > 0 {
				t.Errorf("missing: %v", want)
			}
			if req.Method != http.MethodGet || req.URL.String() != c.url || req.URL.User != nil {
				t.Errorf("%s %s, want GET %s", req.Method, req.URL, c.url)
			}
			return reply(200, config), nil
		})
		if _, err := f.Fetch(t.Context(), c.etag); err != nil {
			t.Error(err)
		}
	}
}

func TestNewContent_S81(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			return reply(200, config, "ETag", `W/"1"`, "CF-RAY", "abc-VIE"), nil
		})
		before := time.Now()
		got, err := f.Fetch(t.Context(), `"0"`)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.JSON) != config || got.NotModified || got.ETag != `W/"1"` || got.RayID != "abc-VIE" || got.Status != 200 || got.Requests != 1 {
			t.Errorf("%+v", got)
		}
		if !got.Sent.Equal(before) {
			t.Errorf("sent at %v, want %v", got.Sent, before)
		}
	})
}

func TestSentHasAMonotonicReading(t *testing.T) {
	f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) { return reply(200, config), nil })
	if got, err := f.Fetch(t.Context(), ""); err != nil || got.Sent == got.Sent.Round(0) {
		t.Errorf("sent at %v, %v", got.Sent, err)
	}
}

func TestEmptyConfigIsContent_S81(t *testing.T) {
	f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) { return reply(200, `{"f":{}}`), nil })
	if got, err := f.Fetch(t.Context(), ""); err != nil || string(got.JSON) != `{"f":{}}` || got.ETag != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNotModified_S82(t *testing.T) {
	f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) {
		return reply(304, "", "ETag", `"another"`, "CF-RAY", "abc"), nil
	})
	got, err := f.Fetch(t.Context(), `"1"`)
	if err != nil {
		t.Fatal(err)
	}
	// F26: a wrong ETag must not be stored with the caller's content.
	if !got.NotModified || got.JSON != nil || got.ETag != `"1"` || got.Status != 304 || got.RayID != "abc" {
		t.Errorf("%+v", got)
	}
}

func TestNotModifiedWithNothingCached_S82_F26(t *testing.T) {
	f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) { return reply(304, ""), nil })
	for _, etag := range []string{"", "\x00"} {
		if e := failure(t, f, etag); e.Code != cdn.CodeNothingToValidate || e.Status != 304 {
			t.Errorf("%+v", e)
		}
	}
}

func TestStatusDeterminesTheCode_S83_S84(t *testing.T) {
	requests := 0
	status := 0
	f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) {
		requests++
		return reply(status, config), nil
	})
	for s, code := range map[int]int{
		201: 1101, 204: 1101, 206: 1101, 300: 1101, 302: 1101, 305: 1101, 400: 1101, 401: 1101, 403: 1100, 404: 1100, 407: 1101,
		410: 1101, 429: 1101, 500: 1101, 502: 1101, 503: 1101, 599: 1101, 999: 1101,
	} {
		status, requests = s, 0
		if e := failure(t, f, `"1"`); e.Code != code || e.Status != s || e.Requests != 1 || requests != 1 {
			t.Errorf("%d: %+v after %d requests, want %d after one", s, e, requests, code)
		}
	}
}

func TestErrorsHaveTheOfficialTexts_S88_S102(t *testing.T) {
	for _, c := range []struct {
		serve roundTrip
		want  string
	}{
		{func(*http.Request) (*http.Response, error) { return reply(404, "", "CF-RAY", "r1"), nil },
			"Your SDK Key seems to be wrong: '…789012'. You can find the valid SDK Key at https://app.configcat.com/sdkkey (Ray ID: r1)"},
		{func(*http.Request) (*http.Response, error) { return reply(403, ""), nil },
			"Your SDK Key seems to be wrong: '…789012'. You can find the valid SDK Key at https://app.configcat.com/sdkkey"},
		{func(*http.Request) (*http.Response, error) { return reply(503, "", "CF-RAY", "r2"), nil },
			"Unexpected HTTP response was received while trying to fetch config JSON: 503 Service Unavailable (Ray ID: r2)"},
		{func(*http.Request) (*http.Response, error) { return reply(799, ""), nil },
			"Unexpected HTTP response was received while trying to fetch config JSON: 799"},
		{func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		},
			"Request timed out while trying to fetch config JSON. Timeout value: 30000ms"},
		{func(*http.Request) (*http.Response, error) { return nil, os.ErrDeadlineExceeded },
			"Request timed out while trying to fetch config JSON."},
		{func(*http.Request) (*http.Response, error) { return nil, errReset },
			"Unexpected error occurred while trying to fetch config JSON. It is most likely due to a local network issue. Please make sure your application can reach the ConfigCat CDN servers (or your proxy server) over HTTP."},
		{func(req *http.Request) (*http.Response, error) {
			return reply(200, `{"p":{"u":"https://x`+req.URL.Host+`","r":1}}`, "CF-RAY", "r3"), nil
		}, "Redirection loop encountered while trying to fetch config JSON. Please contact us at https://configcat.com/support/ (Ray ID: r3)"},
		{func(*http.Request) (*http.Response, error) { return reply(200, "", "CF-RAY", "r4"), nil },
			"Fetching config JSON was successful but the HTTP response content was invalid. (Ray ID: r4)"},
		{func(*http.Request) (*http.Response, error) { return reply(304, ""), nil },
			"Unexpected HTTP response was received when no config JSON is cached locally: 304 Not Modified"},
		// A header that does not belong in a log message is omitted.
		{func(*http.Request) (*http.Response, error) { return reply(500, "", "CF-RAY", "a\x1b[2Jb"), nil },
			"Unexpected HTTP response was received while trying to fetch config JSON: 500 Internal Server Error"},
		{func(*http.Request) (*http.Response, error) {
			return reply(500, "", "CF-RAY", strings.Repeat("r", 65)), nil
		}, "Unexpected HTTP response was received while trying to fetch config JSON: 500 Internal Server Error"},
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := failure(t, newFetcher(t, cdn.Config{}, c.serve), "").Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestUnusableBodyIs1105WithoutRetry_S81_F26(t *testing.T) {
	for name, resp := range map[string]func() *http.Response{
		"empty":                 func() *http.Response { return reply(200, "") },
		"no body":               func() *http.Response { return &http.Response{StatusCode: 200} },
		"HTML":                  func() *http.Response { return reply(200, "<html>captive portal</html>", "Content-Type", "text/html") },
		"cut off":               func() *http.Response { return reply(200, config[:20]) },
		"null":                  func() *http.Response { return reply(200, "null") },
		"f missing":             func() *http.Response { return reply(200, `{}`) },
		"f null":                func() *http.Response { return reply(200, `{"f":null}`) },
		"f an array":            func() *http.Response { return reply(200, `{"f":[]}`) },
		"a million brackets":    func() *http.Response { return reply(200, strings.Repeat("[", 1_000_000)) },
		"brotli":                func() *http.Response { return reply(200, config, "Content-Encoding", "br") },
		"gzip twice":            func() *http.Response { return reply(200, config, "Content-Encoding", "gzip, gzip") },
		"gzip that is none":     func() *http.Response { return reply(200, config, "Content-Encoding", "gzip") },
		"the check's objection": func() *http.Response { return reply(200, `{"f":{"broken":1}}`) },
		"over the limit":        func() *http.Response { return reply(200, `{"f":{"x":"`+strings.Repeat("x", 2<<20)+`"}}`) },
		"redirect off the list": func() *http.Response { return reply(200, `{"p":{"u":"https://evil.example","r":1},"f":{}}`) },
		"redirect to nonsense":  func() *http.Response { return reply(200, `{"p":{"u":"::","r":2},"f":{}}`) },
	} {
		f := newFetcher(t, cdn.Config{
			MaxBodyBytes: 1 << 20,
			Check: func(json []byte) error {
				if bytes.Contains(json, []byte("broken")) {
					return errors.New("a broken flag")
				}
				return nil
			},
		}, func(*http.Request) (*http.Response, error) { return resp(), nil })
		if e := failure(t, f, `"1"`); e.Code != cdn.CodeInvalidBody || e.Status != 200 || e.Requests != 1 || e.Err == nil {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestBodyOfExactlyTheLimitIsAccepted(t *testing.T) {
	body := `{"f":{"x":"` + strings.Repeat("x", 1000) + `"}}`
	for spare, ok := range map[int]bool{-1: false, 0: true, 1: true} {
		f := newFetcher(t, cdn.Config{MaxBodyBytes: int64(len(body) + spare)}, func(*http.Request) (*http.Response, error) { return reply(200, body), nil })
		if _, err := f.Fetch(t.Context(), ""); (err == nil) != ok {
			t.Errorf("limit %+d: %v", spare, err)
		}
	}
}

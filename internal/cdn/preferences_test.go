package cdn_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/catbridge/catbridge/internal/cdn"
)

func TestCheckReceivesOnlyFinalAnswers_S86(t *testing.T) {
	var seen []string
	f := newFetcher(t, cdn.Config{Check: func(json []byte) error { seen = append(seen, string(json)); return nil }},
		func(req *http.Request) (*http.Response, error) {
			if req.URL.Host == "cdn-global.configcat.com" {
				return reply(200, `{"p":{"u":"https://cdn-eu.configcat.com","r":1},"f":{}}`), nil
			}
			return reply(200, config), nil
		})
	if _, err := f.Fetch(t.Context(), ""); err != nil || len(seen) != 1 || seen[0] != config {
		t.Errorf("seen %q, %v", seen, err)
	}
}

// The content that Fetch returns is that of the last call, also of one that fails a check.
func TestReceivedReceivesEveryBodyFirst(t *testing.T) {
	const redirect = `{"p":{"u":"https://cdn-eu.configcat.com","r":1},"f":{}}`
	var seen []string
	f := newFetcher(t, cdn.Config{
		Received: func(json []byte) { seen = append(seen, string(json)) },
		Check:    func(json []byte) error { seen = append(seen, "checked"); return nil },
	}, func(req *http.Request) (*http.Response, error) {
		switch {
		case req.URL.Host == "cdn-global.configcat.com":
			return reply(200, redirect), nil
		case len(seen) > 1:
			return reply(200, "[]"), nil
		}
		return reply(200, config), nil
	})
	if got, err := f.Fetch(t.Context(), ""); err != nil || string(got.JSON) != config || !slices.Equal(seen, []string{redirect, config, "checked"}) {
		t.Errorf("seen %q, %v", seen, err)
	}
	if _, err := f.Fetch(t.Context(), ""); err == nil || seen[len(seen)-1] != "[]" {
		t.Errorf("seen %q, %v", seen, err)
	}
}

func TestRedirectWarnsOnlyOfAWrongSetup_S86_3002(t *testing.T) {
	for mode, c := range map[string]struct{ lines, requests int }{"0": {0, 1}, "1": {1, 2}, "2": {0, 2}, "3": {0, 2}, "null": {0, 2}} {
		var log bytes.Buffer
		requests := 0
		f := newFetcher(t, cdn.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))}, func(req *http.Request) (*http.Response, error) {
			requests++
			return reply(200, `{"p":{"u":"https://cdn-eu.configcat.com/","r":`+mode+`},"f":{}}`), nil
		})
		if _, err := f.Fetch(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if requests != c.requests || strings.Count(log.String(), "\n") != c.lines {
			t.Errorf("r %s: %d requests, log %s", mode, requests, &log)
		}
		if c.lines == 1 && (!strings.Contains(log.String(), `"level":"WARN"`) || !strings.Contains(log.String(), `"event_id":3002`) ||
			!strings.Contains(log.String(), "\"msg\":\"[3002] The `dataGovernance` parameter")) {
			t.Errorf("log %s", &log)
		}
	}
}

func TestEquivalentBaseURLIsNotARedirect_S86(t *testing.T) {
	for _, u := range []string{"", "https://cdn-global.configcat.com", "https://CDN-global.configcat.com/", "https://cdn-global.configcat.com:443"} {
		requests := 0
		f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) {
			requests++
			return reply(200, `{"p":{"u":"`+u+`","r":1},"f":{}}`), nil
		})
		if _, err := f.Fetch(t.Context(), ""); err != nil || requests != 1 {
			t.Errorf("%q: %d requests, %v", u, requests, err)
		}
	}
}

func TestRedirectedRequestCarriesTheETag_S80_S86(t *testing.T) {
	f := newFetcher(t, cdn.Config{}, func(req *http.Request) (*http.Response, error) {
		if req.Header.Get("If-None-Match") != `"1"` {
			t.Errorf("If-None-Match %q", req.Header.Get("If-None-Match"))
		}
		if req.URL.Host == "cdn-global.configcat.com" {
			return reply(200, `{"p":{"u":"https://cdn-eu.configcat.com","r":1}}`, "ETag", `"g"`), nil
		}
		return reply(304, ""), nil
	})
	if got, err := f.Fetch(t.Context(), `"1"`); err != nil || !got.NotModified || got.Requests != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A redirect to a failing server must not hold the fetcher forever.
func TestFailingRedirectTargetIsForgotten_S86(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hosts []string
		down, redirect := false, true
		f := newFetcher(t, cdn.Config{}, func(req *http.Request) (*http.Response, error) {
			hosts = append(hosts, req.URL.Host)
			switch {
			case req.URL.Host == "cdn-global.configcat.com" && redirect:
				return reply(200, `{"p":{"u":"https://cdn-eu.configcat.com","r":1}}`), nil
			case req.URL.Host == "cdn-eu.configcat.com" && down:
				return reply(503, ""), nil
			}
			return reply(200, config), nil
		})
		step := func(ok bool, want string) {
			t.Helper()
			hosts = nil
			if _, err := f.Fetch(t.Context(), ""); (err == nil) != ok {
				t.Errorf("error %v", err)
			}
			if got := strings.ReplaceAll(strings.Join(hosts, " "), ".configcat.com", ""); got != want {
				t.Errorf("asked %s, want %s", got, want)
			}
		}
		step(true, "cdn-global cdn-eu")
		step(true, "cdn-eu")
		down = true
		step(false, "cdn-eu")
		step(false, "cdn-global cdn-eu")
		redirect = false
		step(true, "cdn-global")
	})
}

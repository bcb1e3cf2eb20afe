package fakecdn_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sdkKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

// answer is the response that a client got.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

// onBoth runs a test without a network and over a real connection.
func onBoth(t *testing.T, test func(t *testing.T, cdn *fakecdn.CDN, get func(ctx context.Context, etag string) answer)) {
	over := func(base string, transport http.RoundTripper) func(context.Context, string) answer {
		return func(ctx context.Context, etag string) answer {
			req, err := http.NewRequestWithContext(ctx, "GET", base+"/configuration-files/"+sdkKey+"/config_v6.json", nil)
			if err != nil {
				t.Fatal(err)
			}
			if etag != "" {
				req.Header.Set("If-None-Match", etag)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				return answer{err: err}
			}
			defer func() { _ = resp.Body.Close() }()
			body, err := io.ReadAll(resp.Body)
			return answer{resp.StatusCode, resp.Header, string(body), err}
		}
	}
	t.Run("no network", func(t *testing.T) {
		cdn := fakecdn.New()
		test(t, cdn, over("https://cdn.example", cdn))
	})
	t.Run("network", func(t *testing.T) {
		cdn := fakecdn.New()
		server := httptest.NewServer(cdn)
		defer server.Close()
		transport := &http.Transport{DisableKeepAlives: true}
		test(t, cdn, over(server.URL, transport))
	})
}

func versionOf(t *testing.T, body string) int64 {
	t.Helper()
	var config struct {
		F map[string]struct{ V struct{ I int64 } }
	}
	if err := json.Unmarshal([]byte(body), &config); err != nil {
		t.Fatal(err)
	}
	return config.F[fakecdn.VersionFlag].V.I
}

func TestVersionRisesAndETagsDiffer(t *testing.T) {
	onBoth(t, func(t *testing.T, cdn *fakecdn.CDN, get func(context.Context, string) answer) {
		first := get(t.Context(), "")
		if first.status != 200 || versionOf(t, first.body) != 1 {
			t.Fatalf("%+v", first)
		}
		if again := get(t.Context(), first.header.Get("ETag")); again.status != 304 || again.body != "" {
			t.Errorf("asked again: %+v", again)
		}
		if v := cdn.Publish(); v != 2 || cdn.Version() != 2 {
			t.Errorf("published %d", v)
		}
		if next := get(t.Context(), first.header.Get("ETag")); next.status != 200 || versionOf(t, next.body) != 2 {
			t.Errorf("after a change: %+v", next)
		}
		if n := cdn.RequestsOf(sdkKey); n != 3 || len(cdn.Requests()) != 3 || cdn.RequestsOf("x") != 0 {
			t.Errorf("counted %d, %+v", n, cdn.Requests())
		}
		if r := cdn.Requests()[1]; r.Status != 304 || r.ETag != first.header.Get("ETag") || r.SDKKey != sdkKey {
			t.Errorf("recorded %+v", r)
		}
	})
}

func TestFaults(t *testing.T) {
	old := fakecdn.Config{Version: 1}
	for name, test := range map[string]struct {
		fault fakecdn.Fault
		check func(a answer) bool
	}{
		"status":   {fakecdn.Status(503), func(a answer) bool { return a.status == 503 }},
		"too many": {fakecdn.TooMany(90 * time.Second), func(a answer) bool { return a.status == 429 && a.header.Get("Retry-After") == "90" }},
		"HTML":     {fakecdn.HTML(), func(a answer) bool { return a.status == 200 && strings.Contains(a.body, "<title>") }},
		"garbage":  {fakecdn.Garbage(), func(a answer) bool { return a.status == 200 && !json.Valid([]byte(a.body)) }},
		"oversize": {fakecdn.Oversize(1 << 20), func(a answer) bool { return len(a.body) > 1<<20 && json.Valid([]byte(a.body)) }},
		"network":  {fakecdn.Network(errors.New("unplugged")), func(a answer) bool { return a.err != nil }},
		"stale":    {fakecdn.Stale(old), func(a answer) bool { return a.status == 200 && a.header.Get("ETag") == old.ETag() }},
		"no times": {fakecdn.Times(0, fakecdn.Status(500)), func(a answer) bool { return a.status == 200 }},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, cdn *fakecdn.CDN, get func(context.Context, string) answer) {
				version := cdn.Publish()
				cdn.Break(test.fault)
				if a := get(t.Context(), ""); !test.check(a) {
					t.Errorf("%+v", a)
				}
				cdn.Repair()
				if a := get(t.Context(), ""); a.status != 200 || versionOf(t, a.body) != version {
					t.Errorf("repaired: %+v", a)
				}
			})
		})
	}
}

func TestHangingRequestEndsByReleaseOrWithItsContext(t *testing.T) {
	onBoth(t, func(t *testing.T, cdn *fakecdn.CDN, get func(context.Context, string) answer) {
		release := make(chan struct{})
		cdn.Break(fakecdn.Hang(release))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if a := get(ctx, ""); !errors.Is(a.err, context.DeadlineExceeded) {
			t.Errorf("%+v", a)
		}
		time.AfterFunc(20*time.Millisecond, func() { close(release) })
		if a := get(t.Context(), ""); a.status != 200 {
			t.Errorf("released: %+v", a)
		}
	})
}

func TestWorksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cdn := fakecdn.New()
		cdn.Break(fakecdn.Hang(nil))
		client := http.Client{Transport: cdn, Timeout: time.Hour}
		start := time.Now()
		_, err := client.Get("https://cdn.example/configuration-files/" + sdkKey + "/config_v6.json")
		if err == nil || time.Since(start) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestConfigIsValidAtEverySize(t *testing.T) {
	for _, size := range []int{0, 5 << 10, 200 << 10, 1 << 20} {
		config := fakecdn.Config{Version: 7, MinBytes: size}
		data := config.JSON()
		if len(data) < size || size > 10<<10 && len(data) > size+size/5 {
			t.Errorf("%d bytes, want at least %d", len(data), size)
		}
		if string(data) != string(config.JSON()) {
			t.Error("not the same bytes each time")
		}
		parsed, err := evaluate.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if broken := parsed.BrokenFlags(); len(broken) != 0 {
			t.Errorf("broken flags: %v", broken)
		}
	}
}
